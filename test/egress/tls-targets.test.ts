import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { tlsFailed } from "../../src/egress/link-errors.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { type CertificateOptions, certificate, fingerprintOf } from "../support/stages/certificates.ts";
import {
  type DialOptions,
  dial,
  dialerOf,
  dialWith,
  fastClock,
  kitTarget,
  resolverOf,
  serve,
} from "../support/stages/dialling.ts";
import { tlsInFront } from "../support/targets/handmade-target.ts";

const HOST = "secure.example";
const authority = certificate("Our authority", { isAuthority: true });
const untrusted = certificate("Another authority", { isAuthority: true });
const leaf = certificate(HOST, { by: authority });
const LONG_AGO = { from: "20200101000000Z", until: "20200201000000Z" };
const FAR_AHEAD = { from: "20900101000000Z", until: "20910101000000Z" };

const named: DialOptions = { resolver: resolverOf({ [HOST]: ["127.0.0.1"] }) };
const trusting: DialOptions = { ...named, tls: { ca: authority.cert } };

/**
 * A kit target behind TLS: its address, and for each connection the requested name and whether its session was resumed.
 */
async function secureTarget(options: TlsOptions, host = HOST) {
  const seen: { readonly name: string | false; readonly isReused: boolean; readonly version: string | null }[] = [];
  const target = await kitTarget();
  const port = await tlsInFront(target.port, options, (socket) => {
    seen.push({
      name: (socket as { servername?: string | false }).servername ?? false,
      isReused: socket.isSessionReused(),
      version: socket.getProtocol(),
    });
  });
  return { url: `rtmps://${host}:${port}/live`, seen };
}

const outcomeOf = async (url: string, options: DialOptions) => (await dial(url, options).outcome).error;

test.each([
  ["expired", { by: authority, ...LONG_AGO }, HOST, "tls-expired"],
  ["not valid yet", { by: authority, ...FAR_AHEAD }, HOST, "tls-not-yet-valid"],
  ["signed by itself", {}, HOST, "tls-self-signed"],
  ["signed by an unknown authority", { by: untrusted }, HOST, "tls-unknown-authority"],
  ["of another host", { by: authority }, "other.example", "tls-wrong-host"],
  ["of another address", { by: authority }, "127.0.0.2", "tls-wrong-host"],
] as const)("a certificate that is %s has a message of its own", async (_name, how: CertificateOptions, host, name) => {
  const { url } = await secureTarget(certificate(host, how));
  expect(await outcomeOf(url, trusting)).toEqual(targetError(name));
});

test("a target that speaks nothing newer than TLS 1.1 has a message of its own", async () => {
  const old: TlsOptions = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" };
  const { url } = await secureTarget({ ...leaf, ...old });
  expect(await outcomeOf(url, trusting)).toEqual(targetError("tls-too-old"));
});

test.each([
  ["never answers", (_socket: Socket): void => undefined, "tls-unanswered"],
  ["replies with another protocol", (socket: Socket): void => void socket.write(Buffer.alloc(1_537, 3)), "tls-foreign"],
  ["closes", (socket: Socket): void => void socket.once("data", () => socket.end()), "tls-closed"],
] as const)("a port that %s has a message of its own", async (_name, behave, name) => {
  const port = await serve(createServer(behave));
  const clock = name === "tls-unanswered" ? { clock: fastClock } : {};
  expect(await outcomeOf(`rtmps://127.0.0.1:${port}/live`, clock)).toEqual(targetError(name));
});

test("a target that demands a certificate of this server has a message of its own", async () => {
  const demanding: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
  const { url } = await secureTarget({ ...leaf, ...demanding, minVersion: "TLSv1.3" });
  expect(await outcomeOf(url, trusting)).toEqual(targetError("tls-certificate-demanded"));
});

test.each(["BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE"])(
  "the alert %s of a server of TLS 1.2 is about our certificate, not about the server's",
  (alert) => expect(tlsFailed(`ERR_SSL_SSLV3_ALERT_${alert}`)).toEqual(targetError("tls-certificate-demanded")),
);

test.each([
  ["never answers", (_socket: TLSSocket): void => undefined, "handshake-unanswered-secure"],
  ["closes", (socket: TLSSocket): void => void socket.once("data", () => socket.end()), "handshake-closed-secure"],
  ["breaks off", (socket: TLSSocket): void => void socket.destroy(), "handshake-closed-secure"],
  [
    "speaks HTTP",
    (socket: TLSSocket): void => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "handshake-foreign",
  ],
] as const)(
  "a port that makes a secure connection and then %s has a message of its own",
  async (_name, behave, name) => {
    const server = createTlsServer(leaf, (socket) => {
      socket.on("error", () => undefined);
      behave(socket);
    });
    const clock = name === "handshake-unanswered-secure" ? { clock: fastClock } : {};
    const url = `rtmps://${HOST}:${await serve(server)}/live`;
    expect(await outcomeOf(url, { ...trusting, ...clock })).toEqual(targetError(name));
  },
);

