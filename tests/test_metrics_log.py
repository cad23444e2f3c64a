"""What an operator sees: /metrics in Prometheus' form, one access-log line per exchange."""

import re
import socket
import time

from gateway import KEY, UPSTREAM_KEY, chat_body, wait_until


def at_rest(gw):
    """The metrics when all that was asked before has been counted."""
    gw.at_rest()
    return gw.metrics()


def delta(gw, before, name, at_least=1, **labels):
    """How much a sample has grown; waits, since cells are gathered when scraped."""
    def grown():
        return gw.metrics().value(name, **labels) - before.value(name, **labels)
    return wait_until(lambda: grown() >= at_least and grown(), f"{name} {labels} grows", timeout=20)


CHAT = {"gen_ai_operation_name": "chat", "gen_ai_request_model": "echo", "gen_ai_provider_name": "openai"}


def test_tokens_and_durations(gw):
    before = at_rest(gw)
    answer = gw.chat("echo", "a b c")
    usage = answer.json()["usage"]
    assert delta(gw, before, "gen_ai_client_token_usage_count", at_least=2, **CHAT) == 2
    for kind, name in (("input", "prompt_tokens"), ("output", "completion_tokens")):
        assert delta(gw, before, "gen_ai_client_token_usage_sum", gen_ai_token_type=kind, **CHAT) == usage[name]
    assert delta(gw, before, "gen_ai_client_operation_duration_seconds_count", **CHAT) == 1
    assert delta(gw, before, "gen_ai_server_request_duration_seconds_count", **CHAT) == 1


def test_time_to_first_token_of_streams(gw):
    before = at_rest(gw)
    gw.chat_stream("fake/slow-first-byte")
    labels = {"gen_ai_operation_name": "chat"}
    delta(gw, before, "gen_ai_server_time_to_first_token_seconds_count", **labels)
    took = delta(gw, before, "gen_ai_server_time_to_first_token_seconds_sum", at_least=1.4, **labels)
    assert took < 5


def test_buckets_are_those_of_the_convention(gw):
    gw.chat("echo")
    metrics = at_rest(gw)
    bounds = lambda name: sorted({float(ls["le"]) for n, ls, _ in metrics.samples if n == name + "_bucket"})
    tokens = bounds("gen_ai_client_token_usage")
    assert tokens[:4] == [1, 4, 16, 64] and tokens[-2:] == [67108864, float("inf")]
    seconds = bounds("gen_ai_client_operation_duration_seconds")
    assert seconds[0] == 0.01 and seconds[-2:] == [81.92, float("inf")]


def test_histograms_are_consistent(gw):
    gw.chat("echo")
    series = {}
    metrics = at_rest(gw)
    for name, labels, value in metrics.samples:
        if name.endswith("_bucket"):
            key = (name, tuple(sorted((k, v) for k, v in labels.items() if k != "le")))
            series.setdefault(key, []).append((float(labels["le"]), value))
    assert series
    for (name, labels), buckets in series.items():
        values = [v for _, v in sorted(buckets)]
        assert values == sorted(values), name
        assert values[-1] == metrics.value(name.removesuffix("_bucket") + "_count", **dict(labels)), name


def test_errors_are_counted_by_class(gw):
    before = at_rest(gw)
    gw.chat("fake/s429")
    gw.chat("fake/garbage")
    gw.chat_stream("fake/cut-mid-stream")
    for kind in ("rate_limited", "upstream_broken"):
        delta(gw, before, "gen_ai_client_operation_duration_seconds_count", error_type=kind)


def test_own_overhead(gw):
    before = at_rest(gw)
    gw.chat("fake/slow-first-byte")
    name = "causeway_overhead_seconds"
    assert delta(gw, before, name + "_count") == 1
    assert gw.metrics().value(name + "_sum") - before.value(name + "_sum") < 0.5, "the model's time is not ours"


