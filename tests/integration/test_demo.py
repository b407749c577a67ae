"""./demo/run shows what it promises, and says so when it cannot."""

import os
import re
import shutil
from pathlib import Path

import pytest

from servers.process import Process, run
from servers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLOSONDE_BUILD") or ROOT / "build" / "release")
SHOW = ["/usr/bin/python3", "-B", ROOT / "demo" / "show"]


def test_the_demo_shows_a_page_and_its_end():
    result = run(SHOW, deadline=300, env={"SLOSONDE_BUILD": BUILD})
    assert result.returncode == 0, result.stdout + result.stderr
    text = result.stdout
    assert "\033" not in text, "colours though it is no terminal"
    acts = [text.index(part) for part in ("1. All is well", "2. The alert router now loses", "FIRING", "The page fired",
                                          "3. The fault is switched off", "The page resolved", "4. The probe itself is killed",
                                          "Nothing that had been committed is lost", "What happened")]
    assert acts == sorted(acts)
    cost = float(re.search(r"Cost: ([\d.]+) % of the day's error budget", text)[1])
    assert 1 < cost < 50
    assert not re.search(r"http://127\.0\.0\.1:\d+", text), "an address of what is no longer there"
    lost = [line for line in text.splitlines() if "missing" in line]
    rows = [line for line in text.splitlines() if re.match(r"  \d\d:\d\d:\d\d  ", line)]
    assert rows == sorted(rows, key=lambda row: row[2:10]), "the runs are not in the order in which they were due"
    first, last = rows.index(lost[0]), rows.index(lost[-1])
    assert rows[first:last + 1] == lost, "lines of before and after the repair are mixed"


def test_a_demo_without_its_programs_says_so(tmp_path):
    result = run(SHOW, env={"SLOSONDE_BUILD": tmp_path})
    assert result.returncode == 1
    assert "slosonde-demo-pipeline is not there; demo/run builds it" in result.stderr


def test_a_demo_whose_probe_fails_shows_its_log(tmp_path):
    shutil.copy(BUILD / "slosonde-demo-pipeline", tmp_path)
    (tmp_path / "slosonde").write_text("#!/bin/sh\necho no such luck\nexit 7\n", "ascii")
    (tmp_path / "slosonde").chmod(0o755)
    result = run(SHOW, env={"SLOSONDE_BUILD": tmp_path})
    assert result.returncode == 1
    assert "slosonde ended with 7" in result.stderr and "no such luck" in result.stderr


@pytest.mark.parametrize("option, code, says", [("--help", 0, "--stay"), ("--stya", 2, "it knows --stay")])
def test_options(option, code, says):
    result = run([ROOT / "demo" / "run", option])
    assert result.returncode == code
    assert says in result.stdout + result.stderr


def test_interrupting_leaves_nothing_running(tmp_path):
    process = Process(SHOW, tmp_path / "log", env={"SLOSONDE_BUILD": BUILD})
    wait_until(lambda: "1. All is well" in process.log(), what="the demo to begin")
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()]
    assert len(children) == 2
    process.stop(grace=30)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
