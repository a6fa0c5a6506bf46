import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findingLines } from "../../../src/app/commands/doctor/finding.ts";
import { checkDescriptors, checkDisks } from "../../../src/app/commands/doctor/machine-checks.ts";
import { checkClock, checkDns, checkNats, clockOf } from "../../../src/app/commands/doctor/network-checks.ts";
import { checkPorts, type Listener, listenersOf } from "../../../src/app/commands/doctor/port-checks.ts";
import { findHolder } from "../../../src/app/commands/doctor/port-holders.ts";
import { checkTargets, type TryTarget } from "../../../src/app/commands/doctor/target-checks.ts";
import { readConfig } from "../../../src/app/config/config.ts";
import { readNatsAddress } from "../../../src/cluster/nats-address.ts";
import { ResolveError, type Resolver } from "../../../src/net/dns/resolver.ts";
import type { StoredAddress } from "../../../src/store/channels/target-addresses.ts";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";

function configOf(env: Readonly<Record<string, string>>) {
  const commandLine = readConfig([], env);
  if ("show" in commandLine) throw new Error("no settings");
  return commandLine.config;
}

test("every port of the settings is looked at, those of a node too, but not port 0", () => {
  const shown = (env: Readonly<Record<string, string>>) =>
    listenersOf(configOf({ FANFARE_MEDIA_THREADS: "2", ...env })).map(
      ({ protocol, host = "*", port }) => `${protocol} ${host}:${port}`,
    );
  expect(shown({})).toEqual(["tcp *:8080", "tcp *:1935"]);
  const all = {
    ...{ FANFARE_HTTP_PORT: "0", FANFARE_RTMP_HOST: "10.0.0.9", FANFARE_SRT_PORT: "8890" },
    ...{ FANFARE_TLS_CERT: "/c", FANFARE_TLS_KEY: "/k", FANFARE_METRICS_LISTEN: "127.0.0.1:9464" },
    ...{ FANFARE_DATABASE_URL: "postgres://db/fanfare", FANFARE_NATS_URL: "nats://n" },
  };
  expect(shown(all)).toEqual([
    ...["tcp 10.0.0.9:1935", "tcp 10.0.0.9:1936", "udp 10.0.0.9:8890", "tcp 127.0.0.1:9464"],
    ...["tcp 0.0.0.0:7400", "tcp 0.0.0.0:7401"],
  ]);
});

test("a port is free, this server's, another program's, or not to be had, and the text says what to do", async () => {
  const ports: readonly [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["EADDRINUSE", "fanfare"],
    ["EADDRINUSE", "nginx"],
    ["EADDRINUSE", undefined],
    ["EACCES", undefined],
    ["EADDRNOTAVAIL", undefined],
    ["EAFNOSUPPORT", undefined],
  ];
  const listeners = ports.map((_, index): Listener => {
    return {
      what: "encoders",
      protocol: "tcp",
      host: index === 5 ? "10.9.9.9" : undefined,
      port: index,
      setting: "FANFARE_RTMP_PORT",
    };
  });
  const { findings, server } = await checkPorts(listeners, {
    claim: async ({ port }) => ports[port]?.[0],
    findHolder: (_, port) => {
      const name = ports[port]?.[1];
      return name === undefined ? undefined : { pid: 70 + port, name, isServer: name === "fanfare" };
    },
  });
  expect(server?.pid).toBe(71);
  expect(findings.map(({ state, text }) => `${state} ${text}`)).toEqual([
    "ok port 0/tcp for encoders: free.",
    "ok port 1/tcp for encoders: held by this server (process 71).",
    "failed port 2/tcp for encoders: held by nginx (process 72); stop it, or choose another port with FANFARE_RTMP_PORT.",
    "unknown port 3/tcp for encoders: held by a process that this user cannot see (ss -lnpt as root names it). That is right if it is this server.",
    "failed port 4/tcp for encoders: this user may not listen there; give the server CAP_NET_BIND_SERVICE, or another port with FANFARE_RTMP_PORT.",
    "failed port 5/tcp of 10.9.9.9 for encoders: this machine does not have that address; correct the host in the settings.",
    "failed port 6/tcp for encoders: cannot be used (EAFNOSUPPORT); choose another with FANFARE_RTMP_PORT.",
  ]);
});

