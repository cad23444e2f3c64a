"""Spans and metrics at a real receiver: the OpenTelemetry Collector, built by scripts/deps --tests."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import running
from gateway import CACHE, KEY, UPSTREAM_KEY, wait_until

COLLECTORS = sorted((CACHE / "otelcol").glob("*/otelcol"), key=lambda path: path.stat().st_mtime)
# Where CI is set, the set-up should have brought it: its absence fails.
ABSENT = not COLLECTORS and not os.environ.get("CI")
needs_collector = pytest.mark.skipif(ABSENT, reason="needs the collector: run scripts/deps --tests first")
TOKEN = "otlp-secret-token"


class Collector:
    """otelcol with its OTLP receiver, writing what it took to a file."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.out = folder / "out.json"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.port}"}}}},
            "exporters": {"file": {"path": str(self.out), "flush_interval": "100ms"}},
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {kind: {"receivers": ["otlp"], "exporters": ["file"]} for kind in ("traces", "metrics")},
            },
        }
        path = folder / "otelcol.yaml"
        path.write_text(json.dumps(config))
        self.log = folder / "otelcol.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([COLLECTORS[-1], "--config", path], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_until(lambda: "Everything is ready" in self.log.read_text(), "the collector is ready", timeout=20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self, kind: str) -> list[dict]:
        if not self.out.exists():
            return []
        lines = self.out.read_text().splitlines()
        found = []
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):  # one that is being written
                found += json.loads(line).get(kind, [])
        return found

    def spans(self) -> list[dict]:
        return [span for request in self.requests("resourceSpans")
                for scope in request["scopeSpans"] for span in scope["spans"]]

    def span_of(self, request_id: str) -> dict:
        def find():
            return [s for s in self.spans() if attributes(s).get("causeway.request_id") == request_id]
        return wait_until(find, f"the span of {request_id}", timeout=15)[0]

    def children(self, span: dict) -> list[dict]:
        return [s for s in self.spans() if s["parentSpanId"] == span["spanId"]]

    def metrics(self) -> dict[str, dict]:
        """The newest report of each."""
        return {metric["name"]: metric for request in self.requests("resourceMetrics")
                for scope in request["scopeMetrics"] for metric in scope["metrics"]}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def value_of(value: dict):
    kind, content = next(iter(value.items()))
    if kind == "arrayValue":
        return [value_of(one) for one in content["values"]]
    return int(content) if kind == "intValue" else content


def attributes(span: dict) -> dict:
    return {one["key"]: value_of(one["value"]) for one in span["attributes"]}


def settings(config, endpoint: str) -> dict:
    value = config()
    value["providers"]["claude"] = {"kind": "anthropic", "base_url": value["providers"]["fake"]["base_url"][:-3],
                                    "api_key": UPSTREAM_KEY}
    value["models"]["plain"] = {"targets": ["fake/echo"]}
    value["models"]["masked"] = {"targets": ["fake/echo"]}
    value["models"]["falls-back"] = {"targets": ["fake/s503", "claude/echo"]}
    value["models"]["unseen"] = {"targets": ["fake/echo"]}
    value["policies"] = [{"name": "masked", "match": {"models": ["masked"]}, "pii": "mask"},
                         {"name": "unseen", "match": {"models": ["unseen"]}, "traces": "off"}]
    value["otlp"] = {"endpoint": endpoint, "interval": "1s", "headers": {"authorization": f"Bearer {TOKEN}"}}
    return value


@pytest.fixture(scope="module")
def collector(session_folder):
    if ABSENT:
        pytest.skip("needs the collector")
    assert COLLECTORS, "scripts/deps --tests did not build the collector: see otelcol.log in the cache"
    made = Collector(session_folder / "collector")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def gw(config, session_folder, collector):
    with running(session_folder / "otlp", settings(config, collector.url)) as gateway:
        yield gateway


