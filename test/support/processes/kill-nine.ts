import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { seededRandom } from "../stages/seeded-random.ts";
import { FanfareProcess } from "./fanfare-process.ts";

/** A server dies after at most this many answered writes… */
const ANSWERS_MAX = 16;
/** …and this long, in milliseconds: a few writes' time, so that it may be anywhere in one. */
const LAST_MS_MAX = 20;
/** Clients that write at once. */
const WRITERS = 3;
const PAGE_SIZE = 100;

const CREDENTIALS = { accessKey: "KILLNINE000000000001", secretKey: "kill-nine-secret-000000000000000000000001" };
const HEADERS = { authorization: `Bearer ${CREDENTIALS.secretKey}`, "content-type": "application/json" };
const CHANNELS = "/api/v2/re-stream/channels";

const channelAnswer = z.looseObject({
  channelId: z.string(),
  channelName: z.string(),
  restream: z.array(z.looseObject({ platId: z.int(), streamKey: z.string() })).length(1),
});
type ChannelAnswer = z.infer<typeof channelAnswer>;
const listAnswer = z.object({ content: z.array(z.looseObject({ channelName: z.string() })), total: z.int() });

/** What is known of one channel: the last acknowledged state, and what was requested and not answered. */
type Known = {
  readonly name: string;
  channelId?: string;
  platId?: number;
  /** The platform's key as acknowledged; undefined: no such channel. */
  key: string | undefined;
  /** What it may be instead, where the last request was not answered. */
  unanswered?: { readonly key: string | undefined };
};

export type KillNineResult = {
  readonly kills: number;
  readonly acknowledged: { readonly created: number; readonly edited: number; readonly deleted: number };
  /** Requests that the kill left without an answer: done or not, both are right, but never half. */
  readonly unanswered: { readonly done: number; readonly notDone: number };
  /** One sentence for each acknowledged write that is missing, and for each thing that should not be there. */
  readonly wrong: readonly string[];
};

/**
 * A real server under clients that create, edit and delete channels over HTTP, killed with SIGKILL at random moments
 * and started again. After each start everything that was touched, and at the end everything there ever was, is
 * compared with what was acknowledged.
 */
