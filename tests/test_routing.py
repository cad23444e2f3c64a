"""Strategies, targets that fail, retries, quotas: what the callers see of it (nothing)."""

import concurrent.futures
import contextlib
import re
import time

from fake_provider import by_path, last_user_text, openai_error
from gateway import KEY, assert_error, chat_body, wait_until
from routing_world import (OTHER, after, ahead, ask_all, explain, saying, settings, shares, state, three,  # noqa: F401
                           until_shares, waiting)

# --- strategies


def test_least_busy_gives_little_to_a_slow_one(three, make_gateway):
    for fake, seconds in zip(three, (0.1, 0.1, 1.5)):
        fake.on("m", after(seconds))
    gateway = make_gateway(settings(three, {"strategy": "least_busy"}))
    # One whose first answer was late by chance gets its part when more have come.
    until_shares(gateway, three, 80, lambda got: got[2] < 8 and min(got[:2]) > 20)


def test_fastest_goes_where_answers_come_soonest_and_back_when_that_changes(three, make_gateway):
    three[0].on("m", after(0.25))
    three[1].on("m", after(0.01))
    gateway = make_gateway(settings(three[:2], {"strategy": "fastest"}))
    until_shares(gateway, three[:2], 40, lambda got: got[1] > 30, at_once=2)
    three[1].on("m", after(0.8))
    three[0].on("m", after(0.01))
    until_shares(gateway, three[:2], 40, lambda got: got[0] > 30, at_once=2)


def test_a_stream_that_is_made_slowly_counts_as_slow(three, make_gateway):
    async def slow_words(answer):
        await answer.stream_head()
        for word in "one two three four".split():
            await answer.event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
            await answer.sleep(0.15)
        await answer.event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await answer.chunk(b"data: [DONE]\n\n")
        await answer.last_chunk()

    three[0].on("m", slow_words)
    gateway = make_gateway(settings(three[:2], {"strategy": "fastest"}))
    for number in range(20):
        assert gateway.chat_stream("m", str(number)).done
    assert shares(three[:2])[1] >= 17


def test_sticky_keeps_a_user_with_a_target(three, make_gateway):
    gateway = make_gateway(settings(three, {"strategy": "sticky"}))
    for user in range(30):
        for _ in range(3):
            assert gateway.chat("m", f"user-{user}.", user=f"u{user}").status_code == 200
    places = [[len(fake.records(f"user-{user}.")) for fake in three] for user in range(30)]
    assert all(sorted(place) == [0, 0, 3] for place in places), places
    assert all(count > 0 for count in shares(three))


def test_cheapest_by_the_prices_of_the_configuration(three, make_gateway):
    gateway = make_gateway(settings(three, {"strategy": "cheapest"}, prices={"models": {
        "one/m": {"input": 5, "output": 5}, "two/m": {"input": 1, "output": 1}, "three/m": {"input": 3, "output": 3}}}))
    assert set(ask_all(gateway, 10)) == {200}
    assert shares(three) == [0, 10, 0]


def test_weights_of_zero_are_fallbacks_only(three, make_gateway):
    gateway = make_gateway(settings(three, {"strategy": "weighted", "weights": {"one/m": 1, "two/m": 0, "three/m": 0}}))
    assert set(ask_all(gateway, 20)) == {200}
    assert shares(three) == [20, 0, 0]


# --- targets that fail


def test_a_dead_target_is_seen_by_nobody_and_left_alone(three, make_gateway):
    # Drawn by weight: least_busy may leave one alone whose first answer was slow, and it never fails.
    gateway = make_gateway(settings(three, {"strategy": "weighted"}, breaker={"rest": "30s"}))
    assert set(ask_all(gateway, 30)) == {200}
    three[0].stop_listening()
    assert set(ask_all(gateway, 200)) == {200}
    failed = gateway.metrics().value("causeway_attempts_total", causeway_provider="one", error_type="connect_failed")
    assert 1 <= failed <= 20, "after a few failures it is not asked any more"
    wait_until(lambda: "target one/m" in gateway.stderr(), timeout=3)
    assert gateway.stderr().count("target one/m") == 1, "told once"
    target = next(t for t in explain(gateway)["targets"] if t["target"] == "one/m")
    assert target["state"] == "open" and target["why"] == "connect_failed"
    assert 0 < target["rests_ms"] <= 30_000


