"""deploy/monitoring: each query of its dashboards and rules in a real Prometheus that scrapes the real program under
load; its alerts by promtool, and one that a real Alertmanager hands on."""

import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

import httpx
import pytest

from conftest import running
from gateway import ADMIN_KEY, CACHE, chat_body, clean_environment, wait_until

PROJECT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = PROJECT / "deploy" / "monitoring"
UNPACKED = CACHE / "monitoring" / "usr" / "bin"  # by scripts/deps --tests
PROGRAMS = {name: shutil.which(name, path=f"{UNPACKED}:{os.environ['PATH']}")
            for name in ("prometheus", "promtool", "prometheus-alertmanager", "amtool")}
RULES = ("recording.rules.yaml", "alerts.rules.yaml")
# Debian's Alertmanager reads its templates from a path that is built in: it sees them there.
WITH_TEMPLATES = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount", "sh", "-c",
                  "mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus && "
                  'mount --bind "$0" /usr/share/prometheus && exec "$@"', str(UNPACKED.parent / "share/prometheus")]
# Of these there is nothing to see in a healthy run of some seconds: no error, but no samples either.
EMPTY_WHEN_WELL = {"causeway:errors", "CausewayDown", "CausewayLatencyRises", "CausewayFirstTokenSlow",
                   "CausewayOwnOverhead", "CausewayKeysRefused", "CausewayPolicyRefuses", "CausewaySpendRises",
                   "CausewayLedgerDrops", "CausewayLedgerBehind", "CausewayConfigRefused", "CausewayLoopsLate", "CausewayDescriptors",
                   "CausewayRestarts"}

pytestmark = pytest.mark.timeout(180)

if not all(PROGRAMS.values()):
    pytest.skip(f"needs {', '.join(PROGRAMS)}: run scripts/deps --tests first", allow_module_level=True)


