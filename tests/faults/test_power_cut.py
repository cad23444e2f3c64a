"""A power cut: of the data folder only what a sync has covered is left."""

import random
import statistics
import time

import pytest

from faults.rig import Callers, assert_store_is_clean, totals
from faults.shim import shim, shim_library  # noqa: F401
from gateway import wait_until

SYNC = 0.05  # what the journal allows
CADENCE = 0.030  # what a thread may be late for its turn, of the quarter that is late least


class Timed(list):
    """A list that knows when its entries came."""

    def __init__(self):
        super().__init__()
        self.times = {}

    def append(self, entry):
        self.times[entry] = time.monotonic()
        super().append(entry)


def in_time(syncs: list[tuple[float, float]]) -> float:
    """How long the journal waits between two syncs: the lowest quarter, since a busy machine makes waits only longer."""
    return statistics.quantiles((later[0] - sooner[1] for sooner, later in zip(syncs, syncs[1:])), n=4)[0]


@pytest.mark.parametrize("seed", range(8))
def test_power_cut(config, make_gateway, shim, seed, tmp_path):
    """In the first second of a new folder, where nothing has been folded yet, and later. What is lost was confirmed
    after the last sync had begun; and a sync begins 50 ms after the one before."""
    shadow = tmp_path / "disk"
    shadow.mkdir(mode=0o700)
    settings = config()
    settings["server"] = {"threads": 1}  # one journal: which sync an answer needed is known
    gw = make_gateway(settings, start=False)
    gw.env.update(shim.env(gw.data, shadow))
    gw.start()
    key = gw.make_key()["key"] if seed % 2 else None
    confirmed = Timed()
    with Callers(gw, "cut", count=2, confirmed=confirmed) as callers:
        time.sleep((0.5, 0.7, 0.9, 1.3)[seed // 2] + random.Random(seed).random() * 0.2)
        shown = totals(gw) if seed % 4 == 3 else {}
        time.sleep(0.15)
        wait_until(lambda: len(shim.syncs()) >= 8, "enough of them to tell how often they come")
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
    syncs = shim.syncs()
    early = [model for model in lost if confirmed.times[model] < syncs[-1][0]]
    assert not early, f"{len(early)} of {len(confirmed)} lost answers had been confirmed when the last sync began"
    assert in_time(syncs) <= SYNC + CADENCE, f"{in_time(syncs) * 1e3:.0f} ms between syncs"
    assert all(row["requests"] == 1 for row in settled.values())
    if key:
        assert other.chat("echo", key=key).status_code == 200, "a confirmed key is lost"
    assert_store_is_clean(other)
    print(f"{len(confirmed)} answers, {len(lost)} lost, the oldest "
          f"{max((cut - confirmed.times[m] for m in lost), default=0) * 1000:.0f} ms before the cut; "
          f"{len(syncs)} syncs, {in_time(syncs) * 1e3:.1f} ms between them")
