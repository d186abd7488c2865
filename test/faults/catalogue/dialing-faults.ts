/** What goes wrong before a request can be sent: names, connections, TLS. Each has a listener of its own. */

import type { FailureClass } from "../../../src/domain/outcome.ts";
import type { Fault } from "../fault.ts";

/** What waits at the address of such a fault. */
export type ListenerKind =
  | "closed"
  | "accepts-and-resets"
  | "accepts-and-hangs-up"
  | "accepts-and-is-silent"
  | "never-accepts"
  | "tls-silent"
  | "tls-reset-in-handshake"
  | "tls-plain-http"
  | "tls-self-signed"
  | "tls-expired"
  | "tls-other-name"
  | "tls-good"
  | "no-such-name";

/** A fault of dialing. */
export interface DialingFault extends Fault {
  readonly listener: ListenerKind;
}

function dialing(listener: ListenerKind, ...classes: readonly FailureClass[]): DialingFault {
  return {
    name: listener,
    listener,
    moments: ["connecting"],
    play() {},
    expect: () => ({ kind: "failure", classes, httpStatus: undefined, isStall: classes.includes("timeout") }),
  };
}

export const DIALING_FAULTS: readonly DialingFault[] = [
  dialing("closed", "network"),
  dialing("accepts-and-resets", "network"),
  dialing("accepts-and-hangs-up", "network"),
  dialing("accepts-and-is-silent", "timeout"),
  dialing("never-accepts", "timeout"),
  dialing("tls-silent", "timeout"),
  dialing("tls-reset-in-handshake", "network"),
  dialing("tls-plain-http", "network"),
  dialing("tls-self-signed", "network"),
  dialing("tls-expired", "network"),
  dialing("tls-other-name", "network"),
  {
    ...dialing("tls-good"),
    play: (wire) => wire.proceed("before_headers"),
    expect: () => ({ kind: "success", text: "whole" }),
  },
  // Where the resolver itself does not answer, the limit for connecting ends it.
  {
    ...dialing("no-such-name"),
    expect: () => ({
      kind: "failure",
      classes: ["network", "timeout"],
      httpStatus: undefined,
      isStall: false,
    }),
  },
];
