import { expect, onTestFinished, test } from "vitest";
import { codeBlocks, readPages } from "../support/checks/doc-pages.ts";
import { runFanfare } from "../support/processes/fanfare-command.ts";
import { KitCommand } from "../support/processes/kit-command.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { Stage } from "../support/stages/stage.ts";

const PAGE = readPages("docs/tutorial.md").get("docs/tutorial.md") ?? "";
const WAIT_MS = 15_000;

/** The words behind `npm start --` of each line of a block that has them. */
const commandsOf = (block: string): readonly (readonly string[])[] =>
  [...block.matchAll(/^npm start -- (.+)$/gm)].map(([, words = ""]) => words.split(" "));

test("the tutorial's commands lead to a stream on two platforms, one of which fails and comes back", async () => {
  const [start = "", targets = "", create = "", encoder = "", status = ""] = codeBlocks(PAGE, "sh");
  // The stage's server allows the same network by its environment.
  expect(start).toBe("git clone <this repository> fanfare && cd fanfare\nnpm start -- --target-allow 127.0.0.0/8\n");
  const stage = await Stage.open();
  const { fanfare, api, credentials } = await stage.server();

  /** The ports that the page names, and those that are used here. */
  const ports = new Map<string, string>();
  const real = (word: string) => word.replace(/(?<=127\.0\.0\.1:)\d+/, (port) => ports.get(port) ?? port);
  const kit = (words: readonly string[]): KitCommand => {
    expect(words[0]).toBe("testkit");
    return new KitCommand(words.slice(1));
  };
  const platforms: KitCommand[] = [];
  for (const words of commandsOf(targets)) {
    const asked = words.at(-1) ?? "";
    const platform = kit([...words.slice(0, -1), "0"]);
    ports.set(asked, String(await platform.port()));
    platforms.push(platform);
  }
  expect([...ports.keys()]).toEqual(["1941", "1942"]);

  const [, url = "", key = ""] = /^export FANFARE_URL=(\S+) FANFARE_SECRET_KEY=(\S+)$/m.exec(create) ?? [];
  expect([url, key]).toEqual(["http://localhost:8080", "SECRET_KEY"]);
  const environment = { FANFARE_URL: fanfare.origin, FANFARE_SECRET_KEY: credentials.secretKey };
  const shell = (words: readonly string[]) => runFanfare(words.map(real), environment);
  let shown = "";
  for (const words of commandsOf(create)) {
    const result = await shell(words);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    shown = result.stdout;
  }
  const [channel] = await api.channels();
  if (channel === undefined) throw new Error("no channel");
  expect(shown).toContain(`Server:     ${channel.publishUrl}\nStream key: ${channel.streamKey}\n`);

  const [sender = []] = commandsOf(encoder);
  const place = "rtmp://localhost:1935/relay/STREAM_KEY";
  expect(sender).toContain(place);
  const clip = kit(sender.map((word) => (word === place ? `${channel.publishUrl}/${channel.streamKey}` : word)));
  onTestFinished(() => clip.kill("SIGKILL"));
  const until = (states: readonly string[]) =>
    waitFor(
      states.join(" and "),
      WAIT_MS,
      async () => {
        const now = (await api.platforms(channel.channelId)).map(({ connectStatus }) => connectStatus);
        return now.join() === states.join() || undefined;
      },
      () => clip.stdout + clip.stderr,
    );
  await until(["PUBLISHING", "PUBLISHING"]);
  const [look = []] = commandsOf(status);
  const good = await shell(look);
  expect(good.code).toBe(0);
  expect(good.stdout.match(/PUBLISHING/g)).toHaveLength(2);

  // "Break something": its sentences are promises too.
  platforms[1]?.kill("SIGINT");
  await waitFor("the refused connection", WAIT_MS, async () => {
    const [, second] = await api.platforms(channel.channelId);
    return second?.lastError?.code === "TCP_REFUSED" || undefined;
  });
  const bad = await shell(look);
  expect(bad.code).toBe(6);
  expect(bad.stdout).toContain("TCP_REFUSED");
  expect(bad.stdout.match(/PUBLISHING/g)).toHaveLength(1);
  kit(["testkit", "target", "--port", ports.get("1942") ?? ""]);
  await until(["PUBLISHING", "PUBLISHING"]);
});
