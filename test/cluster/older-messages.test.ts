import { expect, test } from "vitest";
import { takeClaims } from "../../src/app/control-thread/cluster/claim-news.ts";
import { busQuestion } from "../../src/app/control-thread/cluster/owner-ways.ts";
import { type Command, CommandTaker } from "../../src/cluster/commands/commands.ts";
import { Hints } from "../../src/cluster/hints.ts";
import { isUnknownWord, NodeRpc } from "../../src/cluster/node-rpc.ts";
import { ClusterLiveState } from "../../src/cluster/state/cluster-live-state.ts";
import {
  kindOf,
  type NodeMessage,
  readNodeMessages,
  NODE_MESSAGE_VERSIONS as VERSIONS,
} from "../release/node-messages.ts";
import { MemoryNetwork } from "../support/stages/memory-bus.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const SELF = 900;

test("messages of the state before this one are kept", () => expect(VERSIONS).toContain("next"));

test.each(VERSIONS)("what nodes of %s tell of their channels is understood", (version) => {
  const { network, bus, of } = open(version);
  const changed: string[] = [];
  const sampled: string[] = [];
  const state = new ClusterLiveState({
    ...{ self: SELF, bus, clock: new VirtualClock(), log, nodeState: () => "serving", hasReaders: () => true },
    ...{ onNew: () => undefined },
    onChanged: (ids) => void changed.push(...ids),
    onSamples: (channels) => void sampled.push(...channels.map(({ channelId }) => channelId)),
  });
  state.start();
  const told = of("node.state");
  const [channel] = channelsIn(told);
  // Both nodes have heartbeats, and one of them is kept.
  network.send(told.subject.replace(/state$/, "hb"), of("node.hb").body);
  network.send(told.subject, told.body);
  const incarnation = Number(told.subject.split(".")[1]);
  expect(state.nodes().map((node) => node.incarnation)).toContain(incarnation);
  expect(changed).toContain(channel?.channelId);
  expect(state.live(channel?.channelId ?? "")?.targets.size).toBe(1);
  expect(state.ownerOf(channel?.channelId ?? "")?.epoch).toBe(channel?.epoch);
  // Counters are followed once somebody reads.
  void state.freshen([channel?.channelId ?? ""]);
  const samples = of("node.samples");
  network.send(samples.subject, samples.body);
  expect(sampled).toEqual(channelsIn(samples).map(({ channelId }) => channelId));
  state.stop();
});

test.each(VERSIONS)("what nodes of %s tell of claims and changes is understood", (version) => {
  const { network, bus, of } = open(version);
  const heard: unknown[] = [];
  takeClaims(bus, { heard: (news) => heard.push(news), questioned: (channels) => heard.push(...channels) });
  new Hints(bus, SELF, log).start({
    channel: async (hint) => void heard.push(hint.channelId),
    keys: () => heard.push("keys"),
    deliveries: () => heard.push("deliveries"),
    event: (event) => heard.push(event.code),
    refusals: (attempts) => heard.push(attempts),
  });
  const [claim, event] = [of("claim"), of("node.events")];
  for (const message of [claim, of("hint.channel"), of("hint.keys"), of("hint.deliveries"), event])
    network.send(message.subject, message.body);
  expect(heard[0]).toEqual(claim.body);
  expect(heard.slice(1)).toEqual([of("hint.channel").body["channelId"], "keys", "deliveries", event.body["code"]]);
});

test.each(VERSIONS)("questions and commands of nodes of %s are known, and their replies too", async (version) => {
  const { network, bus, of, messages } = open(version);
  const rpc = new NodeRpc(bus, SELF);
  const run: Command[] = [];
  const taker = new CommandTaker(new VirtualClock(), async (command) => {
    run.push(command);
    return { kind: "done" };
  });
  for (const op of ["alive", "status", "snapshot", "drain", "move", "hand-over", "take"]) rpc.on(op, async () => ({}));
  rpc.on("command", (message) => taker.take(message));
  const questions = messages.filter(({ subject }) => subject.endsWith(".rpc"));
  for (const { body } of questions) {
    const reply = await network.newBus().request(`node.${SELF}.rpc`, body);
    expect(reply.kind === "reply" && !isUnknownWord(reply.message), JSON.stringify(body)).toBe(true);
  }
  expect(run.map((command) => command.do)).toContain("end");

  const alive = of("node.rpc alive");
  network.servers.set("node.7.rpc", { bus: network.newBus(), answer: async () => alive.reply });
  const owner = { channelId: "ls-1", epoch: 1, incarnation: 7, home: 0, address: "x:1" };
  const question = busQuestion(bus, new VirtualClock(), 1_000);
  expect((await question.ask(owner, new AbortController().signal)).kind).toBe("owner");
});

test("a question that this program does not know is answered at once", async () => {
  const network = new MemoryNetwork();
  const rpc = new NodeRpc(network.newBus(), SELF);
  const taker = new CommandTaker(new VirtualClock(), async () => ({ kind: "done" }));
  rpc.on("command", (message) => taker.take(message));
  const command = { op: "command", requestId: "r-1", channelId: "ls-1" };
  for (const question of [{ op: "of a later version" }, { ...command, do: "of a later version" }]) {
    const reply = await network.newBus().request(`node.${SELF}.rpc`, question);
    expect(reply.kind === "reply" && isUnknownWord(reply.message)).toBe(true);
  }
});

function open(version: string) {
  const messages = readNodeMessages(version);
  const network = new MemoryNetwork();
  const of = (kind: string): NodeMessage => {
    const found = messages.find((message) => kindOf(message) === kind);
    if (found === undefined) throw new Error(`no ${kind} is kept of ${version}`);
    return found;
  };
  return { messages, network, bus: network.newBus(), of };
}

function channelsIn({ body: { channels } }: NodeMessage): readonly { channelId: string; epoch: number }[] {
  return Array.isArray(channels) ? channels : [];
}
