import { join } from "node:path";
import { runToEnd } from "../../test/support/processes/children.ts";

/** A self-signed certificate for 127.0.0.1 and another address, made by OpenSSL for one run: files in the folder. */
export async function makeCertificate(
  folder: string,
  host = "127.0.0.1",
): Promise<{ readonly certificate: string; readonly key: string; readonly authority: string }> {
  const [certificate, key] = [join(folder, "sink.crt"), join(folder, "sink.key")];
  await runToEnd("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...[
      "-subj",
      "/CN=127.0.0.1",
      "-addext",
      `subjectAltName=IP:127.0.0.1,IP:${host}`,
      "-keyout",
      key,
      "-out",
      certificate,
    ],
  ]);
  return { certificate, key, authority: certificate };
}