def test_one_that_cuts_every_answer_rests_longer_each_time(three, make_gateway):
    """To begin well is not to be well."""
    async def cut(answer):
        await answer.stream_head()
        await answer.event({"choices": [{"index": 0, "delta": {"content": "one"}, "finish_reason": None}]})
        answer.reset()

    three[0].on("m", cut)
    gateway = make_gateway(settings(three[:2], {"strategy": "fallback"}, breaker={"rest": "200ms", "longest_rest": "1m"}))

    def rest():
        gateway.chat_stream("m")
        return next(t for t in explain(gateway)["targets"] if t["target"] == "one/m").get("rests_ms", 0)
    wait_until(lambda: rest() > 1000, "it rests for longer than 200 ms", timeout=20, every=0.02)
    assert shares(three)[0] <= 12, "five in a row, and a trial after each rest"


def test_it_comes_back_slowly_when_it_is_well_again(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:2], {"strategy": "fallback"}, breaker={"rest": "300ms", "longest_rest": "300ms"}))
    began = time.monotonic()
    assert set(ask_all(gateway, 20, at_once=1)) == {200}
    assert shares(three)[0] <= 5 + (time.monotonic() - began) / 0.3 + 2, "five in a row, and a trial after each rest"
    three[0].on("m", by_path)
    wait_until(lambda: gateway.chat("m").status_code == 200 and state(gateway, "one/m") == "closed", timeout=30, every=0.05)
    before = shares(three)[:2]
    assert set(ask_all(gateway, 20)) == {200}
    assert [new - old for new, old in zip(shares(three), before)] == [20, 0]


def test_what_is_known_of_a_target_outlives_a_reload(three, make_gateway):
    three[0].on("m", saying(500))
    config = settings(three[:2], {"strategy": "fallback"}, breaker={"rest": "1m"})
    gateway = make_gateway(config)
    ask_all(gateway, 12)
    assert state(gateway, "one/m") == "open"
    config["models"]["again"] = {"targets": ["two/m"]}
    gateway.write_config(config)
    assert gateway.admin_call("POST", "/api/reload").status_code == 200
    before = shares(three)[0]
    assert gateway.chat("again").status_code == 200 and gateway.chat("m").status_code == 200
    assert shares(three)[0] == before and state(gateway, "one/m") == "open"


def test_a_target_that_was_taken_out_is_forgotten(three, make_gateway):
    three[0].on("m", saying(500))
    config = settings(three[:2], {"strategy": "fallback"}, breaker={"rest": "1m"})
    gateway = make_gateway(config)
    ask_all(gateway, 12)
    for targets in (["two/m"], ["one/m", "two/m"]):
        config["models"]["m"]["targets"] = targets
        gateway.write_config(config)
        assert gateway.admin_call("POST", "/api/reload").status_code == 200
        assert gateway.chat("m").status_code == 200
    assert state(gateway, "one/m") == "closed", "it was put in anew, and is tried"


def test_a_provider_is_as_its_targets_are(three, make_gateway):
    async def by_model(answer):
        await (saying(500) if answer.request["model"] == "bad" else by_path)(answer)
    three[0].on("bad", by_model)
    config = settings(three[:2], {"targets": ["one/bad", "two/m"]}, breaker={"rest": "3s", "longest_rest": "3s"})
    config["models"]["good"] = {"targets": ["one/good"]}
    gateway = make_gateway(config)

    def one() -> str:
        return next(p["state"] for p in gateway.admin_call("GET", "/api/providers").json()["providers"]
                    if p["name"] == "one")

    assert one() == "unused"
    ask_all(gateway, 12)
    assert one() == "failing", "all that was asked of it"
    assert gateway.chat("good").status_code == 200
    assert one() == "degraded"
    three[0].on("bad", by_path)
    wait_until(lambda: gateway.chat("m").status_code == 200 and one() == "ok", timeout=30, every=0.05)


