import type { Socket } from "node:net";
import { systemClock } from "../../src/base/clock.ts";
import type { LinkCodec } from "../../src/node-link/link-codec.ts";
import { LinkConnection } from "../../src/node-link/link-connection.ts";
import { socketTransport } from "../../src/node-link/socket-transport.ts";
import { tcpPair, tlsPair } from "../support/stages/socket-pair.ts";
import { messageTransportSuite, type OpenedTransports } from "../support/stages/transport-suite.ts";

const TEXT: LinkCodec<string, string> = {
  encode: (message) => ["open", Buffer.from(message)],
  decode: ({ body }) => body.toString(),
};

async function over(pair: () => Promise<readonly [Socket, Socket]>): Promise<OpenedTransports> {
  const faults: unknown[] = [];
  const transport = (socket: Socket) =>
    socketTransport(new LinkConnection(socket, systemClock, (error) => faults.push(error)), TEXT);
  const [near, far] = await pair();
  return { near: transport(near), far: transport(far), faults };
}

messageTransportSuite("over TCP", () => over(tcpPair));
messageTransportSuite("over TLS with a pre-shared key", () => over(tlsPair));
