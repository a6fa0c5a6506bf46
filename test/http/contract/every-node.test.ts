import { afterEach, expect, test } from "vitest";
import { OPERATIONS } from "../../../src/api-contract/operations.ts";
import { ClusterRuntime } from "../../../src/cluster/cluster-runtime.ts";
import type { Command } from "../../../src/cluster/commands/commands.ts";
import { LiveState } from "../../../src/control/live/live-state.ts";
import { FakeRuntime } from "../../control/fake-runtime.ts";
import { ManualClock } from "../../control/manual-clock.ts";
import { Api, CHANNELS, PLATFORM } from "../api.ts";

/**
 * What makes a call work at any node of a cluster. A new call needs its line here.
 *
 * `stored`: it reads or changes the database, and other nodes are told. `told`: it also shows what the channel's owner
 * tells. `owner`: it is done by the node that owns the channel, or that plays its source. `asked`: every node can do it by
 * itself. `nodes`: it is about the nodes. `disk`: it is about files of the node that is asked, and other nodes have others.
 */
type Place = "stored" | "told" | "owner" | "asked" | "nodes" | "disk";

const PLACES: Readonly<Record<Place, readonly string[]>> = {
  stored: [
    ...["createChannel", "listPublishLog", "listChannelEvents", "listEvents", "setChannelCallback"],
    ...["setDefaultCallback", "getDefaultCallback", "switchChannelOn", "listReports", "getReport"],
    ...["getRecommendedSettings", "listDeliveries", "resendDelivery", "listAudit", "listAccessKeys"],
    ...["createAccessKey", "deleteAccessKey", "listSchedules", "createSchedule", "getSchedule", "updateSchedule"],
    ...["deleteSchedule", "listContacts", "createContact", "updateContact", "deleteContact", "listRefusedEncoders"],
  ],
  told: [
    ...["listChannels", "getChannel", "deleteChannel", "listPlatforms", "editPlatform", "addPlatform"],
    ...["removePlatform", "onPlatform", "offPlatform", "streamEvents", "getSource", "setSource", "getSlate"],
    ...["setSlate", "clearSlate", "getHistory"],
  ],
  owner: [
    ...["updateChannel", "switchChannelOff", "endChannel", "extendHold", "endHold", "renewStreamKey"],
    ...["startTestPattern", "stopTestPattern", "getKeyframe", "retryPlatform", "cutPlatformDelay"],
    ...["startSource", "stopSource", "clearSource", "closeCurtain", "openCurtain"],
  ],
  // The link that a preview token makes is opened at any node, which asks the owner (`OwnerViews`).
  asked: [
    ...["listPresets", "createPreviewToken", "testPlatform", "testChannelCallback", "testDefaultCallback"],
    "testContact",
  ],
  nodes: ["listNodes", "drainNode", "moveNodeChannels"],
  disk: [
    ...["listRecordings", "getRecording", "downloadRecording", "deleteRecording", "listMediaFiles", "getMediaSpace"],
    ...["createMediaFile", "getMediaFile", "uploadMediaFile", "getMediaFrame", "deleteMediaFile"],
  ],
};

let api: Api;
afterEach(() => api?.close());

test("every call has its place", async () => {
  const placed = Object.values(PLACES).flat();
  expect(placed.toSorted()).toEqual(OPERATIONS.map(({ name }) => name).toSorted());
});

/** The API at a node that owns nothing. What it asks the owner of all channels for is noted in `asked`, and done there. */
async function nodeWithoutChannels() {
  const clock = new ManualClock();
  const view = new LiveState(clock);
  const owner = new FakeRuntime(view);
  const asked: unknown[] = [];
  let own: FakeRuntime | undefined;
  const send = async ({ channelId, ...command }: Command): Promise<string | undefined> => {
    asked.push(command);
    const result = await doAtOwner(owner, channelId, command);
    api.view.look();
    return result;
  };
  let source: "stopped" | "playing" = "stopped";
  api = await Api.open({
    cluster: (here) => {
      own = here;
      const others = {
        live: (channelId: string) => view.live(channelId),
        publishingChannels: () => view.publishingChannels(),
        freshen: async () => undefined,
        livingOwnerOf: () => ({ incarnation: 1, epoch: 3 }),
      };
      const elsewhere = {
        watch: owner.watch,
        keyframe: async (channelId: string) => {
          asked.push("keyframe");
          return owner.keyframe(channelId);
        },
      };
      return {
        runtime: new ClusterRuntime({ own: here, others, commands: { send }, elsewhere, epochOf: () => undefined }),
        sourcePeers: {
          isDraining: false,
          source: () => ({ node: 1, status: { state: source, sinceTime: 1 } }),
          slate: () => undefined,
          owner: () => 1,
          takers: () => [1],
          freshen: async () => undefined,
          ask: async (_node, _channelId, command) => {
            asked.push(`source: ${command}`);
            source = command === "start" ? "playing" : source;
            return true;
          },
        },
      };
    },
  });
  return { owner, asked, own: () => own, setSource: (state: typeof source) => (source = state) };
}

type OneCommand = Command extends infer Each ? (Each extends Command ? Omit<Each, "channelId"> : never) : never;