def tool(*words, folder=DEPLOY):
    done = subprocess.run([PROGRAMS.get(words[0], words[0]), *words[1:]], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_files_are_valid(tmp_path):
    tool("promtool", "check", "rules", *RULES)
    for name in (*RULES, "prometheus.yaml"):
        shutil.copy(DEPLOY / name, tmp_path)
    (tmp_path / "key").write_text(ADMIN_KEY)
    config = (tmp_path / "prometheus.yaml").read_text().replace("/etc/prometheus/causeway.key", str(tmp_path / "key"))
    (tmp_path / "prometheus.yaml").write_text(config)
    tool("promtool", "check", "config", "prometheus.yaml", folder=tmp_path)
    tool("amtool", "check-config", "alertmanager.yaml")


def test_the_dashboards_are_what_the_script_writes():
    tool(PROJECT / "scripts" / "dashboards", "--check", folder=PROJECT)
    for file in (DEPLOY / "grafana").glob("*.json"):
        board = json.loads(file.read_text())
        panels = [p for p in board["panels"] if p["type"] != "row"]
        assert board["uid"] and panels and all(p["targets"] for p in panels)
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
        assert len(set(places)) == len(places), "panels lie on one another"


# --- Alerts with made-up histories ---

M = 'job="causeway", instance="a", gen_ai_operation_name="chat", gen_ai_provider_name="openai", causeway_provider="first", gen_ai_request_model="smart"'
DURATION, ATTEMPTS = "gen_ai_client_operation_duration_seconds", "causeway_attempts_total"


def buckets(name, labels, slow: bool, rate: int):
    """A histogram of whose samples all are below 0.1 s, or above 30 s."""
    few, all_of = (0, rate) if slow else (rate, rate)
    return {f'{name}_bucket{{{labels}, le="0.1"}}': few, f'{name}_bucket{{{labels}, le="1"}}': few, f'{name}_bucket{{{labels}, le="30"}}': few,
            f'{name}_bucket{{{labels}, le="60"}}': all_of, f'{name}_bucket{{{labels}, le="+Inf"}}': all_of}


# alert -> (what grows by how much a minute, minutes until it is seen, labels of the alert beside name and severity);
# a text instead of a number is a series in promtool's own form.
SICK = {
    "CausewayDown": ({'up{job="causeway", instance="a"}': "0+0x60"}, 3, "instance"),
    "CausewayErrors": ({f'{DURATION}_count{{{M}, error_type=""}}': 60,
                        f'{DURATION}_count{{{M}, error_type="timeout"}}': 60}, 15, "gen_ai_request_model"),
    "CausewayProviderFails": ({f'{ATTEMPTS}{{{M}, error_type=""}}': 60, f'{ATTEMPTS}{{{M}, error_type="timeout"}}': 60},
                              15, "error_type"),
    "CausewayProviderLimits": ({f'{ATTEMPTS}{{{M}, error_type=""}}': 60,
                                f'{ATTEMPTS}{{{M}, error_type="rate_limited"}}': 60}, 15, "error_type"),
    "CausewayFirstTokenSlow": (buckets("gen_ai_server_time_to_first_token_seconds", M, True, 60), 20,
                               "gen_ai_request_model"),
    "CausewayOwnOverhead": (buckets("causeway_overhead_seconds", 'job="causeway", gen_ai_operation_name="chat"', True, 60),
                            20, "gen_ai_operation_name"),
    "CausewayKeysRefused": ({f'{DURATION}_count{{{M}, error_type="unauthenticated"}}': 120}, 15, "job"),
    "CausewayPolicyRefuses": ({f'{DURATION}_count{{{M}, error_type="forbidden"}}': 120}, 20, "gen_ai_request_model"),
    "CausewayLedgerDrops": ({'causeway_ledger_dropped_total{job="causeway", instance="a"}': 5}, 15, "instance"),
    "CausewayLedgerBehind": ({'causeway_ledger_unfolded_records{job="causeway", instance="a"}': "60000+0x60"}, 5, "instance"),
    "CausewayConfigRefused": ({'causeway_config_last_reload_successful{job="causeway", instance="a"}': "0+0x60"}, 3, "instance"),
    "CausewayLoopsLate": ({'causeway_loop_late_seconds_total{job="causeway", instance="a", loop="0"}': 60,
                           'causeway_loop_pulses_total{job="causeway", instance="a", loop="0"}': 300}, 12, "instance"),
    "CausewayDescriptors": ({'process_open_fds{job="causeway", instance="a"}': "90+0x60",
                             'process_max_fds{job="causeway", instance="a"}': "100+0x60"}, 10, "instance"),
    "CausewayRestarts": ({'process_start_time_seconds{job="causeway", instance="a"}': "1 1 2 2 3 3 4 4 4 4 4 4"}, 10,
                         "instance"),
    # A day of fast answers, then slow ones; a week of little money, then much.
    "CausewayLatencyRises": ({f'{DURATION}_bucket{{{M}, error_type="", le="1"}}': "0+60x1500 90000+0x120",
                              f'{DURATION}_bucket{{{M}, error_type="", le="60"}}': "0+60x1620",
                              f'{DURATION}_bucket{{{M}, error_type="", le="+Inf"}}': "0+60x1620"}, 1560,
                             "gen_ai_request_model"),
    "CausewaySpendRises": ({f'causeway_cost_micros_total{{{M}}}': "0+1000x10200 10200000+1000000x200"}, 10340, "job"),
}
WELL = {
    'up{job="causeway", instance="a"}': "1+0x1700",
    f'{DURATION}_count{{{M}, error_type=""}}': 600, f'{DURATION}_count{{{M}, error_type="timeout"}}': 1,
    f'{DURATION}_count{{{M}, error_type="unauthenticated"}}': 1,
    f'{ATTEMPTS}{{{M}, error_type=""}}': 600, f'{ATTEMPTS}{{{M}, error_type="rate_limited"}}': 1,
    **buckets("gen_ai_server_time_to_first_token_seconds", M, False, 60),
    **buckets("causeway_overhead_seconds", 'job="causeway", gen_ai_operation_name="chat"', False, 60),
    f'causeway_cost_micros_total{{{M}}}': 1000000,
    'causeway_ledger_dropped_total{job="causeway", instance="a"}': 0,
    'causeway_config_last_reload_successful{job="causeway", instance="a"}': "1+0x1700",
    'causeway_ledger_unfolded_records{job="causeway", instance="a"}': "20+0x1700",
    'causeway_loop_late_seconds_total{job="causeway", instance="a", loop="0"}': "0+0.03x1700",
    'causeway_loop_pulses_total{job="causeway", instance="a", loop="0"}': 300,
    'process_open_fds{job="causeway", instance="a"}': "30+0x1700",
    'process_max_fds{job="causeway", instance="a"}': "1000+0x1700",
    'process_start_time_seconds{job="causeway", instance="a"}': "1+0x1700",
}


def history(tmp_path, series: dict, minutes: int, firing: str) -> None:
    """promtool: which alerts fire then? `firing` is the names, joined by blanks."""
    for name in RULES:
        shutil.copy(DEPLOY / name, tmp_path)
    lines = [{"series": name, "values": value if isinstance(value, str) else f"0+{value}x{minutes + 9}"}
             for name, value in series.items()]
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing.split()]
    (tmp_path / "history.yaml").write_text(json.dumps({
        "rule_files": list(RULES), "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": lines, "promql_expr_test": [{
                "expr": 'max by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{minutes}m",
                "exp_samples": samples}]}]}))
    tool("promtool", "test", "rules", "history.yaml", folder=tmp_path)


