import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePort } from "../../support/processes/free-port.ts";
import { certificate, fingerprintOf, type Pair } from "../../support/stages/certificates.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { trustDuringFile } from "../../support/stages/trusted.ts";
import { makeClip } from "../../support/streams/clip.ts";

const run = promisify(execFile);
const DEADLINE_MS = 20_000;
/** That all threads show the same: the kernel decides which of them gets a connection. */
const THREADS = 3;

const authority = certificate("Our authority", { isAuthority: true });
const [first, second] = [1, 2].map(() => certificate("127.0.0.1", { by: authority })) as [Pair, Pair];

trustDuringFile(authority.cert);

/** The certificate that a port shows to openssl, as a SHA-256. */
async function shownOn(port: number): Promise<string> {
  const show = `openssl s_client -connect 127.0.0.1:${port} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`;
  const { stdout } = await run("sh", ["-c", show]);
  return stdout.trim().replace(/^.*=/, "");
}

test("FFmpeg publishes over TLS and the API answers over it; a renewed certificate is used by both, and a bad one is not", async () => {
  const stage = await Stage.open();
  const [cert, key] = [join(stage.folder, "cert.pem"), join(stage.folder, "key.pem")];
  const put = (pair: Pair) => Promise.all([writeFile(cert, pair.cert), writeFile(key, pair.key)]);
  await put(first);
  const rtmpsPort = await freePort();
  const tls = { FANFARE_TLS_CERT: cert, FANFARE_TLS_KEY: key, FANFARE_RTMPS_PORT: `${rtmpsPort}` };
  const environment = { ...tls, FANFARE_MEDIA_THREADS: `${THREADS}` };
  const { api, fanfare } = await stage.server({ environment });
  const target = await stage.target();
  const channel = await api.createChannel("secure", [{ rtmpUrl: target.url, streamKey: uniqueKey("key") }]);
  expect(channel.securePublishUrl).toBe(`rtmps://127.0.0.1:${rtmpsPort}/relay`);
  const url = `${channel.securePublishUrl}/${channel.streamKey}`;
  const encoder = await stage.ffmpeg(await makeClip({ seconds: 5 }), url, { loops: true });
  const mediaBytes = () => target.connections.at(-1)?.report.mediaBytes ?? 0;
  await expect.poll(mediaBytes, { timeout: DEADLINE_MS }).toBeGreaterThan(0);

  await put({ cert: second.cert, key: "no key" });
  const refused = 'fanfare_tls_certificate_changes_total{result="refused"} 1';
  const metrics = async () => await (await fetch(`${fanfare.origin}/metrics`)).text();
  await expect.poll(metrics, { timeout: DEADLINE_MS, interval: 500 }).toContain(refused);
  await expect.poll(() => fanfare.output).toContain("changed certificate files not used");
  expect(await shownOn(rtmpsPort)).toBe(fingerprintOf(first));

  await put(second);
  await expect.poll(() => shownOn(rtmpsPort), { timeout: DEADLINE_MS }).toBe(fingerprintOf(second));
  for (let count = 0; count < 4 * THREADS; count += 1) expect(await shownOn(rtmpsPort)).toBe(fingerprintOf(second));
  expect(await shownOn(fanfare.httpPort)).toBe(fingerprintOf(second));
  const before = mediaBytes();
  await expect.poll(mediaBytes, { timeout: DEADLINE_MS }).toBeGreaterThan(before);
  expect(encoder.isRunning()).toBe(true);
  expect(target.connections).toHaveLength(1);
  const [platform] = await api.platforms(channel.channelId);
  expect(platform).toMatchObject({ connectStatus: "PUBLISHING", totalRetryCount: 0 });
});
