export type EventRow = {
  /** Counts up; the `id` in a webhook's body. */
  readonly event_id: number;
  /** The channel may be deleted by now. */
  readonly channel_id: string;
  readonly code: string;
  readonly level: string;
  readonly time: number;
  readonly description: string;
  readonly target_id: number | null;
  /** The target's name at that time; null also where the event is older than these columns. */
  readonly target_name: string | null;
  readonly target_label: string | null;
  readonly from_status: string | null;
  readonly to_status: string | null;
  readonly reason: string | null;
  /**
   * The access key that made the change; null where no client made it, and where the event is older than this column.
   */
  readonly changed_by: string | null;
  /** Where a refused encoder connected from; null for other events. */
  readonly remote_address: string | null;
  /**
   * The ownership of the channel in which it happened, and its number among that owner's events: a write that is repeated
   * adds nothing. Null: not of an owner's, or of a single node.
   */
  readonly epoch: number | null;
  readonly seq: number | null;
};

/** One change that somebody made. No column has a secret. */
export type AuditRow = {
  readonly audit_id: number;
  readonly time: number;
  readonly action: string;
  /** That of the request: of two transactions of one request the second adds to the first one's record. */
  readonly trace_id: string;
  readonly actor: string;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly client: string;
  readonly remote_address: string | null;
  readonly user_agent: string | null;
  readonly channel_id: string | null;
  readonly channel_name: string | null;
  readonly target_id: number | null;
  readonly subject: string | null;
  /** JSON: fields with their values before and after. */
  readonly changes: string;
};

/** Attempts of rejected encoders from one address, for one reason. */
export type RefusedEncoderRow = {
  /** Reason, address and channel: each entry is there once. */
  readonly entry: string;
  readonly remote_address: string;
  readonly reason: string;
  /** Null where the channel is not known. */
  readonly channel_id: string | null;
  readonly first_time: number;
  readonly last_time: number;
  readonly attempts: number;
};

/** The report of one broadcast. */
export type ReportRow = {
  /** The channel may be deleted by now. */
  readonly channel_id: string;
  readonly start_time: number;
  /** While the broadcast is on air: the time up to which the report goes. */
  readonly end_time: number;
  /** Null: on air. */
  readonly end_reason: string | null;
  /** JSON: the interruptions of the encoder and the targets' parts. */
  readonly parts: string;
  /** The ownership that wrote it last; null where a single node did. */
  readonly epoch: number | null;
};

export type EndpointRow = {
  /** A channel's id; empty: the default endpoint. */
  readonly scope: string;
  /** Sealed: its path or query may be a secret. */
  readonly url: string;
  /** Sealed. */
  readonly secret: string;
  /** Rises with every setting: an answer to an older setting does not count for this one. */
  readonly revision: number;
  readonly update_time: number;
  /** When the endpoint answered 410; null while it did not. */
  readonly gone_time: number | null;
};

/** The delivery of one event. An event goes to at most one endpoint, so its number is the delivery's too. */
export type DeliveryRow = {
  readonly event_id: number;
  readonly channel_id: string;
  /** One of the API's `DELIVERY_STATES`. */
  readonly state: string;
  /** The address it was last sent to, or will be. Sealed. */
  readonly url: string;
  readonly attempts: number;
  /** The HTTP status of the last answer; null where there was none. */
  readonly last_status: number | null;
  readonly last_problem: string | null;
  readonly retry_until: number;
  /** How often somebody sent it again: an attempt from before that no longer counts. */
  readonly resend_count: number;
};

/** A channel whose deliveries wait has a queue; the oldest delivery is due at `next_time`. */
export type DeliveryQueueRow = {
  readonly channel_id: string;
  readonly next_time: number;
  /** Name and port of the endpoint; empty where there is none, or where the row is older than this column. */
  readonly host: string;
  /** 1 where the oldest delivery was tried already. */
  readonly is_retry: number;
  /** The node that sends the oldest delivery now, and until when it alone may; null where none does. */
  readonly claimed_by: string | null;
  readonly claim_until: number | null;
};
