"""What is measured, and what is asked of it. Each case takes a Context and returns rows of the table."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from . import configs, embedded, idle, load, sizing, traffic
from .report import Row, medians, ratio
from .rig import Rig


@dataclass
class Context:
    program: Path  # the gateway
    tools: Path
    rounds: int
    seconds: int  # of one measurement
    one_core: set
    two_cores: set
    quick: bool
    say: callable

    def rig(self, cores=None):
        return Rig(self.program, self.tools, cores or self.one_core)

    def interleave(self, targets, measure):
        """Every target once a round, in turning order, after a short warm-up: [{name: Measured}]."""
        for target in targets:
            measure(target, 1)
        rounds = []
        for number in range(self.rounds):
            order = targets if number % 2 == 0 else targets[::-1]
            rounds.append({target.name: measure(target, self.seconds) for target in order})
            told = ", ".join(f"{t.name} {rounds[-1][t.name].cpu_us:.2f}" for t in targets)
            self.say(f"  round {number + 1}/{self.rounds}: {told} µs")
        return [{t.name: measured[t.name] for t in targets} for measured in rounds]


def cpu(measured):
    return measured.cpu_us


def gateway(rig, *arguments, **settings):
    """The gateway as a list of one target; empty when it is not built, so that the others are measured."""
    return [rig.causeway(*arguments, **settings)] if rig.program.exists() else []


def against_nginx(case, limit, rounds, unit):
    asked, detail = f"≤ {limit:.2f} × nginx", f"µs per {unit}: {medians(rounds, cpu)}"
    if "causeway" not in rounds[0]:
        return [Row(case, asked, f"causeway is not built; {detail}", failed_to_measure=True)]
    result = ratio(rounds, cpu)
    return [Row(case, asked, f"{result}; {detail}", result.median <= limit)]


def write(rig, name, text):
    path = rig.folder / name
    path.write_text(text)
    return path


def chat(context, case, size, limit):
    """Whole answers on 64 keep-alive connections, everything on one core."""
    with context.rig() as rig:
        mock = rig.mock()
        body = write(rig, "body.json", configs.chat_body(size))
        targets = [rig.floor(mock), rig.nginx(mock), *gateway(rig, f"http://127.0.0.1:{mock.port}")]
        rounds = context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.one_core, 64, seconds))
    return against_nginx(case, limit, rounds, "request")


def chat_2k(context):
    return chat(context, "2 KB chat, CPU per request", 2_000, 0.85)


def chat_64k(context):
    return chat(context, "64 KB chat, CPU per request", 64_000, 0.85)


def sse(context):
    """128 streams, an event each 10 ms on each, evenly spread: nothing can be coalesced."""
    with context.rig() as rig:
        mock = rig.mock(chunks=500, gap_us=10_000)
        body = write(rig, "body.json", configs.chat_body(2_000, stream=True))
        targets = [rig.floor(mock), rig.nginx(mock, settings="proxy_buffering off;"),
                   *gateway(rig, f"http://127.0.0.1:{mock.port}")]
        rounds = context.interleave(
            targets,
            lambda t, seconds: load.streams(t, context.tools, body, context.one_core, 128, seconds * 1000))
    return against_nginx("SSE relay, CPU per event", 1.0, rounds, "event")


def tls(context):
    """The upstream speaks TLS; both check its certificate and keep connections alive."""
    with context.rig() as rig:
        mock = rig.mock()
        front = rig.tls_front(mock)
        body = write(rig, "body.json", configs.chat_body(2_000))
        targets = [rig.nginx(front, **configs.tls_client(rig.folder)),
                   *gateway(rig, f"https://127.0.0.1:{front.port}", ca=rig.folder / "ca.pem")]
        rounds = context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.one_core, 64, seconds))
    return against_nginx("TLS to the upstream, CPU per request", 0.9, rounds, "request")


def translated(context):
    """An OpenAI client in front of Anthropic's API; nginx passes the same request on as it is."""
    with context.rig() as rig:
        mock, theirs = rig.mock(), rig.mock(dialect="anthropic")
        body = write(rig, "body.json", configs.chat_body(2_000))
        targets = [rig.nginx(mock), *gateway(rig, f"http://127.0.0.1:{theirs.port}", kind="anthropic")]
        rounds = context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.one_core, 64, seconds))
    return against_nginx("2 KB chat, OpenAI to Anthropic, CPU per request", 1.25, rounds, "request")


def translated_sse(context):
    """What an event of a stream costs more when it is translated."""
    with context.rig() as rig:
        mocks = {kind: rig.mock(chunks=500, gap_us=10_000, dialect=kind) for kind in ("openai", "anthropic")}
        body = write(rig, "body.json", configs.chat_body(2_000, stream=True))
        targets = [rig.causeway(f"http://127.0.0.1:{mock.port}", kind=kind, name=kind)
                   for kind, mock in mocks.items()]
        rounds = context.interleave(
            targets,
            lambda t, seconds: load.streams(t, context.tools, body, context.one_core, 128, seconds * 1000))
    more = [m["anthropic"].cpu_us - m["openai"].cpu_us for m in rounds]
    median = statistics.median(more)
    return [Row("SSE, OpenAI to Anthropic, more CPU per event", "≤ 1.5 µs more than the relay",
                f"{median:.2f} µs [{min(more):.2f}–{max(more):.2f}]; µs per event: {medians(rounds, cpu)}",
                median <= 1.5)]