def test_process_metrics(gw):
    metrics = at_rest(gw)
    assert metrics.value("process_resident_memory_bytes") > 1 << 20
    assert abs(metrics.value("process_start_time_seconds") - time.time()) < 3600
    assert metrics.value("process_open_fds") > 3


def test_form_of_the_page(gw):
    answer = gw.admin_call("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    typed = re.findall(r"^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$", answer.text, re.MULTILINE)
    assert typed and len({n for n, _ in typed}) == len(typed), "each metric has one TYPE line"
    for name, kind in typed:
        if kind == "counter":
            assert name.endswith("_total"), name


def test_labels_come_from_the_config_only(gw):
    """Names from outside never become labels: a million of them would be a million series."""
    for i in range(50):
        gw.chat(f"invented-{i}")
        gw.chat("echo", user=f"user-{i}", key=f"sk-{i}")
        gw.get(f"/v1/path-{i}")
    text = at_rest(gw).text
    assert not re.search(r"invented-\d|user-\d|path-\d|sk-\d", text)
    before = len(at_rest(gw).samples)
    for i in range(50, 150):
        gw.chat(f"invented-{i}")
    assert len(at_rest(gw).samples) <= before + 30


def test_models_of_a_provider_are_bounded_as_labels(gw):
    """`fake/anything` is passed on, so such names too must not grow without bound: at the bound, more
    of them are counted as `other`."""
    for i in range(300):
        gw.chat(f"fake/any-{i}")
    before = len(at_rest(gw).samples)
    for i in range(300, 400):
        gw.chat(f"fake/any-{i}")
    assert len(at_rest(gw).samples) < before * 1.05


def test_no_secret_and_no_words_in_metrics_or_log(gw):
    gw.chat("echo", "the-words-of-a-person")
    gw.chat_stream("echo", "the-words-of-a-person")
    answer = gw.chat("fake/s400", "the-words-of-a-person")
    gw.log_of(answer.headers["x-request-id"])
    for text in (gw.metrics().text, gw.stdout(), gw.stderr()):
        for secret in ("the-words-of-a-person", KEY, UPSTREAM_KEY):
            assert secret not in text


# --- access log

FIELDS = {"time", "request_id", "trace_id", "key_id", "tenant", "user", "operation", "method", "path", "provider",
          "model", "target", "dialect", "stream", "status", "error", "input_tokens", "output_tokens",
          "usage_source", "total_ms", "overhead_ms", "attempts"}


def test_one_line_with_all_fields(gw, mark):
    answer = gw.chat("echo", mark + " b")
    line = gw.log_of(answer.headers["x-request-id"])
    assert FIELDS <= set(line), FIELDS - set(line)
    assert line["operation"] == "chat" and line["dialect"] == "openai"
    assert (line["model"], line["target"], line["provider"]) == ("echo", "fake/echo", "fake")
    assert line["status"] == 200 and line["error"] is None and line["stream"] is False
    assert (line["input_tokens"], line["output_tokens"]) == (2, 4) and line["usage_source"] == "reported"
    assert line["attempts"] == 1
    assert re.fullmatch(r"[0-9a-f]{32}", line["trace_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["time"])
    assert 0 <= line["overhead_ms"] <= line["total_ms"]


def test_line_of_a_stream(gw):
    answer = gw.chat_stream("fake/slow-first-byte", "a b")
    line = gw.log_of(answer.header("x-request-id"))
    assert line["stream"] is True and line["usage_source"] == "reported"
    assert 1400 <= line["ttft_ms"] <= line["total_ms"]
    assert line["overhead_ms"] < 500


def test_a_caller_who_sends_slowly_is_no_time_of_ours(gw, mark):
    request = gw.request_bytes(chat_body("echo", mark))
    with gw.raw() as raw:
        raw.send(request[:-20])
        time.sleep(1)
        raw.send(request[-20:])
        answer = raw.answer()
    line = gw.log_of(answer.header("x-request-id"))
    assert line["total_ms"] >= 950
    assert line["overhead_ms"] < 500
    assert float(answer.header("x-causeway-overhead-ms")) < 500


def test_a_caller_who_reads_slowly_is_no_time_of_ours(gw, mark):
    with gw.raw(timeout=30) as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        raw.send(gw.request_bytes(chat_body("echo", mark + "x" * (12 << 20))))
        wait_until(lambda: raw.socket.recv(1, socket.MSG_PEEK), "it answers")
        time.sleep(1.5)
        answer = raw.answer()
    line = gw.log_of(answer.header("x-request-id"))
    assert line["total_ms"] >= 1450
    assert line["overhead_ms"] < line["total_ms"] - 1000


def test_a_stream_that_is_read_slowly_is_no_slow_provider(gw):
    before = gw.metrics()
    with gw.raw(timeout=30) as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        raw.send(gw.request_bytes(chat_body("fake/huge-events", stream=True)))
        wait_until(lambda: raw.socket.recv(1, socket.MSG_PEEK), "it answers")
        time.sleep(1.5)
        answer = raw.answer()
    line = gw.log_of(answer.header("x-request-id"), timeout=10)
    assert line["total_ms"] >= 1450
    took = delta(gw, before, "gen_ai_server_request_duration_seconds_sum", at_least=1e-6,
                 gen_ai_operation_name="chat", gen_ai_provider_name="openai")
    assert took < line["total_ms"] / 1000 - 1


def test_line_of_a_refusal(gw):
    answer = gw.chat("no-such-model")
    line = gw.log_of(answer.headers["x-request-id"])
    assert (line["status"], line["error"]) == (404, "not_found")
    answer = gw.chat("echo", key=None)
    line = gw.log_of(answer.headers["x-request-id"])
    assert (line["status"], line["error"]) == (401, "unauthenticated")


def test_log_lines_cannot_be_forged(gw, mark):
    """Control characters and quotes from outside stay inside their JSON string."""
    answer = gw.chat(f'x"\n{{"request_id":"forged-{mark}"}}\n')
    gw.log_of(answer.headers["x-request-id"])
    assert not [l for l in gw.access_log() if l["request_id"] == f"forged-{mark}"]


def test_every_exchange_has_a_line(config, make_gateway):
    gw = make_gateway(config())
    ids = {gw.chat("echo").headers["x-request-id"] for _ in range(100)}
    assert len(ids) == 100
    wait_until(lambda: {l["request_id"] for l in gw.access_log()} >= ids, "all lines")
    assert len(gw.access_log()) == 100


def test_log_can_be_off_by_policy(config, make_gateway):
    settings = config()
    settings["policies"] = [{"name": "quiet", "match": {"models": ["embed"]}, "log": "off"}]
    gw = make_gateway(settings)
    quiet = gw.post("/v1/embeddings", {"model": "embed", "input": "x"})
    assert quiet.status_code == 200
    loud = gw.chat("echo")
    gw.log_of(loud.headers["x-request-id"])
    assert quiet.headers["x-request-id"] not in gw.stdout()


def test_targets_that_were_tried_in_vain_are_told(config, make_gateway):
    settings = config()
    settings["providers"] |= {"down": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"},
                              "nowhere": {"kind": "openai", "base_url": "http://nowhere.invalid/v1"}}
    settings["models"]["smart"] = {"targets": ["down/gpt", "fake/s500", "fake/echo"]}
    gw = make_gateway(settings)
    answer = gw.chat("smart")
    assert answer.status_code == 200
    line = gw.log_of(answer.headers["x-request-id"])
    assert line["attempts"] == 3 and line["target"] == "fake/echo"
    assert line["failed"] == "down/gpt connect_failed, fake/s500 upstream_error", line
    metrics = at_rest(gw)
    for provider, error in (("down", "connect_failed"), ("fake", "upstream_failed"), ("fake", "")):
        assert metrics.value("causeway_attempts_total", causeway_provider=provider, error_type=error) == 1
    assert "failed" not in gw.log_of(gw.chat("echo").headers["x-request-id"])
