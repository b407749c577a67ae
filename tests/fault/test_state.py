"""What survives: the real probe, killed at any instant, with its file read by a decoder of the test's own."""

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from servers.nginx import Nginx
from servers.slosonde import Slosonde, command
from servers.state import State
from servers.waiting import wait_until

KILLS = int(os.environ.get("SLOSONDE_KILLS") or 200)
EVERY_NS = 100_000_000
SLI = "poke: get within 50ms"


@pytest.fixture(name="nginx", scope="module")
def fixture_nginx(tmp_path_factory):
    with Nginx(tmp_path_factory.mktemp("nginx"), server="location / { access_log off; return 200 'ok'; }") as nginx:
        yield nginx


def config(nginx, folder, **probe):
    """One transaction that is decided at once, and one whose runs are in flight for a second, for they wait for what
    never comes."""
    key = folder / "key"
    if not key.exists():
        key.write_text("a key for tests only, 32 bytes..")
    return {
        "probe": {"name": "test", "key_file": str(key), "state": str(folder / "state.db"), "commit": "50ms", "grace": "1ms", "settle": "1s",
                  **probe},
        "transactions": [
            {"name": "poke", "every": "100ms", "stages": [{"name": "get", "within": "50ms", "http": {"url": f"{nginx.url}/"}}]},
            {"name": "lost", "every": "100ms", "stages": [
                {"name": "send", "within": "50ms", "http": {"url": f"{nginx.url}/?m={{{{marker}}}}"}},
                {"name": "seen", "within": "1s", "watch": {"webhook": {"path": "/hooks/never"}}}]}],
        "slos": [{"name": "poke", "objective": "99%", "window": "30d", "sli": {"transaction": "poke"}},
                 {"name": "lost", "objective": "99%", "window": "30d", "sli": {"transaction": "lost", "stage": "seen"}}]}


def totals(slo):
    """How many slots the API says were decided, of each kind."""
    unjudged = {event: n for event, n in slo["unjudged"].items() if event != "excluded"}
    return {"good": slo["good"], "bad": slo["bad"], **unjudged}


class Books:
    """What must be in the file: never less than was acknowledged, and each slot of the schedule exactly once."""

    def __init__(self, path):
        self.path = path
        self.first_slot = {}
        self.before = {}

    def check(self, acknowledged):
        with State(self.path) as state:
            assert state.integrity() == "ok"
            schedules = state.schedules()
            for definition in state.definitions():
                transaction = definition.partition(":")[0]
                counts = state.counts(definition)
                decided = sum(counts.values())
                for event, n in acknowledged.get(transaction, {}).items():
                    assert counts[event] >= n, f"{transaction}: {n} {event} were acknowledged, the file has {counts}"
                for event, n in self.before.get(transaction, {}).items():
                    assert counts[event] >= n, f"{transaction}: {event} was {n} and is {counts[event]}"
                self.before[transaction] = counts
                stream, next_slot = schedules[transaction]
                open_runs = state.undecided(stream, stage="seen" if transaction == "lost" else None)
                slots = next_slot // EVERY_NS
                first = self.first_slot.setdefault(transaction, slots - decided - open_runs)
                assert decided + open_runs == slots - first, (
                    f"{transaction}: {slots - first} slots have come, {decided} are counted and {open_runs} in flight: {counts}")


