/** A manager may do everything; a viewer only reads, and sees stream keys masked. */
export type Role = "manager" | "viewer";

/** An API client's identity. Holds a secret: never log it. */
export type AccessKey = {
  readonly accessKeyId: string;
  /** Kept as it is, since checking a signature needs it. */
  readonly secretKey: string;
  readonly role: Role;
  readonly name: string;
  readonly createdTime: number;
  /** As stored, up to a minute behind; absent before the first use. */
  readonly lastUsedTime?: number;
};

/** The store of access keys. Every call may reject with StoreUnavailableError. */
export interface AccessKeyStore {
  /** Adds the key, or replaces the one with its id. */
  putAccessKey(key: AccessKey): Promise<void>;
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined>;
  /** Of several keys with one secret a manager's comes first. The time it takes reveals nothing about any secret. */
  findAccessKeyBySecret(secretKey: string): Promise<AccessKey | undefined>;
  hasManagerKey(): Promise<boolean>;
  /** Adds the key where there is no manager key; false where there is one. */
  putFirstManagerKey(key: AccessKey): Promise<boolean>;
  /** In the order of their creation. */
  listAccessKeys(): Promise<readonly AccessKey[]>;
  /**
   * Returns the key as it was; undefined where there was none. Does not delete the only manager key: `last-manager`.
   */
  deleteAccessKey(accessKeyId: string): Promise<AccessKey | "last-manager" | undefined>;
  /** Stores when a key was used; skips a key that no longer exists. */
  markAccessKeyUsed(accessKeyId: string, time: number): Promise<void>;
}
