import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { type MessageRecord, recordMessage } from "../../../src/testkit/message-record.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage } from "../../support/stages/stage.ts";
import { receiver, waitForMedia } from "../../support/targets/receiver.ts";

/** When the targets ask, in milliseconds on air: between two keyframes, which are a second apart. */
const ASKED_AFTER_MS = 400;
/** Of the new connection, which begins at the next keyframe: another one is in it. */
const SOME_MS = 1_200;
/** An address of documentation (RFC 5737): no host has it, and targets may not be there. */
const FORBIDDEN = "rtmp://192.0.2.1/live";

const isMedia = ({ kind, isConfig }: MessageRecord): boolean => kind !== "data" && !isConfig;
const hashes = (records: readonly MessageRecord[]): string[] => records.filter(isMedia).map(({ hash }) => hash);

/** These frames from the first shown one on: a target that is there late begins with a later keyframe. */
function fromFirst([first = ""]: readonly string[], frames: readonly string[]): string[] {
  const at = frames.indexOf(first);
  if (at === -1) throw new Error(`none of the ${frames.length} frames is the first that was shown`);
  return frames.slice(at);
}

test("a target that asks for a reconnect is followed to an allowed address at a keyframe, and nothing is lost or sent twice", async () => {
  const stage = await Stage.open();
  const { api } = await sharedServer(stage);
  const next = await receiver(stage);
  const moving = await receiver(stage, {}, { reconnect: { afterMs: ASKED_AFTER_MS, tcUrl: next.target.url } });
  const misled = await receiver(stage, {}, { reconnect: { afterMs: ASKED_AFTER_MS, tcUrl: FORBIDDEN } });
  const channel = await api.createChannel("moved", [moving.platform, misled.platform]);
  const watch = stage.watch(api, channel);
  const clip = syntheticClip();
  const encoder = stage.kitEncoder(channel, { clip });
  await waitForMedia(next, SOME_MS);
  const { messagesSent } = await encoder.stop("clean");

  const sent: MessageRecord[] = [];
  for (const tag of clip.tags()) {
    if (sent.length === messagesSent) break;
    const record = recordMessage({ ...tag, streamId: 1 });
    if (record !== undefined) sent.push(record);
  }
  const [before, after, stayed] = await Promise.all(
    [moving, next, misled].map(async ({ target }) => {
      expect(target.connections).toHaveLength(1);
      return (await target.connections[0]?.closed)?.messages ?? [];
    }),
  );
  const shown = [...hashes(before ?? []), ...hashes(after ?? [])];
  expect(shown).toEqual(fromFirst(shown, hashes(sent)));
  const first = after?.find(isMedia);
  expect(first).toMatchObject({ isKeyframe: true, timestamp: 0 });
  expect(hashes(stayed ?? [])).toEqual(fromFirst(hashes(stayed ?? []), hashes(sent)));
  expect(next.target.connections[0]?.report.streamName).toBe(moving.platform.streamKey);
  for (const index of [0, 1]) expect(watch.errorCodes(index)).toEqual([]);
});
