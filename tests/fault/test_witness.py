"""Whose fault is silence? What cannot be reached while no witness answers either is our own network's, and nobody's outage."""

import pytest

from servers import odd
from servers.ports import free_port
from servers.waiting import wait_until

STAGE = "connect"


def config(target, witnesses):
    stage = {"name": STAGE, "within": "500ms", "tcp": {"address": target.address}}
    return {"probe": {"witness": [f"tcp://{address}" for address in witnesses]},
            "transactions": [{"name": "t", "every": "500ms", "max_in_flight": 20, "stages": [stage]}],
            "slos": [{"name": "s", "objective": "99%", "window": "1h", "sli": {"transaction": "t"}}]}


def runs(probe, verdict):
    return probe.metrics().value("slosonde_runs_total", transaction="t", verdict=verdict)


def reachable(probe, address):
    return probe.metrics().value("slosonde_witness_reachable", witness=f"tcp://{address}")


@pytest.fixture
def target():
    with odd.Mutable() as peer:
        yield peer


@pytest.fixture
def witness():
    with odd.Mutable() as peer:
        yield peer


def test_what_is_silent_together_with_all_witnesses_is_no_outage(slosonde, target, witness):
    probe = slosonde(config(target, [witness.address]))
    wait_until(lambda: runs(probe, "good") >= 3 and reachable(probe, witness.address) == 1, what="good runs")
    witness.mute()
    target.mute()
    wait_until(lambda: runs(probe, "probe_fault") >= 4, what="runs that are our own fault")
    assert reachable(probe, witness.address) == 0
    status = probe.api("status")
    assert status["witnesses"] == [{"address": f"tcp://{witness.address}", "reachable": False}]
    assert any("our own network is down" in why for why in status["why"]), status["why"]
    assert status["ready"]
    ours = next(run for run in probe.api("runs?transaction=t&limit=20")["runs"] if run["verdict"] == "probe_fault")
    assert ours["stages"][0]["verdict"] == "unseen"
    assert "no witness answered either" in ours["stages"][0]["error"]["text"]

    target.speak()
    witness.speak()
    known = runs(probe, "good")
    wait_until(lambda: runs(probe, "good") >= known + 3, what="good runs again")
    wait_until(lambda: "a witness answers again" in probe.log(), what="that it is told")
    assert "no witness answers" in probe.log()
    assert runs(probe, "bad") == 0 and probe.slo("s")["bad"] == 0
    assert probe.stop() == 0


def test_what_is_silent_while_one_witness_answers_is_an_outage(slosonde, target, witness):
    """A connection refused is an answer: it has come over the network."""
    refuses = f"127.0.0.1:{free_port()}"
    probe = slosonde(config(target, [witness.address, refuses]))
    wait_until(lambda: runs(probe, "good") >= 3 and reachable(probe, refuses) == 1, what="good runs")
    witness.mute()
    target.mute()
    wait_until(lambda: runs(probe, "bad") >= 4, what="bad runs")
    assert runs(probe, "probe_fault") == 0
    assert reachable(probe, witness.address) == 0
    assert probe.metrics().value("slosonde_stage_failures_total", transaction="t", stage=STAGE, reason="timeout") >= 4 \
        or probe.metrics().value("slosonde_stage_failures_total", transaction="t", stage=STAGE, reason="connect_timeout") >= 4
    assert not any("witness" in why for why in probe.api("status")["why"])


def test_a_witness_that_has_never_answered_excuses_nothing(slosonde, target, witness):
    """Its address may be mistyped: an outage must not be sold as blindness for that."""
    witness.mute()
    probe = slosonde(config(target, [witness.address]))
    wait_until(lambda: runs(probe, "good") >= 3 and reachable(probe, witness.address) == 0, what="good runs")
    target.mute()
    wait_until(lambda: runs(probe, "bad") >= 4, what="bad runs")
    assert runs(probe, "probe_fault") == 0
    assert any("No witness has ever answered" in why for why in probe.api("status")["why"])


def test_witnesses_are_taken_over_by_a_reload(slosonde, target, witness):
    probe = slosonde(config(target, [witness.address]))
    wait_until(lambda: reachable(probe, witness.address) == 1, what="the witness")
    other = f"127.0.0.1:{free_port()}"
    probe.write(config(target, [other]))
    probe.reload()
    wait_until(lambda: reachable(probe, other) == 1, what="the other witness")
    assert reachable(probe, witness.address) is None
    witness.mute()
    target.mute()
    wait_until(lambda: runs(probe, "bad") >= 2, what="bad runs: the other one answers")
    assert runs(probe, "probe_fault") == 0
    assert probe.stop() == 0


@pytest.mark.parametrize("silent, verdict", [(True, "blind"), (False, "bad")], ids=["no-witness-answers", "one-answers"])
def test_a_place_that_is_silent_together_with_all_witnesses_is_out_of_our_sight(slosonde, target, witness, silent, verdict):
    """The place is a Kafka broker that swallows connections; the witnesses were heard before, and go on over the reload."""
    with odd.Mutable() as good:
        settings = config(good, [witness.address])
        settings["probe"]["settle"] = "3s"
        probe = slosonde(settings)
        wait_until(lambda: runs(probe, "good") >= 1 and reachable(probe, witness.address) == 1, what="a good run")
        target.mute()
        if silent:
            witness.mute()
            wait_until(lambda: reachable(probe, witness.address) == 0, what="that the witness is silent")
        watch = {"kafka": {"brokers": [target.address], "topic": "incidents"}}
        settings["transactions"].append({"name": "seen", "every": "500ms", "max_in_flight": 20, "stages": [
            {"name": STAGE, "within": "500ms", "tcp": {"address": good.address, "send": "{{marker}}\n"}},
            {"name": "incident", "within": "1s", "watch": watch}]})
        probe.write(settings)
        probe.reload()
        count = lambda which: probe.metrics().value("slosonde_runs_total", transaction="seen", verdict=which) or 0
        wait_until(lambda: count(verdict) >= 3, deadline=60, what=f"runs that are {verdict}")
        place = next(one for one in probe.api("status")["watches"] if one["kind"] == "kafka")
        assert place["state"] == "out_of_sight", place
        assert count("bad" if silent else "blind") == 0
