import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Incarnation } from "./ownership-store.ts";

/** Who owns a channel, as far as the database knows, and where that node's thread is reached. */
export type KnownOwner = {
  readonly channelId: ChannelId;
  readonly epoch: number;
  readonly incarnation: Incarnation;
  readonly home: number;
  /** `host:port` of the thread's node link. */
  readonly address: string;
};

/** What came back from the owner of a channel, or from the place where it should be. */
export type OwnerAnswer =
  /** It is alive and owns the channel with this epoch. */
  | { readonly kind: "owner"; readonly epoch: number; readonly isOnAir: boolean; readonly isDraining: boolean }
  /** That process is alive and does not own the channel. */
  | { readonly kind: "not-owner" }
  /** Nothing is there, or a newer process: that process has ended. */
  | { readonly kind: "gone" }
  /** This way cannot be used now. That says nothing about the owner. */
  | { readonly kind: "unusable" };

/** One of the ways on which a node asks the owner of a channel whether it lives: the node link, or the bus. */
export interface OwnerQuestion {
  /** Never rejects. Stays pending while nothing comes back; `signal` ends the wait. */
  ask(owner: KnownOwner, signal: AbortSignal): Promise<OwnerAnswer>;
}

/**
 * Whether the host of a node and the bus are there, whatever the processes on them do. `reached`, `heard`: resolve once
 * that is sure, and stay pending while nothing comes back.
 */
export interface HostSigns {
  /**
   * Connects to the owner's host, again and again until `over` is aborted: its kernel accepts connections also while the process
   * stands still, and refuses them where it has ended. Resolves once the first attempt is on its way.
   */
  probe(owner: KnownOwner, over: AbortSignal): Promise<{ readonly reached: Promise<void> }>;
  /** The bus itself replies to this node. */
  busHeard(): Promise<void>;
}

/** A node made itself the owner of a channel. `home`: the thread; absent: a node of an older version does not tell. */
export type ClaimNews = {
  readonly channelId: ChannelId;
  readonly epoch: number;
  readonly incarnation: Incarnation;
  readonly home?: number | undefined;
};

/**
 * A channel that a node asks the others about. With `incarnation` it is that node's by this epoch, which is news for one that
 * owns the channel by a lower epoch. A node of an older version does not tell.
 */
export type AskedClaim = Pick<ClaimNews, "channelId" | "epoch" | "home"> & {
  readonly incarnation?: Incarnation | undefined;
};

/** How nodes tell each other of claims. Every message may be lost: what counts is in the database. */
export interface ClaimBoard {
  /** Tells all other nodes. Returns false where it cannot now. */
  publish(news: ClaimNews): boolean;
  /**
   * Tells a former owner directly that its ownership is over. Never rejects. Resolves to whether it knows that now, or has
   * ended.
   */
  release(former: KnownOwner): Promise<boolean>;
  /** Asks all other nodes to publish again which of these channels they own with a higher epoch. */
  question(channels: readonly AskedClaim[]): void;
}

/** The other processes that share the database. */
export interface NodePeers {
  /** This process. */
  readonly self: Incarnation;
  /** Whether this process gives its channels away and takes no new ones. */
  readonly isDraining: boolean;
  /** For how long the database has not confirmed what this process has, in milliseconds. */
  readonly unconfirmedMs: number;
  /** The other processes that run, by the last list. */
  others(): readonly Incarnation[];
  /** Leaves a channel that another process probably has by now. Platforms and encoders get no word. */
  abandon(channelId: ChannelId): void;
  /** Asks whether a process runs; takes up to seconds where it does not. Rejects where the database cannot be asked. */
  isAlive(incarnation: Incarnation): Promise<boolean>;
  /**
   * Asks whether a process of the last list is silent: it answers on no way, and nothing proves that it has ended. Takes up to seconds where
   * it is. Never rejects.
   */
  isSilent(incarnation: Incarnation): Promise<boolean>;
  /**
   * Whether a process that runs has the channel, and not this one, or this one gives it away. Rejects where the database
   * cannot be asked.
   */
  isElsewhere(channelId: ChannelId): Promise<boolean>;
}
