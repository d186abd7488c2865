"""Calls Sluice with OpenAI's client for Python and prints what came, as JSON: openai_client.py BASE_URL INSTRUCTIONS"""

import json
import sys

import openai

CLIENT = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
SYSTEM = {"role": "system", "content": sys.argv[2]}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def ask(text, **options):
    return CLIENT.chat.completions.create(
        model="auto", messages=[SYSTEM, {"role": "user", "content": text}], **options
    )


def whole():
    answer = ask("answer")
    choice = answer.choices[0]
    return {
        "text": choice.message.content,
        "reason": choice.finish_reason,
        "totalTokens": answer.usage.total_tokens,
    }


def stream():
    text, reasons, tokens = "", [], None
    for chunk in ask("answer", stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
        tokens = chunk.usage.total_tokens if chunk.usage else tokens
    return {"text": text, "reasons": reasons, "totalTokens": tokens}


def tools():
    call = ask("call a tool", tools=TOOLS).choices[0].message.tool_calls[0]
    return {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}


def error():
    try:
        ask("fail")
    except openai.APIStatusError as failure:
        return {"kind": type(failure).__name__, "status": failure.status_code, "code": failure.code}


def cut():
    text = ""
    try:
        for chunk in ask("be cut", stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as failure:
        return {"text": text, "code": failure.code}


def leave():
    with ask("hold", stream=True) as answer:
        for chunk in answer:
            if chunk.choices[0].delta.content:
                break
    return "left"


def time_out():
    try:
        ask("hold", timeout=0.2)
    except openai.APITimeoutError:
        return "timed out"


# The error last: after a 429 the model server is left alone for as long as it asked.
print(json.dumps({step.__name__: step() for step in (whole, stream, tools, cut, leave, time_out, error)}))
