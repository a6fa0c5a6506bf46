import { createHmac } from "node:crypto";
import { z } from "zod";
import { checkPublished } from "../../http/contract/published-answers.ts";

const platformAnswer = z.looseObject({
  platId: z.int(),
  targetName: z.string(),
  rtmpUrl: z.string(),
  streamKey: z.string(),
  connectStatus: z.enum(["READY", "CONNECTING", "PUBLISHING", "FAIL"]),
  bytesPerSecond: z.int(),
  bytesTotalTrans: z.int(),
  totalPlaySecond: z.int(),
  totalRetryCount: z.int(),
  lastError: z
    .looseObject({ code: z.string(), severity: z.enum(["transient", "fatal"]), message: z.string(), time: z.int() })
    .optional(),
  delay: z.looseObject({ state: z.string(), bufferedBytes: z.int() }).optional(),
});
/** One platform as `GET …/platforms` shows it. */
export type Platform = z.infer<typeof platformAnswer>;

const channelAnswer = z.looseObject({
  channelId: z.string(),
  channelName: z.string(),
  channelStatus: z.string(),
  isPublishing: z.boolean(),
  publishUrl: z.string(),
  securePublishUrl: z.string().optional(),
  srtUrl: z.string().optional(),
  streamKey: z.string(),
  totalPublishSeconds: z.int(),
  ingest: z
    .looseObject({ state: z.string(), sourceKind: z.string().optional(), testPattern: z.unknown() })
    .partial({ testPattern: true })
    .optional(),
});
/** One channel as the API shows it. */
export type Channel = z.infer<typeof channelAnswer>;

export type NewPlatform = {
  readonly targetName?: string;
  readonly label?: string;
  readonly rtmpUrl: string;
  readonly streamKey: string;
  readonly id?: string;
  readonly password?: string;
  readonly bufferPolicy?: "drop" | "disconnect";
  readonly delaySeconds?: number;
  readonly windows?: object;
  readonly silentAudio?: string;
  readonly tracks?: { readonly video?: number; readonly audio?: number };
};

export type Credentials = { readonly accessKey: string; readonly secretKey: string };

/**
 * A client of the signed API, written from its published reference alone. Checks every answer against the published
 * OpenAPI document.
 */
export class ApiClient {
  readonly #origin: string;
  readonly #credentials: Credentials;
  readonly #onSecret: (secret: string) => void;
  readonly #isOurs: boolean;

  /**
   * Calls `onSecret` with every key and password that this client sends or gets. `isOurs`: false for a server of
   * another version, whose answers are not checked against this version's document.
   */
  constructor(origin: string, credentials: Credentials, onSecret: (secret: string) => void, isOurs = true) {
    this.#origin = origin;
    this.#credentials = credentials;
    this.#onSecret = onSecret;
    this.#isOurs = isOurs;
    onSecret(credentials.secretKey);
  }

  /** Returns the `content` of the answer; throws with the whole answer unless its status is 200. */
  async request(
    method: string,
    target: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const headers = { ...this.signedHeaders(method, target), "Content-Type": "application/json", ...more };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${this.#origin}${target}`, { method, headers, ...sent });
    const answerText = await answer.text();
    if (this.#isOurs) checkPublished(method, target, answer.status, JSON.parse(answerText));
    if (answer.status !== 200) throw new Error(`${method} ${target}: ${answer.status} ${answerText}`);
    return z.object({ content: z.unknown() }).parse(JSON.parse(answerText)).content;
  }

  /** Sends bytes as the body. Throws with the whole answer unless its status is 200. */
  async sendBytes(method: string, target: string, bytes: Buffer, more: Record<string, string>): Promise<void> {
    const headers = { ...this.signedHeaders(method, target), ...more };
    const answer = await fetch(`${this.#origin}${target}`, { method, headers, body: new Uint8Array(bytes) });
    const text = await answer.text();
    if (this.#isOurs) checkPublished(method, target, answer.status, JSON.parse(text));
    if (answer.status !== 200) throw new Error(`${method} ${target}: ${answer.status} ${text}`);
  }

  /** Sends a request that has the headers it needs. */
  signedHeaders(method: string, target: string): Record<string, string> {
    const timestamp = `${Date.now()}`;
    const { accessKey, secretKey } = this.#credentials;
    const text = `${method} ${target}\n${timestamp}\n${accessKey}`;
    return {
      "x-ncp-apigw-timestamp": timestamp,
      "x-ncp-iam-access-key": accessKey,
      "x-ncp-apigw-signature-v2": createHmac("sha256", secretKey).update(text).digest("base64"),
      "x-ncp-region_code": "KR",
    };
  }

  async createChannel(channelName: string, restream: readonly NewPlatform[]): Promise<Channel> {
    for (const platform of restream) {
      this.#onSecret(platform.streamKey);
      if (platform.password !== undefined) this.#onSecret(platform.password);
    }
    const platforms = restream.map((platform) => ({ targetName: "CUSTOM", ...platform }));
    const body = { channelName, planType: "PROFESSIONAL", envType: "REAL", restream: platforms };
    const channel = channelAnswer.parse(await this.request("POST", "/api/v2/re-stream/channels", body));
    this.#onSecret(channel.streamKey);
    return channel;
  }

  async addPlatform(
    channelId: string,
    platform: NewPlatform,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.#onSecret(platform.streamKey);
    const body = { targetName: "CUSTOM", ...platform };
    await this.request("POST", `/api/v2/re-stream/channels/${channelId}/platforms`, body, more);
  }

  async channel(channelId: string): Promise<Channel> {
    return channelAnswer.parse(await this.request("GET", `/api/v2/re-stream/channels/${channelId}`));
  }

  async channels(): Promise<Channel[]> {
    return z.array(channelAnswer).parse(await this.request("GET", "/api/v2/re-stream/channels?pageNo=1&pageSizeNo=20"));
  }

  async platforms(channelId: string): Promise<Platform[]> {
    const content = await this.request("GET", `/api/v2/re-stream/channels/${channelId}/platforms`);
    return z.array(platformAnswer).parse(content);
  }
}
