"""What replicas share: a Redis that answers, goes, and comes back changes one line of the log, not an answer."""


import pytest

from gateway import run, wait_until
from redis_server import Redis


@pytest.fixture
def redis(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


def state(gw):
    return gw.admin_call("GET", "/api/status").json()["shared_state"]


def lines(gw):
    return [line for line in gw.stderr().splitlines() if "shared state" in line]


def test_goes_and_comes_back(config, make_gateway, redis):
    settings = config()
    settings["shared_state"] = {"redis": redis.url}
    gw = make_gateway(settings)
    wait_until(lambda: state(gw) == "answers")
    redis.kill()
    wait_until(lambda: state(gw) == "lost")
    assert gw.chat("fake/echo").status_code == 200
    redis.start()
    wait_until(lambda: state(gw) == "answers")
    redis.pause()
    assert gw.chat("fake/echo").status_code == 200
    redis.go_on()
    assert len(lines(gw)) == 3, lines(gw)


def test_off(gw):
    assert state(gw) == "off"


def test_a_wrong_url_is_found_before_the_start_and_its_password_is_not_shown(config, make_gateway):
    settings = config()
    settings["shared_state"] = {"redis": "redis://app:hidden-word@host:none"}
    gw = make_gateway(settings, start=False)
    checked = run("check", "--config", str(gw.config_path))
    assert checked.returncode != 0
    assert "redis" in checked.stdout + checked.stderr
    assert "hidden-word" not in checked.stdout + checked.stderr
