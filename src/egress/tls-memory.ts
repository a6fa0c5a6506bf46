import { createHash, type X509Certificate } from "node:crypto";
import { createSecureContext, DEFAULT_CIPHERS, getCACertificates, type SecureContext } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { CheckedAddress } from "../net/target-address.ts";
import type { TargetId, TargetTrust } from "../thread-protocol/channel-spec.ts";

/** Kept at most, each: sets of authorities are as many as there are differing `tls.ca`, sessions as many as targets. */
const CONTEXTS_MAX = 64;
const SESSIONS_MAX = 1_000;
/**
 * A session may lead to the next one for ever, and shows no certificate: so long after the certificate was verified it is asked
 * for again.
 */
const SESSION_AGE_MAX_MS = 24 * 60 * 60 * 1_000;

/**
 * Node's own, but AES-128-GCM before AES-256-GCM in TLS 1.3 as it is in 1.2: where the target has no wish of its own, encrypting
 * costs a third less.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  ...DEFAULT_CIPHERS.split(":").filter((name) => name !== "TLS_AES_128_GCM_SHA256"),
].join(":");

/** For how long a certificate that was verified needs not be seen again. */
export type Verified = {
  /** Until it ends by itself, in Unix milliseconds. */
  readonly untilTime: number;
  /** However the clock of the day is set meanwhile: monotonic. */
  readonly untilMs: number;
};

/** What stands for a certificate that was verified. */
export type KeptSession = Verified & { readonly session: Buffer };

type Now = Pick<Clock, "now" | "wallNow">;

/**
 * What is worth keeping between two connections over TLS: the authorities as OpenSSL reads them, which takes milliseconds, and
 * each target's last session, which spares its next connection the certificates.
 */
export class TlsMemory {
  readonly #extraCa: string;
  readonly #contexts = new Map<string, SecureContext>();
  readonly #sessions = new Map<string, KeptSession>();

  /** `extraCa`: authorities that all targets may be vouched for by, as PEM; empty: none beside the usual ones. */
  constructor(extraCa: string) {
    this.#extraCa = extraCa;
  }

  /** For a target with these authorities of its own. Throws where they are no PEM certificates. */
  context(ca = ""): SecureContext {
    const known = this.#contexts.get(ca);
    if (known !== undefined) return known;
    const own = [this.#extraCa, ca].filter((pem) => pem !== "");
    const made = createSecureContext({
      minVersion: "TLSv1.2",
      ciphers: CIPHERS,
      ...(own.length === 0 ? {} : { ca: [...getCACertificates("default"), ...own] }),
    });
    keepAtMost(this.#contexts, CONTEXTS_MAX, ca, made);
    return made;
  }

  /** A session is good for one target at one address under one trust: it stands for a certificate that was verified. */
  sessionName(targetId: TargetId, { address, port, serverName = "" }: CheckedAddress, trust: TargetTrust): string {
    const trusted = createHash("sha256")
      .update(JSON.stringify([trust.ca, trust.fingerprint]))
      .digest("base64");
    return [targetId, address, port, serverName, trusted].join(" ");
  }

  /** The session to be taken up now. */
  session(name: string, clock: Now): KeptSession | undefined {
    const kept = this.#sessions.get(name);
    return kept !== undefined && clock.wallNow() < kept.untilTime && clock.now() < kept.untilMs ? kept : undefined;
  }

  keep(name: string, kept: KeptSession): void {
    keepAtMost(this.#sessions, SESSIONS_MAX, name, kept);
  }

  forget(name: string): void {
    this.#sessions.delete(name);
  }
}

/** How long a certificate that was verified now needs not be seen again; a pinned one is good beyond its own end. */
export function verifiedNow(certificate: X509Certificate, isPinned: boolean, clock: Now): Verified {
  const untilTime = isPinned ? Number.POSITIVE_INFINITY : Date.parse(certificate.validTo);
  return { untilTime, untilMs: clock.now() + SESSION_AGE_MAX_MS };
}

/** The one that was put there first goes. */
function keepAtMost<Value>(map: Map<string, Value>, countMax: number, name: string, value: Value): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > countMax && oldest !== undefined) map.delete(oldest);
}
