import { expect, test } from "vitest";
import type { BroadcastState } from "../../../src/relay/broadcast/broadcast-state.ts";
import { StandbyWatch } from "../../../src/relay/broadcast/standby-watch.ts";
import type { Publisher } from "../../../src/relay/publisher/publisher.ts";
import { newPublisher, sending } from "../../support/encoders/publishers.ts";
import { AAC_CONFIG_CHANGED, audio } from "../../support/streams/media-messages.ts";

const UNTIL = { fromMs: 0, untilMs: 1_000 };
const NOW_MS = 1_000;
const OTHER_RATE = "sampleRate 44100 instead of 48000";

/** The main publisher is on air, and the backup sends the same stream. */
function stage() {
  const [main, backup] = [sending(UNTIL), sending(UNTIL, "backup")];
  const state: BroadcastState<Publisher> = { at: "live", publisher: main };
  const watch = new StandbyWatch();
  const look = (publishers: readonly Publisher[] = [main, backup]) => watch.look(state, publishers, main.head, NOW_MS);
  return { main, backup, watch, look };
}

/** What `look` must return. */
function expectNews(news: ReturnType<StandbyWatch["look"]>, standby: Publisher, detail: string): void {
  expect(news?.standby).toBe(standby);
  expect(news?.detail).toBe(detail);
}

/** The publisher sends audio of another sample rate from now on. */
const changeRate = (publisher: Publisher) => publisher.take(audio(NOW_MS, AAC_CONFIG_CHANGED), NOW_MS, NOW_MS);

test("a standby that sends the same stream is not reported", () => {
  const { watch, look } = stage();
  expect(look()).toBe(undefined);
  expect(watch.differs).toBe(undefined);
});

test("a standby that differs is reported once, in words, and stays known", () => {
  const { backup, watch, look } = stage();
  changeRate(backup);
  expectNews(look(), backup, OTHER_RATE);
  expect(look()).toBe(undefined);
  expect(watch.differs).toBe(OTHER_RATE);
});

test("a standby that differs in another way is reported again", () => {
  const { main, backup, watch, look } = stage();
  changeRate(backup);
  look();
  const other = sending({ ...UNTIL, has: ["video"] }, "backup");
  const detail = "audioCodec none instead of aac, sampleRate none instead of 48000, channels none instead of 2";
  expectNews(look([main, other]), other, detail);
  expect(watch.differs).toBe(detail);
});

test("a difference ends when the standby sends the same stream again, has gone, or is no longer the standby", () => {
  const { main, backup, watch, look } = stage();
  changeRate(backup);
  const differ = () => {
    look();
    expect(watch.differs).toBe(OTHER_RATE);
  };
  differ();
  expect(look([main])).toBe(undefined);
  expect(watch.differs).toBe(undefined);
  differ();
  expect(look([main, sending(UNTIL, "backup")])).toBe(undefined);
  expect(watch.differs).toBe(undefined);
  differ();
  expect(watch.look({ at: "live", publisher: backup }, [backup], backup.head, NOW_MS)).toBe(undefined);
  expect(watch.differs).toBe(undefined);
});

test("a publisher that has sent no frame yet is not compared: its headers may still come", () => {
  const { main, watch, look } = stage();
  const early = newPublisher(0, "backup");
  changeRate(early);
  expect(look([main, early])).toBe(undefined);
  expect(watch.differs).toBe(undefined);
});

test("after the broadcast's end the same difference is reported again", () => {
  const { backup, watch, look } = stage();
  changeRate(backup);
  look();
  watch.forget();
  expect(watch.differs).toBe(undefined);
  expectNews(look(), backup, OTHER_RATE);
});
