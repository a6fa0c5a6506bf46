/** Something that is accepted once. */
export type OnceKind = "signature" | "challenge";

/** Limits of failures within a minute, by a name of the client: its address, a network around it, or everybody. */
export type FailureLimits = ReadonlyMap<string, number>;

/**
 * What all nodes of a cluster refuse together: without it each node would accept the same request once. A crash of the
 * database forgets it. Every call may reject with StoreUnavailableError.
 */
export interface SharedGuards {
  /** Uses a value up: true for the first caller of all nodes, until `forMs` milliseconds have passed. */
  useOnce(kind: OnceKind, value: string, forMs: number): Promise<boolean>;
  /** How long a client has to wait before another attempt, in milliseconds; 0: not at all. */
  waitMs(limits: FailureLimits): Promise<number>;
  /** Counts a failure under each of these names. */
  failed(names: readonly string[]): Promise<void>;
}
