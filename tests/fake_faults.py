"""What a provider can do wrong, and what is odd but right. SCENARIOS: model name -> handler."""

from __future__ import annotations

import asyncio
import gzip
import json

from fake_provider import (CREATED, by_path, chat, chat_chunks, chat_completion, events_bytes,
                           openai_error)
from fake_wire import LARGE_TEXT, Answer, Handler

CUT_TEXT = "one two three"  # the content that a stream has carried when it is cut


def delta(content: str | None, reason: str | None = None, **more) -> dict:
    return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": CREATED,
            "model": "fault", "choices": [{"index": 0, "delta": {} if content is None else {"content": content},
                                           "finish_reason": reason}], **more}


async def three_words(answer: Answer, pause: float = 0.2):
    await answer.stream_head()
    await answer.event({**delta(""), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""},
                                                  "finish_reason": None}]})
    for piece in ("one", " two", " three"):
        await answer.event(delta(piece))
    await answer.sleep(pause)  # so that these have gone out before whatever comes now


async def slow_first_byte(answer: Answer):
    await answer.sleep(1.5)
    await by_path(answer)


async def slow_stream(answer: Answer):
    await chat(answer, pause=0.05)


async def dribble_bytes(answer: Answer):
    """A correct answer, every byte of it (framing too) in a write of its own."""
    body = answer.request
    if body.get("stream"):
        payload = events_bytes(chat_chunks(body))
        raw = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
               + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in
                          (payload[i : i + 37] for i in range(0, len(payload), 37))) + b"0\r\n\r\n")
    else:
        payload = json.dumps(chat_completion(body)).encode()
        raw = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
               % (len(payload), payload))
    for at in range(len(raw)):
        await answer.write(raw[at : at + 1])
        await asyncio.sleep(0)


async def dribble_chunks(answer: Answer):
    """A correct stream, every byte of it in an HTTP chunk of its own."""
    await answer.stream_head()
    for byte in events_bytes(chat_chunks(answer.request)):
        await answer.chunk(bytes([byte]))
        await asyncio.sleep(0)
    await answer.last_chunk()


async def one_write(answer: Answer):
    """The whole stream in one chunk."""
    payload = events_bytes(chat_chunks(answer.request))
    await answer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"
                       b"\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(payload), payload))


async def sse_crlf(answer: Answer):
    """CRLF line ends, comments, event and id lines, no space behind the colon: all legal SSE."""
    await answer.stream_head()
    await answer.chunk(b": welcome\r\n\r\n")
    for event in chat_chunks(answer.request):
        await answer.chunk(b"event: message\r\nid: 1\r\ndata:" + json.dumps(event).encode() + b"\r\n\r\n")
    await answer.chunk(b"data: [DONE]\r\n\r\n")
    await answer.last_chunk()


async def until_close(answer: Answer):
    """HTTP/1.1 with neither length nor chunks: the body ends with the connection."""
    await answer.head(200, {"Content-Type": "text/event-stream", "Connection": "close"})
    await answer.write(events_bytes(chat_chunks(answer.request)))
    answer.close()


async def continue_first(answer: Answer):
    await answer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await by_path(answer)


async def cut_mid_stream(answer: Answer):
    """Between two chunks."""
    await three_words(answer)
    answer.close()


async def cut_mid_chunk(answer: Answer):
    await three_words(answer)
    await answer.write(b"100\r\ndata: {\"id\":\"chatcmpl-fake\",\"obj")
    answer.close()


async def cut_mid_chunk_at_once(answer: Answer):
    """For many of them: without the pause that lets what came before go out."""
    await answer.stream_head()
    await answer.write(b"100\r\ndata: {\"id\":\"chatcmpl-fake\",\"obj")
    answer.close()


async def reset_mid_stream(answer: Answer):
    await three_words(answer, 1.5)  # what has not been read when a reset comes is lost
    answer.reset()


async def ended_early(answer: Answer):
    """HTTP says that it ended well, the events say that it did not: no finish reason, no [DONE]."""
    await three_words(answer)
    await answer.last_chunk()


async def missing_done(answer: Answer):
    """Complete but for the [DONE]."""
    await three_words(answer)
    await answer.event(delta(None, "stop"))
    await answer.last_chunk()


