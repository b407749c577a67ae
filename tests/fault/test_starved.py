"""The probe's processor is taken by others: that is the probe's trouble, and never the target's."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from servers.waiting import wait_until

HOGS = 16
VERDICTS = ("good", "bad", "blind", "probe_fault", "missed", "excluded")


def runs(probe):
    metrics = probe.metrics()
    return {verdict: metrics.value("slosonde_runs_total", transaction="console", verdict=verdict) or 0 for verdict in VERDICTS}


def pin(pid, processors):
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), processors)


def make_nice(pid):
    """As little of a processor as the kernel can be asked to give, also where it shares it out by session first."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.setpriority(os.PRIO_PROCESS, int(thread), 19)
    by_session = Path(f"/proc/{pid}/autogroup")
    if by_session.exists():
        by_session.write_text("19", encoding="ascii")


def hog(processor):
    """A process that never gives its processor away."""
    return subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{processor}}})\nwhile True: pass"])


def test_sixteen_busy_processes_on_its_processor(slosonde, nginx):
    """The probe gets a thousandth of its processor (it is nice, they are not): it starts late, and says so."""
    url = nginx("location / { return 200 'ok'; }").url
    probe = slosonde({"probe": {"max_lateness": "50ms"}, "transactions": [{"name": "console", "every": "200ms", "stages": [
        {"name": "up", "within": "150ms", "http": {"url": url}}]}],
        "slos": [{"name": "up", "objective": "99.9%", "window": "1d", "sli": {"transaction": "console"}}]})
    wait_until(lambda: runs(probe)["good"] >= 10, what="ten good runs")
    assert runs(probe)["bad"] == 0
    processor = min(os.sched_getaffinity(0))

    with ExitStack() as stack:
        make_nice(probe.process.pid)
        pin(probe.process.pid, {processor})
        for _ in range(HOGS):
            process = hog(processor)
            stack.callback(process.wait)
            stack.callback(process.kill)
        wait_until(lambda: runs(probe)["probe_fault"] + runs(probe)["missed"] >= 30, 120, "runs that it could not make", every=1)

    wait_until(lambda before=runs(probe)["good"]: runs(probe)["good"] >= before + 10, 60, "ten more good runs")
    counted = runs(probe)
    assert counted["bad"] == 0 and counted["blind"] == 0, counted
    slo = probe.slo("up")
    assert slo["bad"] == 0 and slo["coverage"] < 1
    assert all(value == 0 for _, value in probe.metrics().series("slosonde_slo_alert_active"))
