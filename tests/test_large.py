"""Large requests take their time on threads of their own: nobody else waits for them."""

import threading
import time

from conftest import running
from gateway import assert_error

MEGABYTE = 1024 * 1024


def slow_to_read(model: str = "nobody's") -> bytes:
    """30 MB of very many small values. The model does not exist, so nothing but reading costs time."""
    numbers = b"1," * (15 * MEGABYTE)
    return b'{"model":"%s","input":[%s1]}' % (model.encode(), numbers)


def one_loop(config) -> dict:
    return {**config(), "server": {"threads": 1}}


def read_once(gw, request: bytes) -> float:
    """From the last byte sent to the answer, in seconds: what reading takes."""
    with gw.raw(timeout=60) as raw:
        raw.send(request)
        sent = time.monotonic()
        answer = raw.answer()
        assert answer.status == 404, (answer.status, answer.body)
        return time.monotonic() - sent


def waits_of(gw, until: threading.Event) -> list[float]:
    """What small requests of one connection wait, one behind the other."""
    request = gw.request_bytes(b"", path="/v1/models", method="GET")
    waits = []
    with gw.raw(timeout=60) as raw:
        while not until.is_set():
            began = time.monotonic()
            raw.send(request)
            assert raw.answer().status == 200
            waits.append(time.monotonic() - began)
            time.sleep(0.001)
    return waits


def test_small_requests_do_not_wait_for_large_ones(config, session_folder):
    with running(session_folder / "large", one_loop(config)) as gw:
        request = gw.request_bytes(slow_to_read(), path="/v1/embeddings")
        alone = min(read_once(gw, request) for _ in range(3))
        ended = threading.Event()
        failures = []

        def post():
            try:
                for _ in range(6):
                    read_once(gw, request)
            except Exception as problem:  # told by the test's own thread
                failures.append(problem)
            finally:
                ended.set()

        thread = threading.Thread(target=post)
        thread.start()
        waits = sorted(waits_of(gw, ended))
        thread.join()
        assert not failures, failures
        p99 = waits[int(len(waits) * 0.99)]
        told = f"reading takes {alone * 1e3:.0f} ms; {len(waits)} small ones: p99 {p99 * 1e3:.1f} ms"
        print(told)
        assert p99 < alone / 2, told


def test_a_client_that_leaves_while_its_body_is_read(config, session_folder):
    with running(session_folder / "large-left", one_loop(config)) as gw:
        request = gw.request_bytes(slow_to_read(), path="/v1/embeddings",
                                   headers={"X-Request-Id": "left-meanwhile"})
        with gw.raw(timeout=60) as raw:
            raw.send(request)
        assert gw.log_of("left-meanwhile", timeout=30)["status"] == 499
        assert gw.chat("echo").status_code == 200


def test_the_end_waits_for_what_is_being_read(config, session_folder):
    """SIGTERM meanwhile: the request is answered, and the program ends with 0."""
    with running(session_folder / "large-end", one_loop(config)) as gw:
        request = gw.request_bytes(slow_to_read(), path="/v1/embeddings")
        with gw.raw(timeout=60) as raw:
            raw.send(request)
            gw.stop()
            assert raw.answer().status == 404


def test_a_large_chat_arrives_as_it_was_sent(gw, fake, mark):
    text = mark + " " + "x" * (2 * MEGABYTE)
    assert gw.chat("echo", text, max_tokens=5).status_code == 200
    assert fake.one(mark).json["messages"][0]["content"] == text
    assert_error(gw.post("/v1/chat/completions", content=b'{"model":"echo",' + b" " * 400_000), 400,
                 "invalid_json")
