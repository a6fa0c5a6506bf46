import { expect, onTestFinished, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import type { TargetLogin } from "../../src/testkit/target/target-login.ts";
import { makeClip } from "../support/clip.ts";
import { startFfmpeg } from "../support/ffmpeg-encoder.ts";

async function targetWith(login: TargetLogin): Promise<KitTarget> {
  const target = await KitTarget.start({ behaviour: { login } });
  onTestFinished(() => target.close());
  return target;
}

const logins: readonly (TargetLogin & { readonly name: string })[] = [
  { name: "Adobe's way", scheme: "adobe", id: "user", password: "pass+word" },
  { name: "Adobe's way, without an opaque value", scheme: "adobe", id: "user", password: "pass", proofOf: "challenge" },
  { name: "Limelight's way", scheme: "llnw", id: "user", password: "pass" },
];

test.each(logins)("FFmpeg logs in $name, and with a wrong password it does not", async ({ name: _name, ...login }) => {
  const target = await targetWith(login);
  const clip = await makeClip({ seconds: 1 });
  const address = (password: string, key: string) =>
    `rtmp://${login.id}:${password}@127.0.0.1:${target.port}/live/${key}`;
  const encoder = await startFfmpeg(clip, address(login.password, "a-key"));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  const reports = await Promise.all(target.connections.map((connection) => connection.closed));
  expect(reports).toHaveLength(3);
  expect(reports[2]).toMatchObject({ app: "live", streamName: "a-key", stage: "unpublished" });
  expect(reports[2]?.mediaBytes).toBeGreaterThan(0);

  const stranger = await startFfmpeg(clip, address("wrong", "another-key"));
  expect((await stranger.exited).code).toBe(1);
  const refused = await Promise.all(target.connections.slice(3).map((connection) => connection.closed));
  expect(refused.map(({ stage, commands }) => [stage, commands.includes("publish")])).toEqual([
    ["connect", false],
    ["connect", false],
    ["connect", false],
  ]);
});

test("who does not log in is told what is wanted, and which way", async () => {
  for (const scheme of ["adobe", "llnw"] as const) {
    const target = await targetWith({ scheme, id: "user", password: "pass" });
    const encoder = new KitEncoder({ url: target.url, streamKey: "a-key", clip: syntheticClip() });
    expect((await encoder.closed).end).toEqual({
      how: "refused",
      failure: {
        kind: "login-demanded",
        code: "NetConnection.Connect.Rejected",
        demand: { kind: "name-wanted", scheme },
      },
    });
  }
});
