import { expect, test } from "vitest";
import { type AuditScope, ownScope } from "../../src/control/audit/audit.ts";
import { AuditLog } from "../../src/control/audit/audit-log.ts";
import { StoreUnavailableError } from "../../src/control/ports/errors.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Lets promises that are settled run on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("records, records that wait and lost ones are counted, each once", async () => {
  const clock = new VirtualClock();
  const metrics = new Metrics(() => "healthy");
  let fault: Error | undefined;
  const appendAudit = async () => {
    if (fault !== undefined) throw fault;
  };
  const audit = new AuditLog({
    ...{ store: { appendAudit }, clock, log: LOG, wake: () => undefined },
    counts: metrics.audit,
  });
  let made = 0;
  const change = (state: AuditScope["state"] = "open"): AuditScope => {
    made += 1;
    return { ...ownScope("setUpDashboard", "server", `${made}`, 1), state };
  };
  const shown = async () => {
    const lines = (await metrics.text()).split("\n").filter((line) => line.startsWith("fanfare_audit_"));
    return Object.fromEntries(lines.map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
  };
  const counts = async (records: number, waited: number, lost: number, waiting: number) =>
    expect(await shown()).toEqual({
      fanfare_audit_records_total: records,
      'fanfare_audit_failures_total{result="waited"}': waited,
      'fanfare_audit_failures_total{result="lost"}': lost,
      fanfare_audit_waiting: waiting,
    });

  await counts(0, 0, 0, 0);
  // One without a transaction, one that its transaction has stored.
  await audit.complete(change());
  await audit.complete(change("noted"));
  await counts(2, 0, 0, 0);

  fault = new StoreUnavailableError("full");
  for (let count = 0; count < 3; count += 1) await audit.complete(change());
  await counts(2, 3, 0, 3);
  // Each attempt that fails again is the same failure.
  clock.advance(5_000);
  await settled();
  await counts(2, 3, 0, 3);
  fault = undefined;
  clock.advance(5_000);
  await settled();
  await counts(5, 3, 0, 0);

  fault = new StoreUnavailableError("full");
  for (let count = 0; count < 1_001; count += 1) await audit.complete(change());
  await counts(5, 1_004, 1, 1_000);
  await audit.close();
  await counts(5, 1_004, 1_001, 0);
  fault = new Error("a mistake");
  await expect(audit.complete(change())).rejects.toThrow("a mistake");
  await counts(5, 1_004, 1_002, 0);
});
