"""gRPC's interop cases with grpcio: the file of the plan, the address and the names of the cases as arguments.

Prints one line a case.
"""

import base64
import json
import sys
import threading

import grpc

TIMEOUT_SECONDS = 10

with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)
channel = grpc.insecure_channel(sys.argv[2], options=[("grpc.enable_retries", 0)])


def message(name):
    return base64.b64decode(plan[name])


def unary(path, name, **options):
    options.setdefault("timeout", TIMEOUT_SECONDS)
    return channel.unary_unary(path).with_call(message(name), **options)


def stream(name, **options):
    options.setdefault("timeout", TIMEOUT_SECONDS)
    return channel.unary_stream(plan["stream"])(message(name), **options)


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"{str(actual)[:200]} instead of {str(wanted)[:200]}")


def expect_failure(run, code, text=None):
    try:
        run()
    except grpc.RpcError as error:
        expect(error.code(), code)
        if text is not None:
            expect(error.details(), text)
        return
    raise AssertionError("the call succeeded")


def check_stream(**options):
    sizes = [len(answer) for answer in stream("streamAll", **options)]
    expect(len(sizes), len(plan["streamSizes"]))
    # Each answer is its text and a few fields.
    for size, text_size in zip(sizes, plan["streamSizes"]):
        expect(text_size <= size <= text_size + 32, True)


def empty_unary():
    expect(unary(plan["list"], "empty")[0], message("emptyAnswer"))


def large_unary(**options):
    answer, call = unary(plan["get"], "large", **options)
    expect(answer, message("largeAnswer"))
    return call


def client_compressed_unary():
    large_unary(compression=grpc.Compression.Gzip)


def server_compressed_unary():
    # grpcio keeps grpc-encoding to itself; an answer it could not inflate would fail.
    large_unary()


def ping_pong():
    pongs = threading.Semaphore(0)

    def pings():
        for number in range(4):
            if number > 0:
                pongs.acquire()
            yield message("ping")

    count = 0
    for answer in channel.stream_stream(plan["reflect"])(pings(), timeout=TIMEOUT_SECONDS):
        expect(message("ping") in answer, True)
        count += 1
        pongs.release()
    expect(count, 4)


def empty_stream():
    expect(list(stream("streamEmpty")), [])
    expect(list(channel.stream_stream(plan["reflect"])(iter(()), timeout=TIMEOUT_SECONDS)), [])


def custom_metadata():
    metadata = (("x-request-id", "interop-1"), ("x-some-bin", b"\xab\x00\xff"))
    _, call = unary(plan["list"], "empty", metadata=metadata)
    expect(dict(call.initial_metadata())["x-request-id"], "interop-1")
    streamed = stream("streamAll", metadata=metadata)
    expect(dict(streamed.initial_metadata())["x-request-id"], "interop-1")
    list(streamed)


def status_code_and_message():
    text = plan["statusMessage"]
    expect_failure(lambda: unary(plan["get"], "getStatus"), grpc.StatusCode.NOT_FOUND, text)
    expect_failure(lambda: list(stream("streamStatus")), grpc.StatusCode.NOT_FOUND, text)


def special_status_message():
    expect_failure(
        lambda: unary(plan["get"], "getSpecial"), grpc.StatusCode.NOT_FOUND, plan["specialMessage"]
    )


def unimplemented_method():
    expect_failure(lambda: unary(plan["unimplementedMethod"], "empty"), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service():
    expect_failure(lambda: unary(plan["unimplementedService"], "empty"), grpc.StatusCode.UNIMPLEMENTED)


def cancel_after_begin():
    call = channel.unary_unary(plan["get"]).future(message("getSleep"), timeout=TIMEOUT_SECONDS)
    call.cancel()
    expect(call.code(), grpc.StatusCode.CANCELLED)


def cancel_after_first_response():
    call = stream("streamSleepAfterOne")
    next(call)
    call.cancel()
    expect_failure(lambda: next(call), grpc.StatusCode.CANCELLED)


def timeout_on_sleeping_server():
    expect_failure(
        lambda: list(stream("streamSleep", timeout=0.05)), grpc.StatusCode.DEADLINE_EXCEEDED
    )
    expect_failure(
        lambda: unary(plan["get"], "getSleep", timeout=0.05), grpc.StatusCode.DEADLINE_EXCEEDED
    )


def rpc_soak():
    for _ in range(500):
        empty_unary()


def many_at_once():
    call = channel.unary_unary(plan["list"])
    calls = [call.future(message("empty"), timeout=TIMEOUT_SECONDS) for _ in range(1000)]
    for each in calls:
        expect(each.result(), message("emptyAnswer"))


def large_metadata():
    unary(plan["list"], "empty", metadata=(("x-large", "y" * 12_000),))
    # Beyond the server's limit the call fails and the connection lives on.
    try:
        unary(plan["list"], "empty", metadata=(("x-too-large", "y" * 63 * 1024),))
        raise AssertionError("the call succeeded")
    except grpc.RpcError:
        pass
    empty_unary()


CASES = (
    empty_unary,
    large_unary,
    client_compressed_unary,
    server_compressed_unary,
    check_stream,
    lambda: check_stream(compression=grpc.Compression.Gzip),
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    special_status_message,
    unimplemented_method,
    unimplemented_service,
    cancel_after_begin,
    cancel_after_first_response,
    timeout_on_sleeping_server,
    rpc_soak,
    many_at_once,
    large_metadata,
)

for name, case in zip(sys.argv[3].split(","), CASES, strict=True):
    try:
        case()
        print(f"ok {name}", flush=True)
    except Exception as error:  # Whatever went wrong is the result of the case.
        print(f"FAILED {name}: {error!r}"[:500], flush=True)
channel.close()
