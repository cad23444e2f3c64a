"""Alerts of the real program: conditions, the causes that they name, all clear, settings."""

import datetime
import json
import os
import signal
import ssl
import subprocess
import threading
import time

import pytest

from alert_world import (OTHER_KEY, RULE, SLOW_MS, SLOW_TOKEN_MS, Load, active, alerts, causes, certificate, fires,  # noqa: F401
                         north, serving, settings, south, usual)
from gateway import ROOT, UPSTREAM_KEY, binary, clean_environment, wait_until
from provider import Handler, Server

pytestmark = pytest.mark.timeout(150)


def test_a_slow_provider_is_named_with_the_reason_and_then_all_clear(make_gateway, north, south):
    gateway = make_gateway(settings(north, south))
    with Load(gateway):
        usual(gateway)
        began = time.monotonic()
        north.settings["token_ms"] = SLOW_TOKEN_MS
        alert = fires(gateway, "slow", timeout=30)
        assert time.monotonic() - began < 30
        assert ("provider", "north") in causes(alert) and ("latency_part", "generation") in causes(alert), alert
        assert ("provider", "south") not in causes(alert)
        assert ("latency_part", "longer_prompts") not in causes(alert)
        assert "slow generation: north" in alert["cause"][1]["text"]
        assert "Fail over" in alert["advice"]
        assert "target=north%2F" in alert["links"]["traces"]
        assert gateway.admin_call("GET", "/api/traces" + alert["links"]["traces"]).status_code == 200
        assert "slow generation" in gateway.stderr(), "the log has it"
        north.settings["token_ms"] = 3
        wait_until(lambda: not active(gateway), "all clear", 30)
    over, = [a for a in alerts(gateway)["recent"] if a["id"] == alert["id"]]
    assert over["ended"]
    assert "alert is over" in gateway.stderr()
    assert gateway.metrics().value("causeway_alerts_active", rule="slow") == 0


def test_a_provider_that_is_slow_to_begin(make_gateway, north):
    gateway = make_gateway(settings(north))
    with Load(gateway, "north"):
        usual(gateway)
        north.settings["first_ms"] = SLOW_MS
        alert = fires(gateway, "slow")
    assert ("latency_part", "first_token") in causes(alert), alert


def test_a_gateway_without_processor_does_not_blame_the_provider_alone(make_gateway, north):
    rules = [RULE, {"name": "late", "when": "loop_lag", "above": "200ms", "for": "500ms", "clear": "1s"}]
    gateway = make_gateway(settings(north, rules=rules))
    lag = lambda: (gateway.metrics().value("causeway_loop_late_seconds_total")  # noqa: E731
                   / gateway.metrics().value("causeway_loop_pulses_total"))
    with Load(gateway, "north"):
        usual(gateway)
        before = lag()
        ending = threading.Event()

        def starve():  # three quarters of the time it does not run
            while not ending.wait(0.7):
                os.kill(gateway.process.pid, signal.SIGSTOP)
                time.sleep(2)
                os.kill(gateway.process.pid, signal.SIGCONT)

        starving = threading.Thread(target=starve)
        starving.start()
        try:
            late = fires(gateway, "late")
            slow = fires(gateway, "slow", which=lambda alert: ("process", "processor") in causes(alert))
        finally:
            ending.set()
            starving.join()
        assert "How late Causeway looks" in late["summary"] and late["limit_text"] == "200 ms" and causes(late) == {("process", "processor")}, late
        assert late["value_text"] in late["summary"] and late["value"] > 200_000, late
        assert slow["cause"][0]["kind"] == "process" and "Fail over" not in slow["advice"] and "Give Causeway more processor" in slow["advice"], slow
        assert lag() > before + 0.1
        wait_until(lambda: not active(gateway), "all clear", 30)


def test_whole_answers_have_causes_as_well(make_gateway, north):
    gateway = make_gateway(settings(north))
    with Load(gateway, "north", stream=False):
        usual(gateway)
        north.settings["token_ms"] = SLOW_TOKEN_MS
        alert = fires(gateway, "slow")
    assert ("latency_part", "generation") in causes(alert), alert


