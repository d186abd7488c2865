import type { Http2Session } from "node:http2";

/** What was sent over an HTTP/2 connection; a caller's pings are no abuse while something is. */
export interface SessionActivity {
  /** Pieces of answers so far. */
  sentCount: number;
}

const activities = new WeakMap<Http2Session, SessionActivity>();

/** The one record of a connection. */
export function findActivity(session: Http2Session): SessionActivity {
  let activity = activities.get(session);
  if (activity === undefined) {
    activity = { sentCount: 0 };
    activities.set(session, activity);
  }
  return activity;
}
