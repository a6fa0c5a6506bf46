export type ContactRow = {
  readonly contact_id: string;
  readonly name: string;
  /** JSON, sealed: webhook addresses and tokens are secrets. */
  readonly address: string;
  readonly is_enabled: number;
  /** One of the control's `CONTACT_EVENTS`. */
  readonly events: string;
  /** Ids with line breaks between them; empty: all channels. */
  readonly channel_ids: string;
  readonly language: string;
  readonly created_time: number;
  readonly update_time: number;
  /** JSON: subjects that were told lately. */
  readonly told: string;
  /** Events that were dropped since the last message, because too many waited. */
  readonly dropped_count: number;
  /** Failed attempts at the waiting message. */
  readonly attempts: number;
  readonly last_sent_time: number | null;
  readonly last_status: number | null;
  readonly last_problem: string | null;
  /** When the waiting message is due; null where nothing waits. */
  readonly next_time: number | null;
  /** Until when one process alone sends its message. */
  readonly claim_until: number | null;
};

/** An event that waits to be told to a contact. */
export type ContactNoticeRow = { readonly contact_id: string; readonly event_id: number };