MASK = "policies:\n  - { name: all, pii: mask }\n"


def more_for_pii(case, asked, limit, rounds, unit):
    more = [(m["masked"].cpu_us - m["clear"].cpu_us) / m["nginx"].cpu_us for m in rounds]
    median = statistics.median(more)
    return [Row(case, asked, f"{median:.2f} [{min(more):.2f}–{max(more):.2f}]; µs per {unit}: "
                             f"{medians(rounds, cpu)}", median <= limit)]


def pii_chat(context):
    """Finding, masking and restoring five things in a 2 KB chat, beside the same chat left alone."""
    with context.rig() as rig:
        mock = rig.mock(stand_ins=True)
        url = f"http://127.0.0.1:{mock.port}"
        body = write(rig, "body.json", configs.chat_body(2_000, personal=True))
        targets = [rig.nginx(mock), rig.causeway(url, name="clear"),
                   rig.causeway(url, name="masked", policies=MASK)]
        rounds = context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.one_core, 64, seconds))
    return more_for_pii("PII in a 2 KB chat with five findings, more CPU per request", "≤ 0.60 × nginx's", 0.6,
                        rounds, "request")


def pii_sse(context):
    """What an event of a stream costs more when stand-ins may be in it."""
    with context.rig() as rig:
        mock = rig.mock(chunks=500, gap_us=10_000)
        url = f"http://127.0.0.1:{mock.port}"
        body = write(rig, "body.json", configs.chat_body(2_000, stream=True, personal=True))
        targets = [rig.nginx(mock, settings="proxy_buffering off;"), rig.causeway(url, name="clear"),
                   rig.causeway(url, name="masked", policies=MASK)]
        rounds = context.interleave(
            targets,
            lambda t, seconds: load.streams(t, context.tools, body, context.one_core, 128, seconds * 1000))
    return more_for_pii("PII in a stream, more CPU per event", "≤ 0.10 × nginx's", 0.1, rounds, "event")


def latency(context):
    """What one caller waits for longer than without a gateway, at the median."""
    with context.rig() as rig:
        mock = rig.mock()
        body = write(rig, "body.json", configs.chat_body(2_000))
        targets = [mock, rig.nginx(mock), rig.causeway(f"http://127.0.0.1:{mock.port}")]
        rounds = context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.one_core, 1, seconds))
    added = {name: statistics.median(m[name].p50_us - m["direct"].p50_us for m in rounds)
             for name in ("nginx", "causeway")}
    return [Row("added p50 at one connection", "≤ nginx's own",
                f"{added['causeway']:.0f} µs, nginx {added['nginx']:.0f} µs (direct answer: "
                f"{statistics.median(m['direct'].p50_us for m in rounds):.0f} µs)",
                added["causeway"] <= added["nginx"])]


def scaling(context):
    """Two loops against one, beside nginx with two workers against one; all share two cores."""
    name = "two loops on two cores"
    if len(context.two_cores) < 2:
        return [Row(name, "≥ 0.95 × nginx's scaling", "only one core here", failed_to_measure=True)]
    with context.rig(context.two_cores) as rig:
        mocks = rig.mock()
        body = write(rig, "body.json", configs.chat_body(2_000))
        targets = []
        for count in (1, 2):
            targets.append(rig.nginx(mocks, workers=count, name=f"nginx-{count}"))
            targets.append(
                rig.causeway(f"http://127.0.0.1:{mocks.port}", threads=count, name=f"causeway-{count}"))
        rounds = context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.two_cores, 64, seconds, threads=2))

    def rate(measured):
        return measured.per_second

    ours = ratio(rounds, rate, base="causeway-1", name="causeway-2")
    theirs = ratio(rounds, rate, base="nginx-1", name="nginx-2")
    scales = [m["causeway-2"].per_second / m["causeway-1"].per_second
              / (m["nginx-2"].per_second / m["nginx-1"].per_second) for m in rounds]
    median = statistics.median(scales)
    return [Row(name, "≥ 0.95 × nginx's scaling",
                f"{median:.2f} [{min(scales):.2f}–{max(scales):.2f}]; causeway × {ours.median:.2f}, nginx × "
                f"{theirs.median:.2f}; requests/s: {medians(rounds, rate, '{:.0f}')}", median >= 0.95)]


CASES = {
    "chat-2k": chat_2k,
    "chat-64k": chat_64k,
    "sse": sse,
    "tls": tls,
    "translated": translated,
    "translated-sse": translated_sse,
    "pii-chat": pii_chat,
    "pii-sse": pii_sse,
    "routing": traffic.routing,
    "limits": traffic.limits,
    "overload": traffic.overload,
    "traces": traffic.traces,
    "cache-hit": traffic.cache_hit,
    "all-on": traffic.all_on,
    "all-on-pii": traffic.all_on_pii,
    "latency": latency,
    "scaling": scaling,
    "memory": idle.memory,
    "idle-connections": idle.connections,
    "startup": idle.startup,
    "embedded": embedded.generation,
    "sizing": sizing.sizing,
}
SLOW = {"embedded", "sizing"}  # left out by --quick
