import { createHash, type X509Certificate } from "node:crypto";
import { createSecureContext, DEFAULT_CIPHERS, getCACertificates, type SecureContext } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { CheckedAddress } from "../net/target-address.ts";
import type { TargetId, TargetTrust } from "../thread-protocol/channel-spec.ts";

/**
 * The largest number of each: there are as many sets of authorities as different `tls.ca`, and as many sessions as
 * targets.
 */
const CONTEXTS_MAX = 64;
const SESSIONS_MAX = 1_000;
/**
 * Each session may lead to the next without end, and shows no certificate. This long after its verification the
 * certificate is demanded again, in milliseconds.
 */
const SESSION_AGE_MAX_MS = 24 * 60 * 60 * 1_000;

/**
 * Node's ciphers, but AES-128-GCM before AES-256-GCM in TLS 1.3, as it is in 1.2: where the target has no preference,
 * encryption costs a third less.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  ...DEFAULT_CIPHERS.split(":").filter((name) => name !== "TLS_AES_128_GCM_SHA256"),
].join(":");

/** For how long a verified certificate need not be shown again. */
export type Verified = {
  /** When it expires, in Unix milliseconds. */
  readonly untilTime: number;
  /** A monotonic limit, whatever happens to the wall clock. */
  readonly untilMs: number;
};

/** A TLS session that stands for a verified certificate. */
export type KeptSession = Verified & { readonly session: Buffer };

type Now = Pick<Clock, "now" | "wallNow">;

/**
 * What is worth keeping between two TLS connections: authorities as OpenSSL reads them, which takes milliseconds, and
 * each target's last session, which saves its next connection the certificates.
 */
export class TlsMemory {
  readonly #extraCa: string;
  readonly #contexts = new Map<string, SecureContext>();
  readonly #sessions = new Map<string, KeptSession>();

  /** `extraCa`: PEM certificates of authorities that all targets may use; empty: only the usual ones. */
  constructor(extraCa: string) {
    this.#extraCa = extraCa;
  }

  /**
   * Returns the context for a target with these authorities of its own.
   *
   * @throws where they are not PEM certificates.
   */
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

  /**
   * A session is valid for one target at one address with one trust setting, since it stands for a verified
   * certificate.
   */
  sessionName(targetId: TargetId, { address, port, serverName = "" }: CheckedAddress, trust: TargetTrust): string {
    const trusted = createHash("sha256")
      .update(JSON.stringify([trust.ca, trust.fingerprint]))
      .digest("base64");
    return [targetId, address, port, serverName, trusted].join(" ");
  }

  /** The session to resume now. */
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

/**
 * How long a certificate that was just verified need not be shown again; a pinned one is valid beyond its own expiry.
 */
export function verifiedNow(certificate: X509Certificate, isPinned: boolean, clock: Now): Verified {
  const untilTime = isPinned ? Number.POSITIVE_INFINITY : Date.parse(certificate.validTo);
  return { untilTime, untilMs: clock.now() + SESSION_AGE_MAX_MS };
}

/** Removes the oldest entry. */
function keepAtMost<Value>(map: Map<string, Value>, countMax: number, name: string, value: Value): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > countMax && oldest !== undefined) map.delete(oldest);
}
