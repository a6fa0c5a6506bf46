import type { Socket } from "node:net";
import { createServer } from "node:tls";
import { expect, test } from "vitest";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { certificate } from "../support/stages/certificates.ts";
import { dial, serve } from "../support/stages/dialling.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { pourRecords } from "../support/targets/one-byte-records.ts";

const pair = certificate("127.0.0.1");

test("a target whose TLS carries almost no payload is disconnected within a quarter of a second", async () => {
  const server = createServer(pair);
  const poured = new Promise<Socket>((resolve) =>
    server.on("secureConnection", (socket) => {
      socket.on("error", () => undefined);
      void pourRecords(socket, Buffer.concat([Buffer.of(3), Buffer.alloc(4_000)])).then(() => resolve(socket));
    }),
  );
  const clock = new VirtualClock();
  const port = await serve(server);
  const { closed, dialer } = dial(`rtmps://127.0.0.1:${port}/live`, { clock, extraCa: pair.cert });
  let error: unknown;
  void closed.then((closeError) => {
    error = closeError;
  });
  await poured;
  // Bounded by the deadline of the handshake otherwise: 250 ms are far from it.
  await expect
    .poll(() => {
      clock.advance(50);
      return error;
    })
    .toEqual(targetError("sent-too-much"));
  expect(clock.now()).toBeLessThan(2_000);
  await dialer.idle();
});
