import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { ApiClient } from "../../support/dashboard/api-client.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { WebhookReceiver } from "../../support/processes/webhook-receiver.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

const CHANNELS = "/api/v2/re-stream/channels";
const WAIT_MS = 15_000;
const keyAnswer = z.looseObject({ accessKey: z.string(), secretKey: z.string() });
const endpointAnswer = z.looseObject({ webhookSecret: z.string() });
const channelAnswer = z.looseObject({ streamKey: z.string() });
const backupAnswer = z.looseObject({ backupStreamKey: z.string() });
const previewAnswer = z.looseObject({ url: z.string() });

/** Reads an endless answer; the function that it returns gives what has come so far. */
async function readAlong(url: string, headers: Readonly<Record<string, string>>): Promise<() => string> {
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const answer = await fetch(url, { headers, signal: closing.signal });
  expect(answer.status).toBe(200);
  let text = "";
  const decoder = new TextDecoder();
  void (async () => {
    for await (const bytes of answer.body ?? []) text += decoder.decode(bytes, { stream: true });
  })().catch(() => undefined);
  return () => text;
}

/**
 * Sends the secrets where they do not belong, except into fields that are no secret and are repeated to the caller.
 * Returns the server's whole output.
 */
async function errorAnswers(origin: string, secrets: readonly string[], managerSecret: string): Promise<string> {
  const texts: string[] = [];
  const ask = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const answer = await fetch(`${origin}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    texts.push(`${JSON.stringify([...answer.headers])}${await answer.text()}`);
  };
  const manager = { authorization: `Bearer ${managerSecret}`, "content-type": "application/json" };
  for (const secret of secrets) {
    const platform = { targetName: "CUSTOM", rtmpUrl: "rtmp://x/app", streamKey: "k" };
    const bodies = [
      { ...platform, rtmpUrl: `http://${secret}@host/` },
      { ...platform, rtmpUrl: `rtmp://host /${secret}?token=${secret}` },
      { ...platform, streamKey: secret.repeat(30) },
      { ...platform, streamKey: [secret] },
      { ...platform, password: { secret } },
      { ...platform, id: secret.repeat(30) },
    ].map((restream) => JSON.stringify({ channelName: "wrong", planType: "STANDARD", restream: [restream] }));
    for (const body of [...bodies, `{"streamKey":"${secret}"`]) await ask("POST", CHANNELS, manager, body);
    await ask("GET", `/${secret}?key=${secret}`, manager);
    await ask("GET", `${CHANNELS}/${secret}?x=${secret}`, manager);
    await ask("GET", `${CHANNELS}?pageNo=${secret}`, { authorization: `Bearer wrong-${secret}` });
    await ask("POST", "/api/v2/events/callbackEndpoint", manager, JSON.stringify({ callbackUrl: `ftp://x/${secret}` }));
    await ask("POST", "/api/v2/access-keys", manager, JSON.stringify({ role: 1, secretKey: secret }));
  }
  return texts.join("\n");
}

