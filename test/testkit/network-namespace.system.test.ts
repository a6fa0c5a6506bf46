import { spawnSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { runToEnd, startChild } from "../support/processes/children.ts";
import { NetworkNamespace } from "../support/processes/network-namespace.ts";
import { waitFor } from "../support/processes/waiting.ts";

const MODULE = new URL("../support/processes/network-namespace.ts", import.meta.url);

async function opened(index: number): Promise<NetworkNamespace> {
  const namespace = await NetworkNamespace.open(index);
  onTestFinished(() => namespace.close());
  return namespace;
}

function names(): string {
  return spawnSync("ip", ["netns", "list"], { encoding: "utf8" }).stdout;
}

test.runIf(NetworkNamespace.isPossible)(
  "the namespace of a process that was killed is removed by the next that opens one, that of a running process is not",
  async () => {
    const other = async () => {
      const script = `const { NetworkNamespace } = await import(${JSON.stringify(MODULE.href)});
        console.log((await NetworkNamespace.open(210)).name);
        setInterval(() => undefined, 1_000);`;
      const child = await startChild(process.execPath, ["--input-type=module", "-e", script]);
      onTestFinished(async () => void (await child.stop("SIGKILL", 1_000)));
      const name = await waitFor("a namespace", 5_000, () => /\S+(?=\n)/.exec(child.stdout())?.[0], child.stderr);
      return { child, name };
    };
    const [killed, running] = [await other(), await other()];
    await killed.child.stop("SIGKILL", 1_000);
    expect(names()).toContain(killed.name);
    await opened(211);
    expect(names()).not.toContain(killed.name);
    expect(names()).toContain(running.name);
    await running.child.stop("SIGKILL", 1_000);
    await opened(212);
    expect(names()).not.toContain(running.name);
  },
);

test.runIf(NetworkNamespace.isPossible)(
  "a namespace has a network that no other interface of this machine has",
  async () => {
    const first = await NetworkNamespace.open(213);
    await first.close();
    const bridge = `ffb${process.pid}`;
    await runToEnd("ip", ["link", "add", bridge, "type", "bridge"]);
    onTestFinished(() => runToEnd("ip", ["link", "del", bridge]).then(() => undefined));
    await runToEnd("ip", ["addr", "add", `${first.peerHost}/30`, "dev", bridge]);
    await runToEnd("ip", ["link", "set", bridge, "up"]);
    const second = await opened(213);
    expect(second.peerHost).not.toBe(first.peerHost);
  },
);