async def cut_body(answer: Answer):
    payload = json.dumps(chat_completion(answer.request)).encode()
    await answer.head(200, {"Content-Type": "application/json", "Content-Length": len(payload)})
    await answer.write(payload[: len(payload) // 2])
    answer.close()


async def half_closed(answer: Answer):
    """Half of a body, then FIN, and the socket stays open for reading."""
    payload = json.dumps(chat_completion(answer.request)).encode()
    await answer.head(200, {"Content-Type": "application/json", "Content-Length": len(payload)})
    await answer.write(payload[: len(payload) // 2])
    answer.half_close()
    await answer.sleep(5)


def status(code: int, body: dict, headers: dict | None = None) -> Handler:
    async def handler(answer: Answer):
        await answer.json(code, body, headers)
    return handler


async def garbage(answer: Answer):
    await answer.write(b"\x16\x03\x01 this is not HTTP at all\r\n\r\n")
    answer.close()


async def not_json(answer: Answer):
    await answer.body(200, b"<html><body>It works! secret-of-the-provider</body></html>", "text/html")


async def bad_json(answer: Answer):
    await answer.body(200, b'{"id": "chatcmpl-fake", "choices": [{"index": 0, "message": ')


async def bad_event(answer: Answer):
    await three_words(answer)
    await answer.event('{"id": "chatcmpl-fake", "choices": [')
    await answer.event("[DONE]")
    await answer.last_chunk()


async def no_answer(answer: Answer):
    answer.close()


async def reset(answer: Answer):
    answer.reset()


async def never(answer: Answer):
    await answer.sleep(60)
    answer.close()


async def head_then_never(answer: Answer):
    await answer.stream_head()
    await answer.sleep(60)
    answer.close()


async def words_then_never(answer: Answer):
    await three_words(answer)
    await answer.sleep(60)
    answer.close()


HUGE = 100 * 1024 * 1024


async def huge(answer: Answer):
    """100 MB of JSON with a length."""
    start, end = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"', b'"}}]}'
    await answer.head(200, {"Content-Type": "application/json",
                            "Content-Length": HUGE + len(start) + len(end)})
    await answer.write(start)
    piece = b"a" * (1 << 16)
    for _ in range(HUGE // len(piece)):
        await answer.write(piece)
    await answer.write(end)


async def gzipped(answer: Answer):
    payload = gzip.compress(json.dumps(chat_completion(answer.request)).encode())
    await answer.body(200, payload, headers={"content-encoding": "gzip"})


async def error_event(answer: Answer):
    """An error in the stream after some content, as OpenAI sends it."""
    await three_words(answer)
    await answer.event(openai_error("The server had an error while processing your request.", "server_error"))
    await answer.last_chunk()


async def error_first(answer: Answer):
    """200, then the first event is an error: nothing has gone out yet."""
    await answer.stream_head()
    await answer.event(openai_error("Overloaded.", "server_error", "overloaded"))
    await answer.last_chunk()


async def no_usage(answer: Answer):
    await chat(answer, with_usage=False)


async def silence(answer: Answer):
    """Silent before the first byte and again in the middle."""
    await answer.sleep(1.2)
    await three_words(answer)
    await answer.sleep(1.2)
    await answer.event(delta(" four"))
    await answer.event(delta(None, "stop"))
    await answer.event("[DONE]")
    await answer.last_chunk()


async def endless(answer: Answer):
    """A word every 20 ms until the peer hangs up."""
    await answer.stream_head()
    while True:
        await answer.event(delta("word "))
        await answer.sleep(0.02)


async def flood(answer: Answer):
    """Events as fast as the peer takes them, 256 MB at most."""
    await answer.stream_head()
    event = b"data: " + json.dumps(delta("x" * 4000)).encode() + b"\n\n"
    framed = b"%x\r\n%s\r\n" % (len(event), event)
    for _ in range((256 << 20) // len(framed)):
        await answer.write(framed)
    await answer.event(delta(None, "stop"))
    await answer.event("[DONE]")
    await answer.last_chunk()


async def huge_events(answer: Answer):
    """Ten events of 4 MiB; whole, an answer of that size."""
    if not answer.request.get("stream"):
        whole = chat_completion(answer.request)
        whole["choices"][0]["message"]["content"] = "x" * LARGE_TEXT
        body = json.dumps(whole).encode()
        await answer.head(200, {"Content-Type": "application/json", "Content-Length": len(body)})
        return await answer.write_large(body)
    await answer.stream_head()
    event = b"data: " + json.dumps(delta("x" * LARGE_TEXT)).encode() + b"\n\n"
    for _ in range(10):
        await answer.write_large(b"%x\r\n%s\r\n" % (len(event), event))
    await answer.event(delta(None, "stop"))
    await answer.event("[DONE]")
    await answer.last_chunk()


# Legal JSON with everything that a re-serialiser would change: key order, blanks, escapes, numbers
# beyond 2^53, an unknown field, an exponent, raw UTF-8.
ODD_JSON = (
    '{ "zz_unknown" : {"b":1,"a":[ 1 ,2.50, 1e3, 12345678901234567890 ]},\n\t"id":"chatcmpl-odd",'
    '"object":"chat.completion","created":1760000000,"model":"odd","choices":[ {"index":0,'
    '"message":{"role":"assistant","content":"caf\\u00e9 \\/ caf\u00e9 \U0001f600 \\ud83d\\ude00"},'
    '"finish_reason":"stop"} ],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7} } \n'
).encode()


async def odd_json(answer: Answer):
    answer.record.usage = json.loads(ODD_JSON)["usage"]
    await answer.body(200, ODD_JSON)


ODD_EVENTS = [
    b'data: {"object":"chat.completion.chunk", "id":"odd","choices":[{"delta":{"role":"assistant","content":""},"index":0}]}\n\n',
    b'data:  {"choices":[{"index":0,"delta":{"content":"caf\\u00e9 \xc3\xa9 \\/"}}],"zz":[1,2.50,12345678901234567890]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


async def odd_events(answer: Answer):
    await answer.stream_head()
    for event in ODD_EVENTS:
        await answer.chunk(event)
    await answer.last_chunk()


async def one_more_header(answer: Answer):
    """Header injection in a field that is passed on, if any is."""
    await answer.json(200, chat_completion(answer.request), {"x-evil": "1", "x-causeway-model": "forged"})


RATE = openai_error("Rate limit reached for requests", "requests", "rate_limit_exceeded")
QUOTA = openai_error("You exceeded your current quota", "insufficient_quota", "insufficient_quota")

SCENARIOS: dict[str, Handler] = {
    "slow-first-byte": slow_first_byte,
    "slow-stream": slow_stream,
    "dribble-bytes": dribble_bytes,
    "dribble-chunks": dribble_chunks,
    "one-write": one_write,
    "sse-crlf": sse_crlf,
    "until-close": until_close,
    "continue-first": continue_first,
    "cut-mid-stream": cut_mid_stream,
    "cut-mid-chunk": cut_mid_chunk,
    "cut-mid-chunk-at-once": cut_mid_chunk_at_once,
    "reset-mid-stream": reset_mid_stream,
    "ended-early": ended_early,
    "missing-done": missing_done,
    "cut-body": cut_body,
    "half-closed": half_closed,
    "s400": status(400, openai_error("Invalid value: 'temperature'", code="invalid_value", param="temperature")),
    "s400-context": status(400, openai_error("This model's maximum context length is 8192 tokens.",
                                             code="context_length_exceeded", param="messages")),
    "s401": status(401, openai_error("Incorrect API key provided: sk-upst****cret", code="invalid_api_key")),
    "s403": status(403, openai_error("Project does not have access", code="model_not_found")),
    "s404": status(404, openai_error("The model does not exist", code="model_not_found")),
    "s422": status(422, openai_error("Unprocessable")),
    "s429": status(429, RATE, {"retry-after": "7"}),
    "s429-ms": status(429, RATE, {"retry-after-ms": "1500"}),
    "s429-quota": status(429, QUOTA),
    "s500": status(500, openai_error("The server had an error", "server_error")),
    "s503": status(503, openai_error("The engine is overloaded", "server_error"), {"retry-after": "3"}),
    "s529": status(529, openai_error("Overloaded", "overloaded_error")),
    "s302": status(302, {}, {"location": "http://127.0.0.1:9/elsewhere"}),
    "garbage": garbage,
    "not-json": not_json,
    "bad-json": bad_json,
    "bad-event": bad_event,
    "no-answer": no_answer,
    "reset": reset,
    "never": never,
    "head-then-never": head_then_never,
    "words-then-never": words_then_never,
    "huge": huge,
    "gzipped": gzipped,
    "error-event": error_event,
    "error-first": error_first,
    "no-usage": no_usage,
    "silence": silence,
    "endless": endless,
    "flood": flood,
    "huge-events": huge_events,
    "odd-json": odd_json,
    "odd-events": odd_events,
    "one-more-header": one_more_header,
}
