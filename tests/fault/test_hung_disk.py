"""The disk with the state file hangs, as a network's or a dying one does: nothing that is written comes back."""

import signal
import time
from pathlib import Path

import pytest

from servers.process import run
from servers.slosonde import Slosonde
from servers.waiting import wait_until


class Disk:
    """One that hangs for the probe alone, from hang() until heal()."""

    def __init__(self, folder):
        self.switch, library = folder / "hangs", folder / "hung_disk.so"
        made = run(["cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("hung_disk.c")])
        assert made.returncode == 0, made.stderr
        self.env = {"LD_PRELOAD": str(library), "DISK_HANGS": str(self.switch)}

    def hang(self):
        self.switch.touch()

    def heal(self):
        self.switch.unlink()


@pytest.fixture(name="disk")
def fixture_disk(tmp_path):
    return Disk(tmp_path)


@pytest.fixture(name="probe")
def fixture_probe(nginx, tmp_path, disk):
    state = tmp_path / "state.db"
    with Slosonde(tmp_path / "probe", {
            "probe": {"state": str(state), "commit": "50ms", "grace": "100ms"},
            "transactions": [{"name": "console", "every": "100ms", "stages": [
                {"name": "up", "within": "90ms", "http": {"url": nginx("location / { return 200 'ok'; }").url}}]}],
            "slos": [{"name": "up", "objective": "99%", "window": "1d", "sli": {"transaction": "console"}}]},
            env=disk.env) as probe:
        yield probe


def committed(probe):
    return probe.metrics().value("slosonde_state_committed_timestamp_seconds") or 0


def acknowledged(probe):
    """A count of good runs that the probe says is committed."""
    good, now = probe.slo("up")["good"], time.time()
    wait_until(lambda: committed(probe) > now + 1, what="a commit of it")
    return good


def test_the_process_ends_and_says_what_is_lost(probe, disk):
    wait_until(lambda: probe.slo("up")["good"] >= 10, what="ten good runs")
    safe = acknowledged(probe)

    disk.hang()
    wait_until(lambda: time.time() - committed(probe) > 2, what="commits to stop")
    stuck, good = committed(probe), probe.slo("up")["good"]
    wait_until(lambda: probe.slo("up")["good"] >= good + 10, what="probing to go on")
    assert committed(probe) == stuck, "what is not on the disk is not said to be committed"
    assert probe.get("/-/healthy").status == 200

    assert probe.stop(grace=60) == 1
    last = [line for line in probe.log().splitlines() if "ended by force" in line]
    assert len(last) == 1 and "state.db" in last[0] and "the disk hangs" in last[0] and "may not be kept" in last[0], probe.log()

    disk.heal()
    probe.start()
    assert probe.slo("up")["good"] >= safe
    wait_until(lambda: committed(probe) > time.time() - 5, what="commits to go on")
    assert probe.slo("up")["bad"] == 0
    assert probe.stop() == 0, "a disk that answers keeps nobody"


def test_a_disk_that_comes_back_in_time_keeps_everything(probe, disk):
    wait_until(lambda: probe.slo("up")["good"] >= 10, what="ten good runs")
    disk.hang()
    wait_until(lambda: time.time() - committed(probe) > 2, what="commits to stop")
    good = probe.slo("up")["good"]
    probe.process.signal(signal.SIGTERM)
    wait_until(lambda: '"stopping"' in probe.log() or "msg=stopping" in probe.log(), what="the probe to be stopping")
    disk.heal()
    assert probe.process.wait(30) == 0
    assert "ended by force" not in probe.log()
    probe.start()
    assert probe.slo("up")["good"] >= good
