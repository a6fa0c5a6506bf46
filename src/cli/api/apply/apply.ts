import { stringify } from "yaml";
import type { FanfareClient } from "../../../client/client.ts";
import type { Command } from "../../commands/command.ts";
import { text } from "../../commands/options.ts";
import { type ApiCommand, action, apiCommand, jsonText } from "../api-command.ts";
import { allChannels, deleteChannel } from "../channels.ts";
import { ApiFailure, contentOf, contentUnlessGone, EXIT } from "../exit-codes.ts";
import { counted } from "../table.ts";
import { picked } from "./apply-changes.ts";
import { CHANNEL_FIELDS, PLATFORM_FIELDS } from "./apply-compare.ts";
import { contactSteps, exportedContact, type PresentContact, takeContactStep } from "./apply-contacts.ts";
import { firstTwice, readApplyFile, type WantedChannel, type WantedFile } from "./apply-file.ts";
import { disturbs, type Present, planOf, type Step, stepText } from "./apply-plan.ts";
import { changePull, presentPull } from "./apply-pull.ts";
import { addSchedule, exportedSchedule, FileNames, isPast, takeScheduleStep } from "./apply-schedules.ts";

/** What the server has of all that a file can name. */
type Server = {
  readonly channels: readonly Present[];
  readonly contacts: readonly PresentContact[];
  readonly names: FileNames;
};

async function presentOf(client: FanfareClient): Promise<Server> {
  const channels: Present[] = [];
  for (const channel of await allChannels(client)) {
    const path = { params: { path: { channelId: channel.channelId } } };
    const platforms = await contentUnlessGone(client.GET("/re-stream/channels/{channelId}/platforms", path));
    const pull = await presentPull(client, channel.channelId);
    const schedules = await contentUnlessGone(client.GET("/re-stream/channels/{channelId}/schedules", path));
    if (platforms !== undefined && pull !== undefined && schedules !== undefined)
      channels.push({ channel, platforms, pull, schedules });
  }
  const names = new FileNames(await contentOf(client.GET("/media-files")));
  return { channels, contacts: await contentOf(client.GET("/events/contacts")), names };
}

function stepsOf({ channels, contacts }: WantedFile, present: Server, isPruning: boolean): readonly Step[] {
  const known = present.channels.map(({ channel }) => channel);
  return [
    ...planOf(channels, present.channels, isPruning, present.names),
    ...contactSteps(contacts, present.contacts, known, isPruning),
  ];
}

/** The bodies come from a file that the same schemas have checked: absent and null are the same to the server. */
async function take(client: FanfareClient, step: Step, names: FileNames): Promise<unknown> {
  const one = { params: { path: { channelId: "channel" in step ? step.channel.channelId : "" } } };
  const platform = (platformId: number) => ({ params: { path: { ...one.params.path, platformId } } });
  switch (step.kind) {
    case "create-channel":
      return createChannel(client, step.wanted, names);
    case "set-pull":
      return changePull(client, step.channel.channelId, step.change);
    case "change-channel":
      return contentOf(client.PUT("/re-stream/channels/{channelId}", { ...one, body: step.fields as never }));
    case "delete-channel":
      return deleteChannel(client, step.channel.channelId, step.channel.isPublishing);
    case "add-platform":
      return contentOf(
        client.POST("/re-stream/channels/{channelId}/platforms", { ...one, body: step.wanted as never }),
      );
    case "change-platform": {
      const { params } = platform(step.platform.platId);
      const body = step.fields as never;
      const query = { onAir: "true" } as const;
      return contentOf(
        client.PUT("/re-stream/channels/{channelId}/platforms/{platformId}", { params: { ...params, query }, body }),
      );
    }
    case "remove-platform":
      return contentOf(
        client.DELETE("/re-stream/channels/{channelId}/platforms/{platformId}", platform(step.platform.platId)),
      );
    case "add-schedule":
    case "change-schedule":
    case "remove-schedule":
      return takeScheduleStep(client, step, names);
    default:
      return takeContactStep(client, step);
  }
}

/** Creates it with all that belongs to it, or not at all: another run would take one that is there for whole. */
async function createChannel(
  client: FanfareClient,
  { pull, schedules, planType, ...body }: WantedChannel,
  names: FileNames,
): Promise<void> {
  const { channelId } = await contentOf(
    client.POST("/re-stream/channels", {
      params: { query: { anyName: "true" } },
      body: { ...body, planType: planType ?? "STANDARD" } as never,
    }),
  );
  try {
    for (const schedule of schedules ?? []) {
      if (!isPast(schedule)) await addSchedule(client, channelId, schedule, names);
    }
    if (pull != null)
      await changePull(client, channelId, { url: pull.url, ...(pull.enabled === true ? { enabled: true } : {}) });
  } catch (error) {
    await deleteChannel(client, channelId, true).catch(() => undefined);
    throw error;
  }
}

async function takeAll(client: FanfareClient, steps: readonly Step[], names: FileNames): Promise<void> {
  for (const [index, step] of steps.entries()) {
    await take(client, step, names).catch((error: unknown) => {
      if (!(error instanceof ApiFailure)) throw error;
      // Without an answer nobody knows whether this step is done.
      const done =
        index === 0 && error.exitCode !== EXIT.unreachable
          ? "Nothing was changed."
          : `${index} of ${steps.length} steps are done; run it again for the rest.`;
      throw new ApiFailure(error.exitCode, `${stepText(step)}: ${error.message} ${done}`);
    });
  }
}

