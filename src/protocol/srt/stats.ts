/** Counts of one connection since it began, in packets unless the name says bytes. */
export type SrtCounts = {
  /** Data packets that came, the repeated ones included. */
  received: number;
  receivedBytes: number;
  /** Gaps that were noticed. */
  receiveLost: number;
  /** Packets that were given up: they did not come in time. */
  receiveDropped: number;
  /** Packets that came again because we had asked for them. */
  receiveRetransmitted: number;
  /** Packets that came after they had been given up. */
  receiveBelated: number;
  receiveDuplicate: number;
  /** Packets without a key that we have, or in clear where encryption was agreed. */
  receiveUndecrypted: number;
  sentAck: number;
  sentNak: number;
  /** Data packets that were sent, the repeated ones not included. */
  sent: number;
  sentBytes: number;
  sentRetransmitted: number;
  sentRetransmittedBytes: number;
  /** Packets that the peer reported as lost. */
  sendLost: number;
  /** Packets that were given up before the peer had confirmed them. */
  sendDropped: number;
  /** Packets that the peer confirmed. */
  acknowledged: number;
  acknowledgedBytes: number;
};

export function newCounts(): SrtCounts {
  return {
    received: 0,
    receivedBytes: 0,
    receiveLost: 0,
    receiveDropped: 0,
    receiveRetransmitted: 0,
    receiveBelated: 0,
    receiveDuplicate: 0,
    receiveUndecrypted: 0,
    sentAck: 0,
    sentNak: 0,
    sent: 0,
    sentBytes: 0,
    sentRetransmitted: 0,
    sentRetransmittedBytes: 0,
    sendLost: 0,
    sendDropped: 0,
    acknowledged: 0,
    acknowledgedBytes: 0,
  };
}

/** What is known of a connection now. */
export type SrtStats = Readonly<SrtCounts> & {
  /** Undefined before the first measurement, in milliseconds. */
  readonly rttMs: number | undefined;
  /** How long we wait for a lost packet, in milliseconds. */
  readonly latencyMs: number;
  /** How long the peer waits for a lost packet, in milliseconds. */
  readonly peerLatencyMs: number;
  /** Packets that wait behind a gap. */
  readonly waiting: number;
  /** Packets that were sent and are not confirmed, or wait to be sent. */
  readonly unacknowledged: number;
  readonly isEncrypted: boolean;
};
