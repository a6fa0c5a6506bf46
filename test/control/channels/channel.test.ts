import { expect, test } from "vitest";
import { type Target, targetSpec } from "../../../src/control/channels/channel.ts";

const target: Target = {
  targetId: 7,
  targetName: "CUSTOM",
  url: "rtmp://target/app",
  streamKey: "key",
  isEnabled: true,
  bufferPolicy: "drop",
  totals: { bytes: 0, playMs: 0, retryCount: 0 },
};

test.each([
  { name: "an id and a password", login: { loginId: "someone", loginPassword: "word" }, is: "word" },
  { name: "an id alone, with an empty password", login: { loginId: "someone" }, is: "" },
])("the server can log in to a target with $name", ({ login, is }) => {
  expect(targetSpec({ ...target, ...login }).credentials).toEqual({ id: "someone", password: is });
});

test("a target without an id has no login, whether or not a password was left behind", () => {
  for (const login of [{}, { loginPassword: "word" }]) {
    expect(targetSpec({ ...target, ...login })).toEqual({
      targetId: 7,
      url: "rtmp://target/app",
      streamKey: "key",
      isEnabled: true,
      bufferPolicy: "drop",
      codecs: {},
    });
  }
});

test("a target's spec has the codecs its platform takes, and the chosen tracks", () => {
  const { codecs, tracks } = targetSpec({ ...target, targetName: "TWITCH", tracks: { video: 0, audio: 1 } });
  expect({ codecs, tracks }).toEqual({ codecs: { video: ["avc"], audio: ["aac"] }, tracks: { video: 0, audio: 1 } });
});
