import { FaultProxy } from "../../../src/testkit/proxy/fault-proxy.ts";
import { freePort } from "../processes/free-port.ts";
import type { SharedServices } from "./shared-services.ts";

/** The ways of one node to its services, and of the other nodes to it, each through a network that can be cut. */
export class NodeWays {
  readonly nats: FaultProxy;
  readonly postgres: FaultProxy;
  readonly link: FaultProxy;
  readonly #linkPort: number;
  readonly #services: SharedServices;

  private constructor(ways: Pick<NodeWays, "nats" | "postgres" | "link">, linkPort: number, services: SharedServices) {
    this.nats = ways.nats;
    this.postgres = ways.postgres;
    this.link = ways.link;
    this.#linkPort = linkPort;
    this.#services = services;
  }

  static async open(services: SharedServices): Promise<NodeWays> {
    const linkPort = await freePort();
    const [nats, postgres, link] = await Promise.all(
      [services.nats.port, services.postgres.port, linkPort].map((port) => FaultProxy.start({ to: { port } })),
    );
    if (nats === undefined || postgres === undefined || link === undefined) throw new Error("no proxies");
    return new NodeWays({ nats, postgres, link }, linkPort, services);
  }

  /** The settings of the node that goes these ways. */
  get environment(): Readonly<Record<string, string>> {
    return {
      FANFARE_DATABASE_URL: this.#services.databaseUrl.replace(
        `:${this.#services.postgres.port}/`,
        `:${this.postgres.port}/`,
      ),
      FANFARE_NATS_URL: `nats://127.0.0.1:${this.nats.port}`,
      FANFARE_NODE_LISTEN: `127.0.0.1:${this.#linkPort}`,
      FANFARE_NODE_ADVERTISE: `127.0.0.1:${this.link.port}`,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.nats, this.postgres, this.link].map((way) => way.close()));
  }
}
