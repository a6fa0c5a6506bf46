import { expect, test } from "vitest";
import { ADMITTED, command, frame, listen, publish } from "../support/encoders/ingest-stage.ts";
import type { Verdict } from "../support/stages/admission.ts";
import { AVC_CONFIG, avcFrame } from "../support/streams/media-messages.ts";

const publishAgain = (key: string) => command("publish", 9, null, [key, "live"], 1);
const media = Buffer.concat([frame(0, AVC_CONFIG), frame(0, avcFrame(true, 1))]);

test("a second publish during the first one's look-up is refused without a look-up, and the first goes on", async () => {
  const verdict = Promise.withResolvers<Verdict>();
  const { port, asked, facts, waitForFact } = await listen(() => verdict.promise);
  const { socket, codes } = await publish(port, "first");
  await expect.poll(() => asked).toEqual(["first"]);
  socket.write(Buffer.concat([publishAgain("second"), media]));
  verdict.resolve(ADMITTED);
  await waitForFact("target-status");
  await expect.poll(codes).toEqual(["NetStream.Publish.Start", "NetStream.Publish.BadName"]);
  expect(asked).toEqual(["first"]);
  expect(facts.filter(({ kind }) => kind === "ingest-ended" || kind === "ingest-refused")).toEqual([]);
});

test("a publish that is withdrawn during its look-up ends in order, and the next one on the connection begins", async () => {
  const verdict = Promise.withResolvers<Verdict>();
  const { port, asked, waitForFact } = await listen(() => verdict.promise);
  const { socket, codes } = await publish(port, "first");
  await expect.poll(() => asked).toEqual(["first"]);
  socket.write(Buffer.concat([media, command("deleteStream", 8, null, [1]), command("createStream", 9, null, [])]));
  socket.write(Buffer.concat([command("publish", 10, null, ["second", "live"], 2)]));
  verdict.resolve(ADMITTED);
  expect(await waitForFact("ingest-ended")).toMatchObject({ end: "clean", isBroadcastOver: true });
  await waitForFact("ingest-started", 2);
  await expect.poll(codes).toEqual(["NetStream.Publish.Start", "NetStream.Publish.Start"]);
  expect(asked).toEqual(["first", "second"]);
});
