"""A disk that is full, read-only, slow or failing: answers go on, and what is told to be kept is kept."""

import contextlib
import errno
import os
import pathlib
import subprocess
import time

import pytest

from faults.rig import Callers, assert_store_is_clean, needs_root, totals
from faults.shim import shim, shim_library  # noqa: F401
from gateway import wait_until


@contextlib.contextmanager
def mounted(folder: pathlib.Path, *arguments: str):
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mount is not allowed here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        unmount(folder)


def unmount(folder: pathlib.Path):
    """Waits for those who still use it: a lazily unmounted disk would be found as it is by the next mount."""
    for _ in range(50):
        if subprocess.run(["umount", str(folder)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def on(settings: dict, data: pathlib.Path) -> dict:
    settings["server"] = {"data": str(data), "threads": 2}
    return settings


def refused_in_time(gw, call, codes=("store_full", "store_read_only", "store_failed", "store_busy")):
    """An admin call that cannot be confirmed is an error, soon, and says why."""
    start = time.monotonic()
    answer = call()
    assert answer.status_code >= 500, answer.text
    assert time.monotonic() - start < 10
    error = answer.json()["error"]
    assert error["message"], answer.text
    return error


@needs_root
def test_full(config, make_gateway, tmp_path):
    """Requests are answered, new keys are refused, usage is not confirmed; with room again all of it is there."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs") as disk:
        gw = make_gateway(on(config(), disk / "data"))
        kept = gw.make_key()["key"]
        with Callers(gw, "before", count=2) as before:
            wait_until(lambda: len(before.confirmed) >= 20)
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
            while filler.write(b"x" * 4096):
                pass
        with Callers(gw, "full", count=2) as during:
            time.sleep(2)
            error = refused_in_time(gw, lambda: gw.admin_call("POST", "/api/keys", {"name": "x"}))
        assert not during.odd and len(during.confirmed) > 50
        assert gw.chat("echo", key=kept).status_code == 200
        assert "store" in error["code"] or error["code"], error
        os.unlink(disk / "filler")
        settled = wait_until(lambda: usage_or_none(gw), "usage is confirmed again", timeout=15)
        assert {f"fake/{m}" for m in before.confirmed + during.confirmed} <= set(settled)
        assert gw.make_key()["key"]
        assert_store_is_clean(gw_at(gw, disk / "data"))
        gw.stop()


def usage_or_none(gw):
    answer = gw.admin_call("GET", "/api/usage?by=model")
    return {row["model"]: row for row in answer.json()["usage"]} if answer.status_code == 200 else None


def gw_at(gw, data):
    gw.data = data
    return gw


@needs_root
def test_full_at_the_start(config, make_gateway, tmp_path):
    """Refused with the reason: a gateway that could keep nothing is not begun."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs") as disk:
        gw = make_gateway(on(config(), disk / "data"), start=False)
        gw.launch()
        assert gw.wait(20) == 1
        assert "No space left" in gw.stderr() or "full" in gw.stderr(), gw.stderr()
        gw.process = None


@needs_root
def test_becomes_read_only(config, make_gateway, tmp_path):
    """As a kernel does with a disk that fails. Answers go on; nothing is confirmed that is not kept."""
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(96 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    with mounted(tmp_path / "disk", "-o", "loop", str(image)) as disk:
        gw = make_gateway(on(config(), disk / "data"))
        with Callers(gw, "before", count=2) as before:
            wait_until(lambda: len(before.confirmed) >= 20)
        shown = totals(gw)
        subprocess.run(["mount", "-o", "remount,abort", str(disk)], check=True)
        with Callers(gw, "after", count=2) as during:
            time.sleep(1.5)
            refused_in_time(gw, lambda: gw.admin_call("POST", "/api/keys", {"name": "x"}))
        assert not during.odd and len(during.confirmed) > 50
        refused_in_time(gw, lambda: gw.admin_call("GET", "/api/usage"))
        gw.kill()
    with mounted(tmp_path / "disk", "-o", "loop", str(image)) as disk:
        gw.start()
        after = totals(gw)
        assert all(after[model]["requests"] >= row["requests"] for model, row in shown.items()), "confirmed and lost"
        assert_store_is_clean(gw_at(gw, disk / "data"))
        gw.stop()


@needs_root
def test_read_only_at_the_start(config, make_gateway, tmp_path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        gw = make_gateway(on(config(), disk / "data"), start=False)
        gw.launch()
        assert gw.wait(20) == 1
        assert "Read-only" in gw.stderr() or "read-only" in gw.stderr(), gw.stderr()
        gw.process = None


def test_slow(config, make_gateway, shim):
    """Each sync takes 300 ms: no caller waits for the disk, and all is kept."""
    gw = make_gateway(config(), start=False)
    gw.env.update(shim.env(gw.data))
    gw.start()
    gw.chat("echo")
    shim.set(delay_ms=300)
    times = []
    end = time.monotonic() + 3
    while time.monotonic() < end or len(times) <= 50:
        start = time.monotonic()
        assert gw.chat("echo").status_code == 200
        times.append(time.monotonic() - start)
    times.sort()
    assert times[len(times) * 9 // 10] < 0.2, "callers wait for the disk"
    start = time.monotonic()
    made = gw.make_key()
    assert time.monotonic() - start > 0.25, "confirmed before it was on the disk"
    assert totals(gw)["echo"]["requests"] == len(times) + 1
    shim.set(delay_ms=0)
    gw.kill()
    gw.start()
    assert gw.chat("echo", key=made["key"]).status_code == 200
    assert totals(gw)["echo"]["requests"] == len(times) + 2
    assert_store_is_clean(gw)


@pytest.mark.parametrize("fault", [{"write_error": errno.ENOSPC}, {"write_error": errno.EIO}, {"sync_error": errno.EIO},
                                   {"write_error": errno.EDQUOT}], ids=["full", "write fails", "sync fails", "quota"])
def test_failing(config, make_gateway, shim, fault):
    """Without root: writes or syncs fail for two seconds under load."""
    gw = make_gateway(config(), start=False)
    gw.env.update(shim.env(gw.data))
    gw.start()
    with Callers(gw, "failing", count=2) as callers:
        wait_until(lambda: len(callers.confirmed) >= 20)
        shim.set(**fault)
        refused_in_time(gw, lambda: gw.admin_call("POST", "/api/keys", {"name": "x"}))
        time.sleep(1.5)
        refused_in_time(gw, lambda: gw.admin_call("GET", "/api/usage"))
        shim.set(**dict.fromkeys(fault, 0))
        settled = wait_until(lambda: usage_or_none(gw), "usage is confirmed again", timeout=15)
    assert not callers.odd
    settled = totals(gw)
    assert {f"fake/{m}" for m in callers.confirmed} <= set(settled)
    assert all(row["requests"] == 1 for row in settled.values()), "counted twice"
    assert gw.make_key()["key"]
    assert "ledger" in gw.stderr(), "trouble and its end are told"
    gw.kill()
    gw.start()
    assert totals(gw) == settled
    assert_store_is_clean(gw)


def test_a_damaged_journal_is_set_aside_and_told(config, make_gateway):
    """What it held is lost; nobody is left to find that out from usage that is too low."""
    gw = make_gateway(config())
    assert gw.chat("echo").status_code == 200
    gw.kill()
    rings = list((gw.data / "journal").glob("*.ring"))
    assert rings
    for ring in rings:
        with open(ring, "r+b") as file:
            file.write(b"damaged " * 512)
    gw.start()
    assert gw.chat("echo").status_code == 200
    said = gw.stderr()
    assert "journal" in said and "set aside" in said
    for ring in rings:
        assert ring.with_name(ring.name + ".damaged").exists() and ring.name + ".damaged" in said
