import { expect, test } from "vitest";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import { avcFrame, video } from "../support/streams/media-messages.ts";

/** A channel on air with one target that gets the stream. */
function onAir() {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2, { isEnabled: false }));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const turn = (targetId: number, how: { readonly isOn: boolean } | { readonly fromRevision: number }) =>
    stage.engine.switchTarget({ kind: "target-switch", channelId: "ls-1", targetId, ...how });
  /** A keyframe begins what was turned on. */
  const statuses = () => [1, 2].map((targetId) => stage.status(targetId)?.status);
  return { stage, turn, statuses };
}

test("a target that is switched off is ended properly, and one that is switched on is dialled, whatever the settings say", () => {
  const { stage, turn, statuses } = onAir();
  const [first] = stage.dialer.links;
  turn(1, { isOn: false });
  turn(2, { isOn: true });
  expect([first?.closedHow, statuses()]).toEqual(["end", ["READY", "CONNECTING"]]);
  // An older spec, and another broadcast's encoder with the same settings, change nothing.
  stage.engine.introduce({ ...stage.spec([target(1), target(2)]), revision: 1 });
  expect(statuses()).toEqual(["READY", "CONNECTING"]);
});

test("the settings count again at once where they are as new as named, else when they come", () => {
  const { stage, turn, statuses } = onAir();
  turn(1, { isOn: false });
  turn(1, { fromRevision: 2 });
  expect(statuses()[0]).toBe("READY");
  stage.engine.apply(stage.spec([target(1, { isEnabled: false }), target(2)]));
  expect(statuses()).toEqual(["READY", "CONNECTING"]);
  stage.engine.apply(stage.spec([target(1), target(2)]));
  expect(statuses()[0]).toBe("CONNECTING");
  turn(1, { isOn: false });
  expect(statuses()[0]).toBe("READY");
  turn(1, { fromRevision: 3 });
  expect(statuses()[0]).toBe("CONNECTING");
});

test("a channel that begins with a switched target goes by it", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(
    target(1, { isSwitchedOn: false }),
    target(2, { isEnabled: false, isSwitchedOn: true }),
  );
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  expect(stage.dialer.links.map((link) => link.target.targetId)).toEqual([2]);
});
