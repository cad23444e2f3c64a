"""The support chatbot's backend: its own small HTTP server in front of the gateway.

The official OpenAI client is used as it is; OPENAI_BASE_URL and OPENAI_API_KEY say where Causeway is.
Each conversation's history is kept here, since a model remembers nothing between two requests.

    POST   /conversations                   -> 201 {"id"}
    POST   /conversations/ID/messages       {"text", "stream"?} -> {"text", "usage"}, or text as it comes
    GET    /conversations/ID                -> {"id", "messages"}
    DELETE /conversations/ID                -> 204
    GET    /                                a page to try it in
"""

from __future__ import annotations

import argparse
import json
import pathlib
import secrets
import signal
import threading
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

MODEL = "support"
INSTRUCTIONS = ("You are the support assistant of Brightleaf, a shop for house plants. "
                "Answer in one or two short, friendly sentences.")
MAX_CONVERSATIONS = 1000  # the oldest is forgotten
MAX_TURNS_SENT = 10  # question and answer pairs that go along with a new question
MAX_TEXT = 4000  # characters of one question
MAX_ANSWER_TOKENS = 120
PAGE = pathlib.Path(__file__).with_name("page.html")


class Conversation:
    """The messages of one customer. One question at a time, since the next one builds on its answer."""

    def __init__(self):
        self.id = secrets.token_urlsafe(12)  # whoever knows it may read it: not guessable
        self.messages: list[dict] = []
        self.busy = threading.Lock()

    def prompt(self, question: str) -> list[dict]:
        recent = self.messages[-2 * MAX_TURNS_SENT:]
        return [{"role": "system", "content": INSTRUCTIONS}, *recent, {"role": "user", "content": question}]

    def remember(self, question: str, answer: str):
        """Only after a complete answer: a failed one leaves the history as it was."""
        self.messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


class Chatbot:
    def __init__(self):
        self.client = openai.OpenAI(timeout=120)  # address and key from the environment
        self.conversations: OrderedDict[str, Conversation] = OrderedDict()
        self.lock = threading.Lock()

    def begin(self) -> Conversation:
        conversation = Conversation()
        with self.lock:
            self.conversations[conversation.id] = conversation
            while len(self.conversations) > MAX_CONVERSATIONS:
                self.conversations.popitem(last=False)
        return conversation

    def find(self, id: str) -> Conversation | None:
        with self.lock:
            return self.conversations.get(id)

    def forget(self, id: str) -> bool:
        with self.lock:
            return self.conversations.pop(id, None) is not None

    def ask(self, conversation: Conversation, question: str) -> dict:
        with conversation.busy:
            answer = self.client.chat.completions.create(
                model=MODEL, messages=conversation.prompt(question), temperature=0, max_tokens=MAX_ANSWER_TOKENS)
            text = answer.choices[0].message.content or ""
            conversation.remember(question, text)
        return {"text": text, "usage": answer.usage.model_dump() if answer.usage else None}

    def ask_streaming(self, conversation: Conversation, question: str):
        """Gives the answer piece by piece."""
        with conversation.busy:
            pieces = []
            with self.client.chat.completions.create(
                    model=MODEL, messages=conversation.prompt(question), temperature=0,
                    max_tokens=MAX_ANSWER_TOKENS, stream=True) as stream:
                for event in stream:
                    if event.choices and (piece := event.choices[0].delta.content):
                        pieces.append(piece)
                        yield piece
            conversation.remember(question, "".join(pieces))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chatbot: Chatbot

    def answer(self, status: int, value=None, body: bytes | None = None, content_type="application/json"):
        if body is None:
            body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, message: str):
        self.answer(status, {"error": message})

    def conversation(self) -> Conversation | None:
        parts = self.path.strip("/").split("/")
        found = self.chatbot.find(parts[1]) if len(parts) >= 2 and parts[0] == "conversations" else None
        if found is None:
            self.refuse(404, "no such conversation")
        return found

    def do_GET(self):
        if self.path == "/":
            return self.answer(200, body=PAGE.read_bytes(), content_type="text/html; charset=utf-8")
        if conversation := self.conversation():
            self.answer(200, {"id": conversation.id, "messages": conversation.messages})

    def do_DELETE(self):
        if conversation := self.conversation():
            self.chatbot.forget(conversation.id)
            self.answer(204)

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > 8 * MAX_TEXT:
            self.close_connection = True
            return self.refuse(413, "the question is too long")
        body = self.rfile.read(length)
        if self.path == "/conversations":
            return self.answer(201, {"id": self.chatbot.begin().id})
        conversation = self.conversation()
        if conversation is None:
            return
        try:
            request = json.loads(body)
            question, stream = request["text"], bool(request.get("stream"))
            if not isinstance(question, str) or not 0 < len(question) <= MAX_TEXT:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.refuse(400, f'send {{"text": "a question of at most {MAX_TEXT} characters"}}')
        if stream:
            self.stream(conversation, question)
        else:
            try:
                self.answer(200, self.chatbot.ask(conversation, question))
            except openai.APIError as error:
                self.failed(error)

    def stream(self, conversation: Conversation, question: str):
        pieces = self.chatbot.ask_streaming(conversation, question)
        try:
            first = next(pieces, "")  # before the status goes out, so that it can be true
        except openai.APIError as error:
            return self.failed(error)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.chunk(first)
            for piece in pieces:
                self.chunk(piece)
            self.wfile.write(b"0\r\n\r\n")
        except (openai.APIError, OSError):
            self.close_connection = True  # without the last chunk: the browser sees that it was cut
        finally:
            pieces.close()  # hangs up at the gateway, which stops the model

    def chunk(self, text: str):
        data = text.encode()
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def failed(self, error: openai.APIError):
        """The customer gets a plain sentence; what happened stands in the log with the request's id."""
        self.log_error("gateway: %s %s", type(error).__name__, getattr(error, "request_id", ""))
        busy = isinstance(error, (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError))
        self.refuse(503 if busy else 500, "The assistant cannot answer right now. Please try again in a moment.")


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8090, help="0 picks a free one")
    port = parser.parse_args().port
    Handler.chatbot = Chatbot()
    server = Server(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
