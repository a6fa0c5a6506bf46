import { expect, test } from "vitest";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

const SILENT_FRAME = "af01210049900219002380";
const SILENT_MONO_FRAME = "af0100c800802380";
/** AAC-LC, 44.1 kHz, mono. */
const MONO_CONFIG = Buffer.from("af001208", "hex");
const MONO_MS = 1_024 / 44.1;
const FRAME_MS = 40;
const AAC_MS = 1_024 / 48;

/** An encoder of video and audio whose audio a test stops. */
function onAir(...targets: Parameters<RelayStage["spec"]>[0]) {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(...targets);
  let atMs = 0;
  let audioFrame = 0;
  const play = (forMs: number, hasAudio: boolean, audioBehindMs = 0): void => {
    for (const untilMs = atMs + forMs; atMs < untilMs; atMs += FRAME_MS) {
      publisher.push(video(atMs, avcFrame((atMs / FRAME_MS) % 25 === 0, 1)));
      for (; audioFrame * AAC_MS < atMs + FRAME_MS; audioFrame += 1)
        if (hasAudio) publisher.push(audio(Math.round(audioFrame * AAC_MS) - audioBehindMs, aacFrame(7)));
      stage.clock.advance(FRAME_MS);
    }
  };
  const sent = (targetId = 1) => mediaOf(stage.dialer.latest(targetId));
  const audioOf = (targetId = 1) =>
    sent(targetId).flatMap(({ type, timestamp, payload }) =>
      type === 8 && payload[1] === 1 ? [{ timestamp, isSilence: payload.toString("hex") === SILENT_FRAME }] : [],
    );
  const hasSilence = () => stage.samples.at(-1)?.targets.map((sample) => sample.hasSilence === true);
  return { stage, publisher, play, sent, audioOf, hasSilence };
}

const steps = (times: readonly { readonly timestamp: number }[]) =>
  times.slice(1).map(({ timestamp }, index) => timestamp - (times[index]?.timestamp ?? 0));
/** AAC at 48 kHz comes each 21 or 22 ms; the first frame behind silence may begin up to a frame later. */
const isExact = (step: number) => step === 21 || step === 22;

test("audio that stops for 3 s is replaced by silence of its form, which ends with the encoder's next audio", () => {
  const { stage, play, sent, audioOf, hasSilence } = onAir(target(1, { addsSilence: true }), target(2));
  play(5_000, true);
  play(2_900, false);
  expect(audioOf().some(({ isSilence }) => isSilence)).toBe(false);
  play(7_100, false);
  expect(hasSilence()).toEqual([true, true]);
  play(5_000, true);
  expect(hasSilence()).toEqual([false, false]);
  const all = audioOf();
  const [from, to] = [all.findIndex(({ isSilence }) => isSilence), all.findLastIndex(({ isSilence }) => isSilence)];
  // It begins within a second after three, goes as far as the video, and is the encoder's own rate.
  expect(all[from]?.timestamp).toBeGreaterThan(7_900);
  expect(all[from]?.timestamp).toBeLessThan(9_100);
  expect(all[to]?.timestamp).toBeGreaterThan(14_800);
  const silence = all.slice(from, to + 1);
  expect(silence.every(({ isSilence }) => isSilence)).toBe(true);
  expect(steps(silence).every(isExact)).toBe(true);
  const behind = (all[to + 1]?.timestamp ?? 0) - (all[to]?.timestamp ?? 0);
  expect(behind).toBeGreaterThanOrEqual(21);
  expect(behind).toBeLessThanOrEqual(43);
  expect(all.length - to).toBeGreaterThan(220);
  expect(Math.min(...steps(sent()))).toBeGreaterThanOrEqual(0);
  expect(audioOf(2)).toEqual(all);
  expect(stage.dialer.links).toHaveLength(2);
});

