import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { SharedServices } from "../support/cluster/shared-services.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { Stage } from "../support/stages/stage.ts";
import { DATABASES, RELEASED_CREDENTIALS, readAnswers, readRecorded } from "./released-sample.ts";

const FOLDER = join(DATABASES, "postgres");
/** `next` is the version before the first release that can use PostgreSQL. */
const VERSIONS = globSync("*.json", { cwd: FOLDER }).map((name) => basename(name, ".json"));

const STEPS = z.array(z.object({ name: z.string() }));
const COMPATIBLE = z.array(z.object({ step: z.string(), compatible_from: z.string() }));

test("a database of PostgreSQL is kept", () => expect(VERSIONS).toContain("next"));

test.each(VERSIONS)(
  "this version opens the PostgreSQL database of %s, and answers what that one did",
  async (version) => {
    const recorded = readRecorded(version, FOLDER);
    const stage = await Stage.open();
    const statements = readFileSync(join(FOLDER, `${version}.sql`), "utf8");
    const services = await SharedServices.start(stage.folder, { kept: { statements, keyFile: recorded.keyFile } });
    stage.onClose(() => services.close());
    // The server's clock shows the time of the recording: later, events that are too old would be gone.
    const file = join(stage.folder, "ahead-ms");
    writeFileSync(file, `${recorded.timeMs - Date.now()}`);
    const preload = pathToFileURL(join(ROOT, "test", "support", "stages", "stepping-clock.mjs"));
    const clock = { NODE_OPTIONS: `--import=${preload}`, FANFARE_TEST_CLOCK_FILE: file };
    const environment = { ...(await services.environmentOf("later")), ...clock };
    const fanfare = await stage.fanfare({ credentials: RELEASED_CREDENTIALS, environment });

    const answers = await readAnswers(fanfare.origin);

    expect(Object.keys(recorded.answers).length).toBeGreaterThanOrEqual(12);
    // New fields are allowed, other values are not.
    expect(answers).toMatchObject(recorded.answers);
    // Each step since then says that servers of that version go on, and start again, beside this one.
    const known = [...statements.matchAll(/INSERT INTO public\.kysely_migration VALUES \('([^']+)'/g)].map(
      ([, step]) => step ?? "",
    );
    const done = STEPS.parse(await services.query("select name from kysely_migration")).map(({ name }) => name);
    const later = done.filter((step) => !known.includes(step));
    expect(known.length).toBeGreaterThan(30);
    const rows = COMPATIBLE.parse(await services.query("select step, compatible_from from schema_compat"));
    const from = new Map(rows.map(({ step, compatible_from }) => [step, compatible_from]));
    expect(later.filter((step) => !known.includes(from.get(step) ?? ""))).toEqual([]);
  },
);