@needs_collector
def test_spans_of_an_exchange_and_its_attempts(gw, collector):
    before = time.time_ns()
    answer = gw.chat("falls-back", "hello there")
    assert answer.status_code == 200
    span = collector.span_of(answer.headers["x-request-id"])
    said = attributes(span)
    assert span["name"] == "chat falls-back" and span["kind"] == 2 and span["parentSpanId"] == ""
    assert before <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) <= time.time_ns()
    assert said["gen_ai.operation.name"] == "chat" and said["gen_ai.request.model"] == "falls-back"
    assert said["http.response.status_code"] == 200 and said["gen_ai.response.finish_reasons"] == ["stop"]
    assert said["gen_ai.usage.input_tokens"] > 0 and said["gen_ai.usage.output_tokens"] > 0
    assert said["causeway.key"] == "config:test" and said["causeway.tenant"] == "default"
    assert said["causeway.attempts"] == 2 and said["causeway.stage.choose.microseconds"] >= 0
    assert "code" not in span["status"], span["status"]
    first, second = sorted(collector.children(span), key=lambda s: int(s["startTimeUnixNano"]))
    assert first["kind"] == second["kind"] == 3
    assert first["traceId"] == second["traceId"] == span["traceId"]
    assert len({first["spanId"], second["spanId"], span["spanId"]}) == 3
    assert attributes(first)["gen_ai.provider.name"] == "openai" and attributes(first)["http.response.status_code"] == 503
    assert attributes(first)["error.type"] and first["status"]["code"] == 2
    assert attributes(second)["gen_ai.provider.name"] == "anthropic" and second["name"] == "chat echo"
    assert attributes(second)["gen_ai.response.model"], "as the answer names it"
    assert int(first["endTimeUnixNano"]) <= int(second["startTimeUnixNano"]) + 1000
    assert int(second["endTimeUnixNano"]) <= int(span["endTimeUnixNano"]) + 1000
    resource = {a["key"]: value_of(a["value"]) for a in collector.requests("resourceSpans")[0]["resource"]["attributes"]}
    assert resource["service.name"] == "causeway" and resource["service.version"] and resource["service.instance.id"]


@needs_collector
def test_the_caller_is_the_parent_and_the_provider_a_child(gw, collector, fake, mark):
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    answer = gw.chat("plain", mark, headers={"traceparent": f"00-{trace}-{parent}-01", "tracestate": "vendor=1"})
    span = collector.span_of(answer.headers["x-request-id"])
    assert span["traceId"] == trace and span["parentSpanId"] == parent
    attempt, = collector.children(span)
    sent = fake.one(mark)
    assert sent.header("traceparent") == f"00-{trace}-{attempt['spanId']}-01"
    assert sent.header("tracestate") == "vendor=1"


@needs_collector
def test_streams_and_errors(gw, collector):
    stream = gw.chat_stream("plain", "one two three")
    span = collector.span_of(stream.header("x-request-id"))
    said = attributes(span)
    assert said["gen_ai.request.stream"] is True and 0 < said["gen_ai.response.time_to_first_chunk"] < 10
    answer = gw.chat("fake/s503", "x")
    span = collector.span_of(answer.headers["x-request-id"])
    assert span["status"]["code"] == 2 and attributes(span)["error.type"]
    answer = gw.chat("nobody-has-this", "x")
    span = collector.span_of(answer.headers["x-request-id"])
    assert "code" not in span["status"], "a caller's own fault"
    assert attributes(span)["http.response.status_code"] == 404 and attributes(span)["causeway.ended_by"] == "resolve"


@needs_collector
def test_no_words_and_nothing_that_a_policy_turns_off(gw, collector):
    unseen = gw.chat("unseen", "the quixotic zeppelin").headers["x-request-id"]
    masked = gw.chat("masked", "write to zed.quill@hospital.example", user="u-zanzibar").headers["x-request-id"]
    span = collector.span_of(masked)
    assert attributes(span)["causeway.found.email"] == 1
    gw.stop()  # which sends the rest
    text = collector.out.read_text()
    assert unseen not in text and "zeppelin" not in text and "zed.quill" not in text and "zanzibar" not in text
    assert TOKEN not in gw.stdout() + gw.stderr()
    gw.start()


@needs_collector
def test_metrics(gw, collector):
    for _ in range(3):
        gw.chat("plain", "count this")
    gw.chat_stream("plain", "count this")

    def counted():
        metric = collector.metrics().get("gen_ai.client.operation.duration")
        points = metric["histogram"]["dataPoints"] if metric else []
        return [p for p in points if attributes(p).get("gen_ai.request.model") == "plain" and int(p["count"]) >= 4]

    point, = wait_until(counted, "the histogram", timeout=15)
    said = attributes(point)
    assert said["gen_ai.operation.name"] == "chat" and said["gen_ai.provider.name"] == "openai"
    assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
    assert sum(int(n) for n in point["bucketCounts"]) == int(point["count"]) and point["sum"] > 0
    all_metrics = collector.metrics()
    duration = all_metrics["gen_ai.client.operation.duration"]
    assert duration["unit"] == "s" and duration["histogram"]["aggregationTemporality"] == 2
    tokens = all_metrics["gen_ai.client.token.usage"]
    assert {attributes(p)["gen_ai.token.type"] for p in tokens["histogram"]["dataPoints"]} == {"input", "output"}
    assert "gen_ai.server.time_to_first_token" in all_metrics
    attempts = all_metrics["causeway_attempts_total"]["sum"]
    assert attempts["isMonotonic"] is True and all(p["asDouble"] >= 1 for p in attempts["dataPoints"])
    assert all_metrics["process_resident_memory_bytes"]["gauge"]["dataPoints"][0]["asDouble"] > 1e6
    # Nothing of /metrics is missing.
    names = {name for name in gw.metrics().names() if name.startswith("causeway_")}
    wait_until(lambda: {n for n in names if n.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
                        not in collector.metrics()} == set(), "all of them", timeout=20)