test("audio that goes on by a clock that stood still is in step with the video again", () => {
  const { play, audioOf } = onAir(target(1, { addsSilence: true }));
  play(5_000, true);
  play(10_000, false);
  play(5_000, true, 10_000);
  const all = audioOf();
  const to = all.findLastIndex(({ isSilence }) => isSilence);
  expect(all.length - to).toBeGreaterThan(200);
  expect((all[to + 1]?.timestamp ?? 0) - (all[to]?.timestamp ?? 0)).toBeLessThanOrEqual(43);
  expect(Math.abs((all.at(-1)?.timestamp ?? 0) - 20_000)).toBeLessThan(150);
});

test("without a platform that takes silence, nothing is added", () => {
  const { play, audioOf, hasSilence } = onAir(target(1));
  play(5_000, true);
  play(10_000, false);
  expect(audioOf().some(({ isSilence }) => isSilence)).toBe(false);
  expect(hasSilence()).toEqual([false]);
});

test("silence has the form of the audio's last header, also before the first frame of that form", () => {
  const { stage, publisher, play, sent } = onAir(target(1, { addsSilence: true }));
  play(5_000, true);
  play(5_000, false);
  publisher.push(audio(10_000, MONO_CONFIG));
  expect(stage.dialer.links).toHaveLength(2);
  stage.dialer.latest(1).accept();
  play(5_000, false);
  // Targets are connected anew for a changed track every ten seconds at most: until these are over, this header stays in the connection.
  publisher.push(audio(15_000, AAC_CONFIG));
  play(3_000, false);
  play(1_500, true);
  expect(stage.dialer.links).toHaveLength(2);
  const own = sent().filter(({ type }) => type === 8);
  const lines = own.map(({ payload }) => payload.toString("hex"));
  const [first, second] = [MONO_CONFIG, AAC_CONFIG].map((config) => lines.indexOf(config.toString("hex")));
  expect(first).toBe(0);
  const mono = own.slice(1, second);
  expect(mono.length).toBeGreaterThan(150);
  expect(new Set(lines.slice(1, second))).toEqual(new Set([SILENT_MONO_FRAME]));
  // It was there since the header; this connection began with a keyframe later on, so within a frame.
  expect(
    Math.abs((mono.at(-1)?.timestamp ?? 0) - (mono[0]?.timestamp ?? 0) - (mono.length - 1) * MONO_MS),
  ).toBeLessThan(1.1);
  const rest = own.slice((second ?? 0) + 1);
  const isAudio = (line: string) => !line.startsWith(SILENT_FRAME);
  const back = rest.findIndex(({ payload }) => isAudio(payload.toString("hex")));
  expect(back).toBeGreaterThan(130);
  expect(rest.slice(back).every(({ payload }) => isAudio(payload.toString("hex")))).toBe(true);
  const seams = steps([...mono.slice(-1), ...rest.slice(0, back + 1)]);
  expect(Math.min(...seams)).toBeGreaterThanOrEqual(21);
  expect(Math.max(...seams)).toBeLessThanOrEqual(43);
  expect(Math.min(...steps(sent()))).toBeGreaterThanOrEqual(0);
});

test("no silence of the old form comes between a header that the first new frame brings and that frame", () => {
  const [adts44, adts48] = ["fff15080013ffc", "fff14c80013ffc"];
  const adts = (timeMs: number, header: string) => audio(timeMs, Buffer.from(`af01${header}2149`, "hex"));
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1, { addsSilence: true })]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  let accepted = 0;
  for (let timeMs = 0; timeMs < 8_000; timeMs += FRAME_MS) {
    publisher.push(video(timeMs, avcFrame((timeMs / FRAME_MS) % 25 === 0, 1)));
    // The change at 1 s connects the target anew; the one at 8 s comes too soon after it for that.
    if (timeMs < 2_000) publisher.push(adts(timeMs, timeMs < 1_000 ? adts44 : adts48));
    stage.clock.advance(FRAME_MS);
    for (; accepted < stage.dialer.links.length; accepted += 1) stage.dialer.links[accepted]?.accept();
  }
  // The last video is 39 ms earlier: a frame of silence has room there.
  publisher.push(adts(7_999, adts44));
  const lines = stage.sent(1);
  expect(stage.dialer.links).toHaveLength(2);
  expect(lines.filter((line) => line.endsWith(SILENT_FRAME)).length).toBeGreaterThan(90);
  expect(lines.slice(-2).map((line) => line.split(" ")[1])).toEqual(["af001210", "af012149"]);
});

