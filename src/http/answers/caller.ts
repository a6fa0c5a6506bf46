import type { Role } from "../../control/ports/access-key-store.ts";

/** Who sent a request. */
export type Caller = {
  readonly accessKeyId: string;
  readonly role: Role;
  /** The valid signature; absent where the secret itself was shown. */
  readonly signature?: string;
};

/** A caller that was let in. `passedMs`: when, on the monotonic clock. */
export type PassedCaller = Caller & { readonly passedMs: number };
