"""Somebody sets the wall clock by an hour, either way, under a running probe: it is counted, and changes nothing else."""

import struct
import time
from datetime import datetime
from pathlib import Path

import pytest

from servers.process import run
from servers.waiting import wait_until

HOUR = 3600
VERDICTS = ("good", "bad", "blind", "probe_fault", "missed", "excluded")


class Clock:
    """The wall clock that the probe alone sees, off by so many seconds; its monotonic clocks stay true."""

    def __init__(self, folder):
        self.file, library = folder / "offset", folder / "wall_clock.so"
        self.set(0)
        made = run(["cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("wall_clock.c")])
        assert made.returncode == 0, made.stderr
        self.env = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(self.file)}

    def set(self, seconds):
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))


def runs(probe):
    metrics = probe.metrics()
    return {verdict: metrics.value("slosonde_runs_total", transaction="console", verdict=verdict) or 0 for verdict in VERDICTS}


def ahead(probe):
    """By how many seconds the probe's wall clock differs from ours."""
    return datetime.fromisoformat(probe.api("status")["now"].replace("Z", "+00:00")).timestamp() - time.time()


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_an_hour_either_way_is_counted_and_nothing_else(slosonde, nginx, tmp_path, step):
    clock = Clock(tmp_path)
    probe = slosonde({
        "transactions": [{"name": "console", "every": "200ms", "stages": [
            {"name": "up", "within": "150ms", "http": {"url": nginx("location / { return 200 'ok'; }").url}}]}],
        "slos": [{"name": "up", "objective": "99%", "window": "1d", "sli": {"transaction": "console"}}]}, env=clock.env)
    wait_until(lambda: runs(probe)["good"] >= 10, what="ten good runs")
    assert abs(ahead(probe)) < 5 and probe.api("status")["wall_clock_steps"] == 0

    before, started = runs(probe), time.monotonic()
    clock.set(step)
    wait_until(lambda: probe.api("status")["wall_clock_steps"] == 1, what="the step to be seen")
    wait_until(lambda: runs(probe)["good"] >= before["good"] + 20, what="twenty more good runs")
    after, passed = runs(probe), time.monotonic() - started

    assert probe.metrics()["slosonde_wall_clock_steps_total"] == 1
    assert abs(ahead(probe) - step) < 5, "times are shown by the new clock"
    assert {v: after[v] - before[v] for v in VERDICTS if v != "good"} == dict.fromkeys(VERDICTS[1:], 0)
    assert after["good"] - before["good"] <= passed / 0.2 + 2, "no burst of runs"
    slo = probe.slo("up")
    assert slo["good"] >= after["good"] - 1 and slo["bad"] == 0 and slo["coverage"] == 1
    burns = probe.metrics().series("slosonde_slo_burn_rate", slo="up")
    assert burns and all(value == 0 for _, value in burns), "no window has been emptied"
    newest = probe.api("runs?transaction=console&limit=1")["runs"][0]
    age = time.time() + step - datetime.fromisoformat(newest["due"].replace("Z", "+00:00")).timestamp()
    assert -5 < age < 30, f"a run that was due just now is {age} s old"
