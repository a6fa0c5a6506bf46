import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIPv4 } from "node:net";

/** A private key and its certificate, as PEM. */
export type Pair = { readonly key: string; readonly cert: string };

export type CertificateOptions = {
  /** The pair that signs; absent: the certificate signs itself. */
  readonly by?: Pair;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** `YYYYMMDDHHMMSSZ`, both; by default it is valid from a minute ago, for two days. */
  readonly from?: string;
  readonly until?: string;
};

/** OpenSSL reads a clock that is some milliseconds behind: one that began just now would not be valid yet. */
const BEGAN_MS = 60_000;
const VALID_MS = 2 * 24 * 60 * 60 * 1_000;

/** The tags of DER (ITU-T X.690) that a certificate needs. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87,
} as const;

/** Object identifiers, encoded, in hexadecimal. */
const ID = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
} as const;

/**
 * Makes a certificate for this host name or IPv4 address (RFC 5280, EC key on P-256). Needs no program, so that tests
 * of TLS need nothing but Node.
 */
export function certificate(host: string, options: CertificateOptions = {}): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signingKey = options.by?.key ?? key;
  const issuer = options.by === undefined ? host : commonNameOf(options.by);
  const body = certificateBody(host, issuer, publicKey, options);
  const signature = sign("sha256", body, signingKey);
  const whole = sequence(body, signatureAlgorithm(), bitString(signature));
  return { key, cert: new X509Certificate(whole).toString() };
}

/** SHA-256 of a certificate as the API takes it. */
export function fingerprintOf({ cert }: Pair): string {
  return new X509Certificate(cert).fingerprint256;
}

function certificateBody(
  host: string,
  issuer: string,
  publicKey: KeyObject,
  { isAuthority = false, from, until }: CertificateOptions,
): Buffer {
  const serial = Buffer.concat([Buffer.of(0x01), randomBytes(8)]);
  return sequence(
    der(TAG.version, der(TAG.integer, Buffer.of(2))),
    der(TAG.integer, serial),
    signatureAlgorithm(),
    name(issuer),
    sequence(time(from ?? timeText(Date.now() - BEGAN_MS)), time(until ?? timeText(Date.now() + VALID_MS))),
    name(host),
    publicKey.export({ type: "spki", format: "der" }),
    der(TAG.extensions, sequence(alternativeName(host), basicConstraints(isAuthority))),
  );
}

function alternativeName(host: string): Buffer {
  const general = isIPv4(host)
    ? der(TAG.ipAddress, Buffer.from(host.split(".").map(Number)))
    : der(TAG.dnsName, Buffer.from(host.replaceAll(" ", "-")));
  return sequence(objectId(ID.subjectAltName), der(TAG.octetString, sequence(general)));
}

function basicConstraints(isAuthority: boolean): Buffer {
  const yes = der(TAG.boolean, Buffer.of(0xff));
  // DER leaves out what is the default, and CA:FALSE is.
  const constraints = isAuthority ? sequence(yes) : sequence();
  return sequence(objectId(ID.basicConstraints), yes, der(TAG.octetString, constraints));
}

function commonNameOf({ cert }: Pair): string {
  const [, commonName] = /^CN=(.*)$/m.exec(new X509Certificate(cert).subject) ?? [];
  if (commonName === undefined) throw new Error("the signing certificate has no common name");
  return commonName;
}

/** Bytes of one DER value: tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length = Buffer.of(content.length >> 8, content.length & 0xff);
  const needed = content.length > 0xff ? length : length.subarray(1);
  return Buffer.concat([Buffer.of(tag, 0x80 | needed.length), needed, content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(TAG.sequence, Buffer.concat(parts));
const objectId = (id: string): Buffer => der(TAG.objectId, Buffer.from(id, "hex"));
const signatureAlgorithm = (): Buffer => sequence(objectId(ID.ecdsaWithSha256));
const bitString = (bytes: Buffer): Buffer => der(TAG.bitString, Buffer.concat([Buffer.of(0), bytes]));
const time = (text: string): Buffer => der(TAG.generalizedTime, Buffer.from(text));
/** A time in milliseconds as `YYYYMMDDHHMMSSZ`. */
const timeText = (timeMs: number): string => new Date(timeMs).toISOString().replaceAll(/[-:T]|\.\d+/g, "");

function name(commonName: string): Buffer {
  const attribute = sequence(objectId(ID.commonName), der(TAG.utf8String, Buffer.from(commonName)));
  return sequence(der(TAG.set, attribute));
}
