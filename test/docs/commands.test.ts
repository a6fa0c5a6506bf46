import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { helpText } from "../../src/app/config/help-text.ts";
import { encodeFlvTag, FLV_FILE_START } from "../../src/protocol/flv/flv-tag.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { codeBlocks, readPages } from "../support/checks/doc-pages.ts";
import { startChild } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";

const PAGES = [...readPages("README.md", "CONTRIBUTING.md", "bench/README.md", "docs").values()].join("\n");
const WAIT_MS = 60_000;
const CLI = join(ROOT, "src", "cli", "main.ts");

const distinct = (pattern: RegExp): readonly string[] => [
  ...new Set([...PAGES.matchAll(pattern)].map(([, word = ""]) => word)),
];

test("every npm script is on a page, and every one on a page exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = [...distinct(/\bnpm (start|test)\b/g), ...distinct(/\bnpm run ([a-z:-]+)/g)];
  // npm runs this one by itself, before `npm pack`.
  const called = Object.keys(scripts).filter((name) => name !== "prepack");
  expect(named.toSorted()).toEqual(called.toSorted());
});

test("every command and every flag of `fanfare` on a page is one that the program knows", async () => {
  const child = await startChild(process.execPath, [CLI, "no-command"]);
  await child.exited;
  const [, list = ""] = /the commands are (.*)\./.exec(child.stderr()) ?? [];
  const known = list.split(", ");
  expect(known).toContain("testkit");
  const named = distinct(/(?:`fanfare|^fanfare|npm start --) ([a-z][a-z-]+)/gm);
  expect(named.length).toBeGreaterThan(4);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  const flags = distinct(/npm start -- (--[a-z-]+)/g).filter((flag) => flag !== "--help");
  expect(flags.length).toBeGreaterThan(0);
  expect(flags.filter((flag) => !helpText().includes(flag))).toEqual([]);
});

/** The fault kit's commands on its page, without their comments. */
function kitCommands(): readonly (readonly string[])[] {
  const page = readFileSync(join(ROOT, "docs", "testkit.md"), "utf8");
  return codeBlocks(page, "sh")
    .flatMap((block) => block.trim().split("\n"))
    .map((line) => line.replace(/ +#.*/, "").split(/ +/));
}

/** Runs these commands of the fault kit (JSON), all in one process: starting one for each takes half a second. */
const RUN_ALL = `
  const { testkitCommand } = await import(process.argv[1]);
  await Promise.all(JSON.parse(process.argv[2]).map((args) => testkitCommand(args, process.env)));
`;

test(
  "every command of the fault kit's page starts unchanged, except for its ports and addresses",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "fanfare-docs-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const tags = [...syntheticClip({ seconds: 1 }).tags()];
    writeFileSync(join(folder, "talk.flv"), Buffer.concat([FLV_FILE_START, ...tags.map(encodeFlvTag)]));
    const target = await KitTarget.start();
    onTestFinished(() => target.close());

    const commands = kitCommands().map(([program, kit, part = "", ...args]) => {
      expect([program, kit]).toEqual(["fanfare", "testkit"]);
      if (part !== "encoder") return [part, ...args, "--port", "0"];
      const url = args.indexOf("--url") + 1;
      return [part, ...args.map((arg, index) => (index === url ? `${target.url}/key` : arg))];
    });
    const encoders = commands.filter(([part]) => part === "encoder").length;
    expect([commands.length - encoders, encoders].map((count) => count > 5)).toEqual([true, true]);
    const kit = join(ROOT, "src", "cli", "commands", "testkit", "testkit.ts");
    const program = ["--input-type=module", "-e", RUN_ALL, kit, JSON.stringify(commands)];
    const child = await startChild(process.execPath, program, { cwd: folder });
    onTestFinished(async () => void (await child.stop("SIGKILL", 0)));
    const count = (event: string) => child.stdout().split(`{"event":"${event}"`).length - 1;
    await waitFor(
      "every command of the page",
      WAIT_MS,
      () => {
        if (!child.isRunning()) throw new Error(child.stderr());
        return (count("listening") === commands.length - encoders && count("accepted") === encoders) || undefined;
      },
      () => `${child.stdout()}${child.stderr()}`,
    );
  },
  WAIT_MS * 2,
);