def test_where_all_rest_the_caller_is_told_when_to_come_back(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:1], {}, breaker={"rest": "20s"}))
    ask_all(gateway, 8, at_once=1)
    answer = gateway.chat("m")
    assert_error(answer, 503, "target_resting")
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    asked = shares(three)[0]
    gateway.chat("m")
    assert shares(three)[0] == asked, "it is not asked while it rests"


def test_off_means_that_no_target_is_left_alone(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:1], {}, breaker="off", policies=[{"name": "p", "retries": "off"}]))
    assert set(ask_all(gateway, 30)) <= {502, 503}
    assert shares(three)[0] == 30


def test_a_slow_trial_does_not_keep_the_others_out(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:1], {}, breaker={"rest": "300ms", "longest_rest": "300ms"},
                                    policies=[{"name": "p", "retries": {"attempts": 0}}]))
    ask_all(gateway, 8, at_once=1)

    async def slow_or_quick(answer):
        if b"slow" in answer.record.body:
            await answer.sleep(8)
        await by_path(answer)

    three[0].on("m", slow_or_quick)
    time.sleep(1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(gateway.chat, "m", "slow")
        time.sleep(0.3)
        assert set(ask_all(gateway, 20, at_once=4)) == {200}
        assert not slow.done()
        assert slow.result().status_code == 200


def test_what_a_caller_does_wrong_is_no_fault_of_the_target(three, make_gateway):
    """A request that is refused as too large for the minute, or as forbidden, is that caller's own matter."""
    async def by_words(answer):
        if b"too large" in answer.record.body:
            return await answer.json(429, openai_error("Request too large for m on tokens per min"))
        if b"forbidden" in answer.record.body:
            return await answer.json(403, openai_error("this model is not for you"))
        await by_path(answer)

    three[0].on("m", by_words)
    gateway = make_gateway(settings(three[:1], {}, policies=[{"name": "p", "retries": "off"}]))
    for number in range(30):
        gateway.chat("m", "forbidden" if number % 2 else "too large")
        assert gateway.chat("m").status_code == 200


# --- retries


def test_a_burst_of_429_is_seen_by_nobody(three, make_gateway):
    """The provider takes 10 at most in a second, and says so."""
    taken: list[float] = []
    refused: list[float] = []

    async def strict(answer):
        now = time.monotonic()
        if len([t for t in taken if now - t < 1]) >= 10:
            refused.append(now)
            return await answer.json(429, openai_error("slow down", code="rate_limit_exceeded"), {"retry-after": "1"})
        taken.append(now)
        await by_path(answer)

    three[0].on("m", strict)
    gateway = make_gateway(settings(three[:1], {}))
    assert set(ask_all(gateway, 40, at_once=20)) == {200}
    own = sorted(line["overhead_ms"] for line in gateway.access_log())
    # Most have waited for a second or more; a busy machine may keep one of them for a while.
    assert own[len(own) * 3 // 4] < 100, "waiting for the provider is none of ours"
    assert len(taken) == 40
    assert len(refused) <= 30, "those who come while it rests wait here"


def test_a_wait_of_nothing_is_no_leave_to_ask_at_once(three, make_gateway):
    three[0].on("m", saying(503, {"retry-after": "0"}))
    gateway = make_gateway(settings(three[:1], {}, breaker="off", server={"threads": 1}))
    assert set(ask_all(gateway, 100)) == {503}
    assert shares(three)[0] <= 100 * 1.2 + 4


def test_retries_stay_within_their_budget(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:1], {}, breaker="off", server={"threads": 1}))
    statuses = ask_all(gateway, 200, at_once=16)
    assert set(statuses) <= {502, 503}
    assert 200 < shares(three)[0] <= 200 * 1.2 + 4