test("a hold replaces the silence, and audio goes on after it", () => {
  const { stage, publisher, play, sent, audioOf, hasSilence } = onAir(target(1, { addsSilence: true }));
  play(3_000, true);
  play(6_000, false);
  publisher.end("connection-lost");
  stage.clock.advance(10_000);
  expect(hasSilence()).toEqual([false]);
  expect(Math.min(...steps(sent()))).toBeGreaterThanOrEqual(0);
  expect(audioOf().filter(({ isSilence }) => isSilence).length).toBeGreaterThan(500);
});

test.each([
  { fps: 25, offsetMs: 39 },
  { fps: 25, offsetMs: 22 },
  { fps: 60, offsetMs: 5 },
  { fps: 24, offsetMs: 41 },
  { fps: 1, offsetMs: 950 },
  // Audio that comes so late that the relay holds video back for it.
  { fps: 25, offsetMs: 39, lateMs: 120 },
  { fps: 25, offsetMs: 7, lateMs: 200 },
])("no more than a frame stays empty before audio that comes back: %o", ({ fps, offsetMs, lateMs = 0 }) => {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1, { addsSilence: true }));
  const frameMs = 1_000 / fps;
  const due: { readonly atMs: number; readonly push: () => void }[] = [];
  for (let frame = 0; frame < 20 * fps; frame += 1) {
    const timeMs = Math.round(frame * frameMs);
    due.push({ atMs: timeMs, push: () => publisher.push(video(timeMs, avcFrame(frame % fps === 0, 1))) });
  }
  for (let frame = 0; frame < 20_000 / AAC_MS; frame += 1) {
    const timeMs = Math.round(frame * AAC_MS);
    const isStopped = timeMs > 5_000 && timeMs < 14_000 + offsetMs;
    if (!isStopped) due.push({ atMs: timeMs + lateMs, push: () => publisher.push(audio(timeMs, aacFrame(7))) });
  }
  for (const { atMs, push } of due.toSorted((a, b) => a.atMs - b.atMs)) {
    stage.clock.advance(Math.max(0, atMs - stage.clock.now()));
    push();
  }
  stage.clock.advance(1_000);
  const media = mediaOf(stage.dialer.latest(1));
  const times = media.flatMap(({ type, timestamp, payload }) =>
    type === 8 && payload[1] === 1 && timestamp > 9_500 ? [{ timestamp }] : [],
  );
  expect(media.some(({ payload }) => payload.toString("hex") === SILENT_FRAME)).toBe(true);
  expect(times.length).toBeGreaterThan(450);
  expect(Math.max(...steps(times))).toBeLessThanOrEqual(43);
  expect(Math.min(...steps(media))).toBeGreaterThanOrEqual(0);
});

test("stopped audio of a codec that silence is not at hand for is not said to be replaced", () => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1, { addsSilence: true })]));
  const publisher = stage.open();
  publisher.push(
    audio(0, Buffer.from(`90${Buffer.from("OpusOpusHead").toString("hex")}0102380180bb0000000000`, "hex")),
  );
  publisher.push(video(0, AVC_CONFIG));
  for (const link of stage.dialer.links) link.accept(1, true, true);
  const opus = Buffer.concat([Buffer.from([0x91]), Buffer.from("Opus"), Buffer.alloc(20, 7)]);
  for (let atMs = 0; atMs < 12_000; atMs += FRAME_MS) {
    publisher.push(video(atMs, avcFrame(atMs % 1_000 === 0, 1)));
    if (atMs < 4_000) publisher.push(audio(atMs, opus));
    stage.clock.advance(FRAME_MS);
  }
  const heard = mediaOf(stage.dialer.latest(1)).filter(({ type }) => type === 8);
  expect(heard.at(-1)?.timestamp).toBeLessThan(4_100);
  expect(stage.samples.at(-1)?.targets.map((sample) => sample.hasSilence)).toEqual([undefined]);
});
