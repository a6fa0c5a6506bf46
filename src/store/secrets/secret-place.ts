/** Where a secret is kept. A sealed value opens in its own place alone. */
export type SecretPlace = { readonly table: string; readonly column: string; readonly row: string };
