import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { api, page } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import { now } from "../../base/clock.ts";
import { keep, recall } from "../../base/kept.ts";
import type { Channel } from "../../base/model.ts";
import { recentEvents } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";
import { doneSteps, isTest, type Past, pastOf, STEPS, type Step } from "./steps.ts";

/** Where a step is done: the heading of that part of the channel's page. */
const PLACES: Readonly<Record<Step, string>> = {
  create: "platforms-title",
  platform: "platforms-title",
  test: "encoder-title",
  encoder: "encoder-title",
  stream: "encoder-title",
  green: "platforms-title",
};

/** The server keeps events and reports for so long, in milliseconds: an older channel that was on air is past its first steps. */
const REPORTS_KEPT_MS = 7 * 24 * 3_600_000;
const KEPT_AS = "fanfare-first-steps";
const KEPT_MAX = 200;

/** The channels whose list was closed; the empty name is the list without a channel. */
function closedLists(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(recall(KEPT_AS) ?? "[]");
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

function keepClosed(channelId: string): void {
  keep(KEPT_AS, JSON.stringify([channelId, ...closedLists()].slice(0, KEPT_MAX)));
}

async function readPast(channelId: string): Promise<Past> {
  const path = { channelId };
  const [events, reports] = await Promise.all([
    page(api.GET("/re-stream/channels/{channelId}/events", { params: { path, query: { pageSizeNo: 100 } } })),
    page(api.GET("/re-stream/channels/{channelId}/reports", { params: { path, query: { pageSizeNo: 20 } } })),
  ]);
  return pastOf(events.items, reports.items);
}

/** Returns the steps that are done: by what the server remembered when the page was opened, and what happened since. */
function stepsNow(channel: Channel, past: Past): ReadonlySet<Step> {
  const isTestedNow = recentEvents.value.some((event) => event.channelId === channel.channelId && isTest(event));
  return doneSteps(channel, isTestedNow ? { ...past, isTested: true } : past);
}

/** The first steps of a channel until a broadcast was green: on air on every platform that is on. Closing the list is remembered in this browser. */
export function FirstSteps({
  channel,
  isOnOverview = false,
}: {
  readonly channel: Channel;
  readonly isOnOverview?: boolean;
}) {
  const { channelId } = channel;
  const past = useSignal<Past | "failed" | undefined>(undefined);
  const isClosed = useSignal(closedLists().includes(channelId));
  const isOld = channel.totalPublishSeconds > 0 && now.peek() - channel.createdTime > REPORTS_KEPT_MS;
  const isNeeded = !isClosed.value && !isOld;
  useEffect(() => {
    if (isNeeded)
      readPast(channelId)
        .then((read) => (past.value = read))
        .catch(() => (past.value = "failed"));
  }, [channelId, isNeeded]);
  const known = typeof past.value === "object" ? past.value : undefined;
  /** It stays so when the broadcast ends. */
  const isFinished = useSignal(false);
  const done = known === undefined ? undefined : isFinished.value ? new Set(STEPS) : stepsNow(channel, known);
  const isOver = known?.wasGreen === true || done?.size === STEPS.length;
  useEffect(() => {
    if (!isOver) return;
    isFinished.value = true;
    // The next time there is no place for it. A finished list stays until then: nothing moves under the mouse.
    keepClosed(channelId);
  }, [isOver]);
  const close = (): void => {
    keepClosed(channelId);
    isClosed.value = true;
  };
  if (!isNeeded || past.value === "failed" || known?.wasGreen === true) return null;
  const place = (step: Step): string => (isOnOverview ? at(`/channels/${channelId}`) : `#${PLACES[step]}`);
  return (
    <Steps done={done} onClose={close}>
      {(step) => <PlaceLink href={place(step)}>{t().firstSteps.steps[step]}</PlaceLink>}
    </Steps>
  );
}

/** The first steps of a new installation, which has no channel yet. */
export function FirstStepsWithoutChannel({ onCreate }: { readonly onCreate: () => void }) {
  return (
    <Steps done={new Set()}>
      {(step) =>
        step === "create" ? (
          <button type="button" class="link" onClick={onCreate}>
            {t().firstSteps.steps.create}
          </button>
        ) : (
          t().firstSteps.steps[step]
        )
      }
    </Steps>
  );
}

/** A link to a heading of this page, which gets the focus, or to another page. */
function PlaceLink({ href, children }: { readonly href: string; readonly children: ComponentChildren }) {
  if (!href.startsWith("#")) return <a href={href}>{children}</a>;
  const show = (): void => {
    const heading = document.getElementById(href.slice(1));
    heading?.setAttribute("tabindex", "-1");
    heading?.scrollIntoView({ block: "center" });
    heading?.focus({ preventScroll: true });
  };
  return (
    <button type="button" class="link" onClick={show}>
      {children}
    </button>
  );
}

type StepsOptions = {
  /** Undefined: not known yet. The list keeps its place, so that the page does not move when it comes. */
  readonly done: ReadonlySet<Step> | undefined;
  readonly children: (step: Step) => ComponentChildren;
  readonly onClose?: () => void;
};

function Steps({ done: known, children, onClose }: StepsOptions) {
  const texts = t().firstSteps;
  const done = known ?? new Set<Step>();
  const next = STEPS.find((step) => !done.has(step));
  return (
    <section
      class={known === undefined ? "panel first-steps unseen" : "panel first-steps"}
      aria-labelledby="first-steps-title"
    >
      <div class="panel-head">
        <h2 id="first-steps-title">{next === undefined ? texts.finished : texts.title}</h2>
        {onClose !== undefined && (
          <button type="button" class="plain" aria-label={texts.dismiss} onClick={onClose}>
            <Icon name="cross" />
          </button>
        )}
      </div>
      <ol>
        {STEPS.map((step) => (
          <li key={step} aria-current={step === next ? "step" : undefined} class={done.has(step) ? "done" : ""}>
            <span class="step-mark" aria-hidden="true">
              {done.has(step) && <Icon name="check" />}
            </span>
            <span>
              {done.has(step) && <span class="visually-hidden">{texts.done} </span>}
              {children(step)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
