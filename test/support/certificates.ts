import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private key and its certificate, as PEM. */
export type Pair = { readonly key: string; readonly cert: string };

export type CertificateOptions = {
  /** Who signs it; absent: it vouches for itself. */
  readonly by?: Pair;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** `YYYYMMDDHHMMSSZ`, both; from now for two days unless told. */
  readonly from?: string;
  readonly until?: string;
};

/** Where `openssl ca` keeps its books; no other command of openssl takes dates of the past. */
const CA_CONFIG = (folder: string) => `
[ca]
default_ca = own
[own]
database = ${folder}/index
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

/** A certificate for this host name or IP address, made by openssl. */
export function certificate(host: string, { by, isAuthority = false, from, until }: CertificateOptions = {}): Pair {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-tls-"));
  const path = (name: string) => join(folder, name);
  try {
    const kind = /^[\d.]+$/.test(host) ? "IP" : "DNS";
    const request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const extensions = [
      `subjectAltName=${kind}:${host.replaceAll(" ", "-")}`,
      `basicConstraints=critical,CA:${isAuthority}`,
    ];
    openssl([
      ...[...request, "-keyout", path("key.pem"), "-out", path("request.pem"), "-subj", `/CN=${host}`],
      ...extensions.flatMap((extension) => [
        "-addext",
        extension.replace(/:(true|false)$/, (word) => word.toUpperCase()),
      ]),
    ]);
    writeFileSync(path("index"), "");
    writeFileSync(path("config"), CA_CONFIG(folder));
    if (by !== undefined) {
      writeFileSync(path("ca-key.pem"), by.key);
      writeFileSync(path("ca-cert.pem"), by.cert);
    }
    openssl([
      ...["ca", "-batch", "-notext", "-config", path("config"), "-in", path("request.pem"), "-out", path("cert.pem")],
      ...(by === undefined
        ? ["-selfsign", "-keyfile", path("key.pem")]
        : ["-keyfile", path("ca-key.pem"), "-cert", path("ca-cert.pem")]),
      ...(from === undefined ? [] : ["-startdate", from]),
      ...(until === undefined ? ["-days", "2"] : ["-enddate", until]),
    ]);
    return { key: readFileSync(path("key.pem"), "utf8"), cert: readFileSync(path("cert.pem"), "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function openssl(args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** SHA-256 of a certificate as the API takes it. */
export function fingerprintOf({ cert }: Pair): string {
  return new X509Certificate(cert).fingerprint256;
}