def test_longer_prompts_of_one_key_are_named(make_gateway, north):
    gateway = make_gateway(settings(north))

    # A model that takes longer for longer prompts, as models do.
    usual_answer = Handler.do_POST

    def by_length(handler):
        size = int(handler.headers["Content-Length"])
        time.sleep(size / 7000 if size > 2000 else 0)
        usual_answer(handler)

    Handler.do_POST = by_length
    try:
        with Load(gateway, "north", threads=2), Load(gateway, "north", key=OTHER_KEY) as other:
            usual(gateway)
            other.text = "and so on " * 1500
            alert = fires(gateway, "slow")
    finally:
        Handler.do_POST = usual_answer
    assert {("key", "other"), ("latency_part", "longer_prompts")} <= causes(alert), alert
    assert ("key", "test") not in causes(alert)
    assert "minimise" in alert["advice"]


def test_two_causes_at_once_are_both_named(make_gateway, north, south):
    rule = {**RULE, "per": "all"}
    gateway = make_gateway(settings(north, south, rules=[rule]))
    with Load(gateway, "north", threads=4), Load(gateway, "south", threads=4):
        usual(gateway)
        north.settings["token_ms"] = SLOW_TOKEN_MS
        south.settings["first_ms"] = SLOW_MS
        both = {("provider", "north"), ("provider", "south"), ("latency_part", "generation"), ("latency_part", "first_token")}
        alert = fires(gateway, "slow", which=lambda a: both <= causes(a))
    assert both <= causes(alert), alert


class SlowToConnect(Server):
    """A provider behind TLS whose handshake takes a while, and who keeps no connection."""

    def __init__(self, certificate):
        super().__init__()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.handshake_ms = 0

    def finish_request(self, request, address):
        time.sleep(self.handshake_ms / 1000)
        with self.context.wrap_socket(request, server_side=True) as secure:
            handler = type("Closing", (Handler,), {"protocol_version": "HTTP/1.1", "end_headers": closing})
            handler(secure, address, self)

    def handle_error(self, *_):
        pass

    @property
    def base_url(self):
        return super().base_url.replace("http:", "https:")


def closing(handler):
    handler.send_header("Connection", "close")
    Handler.end_headers(handler)


def test_a_slow_network_is_named(make_gateway, certificate):
    with serving(SlowToConnect(certificate)) as provider:
        value = settings(provider)
        value["providers"]["north"]["ca_file"] = str(certificate[0])
        gateway = make_gateway(value)
        with Load(gateway, "north", stream=False):
            usual(gateway)
            provider.handshake_ms = SLOW_MS
            alert = fires(gateway, "slow")
    assert ("latency_part", "network") in causes(alert), alert
    assert "connecting to north" in json.dumps(alert["cause"])


def test_errors_by_class_and_provider(make_gateway, north, south):
    rules = [{"name": "errors", "when": "errors", "above": "10%", "requests": 5, "for": "300ms", "clear": "1s"},
             {"name": "tries", "when": "provider_errors", "above": "30%", "per": "provider", "requests": 5, "for": "300ms",
              "clear": "1s"},
             {"name": "limits", "when": "errors", "above": "10%", "error_classes": ["rate_limited"], "requests": 5,
              "for": "300ms", "clear": "1s"}]
    gateway = make_gateway(settings(north, south, rules=rules))
    with Load(gateway, "north", threads=3), Load(gateway, "south", threads=3), Load(gateway, "both", threads=3):
        north.settings["status"] = 500
        alert = fires(gateway, "errors")
        assert {("provider", "north"), ("error_class", "upstream_failed")} <= causes(alert), alert
        assert ("provider", "south") not in causes(alert)
        alert = fires(gateway, "tries")
        assert alert["group"] == "provider north" and ("error_class", "upstream_failed") in causes(alert), alert
        assert not active(gateway, "limits")
        north.settings["status"] = 429
        alert = fires(gateway, "limits")
        assert ("error_class", "rate_limited") in causes(alert), alert
        north.settings["status"] = 200
        wait_until(lambda: not active(gateway), "all clear", 30)