def test_every_alert_has_its_history():
    text = (DEPLOY / "alerts.rules.yaml").read_text()
    assert set(re.findall(r"alert: (\w+)", text)) == set(SICK)
    assert text.count("summary:") == text.count("action:") == len(SICK)


@pytest.mark.parametrize("alert", SICK)
def test_an_alert_fires_when_it_should_and_names_what(tmp_path, alert):
    series, minutes, label = SICK[alert]
    history(tmp_path, series, minutes, alert)
    rule = (DEPLOY / "alerts.rules.yaml").read_text().split(f"alert: {alert}\n")[1].split("- alert:")[0]
    assert "$labels." + label in rule or label == "job" or label in rule


def test_no_alert_fires_when_all_is_well(tmp_path):
    history(tmp_path, WELL, 1600, "")


# --- The real thing ---

def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Receiver(http.server.BaseHTTPRequestHandler):
    heard: list[dict] = []

    def do_POST(self):
        Receiver.heard += json.loads(self.rfile.read(int(self.headers["content-length"])))["alerts"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def quick(text: str) -> str:
    """The rules with windows and patience of seconds, for a run of seconds."""
    text = re.sub(r"offset 1h", "offset 5s", re.sub(r"for: \d+m", "for: 4s", text))
    return re.sub(r"\[[\dmhd:]+\]", lambda m: "[20s:1s]" if ":" in m[0] else "[15s]", text)


class Monitoring:
    def __init__(self, folder: pathlib.Path, gateway):
        self.folder, self.gateway, self.started = folder, gateway, []
        self.receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.receiver.serve_forever, daemon=True).start()
        folder.mkdir()
        ports = self.port, alerts = free_port(), free_port()
        (folder / "key").write_text(ADMIN_KEY)
        for name in RULES:
            (folder / name).write_text(quick((DEPLOY / name).read_text()))
        self.write("prometheus.yaml", {"15s": "2s", "/etc/prometheus/causeway.key": str(folder / "key"),
                                       "127.0.0.1:8081": gateway.admin, "127.0.0.1:9093": f"127.0.0.1:{alerts}"})
        self.write("alertmanager.yaml", {"15s": "1s", "2m": "1s", "127.0.0.1:9095": f"127.0.0.1:{self.receiver.server_port}"})
        self.start("prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address=127.0.0.1:{ports[0]}")
        self.start("prometheus-alertmanager", f"--config.file={folder}/alertmanager.yaml",
                   f"--storage.path={folder}/alerts", f"--web.listen-address=127.0.0.1:{alerts}",
                   "--cluster.listen-address=")

    def write(self, name: str, replaced: dict[str, str]):
        text = (DEPLOY / name).read_text()
        for old, new in replaced.items():
            assert old in text, (name, old)
            text = text.replace(old, new)
        (self.folder / name).write_text(text)

    def start(self, *words):
        log = open(self.folder / f"{words[0]}.log", "wb")  # noqa: SIM115
        unpacked = words[0] == "prometheus-alertmanager" and PROGRAMS[words[0]].startswith(str(UNPACKED))
        words = [*(WITH_TEMPLATES if unpacked else []), PROGRAMS[words[0]], *words[1:]]
        self.started.append(subprocess.Popen(words, stdout=log, stderr=log, env=clean_environment()))

    def stop(self):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait(20)
        self.receiver.shutdown()
        self.receiver.server_close()

    def need_alertmanager(self):
        said = (self.folder / "prometheus-alertmanager.log").read_text()
        if self.started[1].poll() is not None and said.startswith("unshare:"):
            pytest.skip(f"no mount namespace: {said.strip()}")

    def get(self, path: str, **parameters):
        answer = httpx.get(f"http://127.0.0.1:{self.port}/api/v1/{path}", params=parameters, timeout=20)
        if answer.status_code == 503:  # it is starting
            answer.raise_for_status()
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, words: str) -> list:
        return self.get("query", query=words)["result"]

    def is_up(self) -> bool:
        try:
            return bool(self.query('up{job="causeway"} == 1'))
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def gateway(config, session_folder):
    settings = config()
    settings["prices"] = {"models": {"fake/echo": {"input": "2000", "output": "8000"}}}
    settings["models"] |= {name: {"targets": [f"fake/{target}"]} for name, target in
                           (("private", "echo"), ("sick", "s500"), ("busy", "s429"))}
    settings["policies"] = [{"name": "private", "match": {"models": ["private"]}, "pii": "mask",
                             "minimise": {"max_messages": 2, "keep_last": 1}}]
    with running(session_folder / "monitored", settings) as made:
        yield made


