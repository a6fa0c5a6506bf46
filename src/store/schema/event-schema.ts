export type EventRow = {
  /** Counts up; what the webhook's body calls `id`. */
  readonly event_id: number;
  /** Of a channel that may be deleted by now. */
  readonly channel_id: string;
  readonly code: string;
  readonly level: string;
  readonly time: number;
  readonly description: string;
  readonly target_id: number | null;
  /** What the target was called then; null also where the event is older than these columns. */
  readonly target_name: string | null;
  readonly target_label: string | null;
  readonly from_status: string | null;
  readonly to_status: string | null;
  readonly reason: string | null;
  /** Who made the change; null where nobody did, and where the event is older than this column. */
  readonly changed_by: string | null;
};

/** One broadcast. */
export type ReportRow = {
  /** Of a channel that may be deleted by now. */
  readonly channel_id: string;
  readonly start_time: number;
  /** While the broadcast is on air: up to when the report tells. */
  readonly end_time: number;
  /** Null: on air. */
  readonly end_reason: string | null;
  /** JSON: what the encoder's and the targets' parts in it were. */
  readonly parts: string;
};

export type EndpointRow = {
  /** A channel's id; empty: the default endpoint. */
  readonly scope: string;
  /** Sealed: its path or query may be a secret. */
  readonly url: string;
  /** Sealed. */
  readonly secret: string;
  /** Rises with every setting: an answer to an older one says nothing of this one. */
  readonly revision: number;
  readonly update_time: number;
  /** When the endpoint answered 410; null while it did not. */
  readonly gone_time: number | null;
};

/** What one event's webhook came to: an event goes to one endpoint at most, so its number is the delivery's too. */
export type DeliveryRow = {
  readonly event_id: number;
  readonly channel_id: string;
  /** One of the API's `DELIVERY_STATES`. */
  readonly state: string;
  /** Where it went last, or is to go. Sealed. */
  readonly url: string;
  readonly attempts: number;
  /** The HTTP status of the last answer; null where there was none. */
  readonly last_status: number | null;
  readonly last_problem: string | null;
  readonly retry_until: number;
  /** How often somebody had it sent again: the result of an attempt from before that says nothing any more. */
  readonly resend_count: number;
};

/** A channel whose deliveries wait has a queue; the oldest delivery is due at `next_time`. */
export type DeliveryQueueRow = {
  readonly channel_id: string;
  readonly next_time: number;
  /** Name and port of the endpoint; empty where there is none, or where the row is older than this column. */
  readonly host: string;
  /** 1 where the oldest one was tried already. */
  readonly is_retry: number;
};
