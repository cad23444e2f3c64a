"""Tokens per second of the embedded model through the gateway, against llama-server asked directly."""

import http.client
import json
import socket
import statistics
import time

from . import configs, machine
from .process import Failed
from .report import Row, Ratio

TOKENS = 128
PROMPT = "Write a long story about a lighthouse keeper and the sea."
CONFIG = """\
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  data: {home}/data
  threads: 1
log:
  access: {home}/access.log
providers:
  local: {{ kind: embedded }}
models:
  chat: {{ targets: [ local/default ] }}
keys:
  - {{ name: bench, secret: "${{BENCH_KEY}}" }}
"""


def generation(context):
    """The child that the gateway started is asked through it; then a second one with the same arguments."""
    case, asked = "embedded generation, tokens/s", "≥ 0.95 × llama-server"
    with context.rig(context.two_cores) as rig:
        home = rig.folder / "embedded"
        home.mkdir()
        config = home / "causeway.yaml"
        config.write_text(CONFIG.format(home=home))
        target, _ = rig.serve(config, _engine_environment())
        through = _through_gateway(target.port)
        _ask_until_ready(through)
        arguments = _engine_arguments(target.pids())
        address = home / "direct.sock"
        engine = rig.start("llama-server", _with_socket(arguments, address))
        direct = lambda: _UnixConnection(str(address))  # noqa: E731
        engine.wait_until(lambda: _healthy(direct), 120, "to load its model", 0.2)
        rounds = []
        for number in range(max(5, context.rounds)):
            pair = {"direct": direct, "gateway": through}
            order = list(pair) if number % 2 == 0 else list(pair)[::-1]
            rounds.append({name: _tokens_per_second(pair[name]) for name in order})
            context.say(f"  round {number + 1}: gateway {rounds[-1]['gateway']:.1f}, direct "
                        f"{rounds[-1]['direct']:.1f} tokens/s")
    ratios = [measured["gateway"] / measured["direct"] for measured in rounds]
    result = Ratio(statistics.median(ratios), min(ratios), max(ratios))
    rates = {name: statistics.median(m[name] for m in rounds) for name in ("gateway", "direct")}
    return [Row(case, asked, f"{result}; gateway {rates['gateway']:.1f}, direct {rates['direct']:.1f}",
                result.median >= 0.95)]


def _engine_environment():
    """The engine and the models lie in the caller's cache, which the gateway finds by this variable."""
    import os
    cache = os.environ.get("CAUSEWAY_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "causeway")
    return {"CAUSEWAY_CACHE": cache}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _through_gateway(port):
    return lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=120)


def _stream(connect):
    """Times of the content events of one greedy answer of TOKENS tokens."""
    body = json.dumps({"model": "chat", "stream": True, "temperature": 0, "seed": 1, "max_tokens": TOKENS,
                       "messages": [{"role": "system", "content": "You are a helpful assistant."},
                                    {"role": "user", "content": PROMPT}]})
    connection = connect()
    connection.request("POST", "/v1/chat/completions", body,
                       {"Content-Type": "application/json", "Authorization": f"Bearer {configs.KEY}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise Failed(f"embedded model: {answer.status} {answer.read()[:300]!r}")
    times = []
    for line in answer:
        if b'"content":"' in line.replace(b'": "', b'":"'):
            times.append(time.monotonic())
    connection.close()
    return times


def _tokens_per_second(connect):
    times = _stream(connect)
    if len(times) < TOKENS / 2:
        raise Failed(f"embedded model: only {len(times)} content events")
    return (len(times) - 1) / (times[-1] - times[0])


def _ask_until_ready(connect, seconds=120):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _stream(connect)
        except Failed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _healthy(connect):
    try:
        connection = connect()
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _engine_arguments(pids):
    for pid in pids:
        arguments = (machine.PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]
        if arguments and arguments[0].endswith(b"llama-server"):
            return [argument.decode() for argument in arguments]
    raise Failed("the gateway runs no llama-server")


def _with_socket(arguments, path):
    changed = list(arguments)
    changed[changed.index("--host") + 1] = str(path)
    return changed
