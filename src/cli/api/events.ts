import type { components } from "../../client/api-types.ts";
import type { FanfareClient } from "../../client/client.ts";
import { text, wholeNumber } from "../commands/options.ts";
import { print } from "../output.ts";
import { action, apiCommand, jsonText } from "./api-command.ts";
import { channelNamed } from "./channels.ts";
import { ApiFailure, contentOf, EXIT } from "./exit-codes.ts";
import { type LiveMessage, liveMessages } from "./live-events.ts";
import { type Column, printable, table, timeText } from "./table.ts";

type Event = components["schemas"]["Event"];

const COLUMNS: readonly Column<Event>[] = [
  ["TIME", ({ timestamp }) => timeText(timestamp)],
  ["LEVEL", ({ logLevel }) => logLevel],
  ["CHANNEL", ({ channelId }) => channelId],
  ["EVENT", ({ eventCode }) => eventCode],
  ["WHAT", ({ description }) => description],
];
const EVENTS_DEFAULT = 50;
/** Events of a gap in the live stream that are read at most. */
const GAP_EVENTS_MAX = 100;
/** Events that are remembered: one may come by the live stream and by the list. */
const SEEN_MAX = 1_000;

function lineOf(event: Event): string {
  return `${COLUMNS.map(([, of]) => printable(of(event))).join("  ")}\n`;
}

/**
 * Yields each event once, as it happens. A snapshot says that the live stream has a gap, as after another start of the
 * server: what happened in it, the last hundred events at most, is read from the list.
 */
export async function* followEvents(
  client: FanfareClient,
  messages: AsyncIterable<LiveMessage>,
): AsyncGenerator<Event> {
  const seen = new Set<number>();
  let isBegun = false;
  for await (const { event, data } of messages) {
    const happened =
      event === "event"
        ? [data as Event]
        : event === "snapshot"
          ? (await newestEvents(client, isBegun)).toReversed()
          : [];
    for (const one of happened) {
      if (seen.has(one.id)) continue;
      seen.add(one.id);
      if (isBegun) yield one;
    }
    // What was there before the first snapshot is history.
    isBegun ||= event === "snapshot";
    if (seen.size > SEEN_MAX) for (const id of [...seen].slice(0, seen.size - SEEN_MAX)) seen.delete(id);
  }
}

/** `mayBeAway`: a server that is away again is asked after its next snapshot. */
async function newestEvents(client: FanfareClient, mayBeAway: boolean): Promise<readonly Event[]> {
  const answer = contentOf(client.GET("/events", { params: { query: { pageSizeNo: GAP_EVENTS_MAX } } }));
  return answer.catch((error: unknown) => {
    if (mayBeAway && error instanceof ApiFailure && error.exitCode === EXIT.unreachable) return [];
    throw error;
  });
}

const options = {
  channel: text("a channel's id or name", "Only events of this channel."),
  count: wholeNumber(1, 100, `How many, newest first; default ${EVENTS_DEFAULT}.`),
};

export const eventsCommand = apiCommand("events", "What happened.", {
  list: action({
    words: [],
    about: "Lists the newest events.",
    options,
    run: async ({ client, values, isJson }) => {
      const query = { pageSizeNo: values.count ?? EVENTS_DEFAULT };
      const channelId =
        values.channel === undefined ? undefined : (await channelNamed(client, values.channel)).channelId;
      const events = await contentOf(
        client.GET("/events", { params: { query: channelId === undefined ? query : { ...query, channelId } } }),
      );
      return isJson ? jsonText(events) : table(events, COLUMNS);
    },
  }),
  tail: action({
    words: [],
    about: "Prints each event as it happens, one a line, until Ctrl+C.",
    options: { channel: options.channel },
    run: async ({ client, profile, values, isJson }) => {
      const only = values.channel === undefined ? undefined : (await channelNamed(client, values.channel)).channelId;
      for await (const event of followEvents(client, liveMessages(profile))) {
        if (only !== undefined && event.channelId !== only) continue;
        print(isJson ? `${JSON.stringify(event)}\n` : lineOf(event));
      }
      return "";
    },
  }),
});

type AuditRecord = components["schemas"]["AuditRecord"];
type Change = AuditRecord["changes"][number];

function changeText({ field, before, after }: Change): string {
  const value = (of: Change["before"]) => (of === undefined ? "–" : String(of));
  return `${field}: ${value(before)} → ${value(after)}`;
}

const AUDIT_COLUMNS: readonly Column<AuditRecord>[] = [
  ["TIME", ({ timestamp }) => timeText(timestamp)],
  ["ACTION", ({ action: name }) => name],
  ["CHANNEL", ({ channelId }) => channelId ?? ""],
  ["WHO", ({ actor, actorId, actorName }) => actorName || (actorId ?? actor)],
  ["FROM", ({ client, remoteAddress }) => `${client} ${remoteAddress ?? ""}`.trim()],
  ["CHANGES", ({ changes }) => changes.map(changeText).join("; ")],
];

const audit = action({
  words: [],
  about: "Lists the newest changes: who made them, from where, and what was before and after.",
  options: {
    ...options,
    by: text("an access key's id, or dashboard", "Only changes by this one."),
  },
  run: async ({ client, values, isJson }) => {
    const only = values.channel === undefined ? undefined : (await channelNamed(client, values.channel)).channelId;
    const query = {
      pageSizeNo: values.count ?? EVENTS_DEFAULT,
      ...(only === undefined ? {} : { channelId: only }),
      ...(values.by === undefined ? {} : { actor: values.by }),
    };
    // The document also has the CSV form.
    const records = (await contentOf(client.GET("/audit", { params: { query } }))) as readonly AuditRecord[];
    return isJson ? jsonText(records) : table(records, AUDIT_COLUMNS);
  },
});

export const auditCommand = apiCommand("audit", "Who changed what.", { "": audit, list: audit });