def test_callers_own_faults_are_no_alert(make_gateway, north):
    rules = [{"name": "errors", "when": "errors", "above": "1%", "requests": 5, "for": "0s"}]
    gateway = make_gateway(settings(north, rules=rules))
    for _ in range(30):
        assert gateway.chat("no-such-model").status_code == 404
    time.sleep(1.5)
    assert not active(gateway)


def test_our_own_limits_are_no_alert(make_gateway, north):
    """A limit that does its work is no failure; a provider's 429 is."""
    rules = [{"name": "errors", "when": "errors", "above": "1%", "requests": 5, "for": "0s"}]
    value = settings(north, rules=rules)
    value["policies"][0]["limits"] = [{"per": "key", "requests": 3, "window": "1m"}]
    gateway = make_gateway(value)
    codes = [gateway.chat("north").status_code for _ in range(30)]
    assert codes == [200] * 3 + [429] * 27
    assert gateway.admin_call("POST", "/api/blocks", {"who": "key:other"}).status_code == 201
    assert {gateway.chat("north", key=OTHER_KEY).status_code for _ in range(10)} == {429}
    time.sleep(1.5)
    assert not active(gateway)
    value["policies"][0]["limits"] = []
    gateway.write_config(value)
    assert gateway.admin_call("POST", "/api/reload").status_code == 200
    north.settings["status"] = 429
    assert {gateway.chat("north").status_code for _ in range(10)} == {429}
    alert = fires(gateway, "errors")
    assert ("error_class", "rate_limited") in causes(alert), alert


def test_failed_authentication_names_the_address(make_gateway, north):
    rules = [{"name": "keys", "when": "failed_auth", "above": "60", "for": "0s", "clear": "500ms"}]
    gateway = make_gateway(settings(north, rules=rules))
    for _ in range(20):
        assert gateway.chat("north", key="sk-wrong-0123456789abcdefghijklmn").status_code == 401
    alert = fires(gateway, "keys")
    assert ("address", "127.0.0.1") in causes(alert), alert
    assert "error=unauthenticated" in alert["links"]["traces"]
    wait_until(lambda: not active(gateway), "all clear", 20)


def test_spend_names_the_key(make_gateway, north):
    value = settings(north, rules=[{"name": "spend", "when": "spend", "above": "5", "for": "0s"}])
    value["prices"] = {"models": {"north": {"input": 1000, "output": 1000}}}
    gateway = make_gateway(value)
    assert gateway.chat("north").status_code == 200
    for _ in range(20):
        assert gateway.chat("north", "word " * 100, key=OTHER_KEY).status_code == 200
    alert = fires(gateway, "spend")
    assert ("key", "other") in causes(alert) and ("key", "test") not in causes(alert), alert


def test_a_model_that_changes_silently(make_gateway, north):
    rules = [{"name": "changed", "when": "model_change"}]
    gateway = make_gateway(settings(north, rules=rules, baseline="3s"))
    north.settings.update(model="small-2026-01-01", fingerprint="fp_1")
    assert gateway.chat("north").status_code == 200
    gateway.chat_stream("north")
    time.sleep(1)
    assert not active(gateway)
    time.sleep(5)
    north.settings["fingerprint"] = "fp_2"
    gateway.chat_stream("north")
    alert = fires(gateway, "changed")
    assert "fp_2 instead of fp_1" in alert["summary"], alert
    north.settings["model"] = "small-2026-09-09"
    assert gateway.chat("north").status_code == 200
    alert = fires(gateway, "changed", which=lambda a: "2026-09-09" in a["summary"])
    assert "small-2026-09-09 instead of small-2026-01-01" in alert["summary"]
    gateway.stop()
    gateway.start()
    assert gateway.chat("north").status_code == 200
    time.sleep(1)
    assert not active(gateway), "known also after a restart"
    north.settings["model"] = "small-2026-10-10"
    assert gateway.chat("north").status_code == 200
    fires(gateway, "changed", which=lambda a: "2026-10-10" in a["summary"])


