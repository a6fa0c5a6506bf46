import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { systemClock } from "../../../src/base/clock.ts";
import { SrtListener } from "../../../src/ingest/srt/srt-listener.ts";
import { startSrtTransmit } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import type { Arrivals } from "./marked-input.ts";

/** A listener for one SRT caller that hands what it delivers to `Arrivals`. */
export type SrtReceiver = { readonly port: number; close(): Promise<void> };

/** Fanfare's listener, in this process. Payloads are taken where the demuxer would get them. */
export async function fanfareReceiver(latencyMs: number, arrivals: Arrivals): Promise<SrtReceiver> {
  const listener = new SrtListener({
    clock: systemClock,
    randomBytes,
    passphrase: undefined,
    latencyMs,
    newReader: () => ({
      progress: "media",
      push(payload) {
        arrivals.take(payload);
        return [];
      },
      gap: () => undefined,
      end: () => [],
    }),
    admit: async () => ({
      slot: "main",
      gateway: {
        channelId: "ls-1",
        latency: "efficient",
        isFull: false,
        tryAdmit: async () => "admitted",
        open: () => ({ push: () => undefined, end: () => undefined }),
        flush: () => undefined,
        leave: () => undefined,
      },
    }),
    onFact: () => undefined,
    onLinks: () => undefined,
    afterReads: (run) => setImmediate(run),
  });
  const port = await listener.listen("127.0.0.1", 0);
  return { port, close: async () => listener.close() };
}

/** libsrt's, as a program that sends on over UDP. */
export async function libsrtReceiver(latencyMs: number, arrivals: Arrivals): Promise<SrtReceiver> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4_194_304 });
  socket.on("message", (payload) => arrivals.take(payload));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const port = await freePort();
  const url = `srt://127.0.0.1:${port}?mode=listener&latency=${latencyMs}`;
  const program = await startSrtTransmit(url, `udp://127.0.0.1:${socket.address().port}`);
  return {
    port,
    async close() {
      await program.stop("SIGINT", 2_000);
      socket.close();
    },
  };
}
