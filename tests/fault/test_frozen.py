"""The probe's process is stopped for a minute, as a suspended machine is, and goes on."""

import time

from servers.demo import DemoPipeline
from servers.waiting import wait_until

STILL = 60  # seconds
VERDICTS = ("good", "bad", "blind", "probe_fault", "missed", "excluded")


def runs(metrics, transaction):
    return {verdict: metrics.value("slosonde_runs_total", transaction=transaction, verdict=verdict) or 0 for verdict in VERDICTS}


def test_a_minute_without_us_is_missed_slots_and_nobody_is_paged(slosonde, nginx, tmp_path):
    with DemoPipeline(tmp_path / "pipeline") as pipeline:
        probe = slosonde({
            "probe": {"settle": "5s"},
            "transactions": [
                {"name": "console", "every": "1s", "stages": [
                    {"name": "up", "within": "800ms", "http": {"url": nginx("location / { return 200 'ok'; }").url}}]},
                {"name": "logs", "every": "1s", "stages": [
                    {"name": "ingest", "within": "800ms", "http": {
                        "method": "POST", "url": f"{pipeline.url}/v1/logs", "json": {"message": "login failed {{marker}}"}}},
                    {"name": "incident", "within": "3s", "watch": {"kafka": {"brokers": [pipeline.brokers], "topic": "incidents"}}}]}],
            "slos": [{"name": name, "objective": "99.9%", "window": "1d", "sli": {"transaction": name}} for name in ("console", "logs")]})
        for name in ("console", "logs"):
            wait_until(lambda name=name: runs(probe.metrics(), name)["good"] >= 5, 60, f"five good runs of {name}")

        before = probe.metrics()
        probe.process.freeze()
        frozen = time.monotonic()
        wait_until(lambda: time.monotonic() >= frozen + STILL, STILL + 10, every=0.1)
        probe.process.thaw()
        thawed = time.monotonic()

        for name in ("console", "logs"):
            good = runs(before, name)["good"]
            wait_until(lambda name=name, good=good: runs(probe.metrics(), name)["good"] >= good + 8, 60, f"eight more good runs of {name}")
        after, passed = probe.metrics(), time.monotonic() - thawed
        for name in ("console", "logs"):
            new = {verdict: runs(after, name)[verdict] - runs(before, name)[verdict] for verdict in VERDICTS}
            assert new["bad"] == 0, f"{name}: {new}"
            assert STILL - 1 <= new["missed"] <= STILL + 1, f"{name}: {new}"
            # In flight when it was stopped: at most those of one limit.
            assert new["blind"] + new["probe_fault"] <= 4, f"{name}: {new}"
            assert new["good"] <= passed + 5, f"{name}: a burst of runs, {new} in {passed:.1f} s"
            assert probe.slo(name)["bad"] == 0
        assert all(value == 0 for _, value in after.series("slosonde_slo_alert_active"))
