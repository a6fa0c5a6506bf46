import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll } from "vitest";

/** During this file its process trusts the certificate, as an operating system trusts its authorities. */
export function trustDuringFile(cert: string): void {
  const usual = getCACertificates("default");
  beforeAll(() => setDefaultCACertificates([...usual, cert]));
  afterAll(() => setDefaultCACertificates(usual));
}
