import { afterAll, describe, expect, test } from "vitest";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage } from "../../support/stages/stage.ts";
import {
  asSent,
  chosen,
  EnhancedBroadcast,
  expectStream,
  withEnhancedHevc,
} from "../../support/streams/enhanced-broadcast.ts";
import { LEGACY_HEVC, MULTITRACK_FORMS, PLAIN_FORMS } from "../../support/streams/enhanced-streams.ts";
import { messageCount, receiver, waitForMedia } from "../../support/targets/receiver.ts";

const DEADLINE_MS = 20_000;
/** Of any stream here a keyframe of every track, and not yet an end. */
const SOME_MS = 900;
/** Further on every track has ended and begun again. */
const MORE_MS = 1_300;
/** Every form of Enhanced RTMP v2. */
const CAPS_ALL = 15;
/** A preset that takes H.264 with AAC and nothing else. */
const NARROW_PRESET = "TWITCH";

// All of them on one server, several at a time: a test waits mostly for the streams' own time.
const stage = await Stage.open(afterAll);
const server = await sharedServer(stage);

describe.concurrent("through a running server", () => {
  test.each([...PLAIN_FORMS, ...MULTITRACK_FORMS])(
    "$name: a target gets every byte, also one that joins late, and one that does not take it reports so",
    async (form) => {
      const [first, narrow, late] = [
        await receiver(stage),
        await receiver(stage, { targetName: NARROW_PRESET }),
        await receiver(stage),
      ];
      const { api } = server;
      const broadcast = await EnhancedBroadcast.start(stage, server, form, [first, narrow]);
      const { channelId } = broadcast.channel;
      await waitForMedia(first, SOME_MS);
      await api.addPlatform(channelId, late.platform);
      await waitForMedia(late, SOME_MS);
      await waitForMedia(first, MORE_MS);
      const [, narrowSeen] = await api.platforms(channelId);
      const sent = await broadcast.end();

      expect(sent.filter(({ role }) => role === "end").length).toBeGreaterThan(0);
      const [begin, lateBegin] = [await expectStream(first, sent, asSent), await expectStream(late, sent, asSent)];
      expect(lateBegin).toBeGreaterThan(begin);
      if (form.refused === undefined) {
        expect(narrowSeen?.connectStatus).toBe("PUBLISHING");
        await expectStream(narrow, sent, asSent);
      } else {
        expect(narrowSeen).toMatchObject({
          connectStatus: "FAIL",
          totalRetryCount: 0,
          lastError: { code: "CODEC_UNSUPPORTED", message: expect.stringMatching(form.refused) },
        });
        expect(messageCount(narrow)).toBe(0);
      }
    },
  );

  test.each(MULTITRACK_FORMS)(
    "$name: a target that chose tracks gets these alone, in the legacy form where there is one",
    async (form) => {
      const choices = [
        { video: 0, audio: 1 },
        { video: 1, audio: 0 },
      ];
      const all = await receiver(stage);
      const early = await Promise.all(choices.map((tracks) => receiver(stage, { tracks })));
      const late = await Promise.all(choices.map((tracks) => receiver(stage, { tracks })));
      const broadcast = await EnhancedBroadcast.start(stage, server, form, [all, ...early]);
      await waitForMedia(all, SOME_MS);
      for (const { platform } of late) await server.api.addPlatform(broadcast.channel.channelId, platform);
      for (const each of late) await waitForMedia(each, SOME_MS);
      const sent = await broadcast.end();

      await expectStream(all, sent, asSent);
      for (const [index, choice] of choices.entries()) {
        for (const which of [early[index], late[index]]) {
          if (which !== undefined) await expectStream(which, sent, chosen(choice));
        }
      }
    },
  );

  test("HEVC of the legacy form goes unchanged to a target by default, and as Enhanced RTMP to one whose setting or preset says so", async () => {
    const old = await receiver(stage, {}, { isPlain: true });
    const asking = await receiver(stage);
    const byPreset = await receiver(stage, { targetName: "YOUTUBE" }, { isPlain: true });
    const [lateOld, lateAsking] = [await receiver(stage, {}, { isPlain: true }), await receiver(stage)];
    const broadcast = await EnhancedBroadcast.start(stage, server, LEGACY_HEVC, [old, asking, byPreset]);
    await waitForMedia(old, SOME_MS);
    for (const { platform } of [lateOld, lateAsking]) {
      await server.api.addPlatform(broadcast.channel.channelId, platform);
    }
    for (const late of [lateOld, lateAsking]) await waitForMedia(late, SOME_MS);
    const sent = await broadcast.end();

    for (const each of [old, lateOld]) await expectStream(each, sent, asSent);
    for (const each of [asking, lateAsking, byPreset]) await expectStream(each, sent, withEnhancedHevc);
  });

  test("H.264 and AAC by FourCC go in the legacy form to a target by default, early or late", async () => {
    const [early, late] = [await receiver(stage, {}, { isPlain: true }), await receiver(stage, {}, { isPlain: true })];
    const form = PLAIN_FORMS.find(({ name }) => name === "H.264 and AAC by FourCC");
    if (form === undefined) throw new Error("no such form");
    const broadcast = await EnhancedBroadcast.start(stage, server, form, [early]);
    await waitForMedia(early, SOME_MS);
    await server.api.addPlatform(broadcast.channel.channelId, late.platform);
    await waitForMedia(late, SOME_MS);
    const sent = await broadcast.end();
    for (const each of [early, late]) await expectStream(each, sent, chosen({ video: 0, audio: 0 }));
  });

  test("encoders and targets learn that the server takes every codec and every form", async () => {
    const target = await receiver(stage);
    const broadcast = await EnhancedBroadcast.start(stage, server, LEGACY_HEVC, [target]);
    await waitFor("the target", DEADLINE_MS, () => messageCount(target) > 0 || undefined);
    // A list and two maps, and as a client the maps alone.
    expect(broadcast.serverSaid).toEqual({ capsEx: CAPS_ALL, fourCcs: ["*", "*", "*"] });
    expect(target.target.connections[0]?.report.peer).toEqual({ capsEx: CAPS_ALL, fourCcs: ["*", "*"] });
    await broadcast.end();
  });
});
