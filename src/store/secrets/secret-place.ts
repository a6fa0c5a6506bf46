/** Where a secret is kept. A sealed value opens only in its own place. */
export type SecretPlace = { readonly table: string; readonly column: string; readonly row: string };
