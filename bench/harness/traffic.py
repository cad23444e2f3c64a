"""What limits, routing and the cache cost, and what all that a company switches on comes to together."""

import statistics

from . import configs, load
from .report import Row, medians, ratio

LIMITS = """    limits:
      - { per: user, requests: 1000000, window: 1m }
      - { per: key, tokens: 1000000000000, window: 1m }
      - { per: tenant, money: 1000000, each: month }
"""
PRICE = "prices: { models: { mock/gpt-4o-mini: { input: 0.15, output: 0.6 } } }\n"


def policy(*sections):
    return "policies:\n  - name: all\n" + "".join(sections) + PRICE


LIMITED = policy(LIMITS)
KEPT = policy("    cache: on\n")
ORDERLY = policy("    overload: on\n")
RECORDED = {"off": "off", "traces": "{ sample: 100% }", "contents": "{ contents: on }"}
EVERY_ONE = "traces: { per_second: 0 }\n"
ALL = policy(LIMITS, "    cache: on\n", "    overload: on\n")
ALL_WITH_PII = policy(LIMITS, "    cache: on\n", "    overload: on\n", "    pii: mask\n")


def cpu(measured):
    return measured.cpu_us


def measured(context, targets_of, unique, personal=False, stand_ins=False, counted=""):
    """Each round's figures of the targets that `targets_of(rig, mock)` gives; 64 connections, one core."""
    with context.rig() as rig:
        mock = rig.mock(stand_ins=True) if stand_ins else rig.mock()
        body = rig.folder / "body.json"
        body.write_text(configs.chat_body(2_000, personal=personal, numbered=unique))
        targets = targets_of(rig, mock)
        return context.interleave(
            targets, lambda t, seconds: load.requests(t, body, context.one_core, 64, seconds, unique=unique,
                                                 counted=counted))


def more_than_without(context, case, policies):
    """What one feature adds to a 2 KB chat that goes to the provider."""
    def targets(rig, mock):
        url = f"http://127.0.0.1:{mock.port}"
        return [rig.nginx(mock), rig.causeway(url, name="without", policies=policy("    cache: off\n")),
                rig.causeway(url, name="with", policies=policies)]
    rounds = measured(context, targets, unique=False)
    more = [(m["with"].cpu_us - m["without"].cpu_us) / m["nginx"].cpu_us for m in rounds]
    median = statistics.median(more)
    return [Row(f"{case} on a 2 KB chat, more CPU per request", "≤ 0.10 × nginx's",
                f"{median:.2f} [{min(more):.2f}–{max(more):.2f}]; µs per request: {medians(rounds, cpu)}",
                median <= 0.1)]


def limits(context):
    """Requests per user, tokens per key, money per tenant."""
    return more_than_without(context, "three limits", LIMITED)


def overload(context):
    """A place at the target, while it has few requests."""
    return more_than_without(context, "overload", ORDERLY)


def routing(context):
    """Choosing among eight targets with breakers, retry budget, quotas and probes, beside one target."""
    def targets(rig, mock):
        url = f"http://127.0.0.1:{mock.port}"
        return [rig.nginx(mock), rig.causeway(url, name="one"), rig.causeway(url, name="eight", targets=8)]
    rounds = measured(context, targets, unique=False)
    more = [m["eight"].cpu_us - m["one"].cpu_us for m in rounds]
    median = statistics.median(more)
    return [Row("a 2 KB chat to the least busy of 8 targets, more CPU per request", "≤ 1.0 µs",
                f"{median:.2f} µs [{min(more):.2f}–{max(more):.2f}]; µs per request: {medians(rounds, cpu)}",
                median <= 1.0)]


def traces(context):
    """What a loop pays for a trace, without and with what was said, at full load: what the writer's thread has no time
    for is dropped behind the loop. That thread is not counted."""
    def targets(rig, mock):
        url = f"http://127.0.0.1:{mock.port}"
        return [rig.causeway(url, name=name, policies=policy(f"    traces: {traces}\n") + EVERY_ONE)
                for name, traces in RECORDED.items()]
    rounds = measured(context, targets, unique=False, counted="loop")
    rows = []
    for name, asked in [("traces", 3.0), ("contents", 3.0)]:
        more = [m[name].cpu_us - m["off"].cpu_us for m in rounds]
        median = statistics.median(more)
        rows.append(Row(f"{name} of a 2 KB chat, more CPU of the loop per request", f"≤ {asked:.0f} µs",
                        f"{median:.1f} µs [{min(more):.1f}–{max(more):.1f}]; µs per request: {medians(rounds, cpu)}",
                        median <= asked))
    return rows


def against(context, case, limit, policies, unique, **more):
    def targets(rig, mock):
        return [rig.nginx(mock), rig.causeway(f"http://127.0.0.1:{mock.port}", policies=policies)]
    rounds = measured(context, targets, unique, **more)
    result = ratio(rounds, cpu)
    return [Row(case, f"≤ {limit:.2f} × nginx", f"{result}; µs per request: {medians(rounds, cpu)}",
                result.median <= limit)]


def cache_hit(context):
    """The same 2 KB chat again and again: nginx asks its upstream, the gateway has the answer."""
    return against(context, "2 KB chat from the cache, CPU per request", 0.6, KEPT, unique=False)


def all_on(context):
    """Limits, cache (each request is another: nothing is there) and overload, beside what is on by default."""
    return against(context, "2 KB chat with all that is built but PII, CPU per request", 1.1, ALL, unique=True)


def all_on_pii(context):
    return against(context, "2 KB chat with all that is built and PII patterns, CPU per request", 1.7, ALL_WITH_PII,
                   unique=True, personal=True, stand_ins=True)