const SWITCHES = {
  "dry-run": "Show what would change, and change nothing.",
  prune:
    "Also delete channels, platforms, and of lists that the file has, schedules and contacts that it does not name.",
  "on-air": "Also change what restarts or ends a stream that is on air. Without it nothing at all is changed then.",
};
const FILE = { file: text("a path, or - for standard input", "The file of channels, YAML or JSON.") };

function reportOf(steps: readonly Step[], isJson: boolean, isDone: boolean): string {
  if (isJson)
    return jsonText({
      isDone,
      steps: steps.map((step) => ({ kind: step.kind, text: stepText(step), isOnAir: disturbs(step) })),
    });
  if (steps.length === 0) return "Nothing to change.\n";
  return `${steps.map(stepText).join("\n")}\n${isDone ? `${counted(steps.length, "step")} done.` : "Nothing was changed."}\n`;
}

const applyAction = action({
  words: [],
  about:
    "Makes the server's channels what the file says: shows the difference and changes only that. Each channel has the form of the call that creates one.",
  options: FILE,
  switches: SWITCHES,
  run: async ({ client, values, switches, isJson }) => {
    if (values.file === undefined) throw new ApiFailure(EXIT.usage, "--file FILE (or -f FILE) names the file.");
    const wanted = readApplyFile(values.file, process.env);
    const present = await presentOf(client);
    const steps = stepsOf(wanted, present, switches.has("prune"));
    if (switches.has("dry-run")) return reportOf(steps, isJson, false);
    const disturbing = steps.filter(disturbs);
    if (disturbing.length > 0 && !switches.has("on-air")) {
      const lines = disturbing.map(stepText).join("\n");
      throw new ApiFailure(
        EXIT.attention,
        `this would disturb what is on air; give --on-air for it. Nothing was changed.\n${lines}`,
      );
    }
    await takeAll(client, steps, present.names);
    return reportOf(steps, isJson, true);
  },
});

/** `-f` is what people know from other tools. */
function withShortFile(command: ApiCommand): ApiCommand {
  const run: Command = (args, env) =>
    command(
      args.map((word) => (word === "-f" ? "--file" : word)),
      env,
    );
  return Object.assign(run, { completes: command.completes });
}

export const applyCommand = withShortFile(apiCommand("apply", "Channels from a file.", { "": applyAction }));

export const importCommand = withShortFile(
  apiCommand("import", "Channels from a file that fanfare export wrote, of this server or another.", {
    "": action({
      words: [],
      about:
        "Creates the channels and contacts of the file that the server does not have yet. Changes none that it has.",
      options: FILE,
      run: async ({ client, values, isJson }) => {
        if (values.file === undefined) throw new ApiFailure(EXIT.usage, "--file FILE (or -f FILE) names the file.");
        const wanted = readApplyFile(values.file, process.env);
        const present = await presentOf(client);
        const known = new Set(present.channels.map(({ channel }) => channel.channelName));
        const channels = wanted.channels.filter(({ channelName }) => !known.has(channelName));
        const steps = stepsOf({ ...wanted, channels }, present, false);
        const created = steps.filter(({ kind }) => kind === "create-channel" || kind === "create-contact");
        await takeAll(client, created, present.names);
        return reportOf(created, isJson, true);
      },
    }),
  }),
);

export const exportCommand = apiCommand("export", "Channels as a file.", {
  "": action({
    words: [],
    about:
      "Prints all channels and contacts as YAML for fanfare apply and fanfare import. It contains keys; keep it private.",
    run: async ({ client, isJson }) => {
      const present = await presentOf(client);
      if (present.channels.some(({ channel }) => isMasked(channel)))
        throw new ApiFailure(EXIT.notAllowed, "a viewer sees keys masked: an export needs a manager's access key.");
      const channels = present.channels.map(({ channel, platforms, pull, schedules = [] }) => {
        const toCome = schedules.flatMap((schedule) => exportedSchedule(schedule, present.names) ?? []);
        const { endTime: _end, limitTime: _limit, ...hold } = channel.hold;
        return {
          ...picked({ ...channel, hold, recording: { enabled: channel.recording.enabled } }, [
            "channelName",
            ...CHANNEL_FIELDS,
          ]),
          ...(pull?.url === undefined ? {} : { pull: { url: pull.url, enabled: pull.isRunning } }),
          restream: platforms.map((platform) => picked(platform, ["targetName", ...PLATFORM_FIELDS])),
          ...(toCome.length === 0 ? {} : { schedules: toCome }),
        };
      });
      const known = present.channels.map(({ channel }) => channel);
      const twice = firstTwice(known.map(({ channelName }) => channelName));
      // Else the person learns it when the file is needed.
      if (twice !== undefined)
        process.stderr.write(
          `fanfare: two channels are named ${JSON.stringify(twice)}: apply and import refuse this file.\n`,
        );
      const contacts = present.contacts.map((contact) => exportedContact(contact, known));
      const file = { channels, ...(contacts.length === 0 ? {} : { contacts }) };
      return isJson ? jsonText(file) : stringify(file);
    },
  }),
});

/** The server's own keys are letters and digits. */
function isMasked({ streamKey }: Present["channel"]): boolean {
  return streamKey.includes("*");
}
