import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import type { AddressPolicy } from "../../src/net/address-check.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { withOwnNames } from "../../src/net/dns/own-names.ts";
import { ResolveError, type Resolver } from "../../src/net/dns/resolver.ts";
import { type CheckedAddress, ForbiddenTargetError, resolveTarget } from "../../src/net/target-address.ts";
import { parseTargetUrl } from "../../src/protocol/rtmp/url.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { fakeDns } from "./fake-dns.ts";

const POLICY: AddressPolicy = {
  allowed: [],
  ownPorts: [19_350, 8_081],
  ownHosts: ["ingest.example", "203.0.114.7"],
  machineAddresses: () => ["127.0.0.1", "::1", "198.41.0.4", "fe80::5054:ff:fe12:3456%eth0"],
};

type Corpus = readonly { readonly word: string; readonly url: string }[];

function readCorpus(): Corpus {
  const lines = readFileSync(new URL("./forbidden-targets.txt", import.meta.url), "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const blank = line.indexOf(" ");
      const text = line.slice(blank + 1);
      return { word: line.slice(0, blank), url: text.startsWith('"') ? String(JSON.parse(text)) : text };
    });
}

type Connect = (address: CheckedAddress) => void;

/** What a dialer does with a URL up to the connection. Resolves with the reason of a refusal, or `connected`. */
async function dial(url: string, connect: Connect, resolver: Resolver = fakeDns, policy = POLICY): Promise<string> {
  const target = parseTargetUrl(url);
  if (typeof target === "string") return target;
  try {
    const addresses = await resolveTarget(target, resolver, policy, new AbortController().signal);
    for (const address of addresses) connect(address);
    return "connected";
  } catch (error) {
    if (error instanceof ForbiddenTargetError) return error.reason;
    throw error;
  }
}

test("none of the known spellings of a forbidden target leads to a connection, and each is refused for its own reason", async () => {
  const corpus = readCorpus();
  expect(corpus.length).toBeGreaterThanOrEqual(300);
  expect(new Set(corpus.map(({ url }) => url)).size).toBe(corpus.length);
  const connect = vi.fn<Connect>();
  const outcomes: { word: string; url: string }[] = [];
  for (const { url } of corpus) outcomes.push({ word: await dial(url, connect), url });
  expect(outcomes).toStrictEqual(corpus);
  expect(connect).toHaveBeenCalledTimes(0);
});

test("with every address allowed our own listeners stay forbidden, and so do invalid ports and hosts", async () => {
  const policy = { ...POLICY, allowed: parseCidrList("0.0.0.0/0, ::/0") };
  const lasting = new Set([
    "own-listener",
    "metadata",
    "port",
    "not-an-address",
    "numeric",
    "has-user-info",
    "bad-character",
  ]);
  const connect = vi.fn<Connect>();
  for (const { word, url } of readCorpus()) {
    if (!lasting.has(word)) continue;
    expect([url, await dial(url, connect, fakeDns, policy)]).toStrictEqual([url, word]);
  }
  expect(connect).toHaveBeenCalledTimes(0);
});

test.each([
  ["rtmps://a.rtmps.youtube.com:443/live2", 443],
  ["rtmps://b.rtmps.youtube.com:443/live2?backup=1", 443],
  ["rtmp://a.rtmp.youtube.com/live2", 1935],
  ["rtmp://live.twitch.tv/app", 1935],
  ["rtmps://ingest.global-contribute.live-video.net:443/app", 443],
  ["rtmps://live-api-s.facebook.com:443/rtmp/", 443],
  ["rtmps://live-upload.instagram.com:443/rtmp/", 443],
  ["rtmps://fa723fc1b171.global-contribute.live-video.net/app", 443],
  ["rtmp://global-rtmp.lip2.navercorp.com:8080/relay", 8080],
  ["rtmp://stream.sooplive.co.kr/app/", 1935],
  ["rtmp://rtmp.play.kakao.com/kakaotv", 1935],
  ["rtmps://push-rtmp-l1-va01.tiktokcdn-us.com:443/game", 443],
  ["rtmp://va.pscp.tv:80/x", 80],
  ["rtmps://va.pscp.tv:443/x", 443],
  ["rtmp://0123456789abcdef0123456789abcdef.channel.media.azure.net:1936/live/abc", 1936],
  ["rtmps://0123456789abcdef0123456789abcdef.channel.media.azure.net:2935/live/abc", 2935],
  ["rtmps://0123456789abcdef0123456789abcdef.channel.media.azure.net:2936/live/abc", 2936],
  ["rtmp://livepush.trovo.live/live/", 1935],
  ["rtmp://live-push.bilivideo.com/live-bvc/", 1935],
  ["rtmp://global-live.mux.com:5222/app", 5222],
  ["rtmps://live.cloudflare.com:443/live/", 443],
  ["rtmp://live.restream.io/live", 1935],
  ["RTMP://Live.Twitch.TV./app", 1935],
  ["rtmp://스트림.example/live", 1935],
  ["rtmp://rtmp_in.example:19351/live", 19_351],
])("an ordinary platform's address passes: %s", async (url, port) => {
  const connect = vi.fn<Connect>();
  expect(await dial(url, connect)).toBe("connected");
  expect(connect.mock.calls).toHaveLength(1);
  expect(connect.mock.calls[0]?.[0]).toMatchObject({ address: "93.184.216.34", family: 4, port });
});

