/** Counts since the bus was opened. */
export interface NatsBusCounts {
  readonly sent: number;
  /** Messages dropped because no server was connected. */
  readonly droppedUnconnected: number;
  /** Messages dropped because the server takes them too slowly. */
  readonly droppedFull: number;
  /** Messages dropped because they are above the server's max_payload or cannot be written. */
  readonly droppedUnsendable: number;
  readonly received: number;
  /** Messages dropped because more arrived than could be handled. */
  readonly droppedInbound: number;
  /** Messages dropped because they do not say what they are. */
  readonly unreadable: number;
  /** Subjects that the server did not let us send to or hear. */
  readonly forbidden: number;
  readonly connections: number;
  /** Attempts to connect that failed, and connections that ended. */
  readonly failures: number;
  /** Messages that have arrived and wait to be handled, now. */
  readonly waiting: number;
  /** Bytes sent that the server has not yet confirmed, now. */
  readonly unansweredBytes: number;
}
