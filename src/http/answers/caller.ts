import type { Role } from "../../control/ports/access-key-store.ts";

/** The sender of a request. */
export type Caller = {
  readonly accessKeyId: string;
  readonly role: Role;
  /** The access key's name; absent for a session. */
  readonly name?: string;
  /** The valid signature; absent where the request had the secret itself. */
  readonly signature?: string;
};

/** An authenticated caller. `passedMs`: when, in monotonic milliseconds. */
export type PassedCaller = Caller & { readonly passedMs: number };
