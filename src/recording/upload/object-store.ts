/** Why an object store did not do what it was asked. */
export type StoreFailure =
  /** It cannot be reached, is too slow, or failed itself: the same may work later. */
  | "unreachable"
  /** It refused: wrong key, missing bucket, no right to write. A person has to change something. */
  | "refused"
  /** The upload that was to go on is not known there any more: begin again. */
  | "forgotten";

/** An error of an object store. Its message holds no secret. */
export class ObjectStoreError extends Error {
  override readonly name = "ObjectStoreError";
  readonly failure: StoreFailure;
  constructor(failure: StoreFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** Takes objects in parts. Every call rejects with ObjectStoreError, and within a few minutes. */
export interface ObjectStore {
  /** Begins an object; returns the upload's id. */
  begin(name: string, contentType: string): Promise<string>;
  /** Sends a part, from 1 on; returns its tag. Sending a part again replaces it. */
  send(name: string, uploadId: string, part: number, bytes: Uint8Array): Promise<string>;
  /** Makes the object from its parts. */
  complete(name: string, uploadId: string, tags: readonly string[]): Promise<void>;
  /** Forgets an upload and its parts. */
  abort(name: string, uploadId: string): Promise<void>;
}
