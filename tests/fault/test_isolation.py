"""One target's trouble is its own: the others' runs go on, on time, and the probe stays observable."""

import statistics

from servers import odd
from servers.waiting import wait_steady, wait_until

HANGING = 50


def one_stage(name, url, every, within):
    return {"name": name, "every": every, "stages": [{"name": "get", "within": within, "http": {"url": url}}]}


def test_fifty_hanging_targets_do_not_delay_a_good_one(slosonde, nginx):
    good = nginx()
    with odd.TcpServer(odd.hang) as hanging:
        transactions = [one_stage(f"hangs-{n}", f"{hanging.url}/{n}", "1s", "900ms") for n in range(HANGING)]
        transactions.append(one_stage("good", good.url, "200ms", "3s"))
        probe = slosonde({"transactions": transactions})
        count = lambda metrics, verdict, name="good": metrics.value("slosonde_runs_total", transaction=name, verdict=verdict)

        def all_hang():
            metrics = probe.metrics()
            return all(count(metrics, "bad", f"hangs-{n}") >= 5 for n in range(HANGING)) and count(metrics, "good") >= 25

        wait_until(all_hang, deadline=60, what="5 bad runs of each hanging target and 25 of the good one")
        assert hanging.accepted >= HANGING

        metrics = probe.metrics()
        verdicts = {verdict: count(metrics, verdict) for verdict in ("good", "bad", "missed", "probe_fault", "blind")}
        assert verdicts["bad"] == 0 and verdicts["blind"] == 0, verdicts
        # A machine that is busy with other things may hold the whole probe up now and then: that is ours, and shows as our
        # own lateness. Without it every run is good.
        if verdicts["good"] != sum(verdicts.values()):
            assert held_up(metrics) > 0, verdicts
            assert all("held up" in line for line in probe.log().splitlines() if "slot" in line and "missed" in line), probe.log()
        for n in range(HANGING):
            assert count(metrics, "good", f"hangs-{n}") == 0
            assert metrics.value("slosonde_stage_failures_total", transaction=f"hangs-{n}", stage="get", reason="timeout") >= 5

        # On schedule: a slot is due every 200 ms, and its run starts before the next one is due.
        runs = [run for run in probe.api("runs?transaction=good&limit=100")["runs"] if run["state"] != "in_flight"]
        dues = sorted(seconds_of(run["due"]) for run in runs)
        steps = [(b - a) / 0.2 for a, b in zip(dues, dues[1:])]
        assert len(steps) >= 20 and all(abs(step - round(step)) < 0.02 and round(step) >= 1 for step in steps), steps
        assert statistics.median(seconds_of(run["started"]) - seconds_of(run["due"]) for run in runs) < 0.2, runs

        # While they hang the probe answers whoever asks.
        wait_steady(lambda: probe.get("/metrics", deadline=5).status == 200 and probe.get("/-/healthy", deadline=5).status == 200,
                    2, "an answering /metrics")
        assert probe.stop() == 0


def held_up(metrics):
    """How often the loop came more than 10 ms late, which is when slots are missed."""
    return metrics.value("slosonde_loop_lag_seconds_count") - metrics.value("slosonde_loop_lag_seconds_bucket", le="0.01")


def seconds_of(instant):
    hours, minutes, seconds = instant.split("T")[1].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_a_target_that_drips_and_one_that_never_ends_do_not_delay_a_good_one(slosonde, nginx):
    good = nginx()
    with odd.TcpServer(odd.drip) as dripping, odd.TcpServer(odd.endless) as endless, odd.TcpServer(odd.reset) as resetting:
        probe = slosonde({"transactions": [
            one_stage("drips", dripping.url, "1s", "900ms"), one_stage("endless", endless.url, "1s", "900ms"),
            one_stage("resets", resetting.url, "1s", "900ms"), one_stage("good", good.url, "200ms", "3s")]})
        value = lambda name, verdict: probe.metrics().value("slosonde_runs_total", transaction=name, verdict=verdict)
        wait_until(lambda: all(value(name, "bad") >= 3 for name in ("drips", "endless", "resets")) and value("good", "good") >= 15,
                   deadline=60, what="3 bad runs of each odd target and 15 of the good one")
        assert value("good", "bad") == 0
        metrics = probe.metrics()
        reasons = {name: {labels["reason"] for labels, n in metrics.series("slosonde_stage_failures_total", transaction=name) if n}
                   for name in ("drips", "endless", "resets")}
        assert reasons["drips"] == {"timeout"}, reasons
        assert reasons["endless"] <= {"too_large", "timeout"}, reasons
        assert reasons["resets"] <= {"connection_lost", "send_failed", "connect_failed"}, reasons
