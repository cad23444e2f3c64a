"""What the tests of alerts share: providers as fast or slow as a test says, callers that ask all the time, a webhook."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import sys
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway import KEY, ROOT, UPSTREAM_KEY, wait_until

sys.path.insert(0, str(ROOT / "examples" / "slow-alert"))
from provider import Server  # noqa: E402

SECRET = "alert-secret-0123456789"
OTHER_KEY = "sk-other-0123456789abcdefghijklmnopqrst"


@contextlib.contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def north():
    with serving(Server()) as server:
        yield server


@pytest.fixture
def south():
    with serving(Server()) as server:
        yield server


class Hook(http.server.ThreadingHTTPServer):
    """A webhook: keeps what it gets; answers with `status`."""

    daemon_threads = True

    def __init__(self):
        outer = self

        class Taking(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.delay)
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Taking)
        self.got, self.status, self.delay = [], 204, 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook"

    def messages(self) -> list[dict]:
        return [json.loads(body) for _, body in list(self.got)]


@pytest.fixture
def hook():
    with serving(Hook()) as server:
        yield server


# Above what a busy machine may hold a few callers up for, which is enough of a p95; SLOW is well above it.
RULE = {"name": "slow", "when": "latency", "above": "1200ms", "rise": 2, "per": "provider", "requests": 3, "for": "500ms",
        "clear": "1s", "severity": "page"}
SLOW_TOKEN_MS, SLOW_MS = 200, 2000  # of ten tokens; of all before the first


def settings(*providers, rules=(RULE,), receivers=None, **more) -> dict:
    names = ("north", "south")[:len(providers)]
    return {
        "providers": {name: {"kind": "openai", "base_url": provider.base_url, "api_key": UPSTREAM_KEY}
                      for name, provider in zip(names, providers)},
        "models": {**{name: {"targets": [f"{name}/small"]} for name in names},
                   "both": {"strategy": "weighted", "targets": [f"{name}/small" for name in names]}},
        "breaker": "off", "policies": [{"name": "once", "retries": "off"}],  # what fails is to be seen
        "keys": [{"name": "test", "secret": KEY}, {"name": "other", "secret": OTHER_KEY}],
        "alerts": {"built_in": "off", "step": "200ms", "window": "3s", "baseline": "1m", "group_wait": "300ms",
                   "retry": "200ms", "rules": list(rules), "receivers": receivers or {}, **more},
    }


class Load:
    """Callers that ask all the time."""

    def __init__(self, gateway, model="both", text="hello there", key=KEY, threads=6, stream=True, pause=0.05):
        self.ending = threading.Event()
        self.gateway, self.model, self.key, self.stream, self.pause = gateway, model, key, stream, pause
        self.text = text
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(threads)]

    def ask(self):
        while not self.ending.wait(self.pause):
            if self.stream:
                self.gateway.chat_stream(self.model, self.text, key=self.key)
            else:
                self.gateway.chat(self.model, self.text, key=self.key)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(20)


def alerts(gateway) -> dict:
    answer = gateway.admin_call("GET", "/api/alerts")
    assert answer.status_code == 200, answer.text
    return answer.json()


def active(gateway, rule=None) -> list[dict]:
    return [a for a in alerts(gateway)["active"] if rule in (None, a["rule"])]


def fires(gateway, rule=None, timeout=30, which=lambda alert: True) -> dict:
    return wait_until(lambda: next((a for a in active(gateway, rule) if which(a)), None), f"an alert {rule}", timeout, 0.1)


def causes(alert) -> set:
    return {(cause["kind"], cause["name"]) for cause in alert["cause"]}


def usual(gateway, seconds=8):
    """Time enough to know what is usual."""
    time.sleep(seconds)
    wait_until(lambda: not active(gateway), "an end of what the machine itself has caused", 30)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) of 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256()))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"
