import { expect, onTestFinished, test } from "vitest";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { startChild } from "../support/processes/children.ts";

test("FFmpeg as a player, which checks the server's signature, goes on to connect", async () => {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const target = await KitTarget.start({
    onEvent: (event) => {
      if (event.event === "command" && event.name === "connect") resolve();
    },
  });
  onTestFinished(() => target.close());
  const player = await startChild("ffmpeg", ["-nostdin", "-i", `${target.url}/a-key`, "-f", "null", "-"]);
  onTestFinished(async () => void (await player.stop("SIGKILL", 0)));
  const first = await Promise.race([connected.then(() => "connected"), player.exited.then(() => "gave up")]);
  expect(first, player.stderr()).toBe("connected");
});
