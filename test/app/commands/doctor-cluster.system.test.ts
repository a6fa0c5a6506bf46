import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startLabNode } from "../../support/cluster/lab-node.ts";
import { SharedServices } from "../../support/cluster/shared-services.ts";
import { runFanfare } from "../../support/processes/fanfare-command.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

type Found = { readonly check: string; readonly state: string; readonly text: string };

const SHARED = ["database", "keys", "cluster", "nats", "clock"];

/** What the doctor says of what the nodes share, with its exit code. */
async function examine(environment: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await runFanfare(["doctor", "--json"], environment);
  expect(stderr).toBe("");
  const { findings } = JSON.parse(stdout) as { findings: Found[] };
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  const states = Object.fromEntries(SHARED.map((check) => [check, of(check).map(({ state }) => state)]));
  return { code, stdout, states, of };
}

test("the doctor finds a cluster in order, and says of each thing that the nodes share what is wrong", async () => {
  const stage = await Stage.open();
  const services = await SharedServices.start(stage.folder);
  stage.onClose(() => services.close());
  const { fanfare, api } = await startLabNode("a", stage.folder, services);
  stage.onClose(() => fanfare.stop());
  const target = await stage.target();
  const key = uniqueKey("doctor");
  await api.createChannel("show", [{ rtmpUrl: target.url, streamKey: key, label: "good" }]);
  const environment = {
    ...(await services.environmentOf("a")),
    FANFARE_DATA_DIR: join(stage.folder, "a"),
    ...{ FANFARE_HTTP_HOST: "127.0.0.1", FANFARE_RTMP_HOST: "127.0.0.1", FANFARE_TARGET_ALLOW: "127.0.0.0/8" },
    ...{ FANFARE_HTTP_PORT: `${fanfare.httpPort}`, FANFARE_RTMP_PORT: `${fanfare.rtmpPort}` },
  };

  const good = await examine(environment);
  expect(good.states).toEqual(Object.fromEntries(SHARED.map((check) => [check, ["ok"]])));
  expect(good.of("target").map(({ state }) => state)).toEqual(["ok"]);
  expect(good.code, good.stdout).toBe(0);
  for (const secret of [key, ...services.secrets]) expect(good.stdout).not.toContain(secret);

  // The database goes on without NATS, and says so.
  await services.nats.kill();
  const withoutNats = await examine(environment);
  expect([withoutNats.code, withoutNats.states]).toEqual([1, { ...good.states, nats: ["failed"] }]);
  expect(withoutNats.of("nats")[0]?.text).toMatch(
    /^NATS at 127\.0\.0\.1:\d+: cannot be used .* correct FANFARE_NATS_URL\.$/,
  );

  // Keys of another cluster, and no secret of the nodes.
  await services.nats.resume();
  const otherKey = join(stage.folder, "other.key");
  writeFileSync(otherKey, `0a0b0c0d ${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  const wrongFiles = await examine({
    ...environment,
    ...{ FANFARE_ENCRYPTION_KEY_FILE: otherKey, FANFARE_CLUSTER_SECRET_FILE: join(stage.folder, "nowhere") },
  });
  expect([wrongFiles.code, wrongFiles.states]).toEqual([1, { ...good.states, keys: ["failed"], cluster: ["failed"] }]);
  expect(wrongFiles.of("keys")[0]?.text).toContain(otherKey);
  expect(wrongFiles.of("cluster")[0]?.text).toContain(
    "Copy it from another server, or make it with fanfare init-cluster",
  );
  // The addresses of the platforms are in the database, sealed.
  expect(wrongFiles.of("target").map(({ state }) => state)).toEqual(["unknown"]);

  const closedPort = await freePort();
  const away = await examine({ ...environment, FANFARE_DATABASE_URL: `postgres://postgres@127.0.0.1:${closedPort}/x` });
  expect([away.code, away.states]).toEqual([1, { ...good.states, database: ["failed"], keys: [], clock: ["unknown"] }]);
  expect(away.of("database")[0]?.text).toContain(`127.0.0.1:${closedPort}`);
});