def test_a_passing_fault_is_seen_by_nobody(three, make_gateway):
    seen = set()

    async def every_tenth_fails(answer):
        """At its first try: one that failed three times running would be told."""
        question = last_user_text(answer.request)
        first, tenth = question not in seen, question.endswith("0")
        seen.add(question)
        if first and tenth:
            return await answer.json(500, openai_error("oops"))
        await by_path(answer)

    three[0].on("m", every_tenth_fails)
    gateway = make_gateway(settings(three[:1], {}))
    assert set(ask_all(gateway, 60)) == {200}


def test_what_a_provider_may_have_worked_on_is_not_sent_to_it_again(three, make_gateway):
    async def silent_end(answer):
        answer.close()

    three[0].on("m", silent_end)
    gateway = make_gateway(settings(three[:1], {}, breaker="off"))
    assert gateway.chat("m").status_code == 502
    assert shares(three)[0] == 1
    sure = make_gateway(settings(three[:1], {}, breaker="off",
                                 policies=[{"name": "p", "retries": {"attempts": 1, "unsure": True}}]))
    assert sure.chat("m").status_code == 502
    assert shares(three)[0] == 3


def test_a_caller_that_leaves_while_it_waits_ends_the_waiting(three, make_gateway):
    three[0].on("m", saying(429, {"retry-after": "9"}))
    gateway = make_gateway(settings(three[:1], {}))
    with gateway.raw() as raw:
        raw.send(gateway.request_bytes(chat_body("m", "leaving")))
        wait_until(lambda: three[0].records("leaving"))
    line = wait_until(lambda: next((line for line in gateway.access_log() if line["status"] == 499), None), timeout=3)
    assert line["attempts"] == 1


def test_too_long_for_one_goes_to_a_larger_window(three, make_gateway):
    three[0].on("m", saying(400, code="context_length_exceeded"))
    three[1].on("m", saying(400, code="context_length_exceeded"))
    gateway = make_gateway(settings(three, {"context": {"one/m": 8192, "two/m": 4096, "three/m": 200_000}}))
    answer = gateway.chat("m")
    assert answer.status_code == 200 and shares(three) == [1, 0, 1]
    assert answer.headers["x-causeway-attempts"] == "2"
    # What is known beforehand not to fit is not even tried first.
    assert gateway.chat("m", "word " * 20_000).status_code == 200
    assert shares(three) == [1, 0, 2]


def test_refused_content_goes_on_where_the_policy_says_so(three, make_gateway):
    three[0].on("m", saying(400, code="content_filter"))
    gateway = make_gateway(settings(three[:2], {}, policies=[
        {"name": "on", "match": {"keys": ["on"]}, "retries": {"content_filtered": True}}],
        keys=[{"name": "test", "secret": KEY}, {"name": "on", "secret": OTHER}]))
    assert gateway.chat("m").status_code == 400
    assert shares(three)[1] == 0
    answer = gateway.post("/v1/chat/completions", chat_body("m"), key=OTHER)
    assert answer.status_code == 200 and shares(three)[1] == 1


# --- quotas


def test_a_quota_of_the_configuration_is_kept_here(three, make_gateway):
    config = settings(three[:1], {}, server={"threads": 2})
    config["providers"]["one"]["quota"] = {"requests_per_minute": 600}
    gateway = make_gateway(config)
    began = time.monotonic()
    assert set(ask_all(gateway, 130, at_once=40)) == {200}
    assert time.monotonic() - began < 20
    assert ahead(three[0].records(), began, 10) <= 91, "100 at once, and ten a second (a tenth is left to others)"


