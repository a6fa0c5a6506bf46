import { createSocket, type Socket } from "node:dgram";

/** The kernel keeps what comes while this thread is busy. It cuts the number to what the system allows. */
const BUFFER_BYTES = 8 * 1_024 * 1_024;

export type Sender = { readonly address: string; readonly port: number };
export type OnDatagram = (datagram: Buffer, sender: Sender) => void;

/** One UDP port, for IPv4 and IPv6 where the system has both. */
export class DatagramPort {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Binds the port. Rejects with the system's error: the port is in use, or not permitted. */
  static async bind(host: string | undefined, port: number, onDatagram: OnDatagram): Promise<DatagramPort> {
    try {
      return await bindOne(host?.includes(":") === false ? "udp4" : "udp6", host, port, onDatagram);
    } catch (error) {
      // A machine without IPv6.
      const hasNoIpv6 = host === undefined && error instanceof Error && /EAFNOSUPPORT|EINVAL/.test(error.message);
      if (!hasNoIpv6) throw error;
      return await bindOne("udp4", host, port, onDatagram);
    }

    function bindOne(type: "udp4" | "udp6", address: string | undefined, ...rest: [number, OnDatagram]) {
      const [wanted, take] = rest;
      const socket = createSocket({
        type,
        // Both buffers: a keyframe is sent in one go.
        recvBufferSize: BUFFER_BYTES,
        sendBufferSize: BUFFER_BYTES,
        // Addresses are never names here, so nothing is looked up.
        lookup: (name, _options, done) => done(null, name, type === "udp4" ? 4 : 6),
      });
      return new Promise<DatagramPort>((resolve, reject) => {
        socket.once("error", (error) => {
          socket.close();
          reject(error);
        });
        socket.bind({ port: wanted, ...(address === undefined ? {} : { address }) }, () => {
          socket.removeAllListeners("error");
          // Errors of single datagrams (unreachable hosts) are the network's losses.
          socket.on("error", () => undefined);
          socket.on("message", take);
          resolve(new DatagramPort(socket));
        });
      });
    }
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Sends one datagram, or loses it, as a network may. The bytes must not change before the next turn. */
  send(datagram: Buffer, { address, port }: Sender): void {
    // Without a callback a failed send costs nothing more: nothing is reported.
    this.#socket.send(datagram, 0, datagram.length, port, address);
  }

  /** Idempotent. */
  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It was closed before.
    }
  }
}
