import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import type { Clock, Timer } from "../../../base/clock.ts";
import { systemCode } from "../../../base/system-errors.ts";
import type { Bus } from "../../../control/ports/bus.ts";
import type { HostSigns } from "../../../control/ports/owner-question.ts";
import { linkPlace } from "../../threads/link-place.ts";

/** A packet may be lost, and the kernel sends it again after a second only: the host is dialled anew this often, in milliseconds. */
const DIAL_EVERY_MS = 60;
/** A host that was reached counts as there for this long, in milliseconds. */
const REACHED_MS = 1_000;
/** Nobody serves this subject: the server says so at once, which shows that it is there. */
const NOBODY = "nobody";
const BUS_MS = 1_000;

/** Dials the hosts of owners, and listens for the bus itself. */
export class SocketHostSigns implements HostSigns {
  readonly #bus: Pick<Bus, "request">;
  readonly #clock: Pick<Clock, "startTimer">;
  /** By `host:port`: all channels of a node share one. */
  readonly #probes = new Map<string, HostProbe>();

  constructor(bus: Pick<Bus, "request">, clock: Pick<Clock, "startTimer">) {
    this.#bus = bus;
    this.#clock = clock;
  }

  async probe(
    { address }: { readonly address: string },
    over: AbortSignal,
  ): Promise<{ readonly reached: Promise<void> }> {
    let probe = this.#probes.get(address);
    if (probe === undefined) {
      probe = new HostProbe(address, this.#clock, () => this.#probes.delete(address));
      this.#probes.set(address, probe);
    }
    await probe.dial(over);
    return probe;
  }

  async busHeard(): Promise<void> {
    const reply = await this.#bus.request(NOBODY, {}, BUS_MS);
    if (reply.kind === "none" && reply.why === "no-responders") return;
    await new Promise<never>(() => undefined);
  }
}

/** Connects to a host without a word until its kernel answers, or nobody asks for it any more. */
class HostProbe {
  readonly reached: Promise<void>;
  readonly #address: string;
  readonly #clock: Pick<Clock, "startTimer">;
  readonly #onOver: () => void;
  readonly #sockets = new Set<Socket>();
  #begun: Promise<void> | undefined;
  #onReached: () => void = () => undefined;
  /** Questions that wait for it. */
  #asking = 0;
  #state: "dialling" | "reached" | "over" = "dialling";
  #timer: Timer | undefined;

  constructor(address: string, clock: Pick<Clock, "startTimer">, onOver: () => void) {
    this.#address = address;
    this.#clock = clock;
    this.#onOver = onOver;
    this.reached = new Promise((resolve) => {
      this.#onReached = resolve;
    });
  }

  /** Resolves once the first attempt is on its way. Never rejects. `over`: the question has ended. */
  dial(over: AbortSignal): Promise<void> {
    this.#asking += 1;
    over.addEventListener("abort", () => this.#leave(), { once: true });
    this.#begun ??= this.#begin();
    return this.#begun;
  }

  async #begin(): Promise<void> {
    const { host, port } = partsOf(this.#address);
    try {
      // The time that names take must not count against the host.
      const { address } = await lookup(host);
      if (this.#state === "dialling") this.#connect(address, port);
    } catch {
      // Nothing is known of a host without an address.
      this.#reach();
    }
  }

  #connect(host: string, port: number): void {
    const socket = connect({ host, port });
    this.#sockets.add(socket);
    socket.once("connect", () => this.#reach());
    socket.on("error", (error) => {
      if (systemCode(error) === "ECONNREFUSED") this.#reach();
    });
    this.#timer = this.#clock.startTimer(DIAL_EVERY_MS, () => this.#connect(host, port));
  }

  #reach(): void {
    if (this.#state !== "dialling") return;
    this.#state = "reached";
    this.#onReached();
    this.#timer?.cancel();
    this.#closeSockets();
    this.#timer = this.#clock.startTimer(REACHED_MS, this.#onOver);
  }

  #leave(): void {
    this.#asking -= 1;
    if (this.#asking > 0 || this.#state !== "dialling") return;
    this.#state = "over";
    this.#timer?.cancel();
    this.#closeSockets();
    this.#onOver();
  }

  #closeSockets(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

function partsOf(address: string): { readonly host: string; readonly port: number } {
  const place = linkPlace(address);
  if (!("host" in place)) throw new Error("a node without a port");
  return place;
}
