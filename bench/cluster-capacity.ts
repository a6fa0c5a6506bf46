import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type LabNode, startLabNode } from "../test/support/cluster/lab-node.ts";
import { SharedServices } from "../test/support/cluster/shared-services.ts";
import { measureBus } from "./cluster-capacity/bus-traffic.ts";
import { measureClaims } from "./cluster-capacity/claims.ts";
import { bareNodes, closeNodes } from "./cluster-capacity/nodes.ts";
import { measureRequests } from "./cluster-capacity/requests.ts";
import { makeChannels, makeHistory } from "./cluster-capacity/seed.ts";
import { measureStatus } from "./cluster-capacity/status.ts";
import { measureTotals } from "./cluster-capacity/totals.ts";

/** What one PostgreSQL and one NATS carry for several servers. The figures go to docs/results/cluster.md. */

const USAGE = `usage: npm run bench:cluster -- [--claims] [--totals] [--channels N] [--status] [--bus]
  --claims      what a claim costs and how many one PostgreSQL carries, with every commit on the disk
  --totals      what it costs to store the totals of many broadcasts
  --channels N  lists, filters, status, events and reports of N channels at three nodes
  --status      status requests and commands at three nodes with broadcasts on air
  --bus         what three nodes publish on NATS
`;
const CLAIMED = 2_500;
const TOTALLED = 12_000;
const NODES = ["a", "b", "c"];
/** Far more than is asked: what is measured is not the limit. */
const RATE_LIMIT = "100000";

const { values } = parseArgs({
  options: {
    ...{ claims: { type: "boolean" }, totals: { type: "boolean" }, channels: { type: "string" } },
    ...{ status: { type: "boolean" }, bus: { type: "boolean" } },
  },
});
const count = values.channels === undefined ? 0 : Number(values.channels);
if (Object.keys(values).length === 0 || !Number.isInteger(count) || count < 0) {
  process.stdout.write(USAGE);
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "fanfare-capacity-"));
try {
  say(`load of the machine before: ${loadavg()[0]?.toFixed(1)}`);
  if (values.claims === true) await withBareNodes("claims", CLAIMED, measureClaims);
  if (values.totals === true) await withBareNodes("totals", TOTALLED, measureTotals);
  if (count > 0) await requests();
  if (values.status === true) (await measureStatus(RATE_LIMIT)).map(say);
  if (values.bus === true) (await measureBus()).map(say);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

/** Measures on a database with so many channels, with every commit on the disk. */
async function withBareNodes(name: string, channels: number, measure: typeof measureClaims): Promise<void> {
  const services = await SharedServices.start(join(folder, name), { isDurable: true });
  try {
    const nodes = await bareNodes(services, NODES.length);
    const [first] = nodes;
    const ids = first === undefined ? [] : await makeChannels(first, channels);
    (await measure(nodes, ids)).map(say);
    await closeNodes(nodes);
  } finally {
    await services.close();
  }
}

async function requests(): Promise<void> {
  const services = await SharedServices.start(join(folder, "requests"));
  const nodes: LabNode[] = [];
  try {
    const bare = await bareNodes(services, 1);
    const [first] = bare;
    const startMs = performance.now();
    const ids = first === undefined ? [] : await makeChannels(first, count);
    say(`${count} channels made in | ${((performance.now() - startMs) / 1_000).toFixed(0)} s`);
    await closeNodes(bare);
    await makeHistory(services);
    await services.query("vacuum analyze");
    const environment = { FANFARE_LOG_LEVEL: "warn", FANFARE_RATE_LIMIT: RATE_LIMIT };
    for (const name of NODES) nodes.push(await startLabNode(name, folder, services, { environment }));
    await measureRequests(nodes, ids, say);
  } finally {
    for (const { fanfare } of nodes) await fanfare.stop();
    await services.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
