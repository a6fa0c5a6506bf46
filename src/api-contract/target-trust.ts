import { X509Certificate } from "node:crypto";
import { z } from "zod";

/** The longest `tls.ca`: a chain of a few certificates. */
const CA_CHARACTERS_MAX = 16_384;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const CA_RULE = `certificates in PEM form, at most ${CA_CHARACTERS_MAX} characters`;
const FINGERPRINT_RULE = "the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons";

/** One certificate or more, with only blanks around them. */
function areCertificates(text: string): boolean {
  const found = text.match(CERTIFICATE) ?? [];
  return found.length > 0 && text.replace(CERTIFICATE, "").trim() === "" && found.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null;
  } catch {
    return false;
  }
}

const ca = z.string({ error: CA_RULE }).refine((text) => text === "" || isAuthority(text), { error: CA_RULE });

function isAuthority(text: string): boolean {
  return text.length <= CA_CHARACTERS_MAX && areCertificates(text);
}

const fingerprint = z
  .string({ error: FINGERPRINT_RULE })
  .regex(/^$|^[0-9A-Fa-f]{64}$|^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}$/, { error: FINGERPRINT_RULE })
  .transform((text) => text.replaceAll(":", "").toLowerCase());

/** A platform's `tls`: which certificates are trusted. `""` clears a field. */
export const targetTrust = z.object(
  { ca: ca.nullish(), fingerprint: fingerprint.nullish() },
  { error: "an object with ca and fingerprint" },
);