test("no secret is in the database's files, the log, errors, metrics, events, a viewer's answers, SSE or webhooks", async () => {
  const stage = await Stage.open();
  const receiver = await WebhookReceiver.start();
  onTestFinished(() => receiver.close());
  const { api, fanfare, credentials } = await stage.server();
  const [nginx, clip] = [await stage.nginx(), await makeClip({ seconds: 6 })];

  const viewerKey = keyAnswer.parse(
    await api.request("POST", "/api/v2/access-keys", { role: "viewer", name: "canary" }),
  );
  // Receivers and platforms that put the secret into the address.
  const [hookPath, hookToken] = [uniqueKey("canary-path"), uniqueKey("canary-token")];
  const [app, urlToken, login] = [uniqueKey("canary-app"), uniqueKey("canary-query"), uniqueKey("canary-login")];
  const callbackUrl = `http://127.0.0.1:${receiver.port}/hook/${hookPath}?token=${hookToken}`;
  const endpoint = endpointAnswer.parse(await api.request("POST", "/api/v2/events/callbackEndpoint", { callbackUrl }));
  const [goodKey, badKey, editedKey] = [uniqueKey("canary-good"), uniqueKey("canary-bad"), uniqueKey("canary-edited")];
  const password = uniqueKey("canary-password");
  const channel = await api.createChannel("canary", [
    { rtmpUrl: nginx.url, streamKey: goodKey },
    { rtmpUrl: `rtmp://127.0.0.1:${await freePort()}/${app}?t=${urlToken}`, streamKey: badKey, id: login, password },
  ]);
  const secrets = [
    ...[
      credentials.secretKey,
      viewerKey.secretKey,
      endpoint.webhookSecret,
      endpoint.webhookSecret.replace("whsec_", ""),
    ],
    ...[channel.streamKey, goodKey, badKey, editedKey, password],
    ...[hookPath, hookToken, app, urlToken, login],
  ];
  for (const secret of secrets) stage.keepSecret(secret);

  const viewerHeaders = { authorization: `Bearer ${viewerKey.secretKey}` };
  const sse = await readAlong(`${fanfare.origin}/api/v2/re-stream/events/stream`, viewerHeaders);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  const watch = stage.watch(api, channel);
  await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", WAIT_MS);
  const failed = await watch.until(1, ({ connectStatus }) => connectStatus === "FAIL", WAIT_MS);
  await api.request("PUT", `${CHANNELS}/${channel.channelId}/platforms/${failed.platId}?onAir=true`, {
    rtmpUrl: `rtmp://127.0.0.1:${await freePort()}/${app}?t=${urlToken}`,
    streamKey: editedKey,
  });
  const wrongKey = await stage.ffmpeg(clip, `${channel.publishUrl}/wrong-${channel.streamKey}`);
  expect((await wrongKey.exited).code).not.toBe(0);
  expect((await encoder.exited).code).toBe(0);
  const newKey = channelAnswer.parse(
    await api.request("POST", `${CHANNELS}/${channel.channelId}/stream-key`, { which: "main" }),
  ).streamKey;
  const ingestPassword = uniqueKey("canary-ingest");
  const { backupStreamKey } = backupAnswer.parse(
    await api.request("PUT", `${CHANNELS}/${channel.channelId}`, {
      backup: { enabled: true },
      ingestAuth: { id: uniqueKey("encoder"), password: ingestPassword },
    }),
  );
  const { url: previewUrl } = previewAnswer.parse(
    await api.request("POST", `${CHANNELS}/${channel.channelId}/preview-token`),
  );
  const previewToken = previewUrl.split("token=")[1] ?? "";
  // Nothing is on air any more, and the refusal must not repeat the address.
  expect(await (await fetch(`${fanfare.origin}${previewUrl}`)).text()).not.toContain(previewToken);
  for (const secret of [newKey, ingestPassword, backupStreamKey, previewToken]) {
    secrets.push(secret);
    stage.keepSecret(secret);
  }
  await waitFor("the webhooks", WAIT_MS, () => (receiver.received.length >= 4 ? true : undefined));

  const viewer = new ApiClient(
    fanfare.origin,
    { accessKey: viewerKey.accessKey, secretKey: viewerKey.secretKey },
    () => undefined,
  );
  const seen = async (target: string): Promise<[string, string]> => [
    target,
    JSON.stringify(await viewer.request("GET", target)),
  ];
  const platforms = await seen(`${CHANNELS}/${channel.channelId}/platforms`);
  // The canaries are alive: a manager sees them, a viewer the beginnings.
  expect(JSON.stringify(await api.platforms(channel.channelId))).toContain(goodKey);
  expect(JSON.stringify(await api.platforms(channel.channelId))).toContain(`/${app}?t=${urlToken}`);
  expect(JSON.stringify(await api.request("GET", "/api/v2/events/deliveries"))).toContain(`?token=${hookToken}`);
  expect(platforms[1]).toContain(`"${goodKey.slice(0, 4)}*`);
  const places: [string, string][] = [
    platforms,
    await seen(CHANNELS),
    await seen(`${CHANNELS}/${channel.channelId}`),
    await seen(`${CHANNELS}/${channel.channelId}/events`),
    await seen(`${CHANNELS}/${channel.channelId}/publish-log`),
    await seen("/api/v2/events"),
    await seen("/api/v2/events/callbackEndpoint"),
    await seen("/api/v2/events/deliveries"),
    ["access keys", JSON.stringify(await api.request("GET", "/api/v2/access-keys"))],
    ["metrics", await (await fetch(`${fanfare.origin}/metrics`)).text()],
    ["SSE", sse()],
    ["webhooks", JSON.stringify(receiver.received.map(({ headers, body }) => ({ headers, body })))],
    ["errors", await errorAnswers(fanfare.origin, secrets, credentials.secretKey)],
    ["log", fanfare.output],
  ];
  const dataFolder = join(stage.folder, "data");
  const files = () =>
    readdirSync(dataFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }): [string, string] => [name, readFileSync(join(parentPath, name), "latin1")]);
  expect(files().map(([name]) => name)).toEqual(expect.arrayContaining(["fanfare.db", "fanfare.db-wal"]));
  places.push(...files());
  await fanfare.stop();
  places.push(...files());

  for (const [name, text] of places) expect(text.length, name).toBeGreaterThan(name === "fanfare.lock" ? -1 : 0);
  const leaks = places.flatMap(([name, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${name}`),
  );
  expect(leaks).toEqual([]);
});
