"""Provider vertex: tokens of a service account and of the metadata server, and services that fail to give them."""

import concurrent.futures
import json
import time

import httpx
import pytest

from fake_vertex import PEM, PROJECT
from gateway import assert_error, wait_until
from test_vertex import CLAUDE, GEMINI, settings, vertex  # noqa: F401  (a fixture)



@pytest.fixture
def fresh(make_gateway, vertex, session_folder):
    """A gateway with a key file of its own, whose token nobody has fetched yet."""
    def make(**changed):
        path = session_folder / f"vertex-key-{time.monotonic_ns()}.json"
        path.write_text(json.dumps(vertex.key_file(client_id=str(time.monotonic_ns()), **changed)))
        return make_gateway(settings(vertex, credentials_file=str(path)))
    return make


def test_one_token_is_fetched_for_fifty(fresh, vertex, mark):
    before = vertex.token_asked
    vertex.token_pause = 0.3
    gateway = fresh()
    try:
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            models = [CLAUDE, GEMINI] * 25
            answers = list(pool.map(lambda m: gateway.chat("vertex/" + m, mark), models))
    finally:
        vertex.token_pause = 0
    assert [a.status_code for a in answers] == [200] * 50
    assert vertex.token_asked == before + 1
    assert len({r.header("authorization") for r in vertex.records(mark)}) == 1


def test_a_token_is_renewed_before_it_expires(fresh, vertex):
    vertex.lifetime = 4
    before = vertex.token_asked
    gateway = fresh()
    try:
        wait_until(lambda: gateway.chat("vertex/" + GEMINI).status_code == 200
                   and vertex.token_asked >= before + 2, timeout=10, every=0.2)
    finally:
        vertex.lifetime = 3600
    assert {row["status"] for row in gateway.access_log()} == {200}


def test_an_old_token_serves_while_the_token_service_is_down(fresh, vertex):
    vertex.lifetime = 6  # to be renewed after 5
    gateway = fresh()
    begin = time.monotonic()
    seen = []
    try:
        assert gateway.chat("vertex/" + GEMINI).status_code == 200
        vertex.token_fault = 503
        asked = vertex.token_asked
        while time.monotonic() - begin < 7:
            answer = gateway.chat("vertex/" + GEMINI)
            seen.append((time.monotonic() - begin, answer, vertex.token_asked > asked))
            time.sleep(0.1)
    finally:
        vertex.lifetime, vertex.token_fault = 3600, None
    statuses = [answer.status_code for _, answer, _ in seen]
    assert set(statuses) == {200, 503} and statuses == sorted(statuses), "first the old token, then errors"
    assert any(tried and answer.status_code == 200 for _, answer, tried in seen), "renewed early, in vain"
    assert_error(seen[-1][1], 503)
    assert "token service" in seen[-1][1].json()["error"]["message"]
    wait_until(lambda: gateway.chat("vertex/" + GEMINI).status_code == 200)


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"[]", b"null", b'"ya29"', b"{", b"[" * 100_000, b'{"access_token": 5}', b'{"access_token": ""}',
    b'{"access_token": "a\\r\\nx-evil: 1"}', b'{"access_token": "\\ud800"}', b'{"access_token": "a\xff"}',
    b'{"access_token": "' + b"a" * 10_000_000 + b'"}'],
    ids=lambda body: repr(body[:30]))
def test_a_token_service_that_answers_something_else(fresh, vertex, body):
    gateway = fresh()
    vertex.token_body = body
    try:
        assert_error(gateway.chat("vertex/" + GEMINI), 502)
    finally:
        vertex.token_body = None
    wait_until(lambda: gateway.chat("vertex/" + GEMINI).status_code == 200)


@pytest.mark.parametrize("lifetime", [-1, 0, -(2**63), 2**63 - 1, 1e300, -0.5, "3600", "x", None, True])
def test_lifetimes_of_every_kind(fresh, vertex, lifetime):
    """A token is used once at least, and for a day at most."""
    vertex.lifetime = lifetime
    try:
        gateway = fresh()
        assert [gateway.chat("vertex/" + GEMINI).status_code for _ in range(3)] == [200] * 3
    finally:
        vertex.lifetime = 3600


def test_who_leaves_does_not_wait_for_the_token_service(fresh, vertex):
    gateway = fresh()
    vertex.token_pause = 3
    try:
        with pytest.raises(httpx.ReadTimeout):
            gateway.chat("vertex/" + GEMINI, timeout=0.5)
        assert gateway.get("/v1/models").status_code == 200
    finally:
        vertex.token_pause = 0
    wait_until(lambda: gateway.chat("vertex/" + GEMINI).status_code == 200)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "metadata.invalid"])
def test_a_metadata_server_that_is_not_there(make_gateway, vertex, host):
    gateway = make_gateway(settings(vertex, metadata=True, project=PROJECT), env={"GCE_METADATA_HOST": host})
    assert_error(gateway.chat("vertex/" + CLAUDE), 502)


def test_a_token_service_that_is_not_there(fresh):
    assert_error(fresh(token_uri="http://127.0.0.1:9/token").chat("vertex/" + GEMINI), 502)


def test_a_key_that_google_does_not_know(fresh):
    gateway = fresh(client_email="nobody@x.example")
    error = assert_error(gateway.chat("vertex/" + GEMINI), 502, "upstream_auth")
    assert "invalid_grant" in error["message"]
    for secret in PEM.splitlines()[1:3]:
        assert secret not in gateway.output(100_000)


def test_a_reload_keeps_the_token(make_gateway, vertex, session_folder):
    path = session_folder / "kept.json"
    path.write_text(json.dumps(vertex.key_file(client_id="kept")))
    made = settings(vertex, credentials_file=str(path))
    gateway = make_gateway(made)
    assert gateway.chat("vertex/" + GEMINI).status_code == 200
    asked = vertex.token_asked
    made["models"] = {"mine": {"targets": ["vertex/" + GEMINI]}}
    gateway.write_config(made)
    gateway.admin_call("POST", "/api/reload")
    wait_until(lambda: gateway.chat("mine").status_code == 200)
    assert vertex.token_asked == asked
    path.write_text(json.dumps(vertex.key_file(client_id="rotated")))
    gateway.admin_call("POST", "/api/reload")
    wait_until(lambda: gateway.chat("mine").status_code == 200 and vertex.token_asked == asked + 1)


def test_the_metadata_server(make_gateway, vertex, mark):
    gateway = make_gateway(settings(vertex, metadata=True, project=PROJECT),
                           env={"GCE_METADATA_HOST": f"{vertex.host}:{vertex.port}"})
    assert gateway.chat("vertex/" + CLAUDE, mark).status_code == 200
    assert vertex.one(mark).header("authorization") == f"Bearer ya29.{vertex.tokens_given}"
