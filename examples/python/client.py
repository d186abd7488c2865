"""Calls Sluice from Python with grpcio: python client.py [HOST:PORT]"""

import os
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# The generated code; see README.md for the one command that makes it.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "gen"))
from sluice.v1 import generation_pb2 as gen  # noqa: E402
from sluice.v1 import router_service_pb2 as router  # noqa: E402
from sluice.v1 import router_service_pb2_grpc as router_grpc  # noqa: E402


def ask(text, model=None):
    """Describes a generation: one question, to one model or to whichever fits."""
    message = gen.Message(role=gen.ROLE_USER, parts=[gen.ContentPart(text=text)])
    spec = gen.GenerationSpec(messages=[message])
    if model is not None:
        spec.target.model = model
    return spec


def read_error_info(error):
    """Reads the reason that docs/errors.md lists, or None when it was not Sluice that answered."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info
    return None


def generate(stub):
    # Always set a timeout: without one the server's own limit of minutes holds.
    answer = stub.Generate(router.GenerateRequest(spec=ask("Say hello")), timeout=60)
    print(f"unary: {answer.model} answered {len(answer.text)} characters")


def stream(stub):
    text = ""
    finished = False
    for event in stub.StreamGenerate(router.StreamGenerateRequest(spec=ask("Tell me a story")), timeout=60):
        kind = event.WhichOneof("event")
        if kind == "text_delta":
            text += event.text_delta.text
        elif kind == "finished":
            finished = True
        # Kinds of events may be added: what is not known is skipped.
    print(f"stream: {len(text)} characters, finished: {finished}")


def fail(stub):
    try:
        stub.Generate(router.GenerateRequest(spec=ask("Hi", model="no-such-model")), timeout=60)
    except grpc.RpcError as error:
        info = read_error_info(error)
        print(f"error: {error.code().name} {info.reason if info else 'without a reason'}")


def exceed_deadline(stub):
    try:
        stub.Generate(router.GenerateRequest(spec=ask("Tell me a long story")), timeout=0.3)
    except grpc.RpcError as error:
        print(f"deadline: {error.code().name}")


def cancel(stub):
    call = stub.StreamGenerate(router.StreamGenerateRequest(spec=ask("Tell me a long story")), timeout=60)
    try:
        for event in call:
            if event.WhichOneof("event") == "text_delta":
                call.cancel()  # Sluice hears of it and stops the model.
    except grpc.RpcError as error:
        print(f"cancel: {error.code().name}")


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SLUICE_SERVER", "127.0.0.1:50051")
    with grpc.insecure_channel(address) as channel:
        stub = router_grpc.RouterServiceStub(channel)
        for step in (generate, stream, fail, exceed_deadline, cancel):
            step(stub)


if __name__ == "__main__":
    main()
