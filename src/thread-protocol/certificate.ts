/** What a server shows over TLS and the private key to it, as PEM. Secret: never log it. */
export type CertificatePair = { readonly cert: string; readonly key: string };
