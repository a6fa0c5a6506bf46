import { join } from "node:path";
import { ApiClient } from "../dashboard/api-client.ts";
import type { FanfareProcess } from "../processes/fanfare-process.ts";
import type { Stage } from "../stages/stage.ts";
import { NodeWays } from "./node-ways.ts";
import { SharedServices } from "./shared-services.ts";

/** One server of a cluster, and a client of its API. */
export type StageNode = { readonly fanfare: FanfareProcess; readonly api: ApiClient };
/** One whose ways to the services, and the other nodes' ways to it, can be cut. */
export type CutStageNode = StageNode & { readonly ways: NodeWays };

/** A cluster whose services and nodes belong to a stage: it ends them, and looks for the secrets in what they wrote. */
export class StageCluster {
  readonly services: SharedServices;
  readonly #stage: Stage;
  readonly #nodes: (readonly [name: string, fanfare: FanfareProcess])[] = [];

  private constructor(stage: Stage, services: SharedServices) {
    this.#stage = stage;
    this.services = services;
  }

  /** Starts what nodes share, and no node yet. */
  static async open(stage: Stage): Promise<StageCluster> {
    const services = await SharedServices.start(stage.folder);
    stage.onClose(() => services.close());
    for (const secret of services.secrets) stage.keepSecret(secret);
    return new StageCluster(stage, services);
  }

  /** Starts one more node; the first one makes the tables. `environment`: settings that only this node has. */
  async node(name: string, environment: Readonly<Record<string, string>> = {}): Promise<StageNode> {
    const { credentials } = this.services;
    const fanfare = await this.#stage.fanfare({
      dataFolder: join(this.#stage.folder, name),
      credentials,
      environment: { ...(await this.services.environmentOf(name)), ...environment },
    });
    this.#nodes.push([name, fanfare]);
    return { fanfare, api: new ApiClient(fanfare.origin, credentials, (secret) => this.#stage.keepSecret(secret)) };
  }

  /** The same, with ways that can be cut. */
  async cutNode(name: string): Promise<CutStageNode> {
    const ways = await NodeWays.open(this.services);
    this.#stage.onClose(() => ways.close());
    return { ways, ...(await this.node(name, ways.environment)) };
  }

  /** What each node wrote so far, for the message of a test that fails. */
  get output(): string {
    return this.#nodes.map(([name, { output }]) => `node ${name}:\n${output}`).join("\n---\n");
  }
}
