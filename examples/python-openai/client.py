"""Calls Sluice with the OpenAI client for Python: python client.py [HOST:PORT]"""

import os
import sys

import openai

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SLUICE_SERVER", "127.0.0.1:50051")
# The client insists on a key; Sluice asks for none. Sluice has already tried every
# model that fits: more tries would only multiply the attempts.
CLIENT = openai.OpenAI(base_url=f"http://{ADDRESS}/v1", api_key="unused", max_retries=0)


def ask(text, model="auto", **options):
    """One question to whichever model fits, or to the one that the catalog calls `model`."""
    messages = [{"role": "user", "content": text}]
    return CLIENT.chat.completions.create(model=model, messages=messages, **options)


def generate():
    answer = ask("Say hello")
    print(f"unary: {answer.model} answered {len(answer.choices[0].message.content)} characters")


def stream():
    text = ""
    finished = False
    for chunk in ask("Tell me a story", stream=True):
        text += chunk.choices[0].delta.content or ""
        finished = finished or chunk.choices[0].finish_reason is not None
    print(f"stream: {len(text)} characters, finished: {finished}")


def fail():
    try:
        ask("Hi", model="no-such-model")
    except openai.APIStatusError as error:
        print(f"error: {error.status_code} {error.code}")


def exceed_deadline():
    try:
        ask("Tell me a long story", timeout=0.3)
    except openai.APITimeoutError:
        print("deadline: timed out")


def cancel():
    with ask("Tell me a long story", stream=True) as answer:
        for chunk in answer:
            if chunk.choices[0].delta.content:
                break  # Closing the answer closes the request, and Sluice stops the model.
    print("cancel: left after the first words")


for step in (generate, stream, fail, exceed_deadline, cancel):
    step()
