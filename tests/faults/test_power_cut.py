"""A power cut: of the data folder only what a sync has covered is left."""

import random
import threading
import time

import pytest

from faults.rig import Callers, assert_store_is_clean, totals
from faults.shim import shim, shim_library  # noqa: F401
from gateway import wait_until

SYNC = 0.05  # what the journal allows
SLACK = 0.25  # what the sync itself may take on top, on a machine that is free


class Lateness:
    """How late a thread is that wants its turn every 50 ms, as the journal's does: this machine's load."""

    def __enter__(self):
        self.worst, self.stopped = 0.0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.stopped:
            start = time.monotonic()
            time.sleep(SYNC)
            self.worst = max(self.worst, time.monotonic() - start - SYNC)

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()


class Timed(list):
    """A list that knows when its entries came."""

    def __init__(self):
        super().__init__()
        self.times = {}

    def append(self, entry):
        self.times[entry] = time.monotonic()
        super().append(entry)


@pytest.mark.parametrize("seed", range(8))
def test_power_cut(config, make_gateway, shim, seed, tmp_path):
    """In the first second of a new folder, where nothing has been folded yet, and later."""
    shadow = tmp_path / "disk"
    shadow.mkdir(mode=0o700)
    gw = make_gateway(config(), start=False)
    gw.env.update(shim.env(gw.data, shadow))
    gw.start()
    key = gw.make_key()["key"] if seed % 2 else None
    confirmed = Timed()
    with Lateness() as late, Callers(gw, "cut", count=2, confirmed=confirmed) as callers:
        time.sleep((0.5, 0.7, 0.9, 1.3)[seed // 2] + random.Random(seed).random() * 0.2)
        shown = totals(gw) if seed % 4 == 3 else {}
        time.sleep(0.15)
        gw.kill()
    cut = time.monotonic()
    assert not callers.odd
    after = config()
    after["server"] = {"data": str(shadow)}
    other = make_gateway(after)
    other.data = shadow
    settled = totals(other)
    assert set(shown) <= set(settled), "what /api/usage has shown is lost"
    lost = [model for model in confirmed if f"fake/{model}" not in settled]
    allowed = SYNC + SLACK + 3 * late.worst
    early = [model for model in lost if confirmed.times[model] < cut - allowed]
    assert not early, f"{len(early)} of {len(confirmed)} answers older than {allowed:.2f} s are lost"
    assert all(row["requests"] == 1 for row in settled.values())
    if key:
        assert other.chat("echo", key=key).status_code == 200, "a confirmed key is lost"
    assert_store_is_clean(other)
    print(f"{len(confirmed)} answers, {len(lost)} lost, the oldest "
          f"{max((cut - confirmed.times[m] for m in lost), default=0) * 1000:.0f} ms before the cut")
