import { expect, test } from "vitest";
import { Follower, type ThreadMessage } from "../../../src/app/upgrade/follower.ts";
import type { FromPredecessor } from "../../../src/app/upgrade/process-messages.ts";
import { channelSample } from "../../support/stages/sample.ts";

const message = (channelId: string): ThreadMessage => ({
  thread: 0,
  message: { kind: "channel-released", channelId, admissions: 1 },
});
const samples = (thread: number, channelId: string): ThreadMessage => ({
  thread,
  message: { kind: "samples", samples: [channelSample(channelId, [])] },
});

function open(waitingMax?: number) {
  const noted: ThreadMessage[] = [];
  const sent: FromPredecessor[] = [];
  let losses = 0;
  const follower = new Follower({
    note: (each) => noted.push(each),
    onLoss: () => {
      losses += 1;
    },
    ...(waitingMax === undefined ? {} : { waitingMax }),
  });
  const link = { send: (each: FromPredecessor) => void sent.push(each) };
  return { follower, noted, sent, link, losses: () => losses };
}

test("what threads report waits for the process that decides, and changes this process's state only with it", () => {
  const { follower, noted, sent, link } = open();
  follower.take(message("ls-1"));
  expect([noted, sent]).toEqual([[], []]);
  follower.follow(link);
  follower.take({ thread: 1, message: "gone" });
  expect(noted).toEqual([message("ls-1"), { thread: 1, message: "gone" }]);
  expect(sent).toEqual([
    { kind: "message", ...message("ls-1") },
    { kind: "thread-gone", thread: 1 },
  ]);
  follower.wait();
  follower.take(message("ls-2"));
  expect([noted.length, sent.length, follower.isFollowing]).toEqual([2, 2, false]);
  // No process takes over after all: this one gets what waits, once.
  expect([follower.giveBack(), follower.giveBack()]).toEqual([[message("ls-2")], []]);
});

test("of samples only each thread's last ones wait, and what concerns a thread's own life stays here", () => {
  const { follower, sent, link } = open();
  for (const each of [samples(0, "a"), samples(1, "b"), message("ls-1"), samples(0, "c")]) follower.take(each);
  follower.take({ thread: 0, message: { kind: "drained" } });
  follower.follow(link);
  expect(sent).toEqual(
    [samples(1, "b"), message("ls-1"), samples(0, "c")].map((each) => ({ kind: "message", ...each })),
  );
});

test("above the limit the oldest are lost, and that is told once", () => {
  const { follower, sent, link, losses } = open(3);
  for (const id of ["1", "2", "3", "4", "5"]) follower.take(message(id));
  follower.follow(link);
  expect([sent.length, losses()]).toEqual([3, 1]);
  expect(sent[0]).toEqual({ kind: "message", ...message("3") });
});
