/** A server's TLS certificate and its private key, as PEM. Secret: never log it. */
export type CertificatePair = { readonly cert: string; readonly key: string };