def test_what_an_answer_says_is_left_is_heeded(three, make_gateway):
    """The last one of a second is answered with "none is left for a second": nobody is refused there."""
    times: list[float] = []

    async def counting(answer):
        times.append(time.monotonic())
        lately = len([t for t in times if times[-1] - t < 1])
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
        if lately > 5:
            return await answer.json(429, openai_error("too many"), {"retry-after": "1"})
        await answer.json(200, body, {"x-ratelimit-remaining-requests": str(5 - lately),
                                      "x-ratelimit-reset-requests": "1s"})

    three[0].on("m", counting)
    gateway = make_gateway(settings(three[:1], {}))
    assert set(ask_all(gateway, 15, at_once=1)) == {200}
    assert len(times) == 15, "none was refused"


def test_who_has_priority_goes_first_where_the_quota_is_short(three, make_gateway):
    config = settings(three[:1], {}, keys=[{"name": "test", "secret": KEY}, {"name": "boss", "secret": OTHER}],
                      policies=[{"name": "first", "match": {"keys": ["boss"]}, "priority": "high"},
                                {"name": "rest", "priority": "low", "retries": {"wait": "0s"}}])
    config["providers"]["one"]["quota"] = {"requests_per_minute": 60}
    gateway = make_gateway(config)
    answers = [gateway.chat("m") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) > 10, "ten at once at most, and one a second"
    assert_error(refused[-1], 429, "upstream_quota")
    assert int(refused[-1].headers["retry-after"]) >= 1
    for _ in range(3):  # what the low ones leave
        assert gateway.post("/v1/chat/completions", chat_body("m"), key=OTHER).status_code == 200


def test_who_waits_for_a_quota_is_let_go_by_priority_and_fairly(three, make_gateway):
    """In line: a flood of low ones that came first, and one of high priority that came last."""
    config = settings(three[:1], {}, server={"threads": 2},
                      keys=[{"name": "test", "secret": KEY}, {"name": "boss", "secret": OTHER}],
                      policies=[{"name": "first", "match": {"keys": ["boss"]}, "priority": "high"},
                                {"name": "rest", "priority": "low", "retries": {"wait": "20s"}}])
    config["providers"]["one"]["quota"] = {"requests_per_minute": 300}
    gateway = make_gateway(config)
    with contextlib.ExitStack() as stack:
        def send(text: str, count: int, key: str):
            """All at nearly the same time: meanwhile the quota grows."""
            raws = [stack.enter_context(gateway.raw(timeout=30)) for _ in range(count)]
            for raw in raws:
                raw.send(gateway.request_bytes(chat_body("m", text), key=key))
            return raws

        low = send("low", 60, KEY)
        wait_until(lambda: shares(three)[0] + waiting(gateway) == 60)
        high = send("high", 20, OTHER)
        assert {raw.answer().status for raw in high + low} == {200}
    sent = [b"high" in record.body for record in three[0].records() if record.method == "POST"]
    assert len(sent) == 80, "nobody was sent twice"
    assert sent[::-1].index(True) >= 5, "15 are there for the high ones, and five a second: the low ones wait on"


def test_whose_turn_would_come_too_late_is_told_at_once(three, make_gateway):
    config = settings(three[:1], {}, policies=[{"name": "all", "priority": "high", "retries": {"wait": "6s"}}])
    config["providers"]["one"]["quota"] = {"requests_per_minute": 12}  # two at once, and one in five seconds
    gateway = make_gateway(config)
    assert set(ask_all(gateway, 2, at_once=1)) == {200}

    def ask(number: int):
        began = time.monotonic()
        return gateway.chat("m", f"question {number}"), time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(ask, range(8)))
    refused = [(answer, took) for answer, took in done if answer.status_code != 200]
    assert len(refused) == 7, "the next one's turn is after five seconds, that of the one behind it after ten"
    assert max(took for _, took in refused) < 4
    assert_error(refused[-1][0], 429, "upstream_quota")
    assert int(refused[-1][0].headers["retry-after"]) >= 1