test("public addresses pass as sockets name them, in IPv4, in IPv6 and through NAT64, and have no name for TLS", async () => {
  const passed: CheckedAddress[] = [];
  for (const host of ["8.8.8.8", "[2606:2800:220:1::1]", "[64:ff9b::8.8.8.8]", "[::ffff:8.8.8.8]"]) {
    expect(await dial(`rtmp://${host}/live`, (address) => passed.push(address))).toBe("connected");
  }
  expect(passed).toStrictEqual([
    { address: "8.8.8.8", family: 4, port: 1935 },
    { address: "2606:2800:220:1::1", family: 6, port: 1935 },
    { address: "64:ff9b::808:808", family: 6, port: 1935 },
    { address: "8.8.8.8", family: 4, port: 1935 },
  ]);
  passed.length = 0;
  // As a hosts file may have them, which is read as it is.
  const listed: Resolver = { resolve: async () => ["2606:2800:0220:0:0::00A1", "::FFFF:8.8.8.8"] };
  expect(await dial("rtmp://studio.example/live", (address) => passed.push(address), listed)).toBe("connected");
  expect(passed.map(({ address, family }) => [address, family])).toStrictEqual([
    ["2606:2800:220::a1", 6],
    ["8.8.8.8", 4],
  ]);
});

test("a name is handed on for TLS in its canonical form", async () => {
  const passed: CheckedAddress[] = [];
  await dial("rtmps://BÜCHER.example./live", (address) => passed.push(address));
  expect(passed).toStrictEqual([
    { address: "93.184.216.34", family: 4, port: 443, serverName: "xn--bcher-kva.example" },
  ]);
});

test("a name that points inside at the second look-up is refused at the second connect", async () => {
  const answers = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34"]];
  const rebinding: Resolver = { resolve: async () => answers.shift() ?? [] };
  const connect = vi.fn<Connect>();
  expect(await dial("rtmp://rebind.example/live", connect, rebinding)).toBe("connected");
  expect(await dial("rtmp://rebind.example/live", connect, rebinding)).toBe("loopback");
  expect(connect).toHaveBeenCalledTimes(1);
  expect(await dial("rtmp://rebind.example/live", connect, rebinding)).toBe("connected");
});

test("an allowed range lifts the rule for its addresses only", async () => {
  const policy = { ...POLICY, allowed: parseCidrList("127.0.0.0/8") };
  const connect = vi.fn<Connect>();
  expect(await dial("rtmp://127.0.0.1:1936/live", connect, fakeDns, policy)).toBe("connected");
  expect(await dial("rtmp://[::ffff:127.0.0.1]:1936/live", connect, fakeDns, policy)).toBe("connected");
  expect(connect).toHaveBeenCalledTimes(2);
  expect(await dial("rtmp://127.0.0.1:19350/live", connect, fakeDns, policy)).toBe("own-listener");
  expect(await dial("rtmp://10.0.0.1/live", connect, fakeDns, policy)).toBe("private");
  // localhost is also ::1, which was not allowed.
  expect(await dial("rtmp://localhost:1936/live", connect, fakeDns, policy)).toBe("loopback");
  expect(connect).toHaveBeenCalledTimes(2);
});

