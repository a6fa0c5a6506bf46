import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 15_000;

/** Media that got to the target's latest connection. */
const mediaBytes = (target: KitTarget): number => target.connections.at(-1)?.report.mediaBytes ?? 0;

test("platforms that need a login get it, and a wrong password is reported, retried, and corrected on air", async () => {
  const stage = await Stage.open();
  const passwords = { adobe: uniqueKey("adobe"), llnw: uniqueKey("비밀번호"), mended: uniqueKey("mended") };
  const targets = {
    adobe: await stage.target({ login: { scheme: "adobe", id: "someone", password: passwords.adobe } }),
    llnw: await stage.target({ login: { scheme: "llnw", id: "누군가", password: passwords.llnw, keepsOpen: true } }),
    mended: await stage.target({ login: { scheme: "adobe", id: "someone", password: passwords.mended } }),
    nameless: await stage.target({ login: { scheme: "llnw", id: "someone", password: "x" } }),
  };
  const { api } = await sharedServer(stage);
  const mendedKey = uniqueKey("mended-key");
  const channel = await api.createChannel("logins", [
    { rtmpUrl: targets.adobe.url, streamKey: uniqueKey("key"), id: "someone", password: passwords.adobe },
    { rtmpUrl: targets.llnw.url, streamKey: uniqueKey("key"), id: "누군가", password: passwords.llnw },
    { rtmpUrl: targets.mended.url, streamKey: mendedKey, id: "someone", password: uniqueKey("wrong") },
    { rtmpUrl: targets.nameless.url, streamKey: uniqueKey("key") },
  ]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}/platforms`;
  const [adobeId, , mendedId] = (await api.platforms(channel.channelId)).map(({ platId }) => platId);
  expect(await api.request("POST", `${path}/${adobeId}/test`)).toMatchObject({ ok: true, stage: "publish" });
  expect(await api.request("POST", `${path}/${mendedId}/test`)).toMatchObject({
    ok: false,
    stage: "login",
    lastError: { code: "AUTH_FAILED", severity: "fatal" },
  });

  const watch = stage.watch(api, channel);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  for (const index of [0, 1]) {
    await watch.until(index, ({ connectStatus }) => connectStatus === "PUBLISHING", DEADLINE_MS);
  }
  for (const target of [targets.adobe, targets.llnw]) {
    await expect.poll(() => mediaBytes(target)).toBeGreaterThan(0);
  }
  const refused = await watch.until(2, ({ lastError }) => lastError !== undefined, DEADLINE_MS);
  expect(refused.lastError).toMatchObject({ code: "AUTH_FAILED", severity: "fatal" });
  expect(refused.lastError?.message).toContain("rejected the username and password");
  const demanded = await watch.until(3, ({ lastError }) => lastError !== undefined, DEADLINE_MS);
  expect(demanded.lastError?.message).toBe("The platform requires a username and password for publishing.");

  stage.keepSecret(passwords.mended);
  const change = { rtmpUrl: targets.mended.url, streamKey: mendedKey, streamPassword: passwords.mended };
  await api.request("PUT", `${path}/${mendedId}?onAir=true`, change);
  await watch.until(2, ({ connectStatus }) => connectStatus === "PUBLISHING", DEADLINE_MS);
  await expect.poll(() => mediaBytes(targets.mended)).toBeGreaterThan(0);
  expect(watch.errorCodes(0)).toEqual([]);
  expect(watch.errorCodes(1)).toEqual([]);
});
