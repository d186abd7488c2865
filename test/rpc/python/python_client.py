"""Calls Sluice with Debian's grpcio and says on one line each what came: python_client.py HOST:PORT"""

import sys
import time

import grpc
from google.rpc import error_details_pb2, status_pb2
from sluice.v1 import generation_pb2 as gen
from sluice.v1 import router_service_pb2 as router
from sluice.v1 import router_service_pb2_grpc as router_grpc


def ask(text, model=None):
    spec = gen.GenerationSpec(messages=[gen.Message(role=gen.ROLE_USER, parts=[gen.ContentPart(text=text)])])
    if model is not None:
        spec.target.model = model
    return spec


def read_details(error):
    """The details that travel in the trailer `grpc-status-details-bin` (a google.rpc.Status)."""
    trailers = {key: value for key, value in error.trailing_metadata()}
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    found = {}
    for detail in status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
            if detail.Is(kind.DESCRIPTOR):
                message = kind()
                detail.Unpack(message)
                found[kind.__name__] = message
    return found


def main(address):
    with grpc.insecure_channel(address) as channel:
        stub = router_grpc.RouterServiceStub(channel)

        answer = stub.Generate(router.GenerateRequest(spec=ask("Hello")), timeout=10)
        print("unary", answer.simulated, len(answer.text) > 0, answer.attempts[0].outcome == gen.OUTCOME_SUCCESS)

        kinds, numbers, text = [], [], ""
        for event in stub.StreamGenerate(router.StreamGenerateRequest(spec=ask("Hello")), timeout=10):
            numbers.append(event.sequence_number)
            kinds.append(event.WhichOneof("event"))
            text += event.text_delta.text
        print("stream", kinds[0], kinds[-1], numbers == list(range(len(numbers))), text == answer.text)

        try:
            stub.Generate(router.GenerateRequest(spec=ask("Hello", "no-such-model")), timeout=10)
        except grpc.RpcError as error:
            print("error", error.code().name, read_details(error)["ErrorInfo"].reason)

        try:
            stub.Generate(router.GenerateRequest(spec=ask("")), timeout=10)
        except grpc.RpcError as error:
            violation = read_details(error)["BadRequest"].field_violations[0]
            print("violation", error.code().name, violation.field)

        began = time.monotonic()
        try:
            stub.Generate(router.GenerateRequest(spec=ask("Hello")), timeout=0.1)
        except grpc.RpcError as error:
            print("deadline", error.code().name, time.monotonic() - began < 0.5)

        call = stub.StreamGenerate(router.StreamGenerateRequest(spec=ask("Hello")), timeout=10)
        next(call)
        call.cancel()
        try:
            for _ in call:
                pass
        except grpc.RpcError as error:
            print("cancel", error.code().name)


main(sys.argv[1])
