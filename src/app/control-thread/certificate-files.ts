import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { CertificatePair } from "../../thread-protocol/certificate.ts";
import { ConfigError } from "../config/config-error.ts";

/** How often the files are read, in milliseconds. A renewal writes two files, one after the other. */
const LOOK_MS = 2_000;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export type CertificatePaths = { readonly cert: string; readonly key: string };

/** The pair in use, and when it expires, in milliseconds since the Unix epoch. */
export type Certificate = { readonly pair: CertificatePair; readonly expiryTime: number };

export type CertificateEvents = {
  readonly onTaken: (certificate: Certificate) => void;
  /** The files hold no valid pair, and the present pair stays. Called once for each problem. */
  readonly onRefused: (problem: string) => void;
};

/** Throws ConfigError where the files hold no certificate with its key. */
export async function readCertificate(paths: CertificatePaths): Promise<Certificate> {
  try {
    return checked(await readPair(paths));
  } catch (error) {
    const { cert, key } = paths;
    throw new ConfigError(
      `FANFARE_TLS_CERT and FANFARE_TLS_KEY (${cert}, ${key}): no certificate with its key in PEM form there: ${problemOf(error)}.`,
    );
  }
}

/**
 * Looks for a changed pair until the returned function is called. Reports a bad pair only when it is still bad at the
 * next look: the files may be half written.
 */
export function followCertificate(paths: CertificatePaths, first: Certificate, events: CertificateEvents): () => void {
  let present = first.pair;
  let suspect = "";
  let reported = "";
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const pair = await readPair(paths);
      if (pair.cert !== present.cert || pair.key !== present.key) {
        events.onTaken(checked(pair));
        present = pair;
      }
      suspect = "";
      reported = "";
    } catch (error) {
      const problem = problemOf(error);
      if (problem === suspect && problem !== reported) {
        reported = problem;
        events.onRefused(problem);
      }
      suspect = problem;
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(timer);
}

/**
 * Reads the authorities' certificates in a file, as PEM. Throws ConfigError if it holds none, or anything that is not a
 * certificate.
 */
export async function readAuthorities(path: string): Promise<string> {
  try {
    const found = (await readFile(path, "utf8")).match(PEM_CERTIFICATE) ?? [];
    if (found.length === 0) throw new Error("no certificate in it");
    for (const pem of found) new X509Certificate(pem);
    return found.join("\n");
  } catch (error) {
    throw new ConfigError(`FANFARE_TLS_EXTRA_CA (${path}): no certificates in PEM form there: ${problemOf(error)}.`);
  }
}

async function readPair({ cert, key }: CertificatePaths): Promise<CertificatePair> {
  const [certText, keyText] = await Promise.all([readFile(cert, "utf8"), readFile(key, "utf8")]);
  return { cert: certText, key: keyText };
}

/** Throws if the text is not a pair: not PEM, or a key of another certificate. */
function checked(pair: CertificatePair): Certificate {
  const expiryTime = Date.parse(new X509Certificate(pair.cert).validTo);
  createSecureContext({ ...pair, minVersion: "TLSv1.2" });
  return { pair, expiryTime };
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