/** A folder like /proc in which process 12 listens at 1935/tcp, and 13 is at 8890/udp. */
function procFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-proc-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "net"));
  const line = (local: string, state: string, inode: number) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  0 0 ${inode} 1 0000`;
  writeFileSync(join(folder, "net", "tcp"), ["  sl  local_address", line("0100007F:078F", "01", 5), ""].join("\n"));
  writeFileSync(join(folder, "net", "tcp6"), `head\n${line(`${"0".repeat(32)}:078F`, "0A", 777)}\n`);
  writeFileSync(join(folder, "net", "udp"), `head\n${line("00000000:22BA", "07", 778)}\n`);
  for (const [pid, inode, command] of [
    [12, 777, "node\0--max-semi-space-size=4\0dist/cli/main.js\0"],
    [13, 778, "/usr/bin/nginx\0-g\0"],
  ] as const) {
    mkdirSync(join(folder, String(pid), "fd"), { recursive: true });
    writeFileSync(join(folder, String(pid), "cmdline"), command);
    symlinkSync(`socket:[${inode}]`, join(folder, String(pid), "fd", "20"));
  }
  symlinkSync("/data/fanfare.lock", join(folder, "12", "fd", "21"));
  return folder;
}

test("the process at a port is found, and the server is known by its lock, or by its command line", () => {
  const folder = procFolder();
  const at = (protocol: "tcp" | "udp", port: number, lockPath?: string) =>
    findHolder(protocol, port, { lockPath, procFolder: folder });
  expect(at("tcp", 1935)).toEqual({ pid: 12, name: "node", isServer: true });
  expect(at("tcp", 1935, "/data/fanfare.lock")).toEqual({ pid: 12, name: "node", isServer: true });
  expect(at("tcp", 1935, "/other/fanfare.lock")).toEqual({ pid: 12, name: "node", isServer: false });
  expect(at("udp", 8890)).toEqual({ pid: 13, name: "nginx", isServer: false });
  for (const port of [8080, 8890]) expect(at("tcp", port)).toBeUndefined();
  expect(findHolder("tcp", 1935, { lockPath: undefined, procFolder: join(folder, "none") })).toBeUndefined();
});

test("descriptors: of the server that runs, else of one started from here", () => {
  const server = { pid: 9, name: "node", isServer: true };
  const check = (limit: number | undefined, used?: number) =>
    checkDescriptors(used === undefined ? undefined : server, { limitOf: () => limit, countOf: () => used }).state;
  expect([check(undefined), check(1_024), check(65_536), check(65_536, 100), check(65_536, 60_000)]).toEqual([
    ...["unknown", "warning", "ok", "ok", "failed"],
  ]);
  const { text } = checkDescriptors(server, { limitOf: (pid) => (pid === 9 ? 1_024 : 1), countOf: () => 90 });
  expect(text).toBe(
    "the server (process 9) may open 1024 files and has 90 open: few; raise the limit (LimitNOFILE=65536 in the systemd unit, ulimit -n 65536 in a shell).",
  );
});

test("disks: a folder that is not there yet counts as its parent, and each use has its own limit", () => {
  const config = { dataDir: "/srv/data", recordingKeepFreeMb: 2_000 };
  const disks = (free: Readonly<Record<string, number>>, more: { readonly recordingFolder?: string } = {}) =>
    checkDisks({ ...config, ...more }, (folder) => {
      const freeBytes = free[folder];
      if (freeBytes === undefined) throw Object.assign(new Error("gone"), { code: "ENOENT" });
      return { freeBytes, freeFiles: 100 };
    }).map(({ state, text }) => `${state} ${text}`);
  expect(disks({ "/srv": 5e9 })).toEqual([
    "ok /srv/data: 5000 MB are free.",
    "ok /srv/data/recordings: 5000 MB are free.",
  ]);
  expect(disks({ "/srv/data": 2e8, "/srv/data/recordings": 1.5e9 })).toEqual([
    "failed /srv/data: 200 MB are free; too few for the database: free space on it.",
    "failed /srv/data/recordings: 1500 MB are free; recordings and delayed platforms need 2000 MB: free space, or lower FANFARE_RECORDING_KEEP_FREE_MB.",
  ]);
  // Delayed streams stay in the data folder where recordings are elsewhere.
  expect(disks({ "/srv/data": 1e9, "/mnt": 5e9 }, { recordingFolder: "/mnt/recordings" })).toEqual([
    "ok /srv/data: 1000 MB are free.",
    "ok /mnt/recordings: 5000 MB are free.",
    "failed /srv/data/delays: 1000 MB are free; delayed platforms need 2000 MB: free space, or lower FANFARE_RECORDING_KEEP_FREE_MB.",
  ]);
  expect(disks({})[0]).toBe("unknown the free space of /srv/data is not known (ENOENT).");
});

test("disks: one without room for files, one that is read-only and one of another user do not work", () => {
  const config = { dataDir: "/srv/data", recordingKeepFreeMb: 2_000 };
  const verdict = (disk: object) => {
    const [first] = checkDisks(config, () => ({ freeBytes: 5e9, ...disk }));
    return `${first?.state} ${first?.text}`;
  };
  expect(verdict({})).toBe("ok /srv/data: 5000 MB are free.");
  expect(verdict({ freeFiles: 99 })).toBe(
    "failed /srv/data: 5000 MB are free; only 99 more files can be made on it (df -i): delete files.",
  );
  expect(verdict({ unwritable: "EROFS" })).toBe(
    "failed /srv/data: the disk is mounted for reading only (EROFS); mount it for writing.",
  );
  expect(verdict({ unwritable: "EACCES" })).toBe(
    "failed /srv/data: this user cannot write there (EACCES); give the folder to the server's user.",
  );
});

const signal = new AbortController().signal;

test("DNS is tried with the names in use alone", async () => {
  const asked: string[] = [];
  const resolver = (answer: (name: string) => readonly string[]): Resolver => ({
    resolve: async (name) => {
      asked.push(name);
      return answer(name);
    },
  });
  const fails = (fault: ResolveError["fault"]) =>
    resolver(() => {
      throw new ResolveError(fault, "x");
    });
  const names = ["A.example", "a.example", "10.0.0.1", "[::1]", "", "b.example"];
  const found = resolver((name) => (name === "b.example" ? ["10.0.0.2", "10.0.0.3"] : []));
  expect(await checkDns(names, found, signal)).toEqual({
    check: "dns",
    state: "ok",
    text: "DNS works: b.example has 2 addresses.",
  });
  expect(asked).toEqual(["a.example", "b.example"]);
  expect((await checkDns(["10.0.0.1"], found, signal)).state).toBe("unknown");
  const unknown = (text: string) => ({
    check: "dns",
    state: "warning",
    text: `DNS: the name server answers, but does not know ${text}: correct the addresses, or name another server in /etc/resolv.conf.`,
  });
  expect(await checkDns(names, fails("not-found"), signal)).toEqual(unknown("a.example, b.example"));
  // One that got no answer does not say that there is no name server.
  const half = resolver((name) => {
    throw new ResolveError(name === "a.example" ? "timeout" : "not-found", "x");
  });
  expect(await checkDns(names, half, signal)).toEqual(unknown("b.example"));
  for (const fault of ["timeout", "failed"] as const) {
    expect(await checkDns(names, fails(fault), signal)).toEqual({
      check: "dns",
      state: "failed",
      text: "DNS does not work: no name server says anything about a.example: check /etc/resolv.conf and whether port 53 is open to its servers.",
    });
  }
});

test("the clock is compared with the first one that says the time, and unknown without one", async () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  const asks = (date: string | null) =>
    clockOf(
      "https://time.example/x",
      async () => date,
      () => now,
    );
  expect(await asks("Sun, 01 Mar 2026 11:58:00 GMT")).toEqual({ name: "time.example", aheadMs: -119_500 });
  expect(await asks(null)).toEqual({ name: "time.example", aheadMs: undefined });
  expect(await clockOf("https://t.example", () => Promise.reject(new Error("refused")))).toMatchObject({
    aheadMs: undefined,
  });
  const verdict = (...ahead: (number | undefined)[]) => {
    const { state, text } = checkClock(ahead.map((aheadMs, index) => ({ name: `c${index}`, aheadMs })));
    return `${state} ${text.split(";")[0]}`;
  };
  expect(verdict()).toBe("unknown clock: not compared");
  expect(verdict(undefined)).toBe("unknown clock: not compared, because c0 did not say the time.");
  expect(verdict(undefined, 1_900)).toBe("ok clock: agrees with c1.");
  expect(verdict(59_000)).toBe("warning clock: 59 s behind c0");
  expect(verdict(-61_000)).toBe("failed clock: 61 s ahead of c0");
});

test("NATS is named without its login", async () => {
  const address = readNatsAddress("nats://user:topsecret@n1:4222,nats://user:topsecret@n2");
  expect(await checkNats(address, async () => "n1:4222")).toMatchObject({
    state: "ok",
    text: "NATS at n1:4222: answers.",
  });
  const failed = await checkNats(address, () => Promise.reject(new Error("connection refused")));
  expect(failed).toEqual({
    check: "nats",
    state: "failed",
    text: "NATS at n1:4222, n2:4222: cannot be used (connection refused); start it, or correct FANFARE_NATS_URL.",
  });
});

const target = (targetId: number, url: string, isEnabled = true): StoredAddress => ({
  ...{ targetId, name: `show, ${targetId}`, url, tls: {}, isEnabled },
});

test("each different address is tried once, secrets stay hidden, and a platform that is off only warns", async () => {
  const tried: number[] = [];
  const tryTarget: TryTarget = async ({ targetId, isEnabled }) => {
    tried.push(targetId);
    if (targetId === 3 || !isEnabled) return { stage: "failed", error: targetError("connection-refused") };
    return { stage: targetId === 1 ? "secured" : "resolved", address: "10.0.0.1", port: 443 };
  };
  const targets = [
    target(1, "rtmps://a.example/app?key=topsecret"),
    target(2, "rtmps://A.example/other"),
    target(3, "rtmp://b.example:1936/topsecret"),
    target(4, "srt://c.example:8890?passphrase=topsecretpassphrase"),
    target(5, "rtmp://d.example/app", false),
  ];
  const findings = await checkTargets({ targets, leftOut: 7 }, tryTarget, signal);
  expect(tried).toEqual([1, 3, 4, 5]);
  const refused = targetError("connection-refused").message;
  expect(findings.map(({ state, text }) => `${state} ${text}`)).toEqual([
    "ok show, 1; show, 2: rtmps://a.example/… accepts connections, and its certificate is right (10.0.0.1, port 443).",
    `failed show, 3: rtmp://b.example:1936/… cannot be reached. ${refused}`,
    "ok show, 4: srt://c.example:8890/… leads to 10.0.0.1, port 443; whether it takes SRT only fanfare platforms test shows.",
    `warning show, 5: rtmp://d.example/… cannot be reached. ${refused}`,
    "unknown platforms: 0 more addresses and 7 more platforms were not tried.",
  ]);
});

test("no more than 100 addresses are tried, 8 at a time, and none after the deadline", async () => {
  const targets = Array.from({ length: 120 }, (_, index) => target(index, `rtmp://h${index}.example/app`));
  const deadline = new AbortController();
  let [tried, open, most] = [0, 0, 0];
  const findings = await checkTargets(
    { targets, leftOut: 0 },
    async (_, ended) => {
      tried += 1;
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
      if (tried >= 20) deadline.abort();
      ended.throwIfAborted();
      return { stage: "connected", address: "10.0.0.1", port: 1935 };
    },
    deadline.signal,
  );
  expect(findings).toHaveLength(101);
  expect(most).toBe(8);
  expect(tried).toBeLessThan(30);
  expect(findings[99]).toEqual({
    check: "target",
    state: "unknown",
    text: "show, 99: rtmp://h99.example/… was not tried: the time was over.",
  });
  expect(findings[100]?.text).toBe("platforms: 20 more addresses and 0 more platforms were not tried.");
});

test("one line for each finding, its state first", () => {
  expect(findingLines([{ check: "dns", state: "ok", text: "DNS works." }])).toBe("ok       DNS works.\n");
});
