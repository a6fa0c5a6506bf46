import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newSecretKey, randomText } from "../../control/access/ids.ts";
import { syntheticClip } from "../../testkit/encoder/clip.ts";
import { KitEncoder } from "../../testkit/encoder/encoder.ts";
import { KitTarget } from "../../testkit/target/target.ts";
import type { TargetBehaviour } from "../../testkit/target/target-behaviour.ts";
import type { Config } from "../config/settings/settings.ts";
import { type RunningServer, startServer } from "../control-thread/server.ts";
import { openOutputs } from "../process/outputs.ts";

/** The encoder's rate: 360p like a modest real stream. */
const KILOBITS = 2_500;
/**
 * The target that stalls stops reading this long after it went on air. It is then closed and connected again, and so
 * on.
 */
const STALL_AFTER_MS = 20_000;
/** The password is read from a screen and typed once, and the demo listens on this machine only. */
const PASSWORD_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const PASSWORD_LENGTH = 10;

/** What each of the demo's targets does. */
const TARGETS: readonly { readonly label: string; readonly behaviour: TargetBehaviour }[] = [
  { label: "Healthy", behaviour: {} },
  { label: "Stalls now and then", behaviour: { stall: { afterMs: STALL_AFTER_MS } } },
  { label: "Refuses its key", behaviour: { refuse: "bad-name" } },
];

export type Demo = {
  /** Where the dashboard is. */
  readonly url: string;
  readonly password: string;
  readonly server: RunningServer;
  /** Stops everything and removes its files. */
  stop(): Promise<void>;
};

/**
 * Starts a whole installation to look at: a server in a folder of its own, three targets on this machine, and a test clip on air. It is
 * not reachable from outside, and nothing is kept.
 */
export async function startDemo(config: Config): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-demo-"));
  const targets: KitTarget[] = [];
  let server: RunningServer | undefined;
  let encoder: KitEncoder | undefined;
  const stop = async () => {
    await encoder?.stop("clean");
    await server?.stop();
    await Promise.all(targets.map((target) => target.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const { behaviour } of TARGETS) targets.push(await KitTarget.start({ behaviour }));
    const accessKey = { accessKey: "DEMO", secretKey: newSecretKey(randomBytes) };
    server = await startServer({ ...config, ...accessKey, dataDir: folder, targetAllow: "127.0.0.0/8" }, openOutputs());
    const url = server.addresses.apiUrl;
    const password = randomText(PASSWORD_LENGTH, PASSWORD_CHARACTERS, randomBytes);
    await post(`${url}/dashboard/setup`, { origin: url }, { token: server.setupToken, password });
    const platforms = targets.map((target, index) => ({
      targetName: "CUSTOM",
      label: TARGETS[index]?.label ?? "",
      rtmpUrl: target.url,
      streamKey: `demo-${index + 1}`,
    }));
    const channel = { channelName: "demo", planType: "STANDARD", restream: platforms };
    const bearer = { authorization: `Bearer ${accessKey.secretKey}` };
    const { content } = (await post(`${url}/api/v2/re-stream/channels`, bearer, channel)) as {
      content: { streamKey: string };
    };
    const clip = syntheticClip({ video: "360p", kilobits: KILOBITS });
    encoder = new KitEncoder({ url: server.addresses.publishUrl, streamKey: content.streamKey, clip });
    return { url, password, server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: object): Promise<unknown> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the demo could not be set up: ${await answer.text()}`);
  return answer.json();
}
