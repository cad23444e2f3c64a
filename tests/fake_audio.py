"""What a provider answers to speech, in OpenAI's published formats. The form is read by Python's own
parser of MIME messages: a reader that is not ours."""

from __future__ import annotations

import email.parser
import email.policy

from fake_wire import Answer

TEXT = "I see skies of blue."
SEGMENTS = [{"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": " I see", "tokens": [1, 2]},
            {"id": 1, "seek": 0, "start": 1.5, "end": 3.0, "text": " skies of blue.", "tokens": [3]}]
SRT = "1\n00:00:00,000 --> 00:00:03,000\nI see skies of blue.\n\n"
TOKENS = {"type": "tokens", "input_tokens": 14, "output_tokens": 7, "total_tokens": 21,
          "input_token_details": {"text_tokens": 4, "audio_tokens": 10}}
SECONDS = {"type": "duration", "seconds": 3}


def form_of(record) -> dict[str, list[tuple[str | None, bytes]]]:
    """name → (file name, content) of every part."""
    head = b"Content-Type: " + record.header("content-type").encode() + b"\r\n\r\n"
    # BytesParser would read CRLF as LF: the contents are cut by hand.
    boundary = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head).get_boundary().encode()
    parts: dict[str, list[tuple[str | None, bytes]]] = {}
    pieces = (b"\r\n" + record.body).split(b"\r\n--" + boundary)
    assert pieces[0] == b"" and pieces[-1] in (b"--", b"--\r\n"), pieces[-1][:50]
    for piece in pieces[1:-1]:
        headers, content = piece.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(headers + b"\r\n\r\n")
        name = message.get_param("name", header="content-disposition")
        parts.setdefault(name, []).append((message.get_filename(), content))
    return parts


async def speech(answer: Answer):
    record = answer.record
    form = form_of(record)
    record.form = form
    (_, model), = form["model"]
    model = model.decode()
    kind = form.get("response_format", [(None, b"json")])[0][1].decode()
    streamed = form.get("stream", [(None, b"false")])[0][1] == b"true"
    if model == "refuses":
        return await answer.json(400, {"error": {"message": "Invalid file format.", "code": None,
                                                 "type": "invalid_request_error", "param": "file"}})
    if model == "down":
        return await answer.json(503, {"error": {"message": "try later", "type": "server_error"}})
    if streamed and model != "whisper-1":
        return await stream(answer, model)
    usage = SECONDS if model == "whisper-1" else TOKENS
    if kind == "json":
        return await answer.json(200, {"text": TEXT, "usage": usage})
    if kind == "verbose_json":
        return await answer.json(200, {"task": "transcribe", "language": "english", "duration": 3.0,
                                       "text": TEXT, "segments": SEGMENTS, "usage": usage})
    await answer.body(200, (SRT if kind == "srt" else TEXT + "\n").encode(), "text/plain; charset=utf-8")


async def stream(answer: Answer, model: str):
    await answer.stream_head()
    for word in ("I", " see", " skies", " of", " blue."):
        if model == "vllm":
            await answer.event({"id": "trsc-1", "object": "transcription.chunk", "created": 1,
                                "model": "w", "choices": [{"delta": {"content": word}}]})
        else:
            await answer.event({"type": "transcript.text.delta", "delta": word})
        if model == "cut" and word == " skies":
            return await answer.last_chunk()
    if model == "vllm":
        await answer.event({"object": "transcription.chunk", "choices": [
            {"delta": {"content": ""}, "finish_reason": "stop", "stop_reason": None}]})
        await answer.event("[DONE]")
    else:
        await answer.event({"type": "transcript.text.done", "text": TEXT, "usage": TOKENS})
    await answer.last_chunk()
