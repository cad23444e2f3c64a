"""A wire-true upstream whose every byte a test decides: OpenAI-compatible, and Anthropic's API.

It stands in for a paid API only. Plain answers follow the published formats (fake_provider.py,
fake_anthropic.py); faults are chosen by the model name of the request (fake_faults.py and there), or by
a handler that a test gives to `Fake.on()`. Nothing is hidden behind an HTTP library: heads, chunk sizes
and cuts are written by hand.

In a test:      fake = Fake().start(); ...; fake.stop()
As a program:   python3 tests/fake_upstream.py --port 0
"""

from __future__ import annotations

import argparse
import asyncio
import threading
import time

import fake_anthropic
import fake_audio
from fake_faults import SCENARIOS
from fake_provider import by_path, list_models, openai_error
from fake_wire import Answer, Connection, Handler, Record


class Fake:
    """The upstream, on a loop of its own in a thread of its own."""

    def __init__(self):
        self._records: list[Record] = []
        self._lock = threading.Lock()
        self._handlers: dict[str, Handler] = {}
        self._open: set[Connection] = set()
        self._count = 0
        self.connections = 0
        self.failures: list[str] = []  # what went wrong here, not in what is tested

    def start(self, port: int = 0, host: str = "127.0.0.1") -> "Fake":
        ready = threading.Event()
        failure: list[BaseException] = []

        def run():
            self.loop = asyncio.new_event_loop()
            try:
                self.server = self.loop.run_until_complete(
                    self.loop.create_server(self._connect, host, port, backlog=1024))
                self.port = self.server.sockets[0].getsockname()[1]
            except BaseException as e:  # the starter raises it
                failure.append(e)
                ready.set()
                return
            ready.set()
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, name="fake upstream", daemon=True)
        self.thread.start()
        ready.wait()
        if failure:
            raise failure[0]
        self.host = host
        return self

    def stop(self):
        def end():
            self.server.close()
            for connection in list(self._open):
                connection.task.cancel()
                connection.transport.abort()
            self.loop.call_later(0.05, self.loop.stop)

        self.loop.call_soon_threadsafe(end)
        self.thread.join(5)

    def stop_listening(self):
        """New connections are refused from now on, idle ones are closed."""
        done = threading.Event()

        def end():
            self.server.close()
            for connection in list(self._open):
                connection.transport.abort()
            done.set()

        self.loop.call_soon_threadsafe(end)
        done.wait(5)

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    @property
    def url(self) -> str:
        """Where Anthropic's API begins: without a version."""
        return f"http://{self.host}:{self.port}"

    def on(self, model: str, handler: Handler):
        """Requests for this model go to `handler` from now on."""
        self._handlers[model] = handler

    def records(self, marker: str | None = None) -> list[Record]:
        """All requests so far, or those whose body holds `marker`. Not those for the list of models: the gateway
        sends them on its own, at any time."""
        with self._lock:
            found = [r for r in self._records if r.method != "GET" or not r.target.split("?")[0].endswith("/models")]
        return [r for r in found if marker is None or marker.encode() in r.body]

    def one(self, marker: str, timeout: float = 15) -> Record:
        """The only request whose body holds `marker`; waits for it to arrive."""
        end = time.monotonic() + timeout
        while True:
            found = self.records(marker)
            if found or time.monotonic() > end:
                assert len(found) == 1, f"{len(found)} upstream requests hold {marker!r}"
                return found[0]
            time.sleep(0.005)

    def _connect(self):
        self.connections += 1
        self._count += 1
        return Connection(self, self._count)

    def _add(self, record: Record):
        with self._lock:
            self._records.append(record)
            if len(self._records) > 20_000:
                del self._records[:10_000]

    async def _handle(self, answer: Answer):
        record = answer.record
        path = record.target.split("?")[0]
        if path == "/v1/models" and record.header("anthropic-version"):
            handler = fake_anthropic.list_models
        elif path == "/v1/models" and record.method == "GET":
            handler = self._handlers.get("GET /v1/models", list_models)
        elif f"{record.method} {path}" in self._handlers:
            handler = self._handlers[f"{record.method} {path}"]
        elif path in ("/v1/audio/transcriptions", "/v1/audio/translations"):
            handler = fake_audio.speech
        else:
            try:
                model = answer.request["model"]
            except (ValueError, KeyError, TypeError):
                return await answer.json(400, openai_error("could not parse the body"))
            scenarios, usual = SCENARIOS, by_path
            if path.startswith("/v1/messages"):
                scenarios, usual = fake_anthropic.SCENARIOS, fake_anthropic.messages
            handler = self._handlers.get(model) or scenarios.get(model) or usual
        await handler(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    fake = Fake().start(args.port)
    print(f"{fake.base_url}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.stop()


if __name__ == "__main__":
    main()
