import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient, type Channel, type Credentials, type NewPlatform } from "../dashboard/api-client.ts";
import { FanfareProcess } from "../processes/fanfare-process.ts";
import type { Server, Stage } from "./stage.ts";

/** A host name that the shared server answers to, beside its address. */
export const OTHER_NAME = "fanfare.test";

type Running = { readonly fanfare: FanfareProcess; readonly credentials: Credentials };

/** The server of this process, once a test needed it. It ends with the process. */
let serverOfProcess: Promise<Running> | undefined;

/**
 * Returns a server with default settings that all tests of this process share, because a start takes more processor
 * time than most of them. For tests that neither stop it nor look at more than channels of their own. Those channels are
 * removed with the test.
 */
export async function sharedServer(stage: Stage): Promise<Server> {
  serverOfProcess ??= start();
  // A test that ended it fails alone.
  if (!(await serverOfProcess).fanfare.isRunning) serverOfProcess = start();
  const { fanfare, credentials } = await serverOfProcess;
  const api = new OwnChannels(fanfare.origin, credentials, (secret) => stage.keepSecret(secret));
  stage.borrow(fanfare);
  stage.onClose(() => api.removeChannels());
  return { fanfare, api, credentials };
}

async function start(): Promise<Running> {
  const folder = mkdtempSync(join(process.env["FANFARE_TEST_RUN_FOLDER"] ?? tmpdir(), "fanfare-shared-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const credentials = {
    accessKey: randomBytes(10).toString("hex").toUpperCase(),
    secretKey: randomBytes(20).toString("hex"),
  };
  const environment = { FANFARE_ALLOWED_HOSTS: OTHER_NAME };
  const fanfare = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials, environment });
  return { fanfare, credentials };
}

/** Remembers the channels that it made. */
class OwnChannels extends ApiClient {
  readonly #channelIds: string[] = [];

  override async createChannel(channelName: string, restream: readonly NewPlatform[]): Promise<Channel> {
    const channel = await super.createChannel(channelName, restream);
    this.#channelIds.push(channel.channelId);
    return channel;
  }

  async removeChannels(): Promise<void> {
    for (const channelId of this.#channelIds) {
      const url = `/api/v2/re-stream/channels/${channelId}`;
      // Ends what is held: a channel on air cannot be removed.
      await this.request("PUT", `${url}/off`);
      await this.request("DELETE", url);
    }
  }
}