async function doAtOwner(owner: FakeRuntime, channelId: string, command: OneCommand): Promise<string | undefined> {
  switch (command.do) {
    case "end":
      owner.end(channelId);
      return undefined;
    case "hold":
      owner.changeHold(channelId, command.how);
      return undefined;
    case "retry":
      owner.retryTarget(channelId, command.targetId);
      return undefined;
    case "start-test":
    case "start-test-of":
      owner.start(channelId, 0, command.endTime);
      return "started";
    case "stop-test":
      owner.leave(channelId, 0);
      return undefined;
    default:
      return undefined;
  }
}

type OwnerCall = {
  /** Brings the channel into the state that the call needs. */
  readonly before?: (owner: FakeRuntime, channelId: string, platId: number) => void;
  readonly source?: "playing";
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly asks: (platId: number) => readonly unknown[];
};

const onAir = (owner: FakeRuntime, channelId: string) => owner.start(channelId, 7);
const held = (owner: FakeRuntime, channelId: string) => {
  owner.start(channelId, 7);
  owner.hold(channelId, 60_000);
};
const failing = (owner: FakeRuntime, channelId: string, platId: number) => {
  owner.start(channelId, 7);
  owner.status(channelId, platId, { status: "FAIL", sinceTime: 9, nextRetryTime: 90 });
};
const TEST_LENGTH = { endTime: expect.any(Number), forMs: 60_000 };

const CALLS: Readonly<Record<string, OwnerCall>> = {
  updateChannel: {
    ...{ before: onAir, method: "PUT", path: "", body: { backup: { enabled: false } } },
    asks: () => [{ do: "cut", slot: "backup" }],
  },
  switchChannelOff: { before: onAir, method: "PUT", path: "/off", asks: () => [{ do: "end" }] },
  endChannel: { before: onAir, method: "POST", path: "/end", asks: () => [{ do: "end" }] },
  extendHold: { before: held, method: "POST", path: "/hold/extend", asks: () => [{ do: "hold", how: "extend" }] },
  endHold: { before: held, method: "POST", path: "/hold/end", asks: () => [{ do: "hold", how: "end" }] },
  renewStreamKey: {
    ...{ before: onAir, method: "POST", path: "/stream-key", body: { which: "main" } },
    asks: () => [{ do: "cut", slot: "main" }],
  },
  startTestPattern: {
    ...{ method: "POST", path: "/test-pattern", body: { durationSeconds: 60 } },
    asks: () => [{ do: "start-test", ...TEST_LENGTH }],
  },
  stopTestPattern: {
    ...{ before: (owner, channelId) => owner.start(channelId, 7, 90), method: "DELETE", path: "/test-pattern" },
    asks: () => [{ do: "stop-test" }],
  },
  getKeyframe: { before: onAir, method: "GET", path: "/keyframe", asks: () => ["keyframe"] },
  retryPlatform: {
    ...{ before: failing, method: "PUT", path: "/platforms/PLATFORM/retry" },
    asks: (targetId) => [{ do: "retry", targetId }],
  },
  cutPlatformDelay: {
    ...{ before: onAir, method: "PUT", path: "/platforms/PLATFORM/cut-delay" },
    asks: (targetId) => [{ do: "cut-delay", targetId }],
  },
  startSource: { method: "POST", path: "/source/start", asks: () => ["source: start"] },
  stopSource: { source: "playing", method: "POST", path: "/source/stop", asks: () => ["source: stop"] },
  clearSource: { source: "playing", method: "DELETE", path: "/source", asks: () => ["source: stop"] },
  closeCurtain: { before: onAir, method: "POST", path: "/curtain", asks: () => ["source: close-curtain"] },
  openCurtain: { before: onAir, method: "DELETE", path: "/curtain", asks: () => ["source: open-curtain"] },
};

test("every command that only the owner can do has a line below", () => {
  expect(Object.keys(CALLS).toSorted()).toEqual(PLACES.owner.toSorted());
});

test.for(Object.entries(CALLS))("%s at another node is done by the owner", async ([, call]) => {
  const { owner, asked, own, setSource } = await nodeWithoutChannels();
  const { channelId, restream } = await api.create({ restream: [PLATFORM], backup: { enabled: true } });
  const [{ platId }] = restream;
  call.before?.(owner, channelId, platId);
  if (call.source !== undefined) setSource(call.source);
  const url = `${CHANNELS}/${channelId}${call.path.replace("PLATFORM", String(platId))}`;
  const { method, body } = call;
  const answer = await api.server.inject({
    ...{ method, url, headers: api.signedHeaders(method, url) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  // There is no keyframe yet; everything else is done.
  expect(answer.statusCode, answer.body).toBe(method === "GET" ? 409 : 200);
  expect(asked).toEqual(call.asks(platId));
  expect([own()?.ended, own()?.cut, own()?.retried, own()?.testPatterns, own()?.curtains, api.player.starts]).toEqual([
    ...[[], [], [], [], [], []],
  ]);
});

test("a test pattern for chosen platforms names them", async () => {
  const { asked } = await nodeWithoutChannels();
  const { channelId, restream } = await api.create({ restream: [PLATFORM] });
  const [{ platId }] = restream;
  const body = { durationSeconds: 60, platIds: [platId] };
  expect((await api.post(`${CHANNELS}/${channelId}/test-pattern`, body)).status).toBe(200);
  expect(asked).toEqual([{ do: "start-test-of", ...TEST_LENGTH, targetIds: [platId] }]);
});
