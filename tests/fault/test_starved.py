"""The probe's processor is taken by others: that is the probe's trouble, and never the target's."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from servers.waiting import wait_until

HOGS = 16
STARVED = 20  # seconds
VERDICTS = ("good", "bad", "blind", "probe_fault", "missed", "excluded")


def runs(probe):
    metrics = probe.metrics()
    return {verdict: metrics.value("slosonde_runs_total", transaction="console", verdict=verdict) or 0 for verdict in VERDICTS}


def pin(pid, processors):
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), processors)


def make_nice(pid, value):
    """Also where the kernel shares a processor out by session first. Who is not root may only become nicer."""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), value)
        by_session = Path(f"/proc/{pid}/autogroup")
        if by_session.exists():
            by_session.write_text(str(value), encoding="ascii")
    except PermissionError:
        assert value < 19 and os.geteuid() != 0


def hog(processor):
    """A process that never gives its processor away, in a session of its own."""
    process = subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{processor}}})\nwhile True: pass"],
                               start_new_session=True)
    make_nice(process.pid, -20)
    return process


def test_sixteen_busy_processes_on_its_processor(slosonde, nginx):
    """The probe gets less than a thousandth of its processor, and needs more: it starts late, and says so."""
    url = nginx("location / { return 200 'ok'; }").url
    probe = slosonde({"probe": {"max_lateness": "50ms"}, "transactions": [{"name": "console", "every": "50ms", "stages": [
        {"name": "up", "within": "150ms", "http": {"url": url}}]}],
        "slos": [{"name": "up", "objective": "99.9%", "window": "1d", "sli": {"transaction": "console"}}]})
    wait_until(lambda: runs(probe)["good"] >= 10, what="ten good runs")
    assert runs(probe)["bad"] == 0
    processor = min(os.sched_getaffinity(0))

    with ExitStack() as stack:
        make_nice(probe.process.pid, 19)
        pin(probe.process.pid, {processor})
        for _ in range(HOGS):
            process = hog(processor)
            stack.callback(process.wait)
            stack.callback(process.kill)
        # It may not even get to answer: what came of it is asked afterwards.
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() >= begun + STARVED, STARVED + 10, every=0.2)
        make_nice(probe.process.pid, 0)

    wait_until(lambda before=runs(probe)["good"]: runs(probe)["good"] >= before + 10, 60, "ten more good runs")
    counted = runs(probe)
    assert counted["probe_fault"] + counted["missed"] >= 30, counted
    assert counted["bad"] == 0 and counted["blind"] == 0, counted
    slo = probe.slo("up")
    assert slo["bad"] == 0 and slo["coverage"] < 1
    assert all(value == 0 for _, value in probe.metrics().series("slosonde_slo_alert_active"))
