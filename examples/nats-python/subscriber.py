"""Prints what replicas of Sluice tell over NATS. Usage: python subscriber.py nats://host:port [lines]"""

import asyncio
import sys
from pathlib import Path

import nats
from google.protobuf import json_format

sys.path.insert(0, str(Path(__file__).parent / "gen"))

from sluice.v1 import events_pb2, generation_pb2, metrics_pb2  # noqa: E402

MESSAGES = {
    "sluice.v1.PerformanceEvent": events_pb2.PerformanceEvent,
    "sluice.v1.BreakerTransition": events_pb2.BreakerTransition,
    "sluice.v1.Alert": events_pb2.Alert,
}


def read(message):
    """The message, by the headers that say what it is and how it is written; None for what is not known here."""
    headers = message.headers or {}
    kind = MESSAGES.get(headers.get("Sluice-Message"))
    if kind is None:
        return None
    if headers.get("Content-Type") == "application/json":
        return json_format.Parse(message.data, kind(), ignore_unknown_fields=True)
    return kind.FromString(message.data)


def outcome_name(value):
    try:
        return generation_pb2.Outcome.Name(value)
    except ValueError:
        return f"outcome {value}"


def describe(event):
    if isinstance(event, events_pb2.PerformanceEvent):
        return f"attempt {event.replica_id} {event.deployment} {outcome_name(event.outcome)}"
    if isinstance(event, events_pb2.BreakerTransition):
        state = metrics_pb2.BreakerState.Name(event.to_state)
        return f"breaker {event.replica_id} {event.deployment} {state}"
    kind = events_pb2.AlertKind.Name(event.kind)
    return f"alert {event.replica_id} {kind} {event.value:g} {'resolved' if event.resolved else 'raised'}"


async def main():
    url = sys.argv[1]
    left = int(sys.argv[2]) if len(sys.argv) > 2 else None
    done = asyncio.Event()
    connection = await nats.connect(url)

    async def on_message(message):
        nonlocal left
        event = read(message)
        if event is None or done.is_set():
            return
        print(describe(event), flush=True)
        if left is not None:
            left -= 1
            if left == 0:
                done.set()

    for subject in ("sluice.v1.perf.>", "sluice.v1.breaker.>", "sluice.v1.alert.*"):
        await connection.subscribe(subject, cb=on_message)
    await connection.flush()
    print("listening", flush=True)
    await done.wait()
    await connection.drain()


asyncio.run(main())