test.each([
  ["169.254.169.254", "169.254.169.254"],
  ["[::ffff:169.254.169.254]", "169.254.169.254/32"],
  ["[64:ff9b::169.254.169.254]", "169.254.169.254"],
  ["[64:ff9b::169.254.169.254]", "64:ff9b::a9fe:a9fe/128"],
  ["[fd00:ec2::254]", "fd00:ec2::254"],
])("the metadata address %s is allowed by its very address, %s, and by no wider range", async (host, alone) => {
  const allow = (list: string) => ({ ...POLICY, allowed: parseCidrList(list) });
  const url = `rtmp://${host}/live`;
  const connect = vi.fn<Connect>();
  for (const list of ["169.254.0.0/16,0.0.0.0/0,::/0", "169.254.169.254/31,fd00:ec2::254/127,64:ff9b::/96"]) {
    expect([list, await dial(url, connect, fakeDns, allow(list))]).toStrictEqual([list, "metadata"]);
  }
  expect(connect).toHaveBeenCalledTimes(0);
  // Where the IPv4 address was named, its forms in IPv6 follow the rules of their own range.
  const list = host.includes("64:ff9b") && !alone.includes(":") ? `${alone},64:ff9b::/96` : alone;
  expect(await dial(url, connect, fakeDns, allow(list))).toBe("connected");
});

test("behind NAT our own listener is recognised by the addresses of the public name", async () => {
  let addresses = ["93.184.216.34"];
  const resolver: Resolver = {
    resolve: async (host) =>
      host === "ingest.example" ? addresses : fakeDns.resolve(host, new AbortController().signal),
  };
  const clock = new VirtualClock();
  const policy = withOwnNames({ ...POLICY, allowed: parseCidrList("0.0.0.0/0") }, resolver, clock);
  const connect = vi.fn<Connect>();
  expect(await dial("rtmp://93.184.216.34:19350/relay", connect, resolver, policy)).toBe("own-listener");
  expect(await dial("rtmp://another-name.example:19350/relay", connect, resolver, policy)).toBe("own-listener");
  expect(await dial("rtmp://8.8.8.8:19350/relay", connect, resolver, policy)).toBe("connected");
  // Another port of the same public address leads to another machine behind that NAT.
  expect(await dial("rtmp://93.184.216.34:1936/live", connect, resolver, policy)).toBe("connected");
  addresses = ["8.8.8.8"];
  clock.advance(30_000);
  expect(await dial("rtmp://8.8.8.8:19350/relay", connect, resolver, policy)).toBe("own-listener");
  expect(await dial("rtmp://93.184.216.34:19350/relay", connect, resolver, policy)).toBe("connected");
});

test("a public name that cannot be looked up delays no target, and its last addresses stay known", async () => {
  const clock = new VirtualClock();
  let answer: Promise<readonly string[]> = Promise.resolve(["93.184.216.34"]);
  const known = { ...POLICY, ownHosts: ["ingest.example"] };
  const policy = withOwnNames(known, { resolve: () => answer }, clock);
  expect(await policy.ownAddresses?.()).toStrictEqual(["93.184.216.34"]);
  clock.advance(30_000);
  answer = new Promise(() => undefined);
  const silent = policy.ownAddresses?.();
  clock.advance(1_000);
  expect(await silent).toStrictEqual(["93.184.216.34"]);
  clock.advance(30_000);
  answer = Promise.reject(new ResolveError("timeout", "ingest.example"));
  expect(await policy.ownAddresses?.()).toStrictEqual(["93.184.216.34"]);
});

test("a name without addresses has another reason than a forbidden one", async () => {
  const empty: Resolver = { resolve: async () => [] };
  await expect(dial("rtmp://nothing.example/live", () => undefined, empty)).rejects.toThrow(ResolveError);
});

test("of very many addresses the first of each family are tried, and no other is connected to", async () => {
  const four = Array.from({ length: 4_000 }, (_, index) => `93.184.${index >> 8}.${index & 255}`);
  const six = Array.from({ length: 2_000 }, (_, index) => `2606:2800:220:1::${(index + 1).toString(16)}`);
  const connect = vi.fn<Connect>();
  const machineAddresses = vi.fn(() => ["198.41.0.4"]);
  const hidden = [...four, "127.0.0.1", ...six, "::1"];
  await dial("rtmp://many.example/live", connect, { resolve: async () => hidden }, { ...POLICY, machineAddresses });
  const tried = connect.mock.calls.map(([address]) => address.address);
  expect(tried).toStrictEqual([...four.slice(0, 16), ...six.slice(0, 16)]);
  expect(machineAddresses).toHaveBeenCalledTimes(1);
});

test("a refusal names the rule and not the address", async () => {
  const target = { host: "intranet.corp.example", port: 1935 };
  const refusal = await resolveTarget(target, fakeDns, POLICY, new AbortController().signal).catch(String);
  expect(refusal).toBe("ForbiddenTargetError: private: targets may not be there");
});
