"""Traces on a disk that is full: requests are answered, settlements and keys are as they were, traces are dropped
and counted, and recorded again when there is room."""

import contextlib
import os

from faults.rig import Callers, needs_root
from faults.test_disk import mounted, on, usage_or_none
from gateway import wait_until


@needs_root
def test_full(config, make_gateway, tmp_path):
    value = config()
    value["policies"] = [{"name": "keep", "traces": {"contents": "on"}}]
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs") as disk:
        gw = make_gateway(on(value, disk / "data"))
        dropped = lambda: gw.metrics().value("causeway_traces_dropped_total", what="trace", reason="disk")
        first = gw.chat("echo").headers["x-request-id"]
        assert gw.admin_call("GET", f"/api/traces/{first}").status_code == 200
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
            while filler.write(b"x" * 4096):
                pass
        with Callers(gw, "full", count=2) as during:
            wait_until(lambda: dropped() > 0, "traces are dropped", timeout=20)
            before = len(during.confirmed)
            wait_until(lambda: len(during.confirmed) > before + 50, "requests are answered")
        assert not during.odd
        assert gw.admin_call("GET", f"/api/traces/{first}").status_code == 200  # what was written can be read
        os.unlink(disk / "filler")
        def recorded():
            request_id = gw.chat("echo").headers["x-request-id"]
            return gw.admin_call("GET", f"/api/traces/{request_id}").status_code == 200
        wait_until(recorded, "traces are recorded again", timeout=20, every=0.5)
        wait_until(lambda: usage_or_none(gw), "usage is confirmed again", timeout=15)
        gw.stop()