def test_a_date_that_nears(make_gateway, north):
    soon = datetime.date.today() + datetime.timedelta(days=12)
    rules = [{"name": "ends", "when": "retirement", "above": "30d"}]
    value = settings(north, rules=rules, retires={"north/small": soon.isoformat()})
    gateway = make_gateway(value)
    alert = fires(gateway, "ends")
    assert soon.isoformat() in alert["summary"] and "north/small" in alert["summary"], alert
    value["alerts"]["retires"] = {"north/small": "2099-01-01"}
    gateway.write_config(value)
    assert gateway.admin_call("POST", "/api/reload").status_code == 200
    wait_until(lambda: not active(gateway), "the date is far", 5)


def test_dates_come_from_the_catalogue(make_gateway, north):
    """Of a provider whose list prices apply, for exactly this name."""
    line = next(line.split("\t") for line in (ROOT / "src/features/insight/ledger/prices.tsv").read_text().splitlines()
                if line.startswith("openai\tgpt-") and line.split("\t")[-1].startswith("20"))
    value = settings(north, rules=[{"name": "ends", "when": "retirement", "above": "36500d"}])
    value["providers"]["openai"] = {"kind": "openai", "base_url": north.base_url, "api_key": UPSTREAM_KEY}
    value["models"] = {"m": {"targets": [f"openai/{line[1]}"]}}
    gateway = make_gateway(value)
    alert = fires(gateway, "ends")
    assert line[-1] in alert["summary"] and "price catalogue" in alert["cause"][0]["text"], alert


@pytest.mark.parametrize("change, word", [
    ({"rules": [{"name": "a", "when": "loop_lag", "above": "1s", "per": "provider"}]}, "whole process"),
    ({"rules": [{"name": "a", "when": "loop_lag", "above": "1s", "targets": ["a/b"]}]}, "whole process"),
    ({"rules": [{"name": "a", "when": "loop_lag", "above": "1s", "rise": 2}]}, "whole process"),
    ({"rules": [{"name": "a", "when": "loop_lag"}]}, "`above` must be there: a time"),
    ({"rules": [{"name": "x", "when": "latency", "above": "5%"}]}, "must be a time"),
    ({"rules": [{"name": "x", "when": "errors", "above": "5s"}]}, "must be a share"),
    ({"rules": [{"name": "x", "when": "latency"}]}, "`above` must be there"),
    ({"rules": [{"name": "x", "when": "latncy"}]}, "latency"),
    ({"rules": [{"name": "x", "when": "latency", "above": "5s", "receivers": ["opps"]}],
      "receivers": {"ops": {"kind": "slack", "url": "https://x.example"}}}, 'did you mean "ops"'),
    ({"receivers": {"ops": {"kind": "webhook"}}}, "`url`"),
    ({"receivers": {"ops": {"kind": "email", "server": "mail:25", "from": "a@b", "to": "c@d"}}}, "smtp://"),
    ({"receivers": {"ops": {"kind": "email", "server": "smtp://mail:25", "from": "a@b", "to": "c@d\r\nX: y"}}}, "address"),
    ({"retires": {"a/b": "soon"}}, "2027-01-31"),
    ({"window": "1s", "step": "2s"}, "`window`")])
def test_settings_that_cannot_be(tmp_path, change, word):
    (tmp_path / "causeway.yaml").write_text(json.dumps({"alerts": change}))
    done = subprocess.run([str(binary()), "check", str(tmp_path / "causeway.yaml")], capture_output=True, text=True,
                          env=clean_environment(), timeout=30)
    assert done.returncode != 0 and word in done.stdout + done.stderr, done.stdout + done.stderr