class Receiver:
    """Stands for a receiver that has bad days."""

    def __init__(self):
        self.seen, self.statuses, self.slow = [], [], 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(outer.slow)
                status = outer.statuses.pop(0) if outer.statuses else 200
                outer.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body), status))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("content-length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self, status=200) -> list[dict]:
        return [span for path, _, body, answered in self.seen if path == "/v1/traces" and answered == status
                for request in body["resourceSpans"] for scope in request["scopeSpans"] for span in scope["spans"]]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


def only_traces(config, endpoint) -> dict:
    value = settings(config, endpoint)
    value["otlp"]["metrics"] = "off"
    return value


def ids(spans) -> list[str]:
    return [attributes(s)["causeway.request_id"] for s in spans if "causeway.request_id" in attributes(s)]


def test_what_is_not_taken_is_sent_again(config, make_gateway, receiver):
    receiver.statuses = [503, 429]
    gw = make_gateway(only_traces(config, receiver.url))
    asked = gw.chat("plain").headers["x-request-id"]
    wait_until(lambda: ids(receiver.spans()) == [asked], "the third try", timeout=15)
    assert ids(receiver.spans(503)) == ids(receiver.spans(429)) == [asked]
    path, headers, _, _ = receiver.seen[0]
    assert path == "/v1/traces" and headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["content-type"] == "application/json"
    # The receiver has it before it says so.
    wait_until(lambda: gw.metrics().value("causeway_otlp_exchanges_total", result="sent") == 1, "it was told", timeout=20)
    assert gw.metrics().value("causeway_otlp_failures_total") == 2
    wait_until(lambda: "does not take" in gw.stderr() and "takes what is sent again" in gw.stderr(), "it is said")


def test_what_is_refused_is_dropped_and_counted(config, make_gateway, receiver):
    receiver.statuses = [400]
    gw = make_gateway(only_traces(config, receiver.url))
    gw.chat("plain")
    wait_until(lambda: gw.metrics().value("causeway_otlp_exchanges_total", result="dropped") == 1, "it", timeout=20)
    second = gw.chat("plain").headers["x-request-id"]
    wait_until(lambda: ids(receiver.spans()) == [second], "the next one is taken", timeout=20)
    assert TOKEN not in gw.stderr()


def test_a_receiver_that_is_slow_or_gone_slows_nobody(config, make_gateway, receiver):
    receiver.slow = 30
    value = only_traces(config, receiver.url)
    value["otlp"]["timeout"] = "10s"
    gw = make_gateway(value)
    for _ in range(20):
        began = time.monotonic()
        assert gw.chat("plain").status_code == 200
        assert time.monotonic() - began < 5
    receiver.server.shutdown()
    receiver.server.server_close()
    assert gw.chat("plain").status_code == 200
    began = time.monotonic()
    gw.stop()
    assert time.monotonic() - began < 20


def test_a_receiver_that_hangs_holds_no_end_up(config, make_gateway, receiver):
    receiver.slow = 60
    value = settings(config, receiver.url)
    value["otlp"]["timeout"] = "60s"
    gw = make_gateway(value)
    gw.chat("plain")
    time.sleep(2)  # it is being sent
    began = time.monotonic()
    gw.stop()
    assert time.monotonic() - began < 20


def test_a_reload_changes_where_it_goes(config, make_gateway, receiver):
    value = only_traces(config, "")
    gw = make_gateway(value, args=["--no-watch"])
    gw.chat("plain")
    wait_until(lambda: gw.admin_call("GET", "/api/traces").json()["traces"], "the first one is recorded")
    value["otlp"]["endpoint"] = receiver.url
    gw.write_config(value)
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    asked = gw.chat("plain").headers["x-request-id"]
    wait_until(lambda: ids(receiver.spans()) == [asked], "only what came behind it", timeout=20)
    value["otlp"]["endpoint"] = ""
    gw.write_config(value)
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    gw.chat("plain")
    time.sleep(2)
    assert ids(receiver.spans()) == [asked]


def test_the_end_sends_what_waits(config, make_gateway, receiver):
    gw = make_gateway(settings(config, receiver.url))
    asked = [gw.chat("plain").headers["x-request-id"] for _ in range(5)]
    gw.stop()
    assert sorted(ids(receiver.spans())) == sorted(asked)
    assert any(path == "/v1/metrics" for path, *_ in receiver.seen), "and a last report"