def test_a_quota_that_is_used_up_leads_to_the_next_target_first(three, make_gateway):
    config = settings(three[:2], {"strategy": "fallback"})
    config["providers"]["one"]["quota"] = {"requests_per_minute": 60}
    gateway = make_gateway(config)
    began = time.monotonic()
    assert set(ask_all(gateway, 30, at_once=10)) == {200}
    took = time.monotonic() - began
    assert took < 15, "nobody waits where another can answer: 20 s"
    assert shares(three)[0] <= 10 + took


def test_who_leaves_the_line_is_not_sent(three, make_gateway):
    config = settings(three[:1], {}, policies=[{"name": "all", "priority": "high", "retries": {"wait": "12s"}}])
    config["providers"]["one"]["quota"] = {"requests_per_minute": 12}  # two at once, and one in five seconds
    gateway = make_gateway(config)
    ask_all(gateway, 2, at_once=1)
    with gateway.raw() as raw:
        raw.send(gateway.request_bytes(chat_body("m", "leaves")))
        wait_until(lambda: waiting(gateway) == 1)
    wait_until(lambda: waiting(gateway) == 0)
    assert gateway.chat("m", "stays").status_code == 200
    assert not three[0].records("leaves")


def test_a_quota_that_a_reload_brings_is_waited_for(three, make_gateway):
    config = settings(three[:1], {}, policies=[{"name": "all", "priority": "high"}])
    gateway = make_gateway(config)
    assert set(ask_all(gateway, 20)) == {200}
    config["providers"]["one"]["quota"] = {"requests_per_minute": 120}
    gateway.write_config(config)
    assert gateway.admin_call("POST", "/api/reload").status_code == 200
    began = time.monotonic()
    assert set(ask_all(gateway, 26, at_once=26)) == {200}
    assert time.monotonic() - began < 20
    assert ahead(three[0].records(), began, 2) <= 21, "20 at once, and two a second from then on"


def test_who_waits_for_a_quota_is_seen(three, make_gateway):
    config = settings(three[:1], {}, policies=[{"name": "all", "priority": "high", "retries": {"wait": "7s"}}])
    config["providers"]["one"]["quota"] = {"requests_per_minute": 18}  # three at once, and one in 3.3 s: two wait
    gateway = make_gateway(config)
    assert "quota used up" not in gateway.cli("providers").stdout
    ask_all(gateway, 3, at_once=1)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(gateway.chat, "m", f"question {number}") for number in range(8)]
        wait_until(lambda: waiting(gateway) >= 1)
        target = explain(gateway)["targets"][0]
        assert 1 <= target["quota"]["waiting"] <= 3 and target["quota"]["wait_ms"] > 500, target
        shown = gateway.admin_call("GET", "/api/providers").json()["providers"][0]["members"][0]["targets"][0]
        assert shown["quota"]["waiting"] >= 1 and shown["quota"]["wait_ms"] > 500, shown
        remark = re.compile(r"quota used up for \d+ ms, \d waits?")
        for verb in (("providers",), ("route", "explain", "m")):
            assert remark.search(gateway.cli(*verb).stdout), gateway.cli(*verb).stdout
        assert re.search(r'causeway_quota_waiting\{provider="one"\} [123]', gateway.admin_call("GET", "/metrics").text)
        statuses = [one.result().status_code for one in asked]
    metrics = gateway.admin_call("GET", "/metrics").text
    assert 'causeway_quota_waiting{provider="one"} 0' in metrics
    for result, count in (("waited", statuses.count(200)), ("early", statuses.count(429)), ("full", 0)):
        assert f'causeway_quota_waits_total{{provider="one",result="{result}"}} {count}' in metrics, (result, statuses)


def test_a_target_whose_rest_is_over_is_to_be_tried(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:1], {}, breaker={"failures": 1, "rest": "2s"},
                                    policies=[{"name": "all", "retries": {"attempts": 0, "wait": "0s"}}]))
    gateway.chat("m")
    assert state(gateway, "one/m") == "open"
    wait_until(lambda: state(gateway, "one/m") == "trying")
    assert "trying (" in gateway.cli("providers").stdout