test("plain RTMP to a port with TLS leads to rtmps://, whatever that port does", async () => {
  const secure = createTlsServer(leaf);
  secure.on("tlsClientError", (_error, socket) => socket.destroy());
  const alert = Buffer.from("15030100020246", "hex");
  for (const [server, name, clock] of [
    [secure, "handshake-closed", systemClock],
    [
      createServer((socket) => void socket.once("data", () => socket.resetAndDestroy())),
      "handshake-closed",
      systemClock,
    ],
    [createServer((socket) => void socket.once("data", () => socket.end(alert))), "handshake-expects-tls", systemClock],
    [createServer(), "handshake-unanswered", fastClock],
  ] as const) {
    const error = await outcomeOf(`rtmp://127.0.0.1:${await serve(server)}/live`, { clock });
    expect(error).toEqual(targetError(name));
    expect(error?.message).toContain("rtmps://");
  }
});

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "%s: the server name is sent, and the next connection resumes the session",
  async (version) => {
    const { url, seen } = await secureTarget({ ...leaf, minVersion: version, maxVersion: version });
    const dialer = dialerOf(trusting);
    for (let count = 0; count < 3; count += 1) {
      const { link, outcome } = dialWith(dialer, url, trusting);
      expect((await outcome).error).toBeUndefined();
      link.close("end");
      await dialer.idle();
    }
    expect(seen.map(({ isReused }) => isReused)).toEqual([false, true, true]);
    // A server of TLS 1.2 does not look at the name of a session that it resumes.
    expect(seen[0]).toMatchObject({ name: HOST, version });
    // Another trust: a certificate verified under the first is worth nothing.
    const { error } = await dialWith(dialer, url, { ...named, tls: { ca: untrusted.cert } }).outcome;
    expect(error).toEqual(targetError("tls-unknown-authority"));
  },
);

const HOUR_MS = 3_600_000;
const inHours = (hours: number) =>
  `${new Date(Date.now() + hours * HOUR_MS).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
const shortLived = certificate(HOST, { by: authority, from: inHours(-1), until: inHours(1) });
const pinOf = (pair: typeof leaf) => ({ fingerprint: fingerprintOf(pair).replaceAll(":", "").toLowerCase() });

test.each([
  ["a day", leaf, { ca: authority.cert }, [0, 23, 25], [false, true, false]],
  ["the certificate's end", shortLived, { ca: authority.cert }, [0, 0.9, 1.1], [false, true, false]],
  ["a day where the certificate is pinned", shortLived, pinOf(shortLived), [0, 2, 23, 25], [false, true, true, false]],
] as const)(
  "a session, and those that it led to, are valid for %s, and then the certificate is verified again",
  async (_name, pair, tls, hours, isReused) => {
    const isPinned = "fingerprint" in tls;
    const { url, seen } = await secureTarget(pair);
    let [laterMs, stepMs] = [0, 0];
    const clock = {
      ...systemClock,
      now: () => systemClock.now() + laterMs,
      wallNow: () => systemClock.wallNow() + laterMs + stepMs,
    };
    const options = { ...named, clock, tls };
    const dialer = dialerOf(options);
    for (const hour of hours) {
      laterMs = hour * HOUR_MS;
      // A clock that is set back makes nothing younger.
      if (isPinned) stepMs = -laterMs;
      const { link, outcome } = dialWith(dialer, url, options);
      expect((await outcome).error).toBeUndefined();
      link.close("end");
      await dialer.idle();
    }
    expect(seen.map((connection) => connection.isReused)).toEqual(isReused);
  },
);

test("an address is verified as one, and no server name is sent", async () => {
  const { url, seen } = await secureTarget(certificate("127.0.0.1", { by: authority }), "127.0.0.1");
  expect(await outcomeOf(url, trusting)).toBeUndefined();
  expect(seen).toMatchObject([{ name: false }]);
});

test("an authority of the whole server vouches for every target, beside a target's own", async () => {
  const { url } = await secureTarget(leaf);
  const extraCa = authority.cert;
  expect(await outcomeOf(url, { ...named, extraCa })).toBeUndefined();
  expect(await outcomeOf(url, { ...named, extraCa, tls: { ca: untrusted.cert } })).toBeUndefined();
  expect(await outcomeOf(url, named)).toEqual(targetError("tls-unknown-authority"));
});

test("a pinned certificate is accepted whatever signed it, also again, and no other is, however well signed", async () => {
  const pinned = certificate("other.example", LONG_AGO);
  const fingerprint = fingerprintOf(pinned).replaceAll(":", "").toLowerCase();
  const { url, seen } = await secureTarget(pinned);
  const options = { ...named, tls: { fingerprint } };
  const dialer = dialerOf(options);
  for (let count = 0; count < 2; count += 1) {
    const { link, outcome } = dialWith(dialer, url, options);
    expect((await outcome).error).toBeUndefined();
    link.close("end");
    await dialer.idle();
  }
  expect(seen.map(({ isReused }) => isReused)).toEqual([false, true]);
  const other = await secureTarget(leaf);
  const error = await outcomeOf(other.url, { ...named, tls: { fingerprint, ca: authority.cert } });
  expect(error).toEqual(targetError("tls-wrong-fingerprint"));
});