export class KillNine {
  readonly #folder: string;
  readonly #random: () => number;
  readonly #channels: Known[] = [];
  readonly #count = { created: 0, edited: 0, deleted: 0, done: 0, notDone: 0 };
  readonly #wrong: string[] = [];
  #lastNumber = 0;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#random = seededRandom(seed);
  }

  async run(kills: number): Promise<KillNineResult> {
    const shared = process.env["NODE_COMPILE_CACHE"];
    const server = await FanfareProcess.start({
      dataFolder: join(this.#folder, "data"),
      credentials: CREDENTIALS,
      // Most of a life is the start. With what Node compiled before, it takes half as long.
      environment: {
        FANFARE_LOG_LEVEL: "error",
        NODE_COMPILE_CACHE: shared ?? join(this.#folder, "compiled"),
      },
    });
    try {
      // A process keeps its compiled sources only when it ends properly.
      if (shared === undefined) {
        await server.stop();
        await server.restart();
      }
      for (let life = 0; life < kills; life += 1) {
        const touched = await this.#liveAndDie(server);
        await server.restart();
        for (const channel of touched) await this.#check(server.origin, channel);
      }
      for (const channel of this.#channels) await this.#check(server.origin, channel);
      await this.#checkList(server.origin);
    } finally {
      await server.kill();
    }
    const { done, notDone, ...acknowledged } = this.#count;
    return { kills, acknowledged, unanswered: { done, notDone }, wrong: this.#wrong };
  }

  /** Writes until the kill cuts the connections; returns the channels that were touched. */
  async #liveAndDie(server: FanfareProcess): Promise<ReadonlySet<Known>> {
    const touched = new Set<Known>();
    const life = { isOver: false, answersLeft: Math.floor(this.#random() * ANSWERS_MAX) };
    const answered = Promise.withResolvers<void>();
    const writers = Array.from({ length: WRITERS }, async () => {
      while (!life.isOver) {
        if (life.answersLeft <= 0) answered.resolve();
        if (!(await this.#write(server.origin, touched))) return;
        life.answersLeft -= 1;
      }
    });
    // Writers that end by themselves met a server that died: its data is checked all the same.
    await Promise.race([answered.promise, Promise.all(writers)]);
    await delay(this.#random() * LAST_MS_MAX);
    await server.kill();
    life.isOver = true;
    await Promise.all(writers);
    return touched;
  }

  /** One write; false where it was not answered. No two are under way for one channel. */
  async #write(origin: string, touched: Set<Known>): Promise<boolean> {
    const idle = this.#channels.filter((channel) => channel.key !== undefined && channel.unanswered === undefined);
    const channel = idle[Math.floor(this.#random() * idle.length)];
    const choice = this.#random();
    this.#lastNumber += 1;
    const key = `key-${this.#lastNumber}`;
    if (channel === undefined || choice < 0.4) return this.#create(origin, touched, key);
    touched.add(channel);
    const isDelete = choice > 0.8;
    channel.unanswered = { key: isDelete ? undefined : key };
    const url = `${CHANNELS}/${channel.channelId ?? ""}`;
    const answer = isDelete
      ? await request(origin, "DELETE", url)
      : await request(origin, "PUT", `${url}/platforms/${channel.platId ?? 0}`, {
          rtmpUrl: "rtmp://x/app",
          streamKey: key,
        });
    if (answer === undefined) return false;
    if (answer.status !== 200) this.#wrong.push(`${url} answered ${answer.status}`);
    channel.key = isDelete ? undefined : key;
    delete channel.unanswered;
    this.#count[isDelete ? "deleted" : "edited"] += 1;
    return true;
  }

  async #create(origin: string, touched: Set<Known>, key: string): Promise<boolean> {
    const channel: Known = { name: `channel_${this.#lastNumber}`, key: undefined, unanswered: { key } };
    this.#channels.push(channel);
    touched.add(channel);
    const answer = await request(origin, "POST", CHANNELS, {
      channelName: channel.name,
      planType: "STANDARD",
      restream: [{ targetName: "CUSTOM", rtmpUrl: "rtmp://x/app", streamKey: key }],
    });
    if (answer === undefined) return false;
    learn(channel, channelAnswer.parse(answer.content));
    channel.key = key;
    delete channel.unanswered;
    this.#count.created += 1;
    return true;
  }

  /** Compares one channel with what is known of it, and learns the result of an unanswered write. */
  async #check(origin: string, channel: Known): Promise<void> {
    const found = await this.#find(origin, channel);
    const key = found?.restream[0]?.streamKey;
    if (found !== undefined) learn(channel, found);
    if (channel.unanswered === undefined) {
      if (key !== channel.key) this.#wrong.push(`${channel.name}: ${channel.key} was acknowledged, ${key} is there`);
      return;
    }
    const isDone = key === channel.unanswered.key;
    if (!isDone && key !== channel.key) this.#wrong.push(`${channel.name}: ${key} is there, which no client wrote`);
    this.#count[isDone ? "done" : "notDone"] += 1;
    channel.key = key;
    delete channel.unanswered;
  }

  async #find(origin: string, channel: Known): Promise<ChannelAnswer | undefined> {
    let { channelId } = channel;
    if (channelId === undefined) {
      // Its creation was not answered: only the name is known.
      const url = `${CHANNELS}?pageSizeNo=${PAGE_SIZE}&channelName=${channel.name}`;
      const listed = z
        .array(z.looseObject({ channelId: z.string(), channelName: z.string() }))
        .parse((await request(origin, "GET", url))?.content);
      channelId = listed.find(({ channelName }) => channelName === channel.name)?.channelId;
      if (channelId === undefined) return undefined;
    }
    const answer = await request(origin, "GET", `${CHANNELS}/${channelId}`);
    if (answer?.status === 404) return undefined;
    return channelAnswer.parse(answer?.content);
  }

  /** Checks that there is nothing but what a client asked for. */
  async #checkList(origin: string): Promise<void> {
    const names: string[] = [];
    for (let page = 1; ; page += 1) {
      const answer = await fetch(`${origin}${CHANNELS}?pageNo=${page}&pageSizeNo=${PAGE_SIZE}`, { headers: HEADERS });
      const { content } = listAnswer.parse(await answer.json());
      names.push(...content.map(({ channelName }) => channelName));
      if (content.length < PAGE_SIZE) break;
    }
    const expected = this.#channels.filter(({ key }) => key !== undefined).map(({ name }) => name);
    if (names.toSorted().join() !== expected.toSorted().join())
      this.#wrong.push("the list is another one than was written");
  }
}

function learn(channel: Known, { channelId, restream }: ChannelAnswer): void {
  channel.channelId = channelId;
  const [platform] = restream;
  if (platform !== undefined) channel.platId = platform.platId;
}

/** Undefined where the connection ended before a whole answer was there. */
async function request(
  origin: string,
  method: string,
  url: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly content: unknown } | undefined> {
  try {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${origin}${url}`, { method, headers: HEADERS, ...sent });
    const { content } = z.looseObject({ content: z.unknown().optional() }).parse(await answer.json());
    return { status: answer.status, content };
  } catch {
    return undefined;
  }
}
