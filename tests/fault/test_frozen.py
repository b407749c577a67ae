"""The probe's process is stopped for a minute, as a suspended machine is, and goes on."""

import time

from servers.demo import DemoPipeline
from servers.waiting import wait_until

STILL = 60  # seconds
HELD = 0.7  # the brokers before and after: more than between two questions of the watch, less than it waits for an answer
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
                    {"name": "ingest", "within": "2s", "http": {
                        "method": "POST", "url": f"{pipeline.url}/v1/logs", "json": {"message": "login failed {{marker}}"}}},
                    {"name": "incident", "within": "3s", "watch": {"kafka": {"brokers": [pipeline.brokers], "topic": "incidents"}}}]}],
            "slos": [{"name": name, "objective": "99.9%", "window": "1d", "sli": {"transaction": name}} for name in ("console", "logs")]})
        for name in ("console", "logs"):
            wait_until(lambda name=name: runs(probe.metrics(), name)["good"] >= 5, 60, f"five good runs of {name}")

        # So that it is stopped with a question in flight, and awakes before there is an answer.
        before = probe.metrics()
        pipeline.process.freeze()
        held = time.monotonic()
        wait_until(lambda: time.monotonic() >= held + HELD, HELD + 10, every=0.01)
        probe.process.freeze()
        frozen = time.monotonic()
        wait_until(lambda: time.monotonic() >= frozen + STILL, STILL + 10, every=0.1)
        probe.process.thaw()
        thawed = time.monotonic()
        wait_until(lambda: time.monotonic() >= thawed + HELD, HELD + 10, every=0.01)
        pipeline.process.thaw()

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
        assert "no answer from the brokers" not in probe.process.log(), "they were blamed for the time in which we stood still"
        assert all(value == 0 for _, value in after.series("slosonde_slo_alert_active"))
