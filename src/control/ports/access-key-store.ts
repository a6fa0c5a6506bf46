/** A manager may do everything; a viewer only reads, and sees stream keys masked. */
export type Role = "manager" | "viewer";

/** What an API client identifies itself with. Holds a secret: never log it. */
export type AccessKey = {
  readonly accessKeyId: string;
  /** Kept as it is, since checking a signature takes it. */
  readonly secretKey: string;
  readonly role: Role;
  readonly name: string;
  readonly createdTime: number;
  /** As stored, which is up to a minute behind; absent where it was never used. */
  readonly lastUsedTime?: number;
};

/** Where access keys are kept. Every call may reject with StoreUnavailableError. */
export interface AccessKeyStore {
  /** Adds the key, or replaces the one with its id. */
  putAccessKey(key: AccessKey): Promise<void>;
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined>;
  /** Of several keys with one secret a manager's comes first. How long it takes tells nothing of any secret. */
  findAccessKeyBySecret(secretKey: string): Promise<AccessKey | undefined>;
  hasManagerKey(): Promise<boolean>;
  /** In the order of their creation. */
  listAccessKeys(): Promise<readonly AccessKey[]>;
  /** The key as it was; undefined where there was none. The one manager key that is left is kept: `last-manager`. */
  deleteAccessKey(accessKeyId: string): Promise<AccessKey | "last-manager" | undefined>;
  /** Remembers when a key was used; a key that is gone is skipped. */
  markAccessKeyUsed(accessKeyId: string, time: number): Promise<void>;
}