def acknowledged_until(probe, seconds):
    """Watches the API for a while: the counts of the last view that the probe then said is committed."""
    seen, safe = [], {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slos = {slo["name"]: totals(slo) for slo in probe.api("slos")["slos"]}
        status = probe.api("status")
        seen.append((status["now"], slos))
        committed = status["state"]["committed_to"]
        for at, counts in seen:
            if committed is not None and at < committed:
                safe = counts
    return safe


def test_killed_at_any_instant(nginx, tmp_path):
    """No count that was committed is lost, and no run is counted twice."""
    probe = Slosonde(tmp_path, config(nginx, tmp_path))
    books, rng = Books(tmp_path / "state.db"), random.Random(1)
    safe = {}
    for kill in range(KILLS):
        # Half of the kills come while it starts, or soon after.
        probe.start(ready=kill % 2 == 0)
        if kill % 10 == 0:
            safe = acknowledged_until(probe, 0.5) or safe
        instant = time.monotonic() + rng.random() * 0.15
        wait_until(lambda at=instant: time.monotonic() >= at, 10, every=0.001)
        probe.process.kill()
        if (tmp_path / "state.db").exists():
            books.check(safe)
    assert books.before["poke"]["good"] > KILLS / 10, "hardly a run was good: this shows nothing"
    assert books.before["lost"]["blind"] + books.before["lost"]["bad"] + books.before["lost"]["probe_fault"] > 0
    assert not list(tmp_path.glob("state.db.damaged*"))


def test_counts_go_on_after_a_restart(nginx, tmp_path):
    probe = Slosonde(tmp_path, config(nginx, tmp_path))
    with probe:
        wait_until(lambda: probe.slo("poke")["good"] >= 10, 30)
        since = probe.slo("poke")["since"]
    stopped = time.time()
    wait_until(lambda: time.time() > stopped + 1, 10)
    with probe:
        slo = probe.slo("poke")
        assert slo["good"] >= 10 and slo["since"] == since
        wait_until(lambda: probe.slo("poke")["unjudged"]["missed"] > 0, 30)
        down = time.time() - stopped
        assert probe.slo("poke")["unjudged"]["missed"] <= down * 10 + 2, "only the slots it was down for are missed"
        assert probe.slo("poke")["bad"] == 0
        assert probe.metrics().sum("slosonde_sli_events_total", slo="poke") < 10, "exported counters begin at 0"


def test_what_a_topic_got_while_the_probe_was_dead_is_read_back(kafka, nginx, tmp_path):
    """Sent before the kill, put into the topic while nobody watched, found after it: on time, and nothing is lost."""
    kafka.create_topic("late", partitions=3)
    settings = config(nginx, tmp_path, settle="20s")
    settings["transactions"] = [{"name": "journey", "every": "200ms", "stages": [
        {"name": "send", "within": "150ms", "http": {"url": f"{nginx.url}/?m={{{{marker}}}}"}},
        {"name": "seen", "within": "60s", "watch": {"kafka": {"brokers": kafka.brokers, "topic": "late"}}}]}]
    settings["slos"] = [{"name": "seen", "objective": "99%", "window": "30d",
                         "sli": {"transaction": "journey", "stage": "seen"}}]
    probe = Slosonde(tmp_path, settings)

    def waiting():
        return {run["id"] for run in probe.api("runs")["runs"]
                if run["state"] == "in_flight" and run["stages"][0]["verdict"] == "on_time"}

    probe.start()
    sent = wait_until(lambda: waiting() if len(waiting()) >= 5 else None, 30)
    seen_at = probe.api("status")["now"]
    wait_until(lambda: (probe.api("status")["state"]["committed_to"] or "") > seen_at, 30)
    probe.process.kill()
    for number, marker in enumerate(sorted(sent)):
        kafka.produce("late", f"an incident of {marker}", partition=number % 3)
    with probe:
        wait_until(lambda: probe.slo("seen")["good"] >= len(sent), 30)
        found = {run["id"]: run for run in probe.api("runs")["runs"]}
        for marker in sent:
            assert found[marker]["verdict"] == "good", found[marker]
        assert probe.slo("seen")["bad"] == 0
        assert probe.metrics().sum("slosonde_sightings_total", kind="stale") == 0


def test_a_file_that_never_was_a_state_is_refused_and_left_alone(nginx, tmp_path):
    """A mistyped path must not cost anybody his key."""
    probe = Slosonde(tmp_path, config(nginx, tmp_path, state=str(tmp_path / "key")))
    key = (tmp_path / "key").read_bytes()
    result = command("run", probe.config_path)
    assert result.returncode == 1 and "it is no state file" in result.stderr
    assert (tmp_path / "key").read_bytes() == key


def test_a_file_damaged_in_the_middle_is_moved_aside(nginx, tmp_path):
    probe = Slosonde(tmp_path, config(nginx, tmp_path))
    with probe:
        wait_until(lambda: probe.slo("poke")["good"] >= 5, 30)
    state = tmp_path / "state.db"
    state.write_bytes(state.read_bytes()[:4096] + os.urandom(len(state.read_bytes()) - 4096))
    with probe:
        wait_until(lambda: probe.slo("poke")["good"] >= 1, 30)
        aside = list(tmp_path.glob("state.db.damaged-*"))
        assert len(aside) == 1 and str(aside[0]) in probe.log()
        assert probe.metrics().value("slosonde_state_files_moved_aside_total") == 1
        assert str(aside[0]) in probe.api("status")["state"]["last_moved_aside"]


def test_a_file_that_is_moved_away_is_missed(nginx, tmp_path):
    """Nothing is said to be committed that nobody would find; put back, it is gone on with, and nothing is lost."""
    with Slosonde(tmp_path, config(nginx, tmp_path)) as probe:
        wait_until(lambda: probe.api("status")["state"]["committed_to"], 30)
        (tmp_path / "state.db").rename(tmp_path / "elsewhere.db")
        wait_until(lambda: probe.metrics().value("slosonde_state_writable") == 0, 30)
        status = probe.api("status")["state"]
        assert "moved away or removed" in status["error"] and "state.db" in status["error"]
        wait_until(lambda: "moved away or removed" in probe.log(), 30)
        stuck, good = status["committed_to"], probe.slo("poke")["good"]
        wait_until(lambda: probe.slo("poke")["good"] >= good + 10, 30)
        assert probe.api("status")["state"]["committed_to"] == stuck
        (tmp_path / "elsewhere.db").rename(tmp_path / "state.db")
        wait_until(lambda: probe.metrics().value("slosonde_state_writable") == 1, 60)
        good = probe.slo("poke")["good"]
    with State(tmp_path / "state.db") as state:
        assert state.integrity() == "ok" and state.counts(SLI)["good"] >= good


def test_two_probes_cannot_share_a_file(nginx, tmp_path):
    with Slosonde(tmp_path, config(nginx, tmp_path)) as first:
        other = tmp_path / "other.yaml"
        other.write_text(first.config_path.read_text().replace(str(first.port), "0"))
        result = command("run", other)
        assert result.returncode == 1
        assert "another slosonde runs with it" in result.stderr and "state.db" in result.stderr


def test_a_file_of_a_later_version_is_refused(nginx, tmp_path):
    probe = Slosonde(tmp_path, config(nginx, tmp_path))
    with probe:
        wait_until(lambda: probe.api("status")["state"]["committed_to"], 30)
    with State(tmp_path / "state.db") as state:
        state.rows("PRAGMA user_version = 77")
    result = command("run", probe.config_path)
    assert result.returncode == 1 and "version 77" in result.stderr


def test_a_folder_that_is_not_there(nginx, tmp_path):
    probe = Slosonde(tmp_path, config(nginx, tmp_path, state=str(tmp_path / "nowhere" / "state.db")))
    result = command("run", probe.config_path)
    assert result.returncode == 1 and "make its folder" in result.stderr


@pytest.fixture(name="small_disk")
def fixture_small_disk(tmp_path):
    """A file system of 400 KiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=400k tmpfs {folder} 2>/dev/null") != 0:
        pytest.skip("only root may mount a file system")
    yield folder
    os.system(f"umount -l {folder}")


def test_a_full_disk_stops_keeping_and_not_probing(nginx, tmp_path, small_disk):
    """It heals by itself once there is space."""
    settings = config(nginx, tmp_path, state=str(small_disk / "state.db"))
    with Slosonde(tmp_path, settings) as probe:
        wait_until(lambda: probe.api("status")["state"]["committed_to"], 30)
        assert probe.metrics().value("slosonde_state_writable") == 1
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as out:
            try:
                while out.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        wait_until(lambda: probe.metrics().value("slosonde_state_writable") == 0, 60)
        status = probe.api("status")["state"]
        assert not status["writable"] and "state.db" in status["error"]
        assert any("state.db" in why for why in probe.api("status")["why"])
        assert "state not written" in probe.log()
        stuck, good = status["committed_to"], probe.slo("poke")["good"]
        wait_until(lambda: probe.slo("poke")["good"] >= good + 10, 30)
        assert probe.get("/-/healthy").status == 200
        assert probe.api("status")["state"]["committed_to"] == stuck
        filler.unlink()
        wait_until(lambda: probe.metrics().value("slosonde_state_writable") == 1, 60)
        wait_until(lambda: probe.api("status")["state"]["committed_to"] > stuck, 30)
        wait_until(lambda: "state written again" in probe.log(), 30)
        good = probe.slo("poke")["good"]
    shutil.copy(small_disk / "state.db", tmp_path / "state.db")
    with State(tmp_path / "state.db") as state:
        assert state.counts(SLI)["good"] >= good