@pytest.fixture(scope="module")
def load(gateway):
    """A little of everything, until the tests are over; `load.sick` has models asked that fail, too."""
    class Load(threading.Thread):
        ended = threading.Event()
        sick = threading.Event()

        def run(self):
            private = [{"role": "user", "content": "write to ann@example.com"},
                       *[{"role": "assistant", "content": "an old answer " * 20}] * 5,
                       {"role": "user", "content": "and now to ann@example.com?"}]
            while not self.ended.wait(0.05):
                gateway.chat("fake/echo", "hello there")
                gateway.chat_stream("fake/echo", "hello there")
                gateway.post("/v1/chat/completions", {"model": "private", "messages": private})
                with gateway.raw() as left:
                    left.send(gateway.request_bytes(chat_body("fake/slow-stream", stream=True)))
                    time.sleep(0.02)
                if self.sick.is_set():
                    gateway.chat("sick", "hello")
                    gateway.chat("busy", "hello")

    thread = Load()
    thread.start()
    yield thread
    thread.ended.set()
    thread.join()


@pytest.fixture(scope="module")
def monitoring(gateway, load, session_folder):
    made = Monitoring(session_folder / "monitoring", gateway)
    wait_until(made.is_up, "Prometheus scrapes", timeout=30)
    yield made
    made.stop()


def test_every_query_has_an_answer(monitoring, load):
    load.sick.set()
    rules = [rule for group in monitoring.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == sum((DEPLOY / name).read_text().count(word)
                             for name, word in zip(RULES, ("record:", "alert:")))
    script = tool(PROJECT / "scripts" / "dashboards", "--queries", folder=PROJECT).splitlines()
    queries = {line: quick(line).replace("$__rate_interval", "15s").replace('"$job"', '".*"')
               .replace('"$model"', '".*"').replace('"$provider"', '".*"') for line in script}
    queries |= {rule["name"]: rule["query"] for rule in rules if rule["name"] not in EMPTY_WHEN_WELL}
    assert not any("$" in query for query in queries.values())

    def without_answer():
        return {name: query for name, query in queries.items() if not monitoring.query(query)}
    end = time.monotonic() + 60
    while (left := without_answer()) and time.monotonic() < end:
        time.sleep(0.5)
    assert not left
    for rule in rules:
        assert rule["health"] == "ok", rule
        monitoring.query(rule["query"])
    money = monitoring.query("sum(causeway:cost:per_hour)")
    assert float(money[0]["value"][1]) > 0
    load.sick.clear()


def test_an_alert_reaches_the_operator_and_is_taken_back(monitoring, load):
    monitoring.need_alertmanager()
    load.sick.set()
    def heard(status, name="CausewayErrors"):
        return [alert for alert in Receiver.heard if alert["status"] == status and
                alert["labels"]["alertname"] == name and alert["labels"]["gen_ai_request_model"] == "sick"]
    found = wait_until(lambda: heard("firing"), "the alert", timeout=60)[0]
    assert "sick" in found["annotations"]["summary"] and found["annotations"]["action"]
    fails = wait_until(lambda: heard("firing", "CausewayProviderFails"), "the provider's alert", timeout=60)[0]
    assert fails["labels"]["error_type"] == "upstream_failed" and "fake" in fails["annotations"]["summary"]
    load.sick.clear()
    wait_until(lambda: heard("resolved"), "it is taken back", timeout=60)


def test_a_gateway_that_is_down_is_told_alone(monitoring, gateway, load):
    monitoring.need_alertmanager()
    load.ended.set()
    load.join()
    gateway.stop()
    found = wait_until(lambda: [a for a in Receiver.heard if a["labels"]["alertname"] == "CausewayDown"],
                       "the alert", timeout=60)[0]
    assert found["labels"]["severity"] == "critical"
    gateway.start()
