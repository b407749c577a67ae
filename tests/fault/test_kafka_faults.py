"""Brokers that are gone, frozen, back again; topics that vanish. Nothing is missed, nobody else is disturbed."""

import json
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from servers import web
from servers.waiting import wait_until


def stage(probe, name, metric="slosonde_stages_total", **labels):
    return probe.metrics().value(metric, transaction="t", stage=name, **labels) or 0


def failures(probe, name, reason):
    return stage(probe, name, "slosonde_stage_failures_total", reason=reason)


def verdicts(probe, verdict, transaction="t"):
    return probe.metrics().value("slosonde_runs_total", transaction=transaction, verdict=verdict) or 0


def watch_state(probe):
    return probe.api("status")["watches"][0]


def in_sight(probe):
    return watch_state(probe)["state"] == "in_sight"


def out_of_sight(probe):
    return watch_state(probe)["state"] == "out_of_sight"


def clean_log(probe):
    """librdkafka's own lines would begin with %4|… or the like."""
    return [line for line in probe.log().splitlines() if not line.startswith("time=")] == []


def produced(broker, every="300ms", within=("1s", "20s")):
    """A transaction through one broker."""
    return {"name": "t", "every": every, "stages": [
        {"name": "send", "within": within[0],
         "kafka": {"brokers": broker.brokers, "topic": "logs", "value": "{{marker}}", "message_timeout": "1s"}},
        {"name": "see", "within": within[1], "watch": {"kafka": {"brokers": broker.brokers, "topic": "logs"}}}]}


def sent_elsewhere(nginx, broker, every="1h", within="30s"):
    """Sent to a server that takes anything; the test puts the evidence into the topic by hand."""
    target = nginx("location / { return 202; }")
    return {"name": "t", "every": every, "stages": [
        {"name": "send", "within": "1s", "http": {"url": target.url + "/{{marker}}", "expect": {"status": 202}}},
        {"name": "see", "within": within, "watch": {"kafka": {"brokers": broker.brokers, "topic": "logs"}}}]}


def open_markers(probe):
    """Of runs that wait for their evidence."""
    return [run["id"] for run in probe.api("runs")["runs"]
            if run["state"] == "in_flight" and run["stages"][0]["verdict"] == "on_time"]


def test_gone_at_the_start_and_there_later(slosonde, own_kafka):
    broker = own_kafka()
    broker.create_topic("logs", partitions=2)
    broker.stop()
    probe = slosonde({"probe": {"name": "test", "key": "${env:KEY}", "settle": "2s"}, "transactions": [produced(broker)]},
                     env={"KEY": "sixteen bytes or more"})
    wait_until(lambda: failures(probe, "send", "connect_refused") >= 2, 30)
    state = watch_state(probe)
    assert state["state"] == "out_of_sight" and broker.brokers in json.dumps(state), state
    broker.start()
    wait_until(lambda: verdicts(probe, "good") >= 3, 60)
    assert stage(probe, "see", verdict="lost") == 0 and clean_log(probe)


def test_away_at_a_limit_is_a_failure_of_the_place_and_not_blindness(slosonde, own_kafka, nginx):
    broker = own_kafka()
    broker.create_topic("logs")
    probe = slosonde({"transactions": [sent_elsewhere(nginx, broker, every="500ms", within="2s")]})
    wait_until(lambda: in_sight(probe))
    wait_until(lambda: stage(probe, "see", verdict="lost") + verdicts(probe, "bad") >= 1, 30)
    assert stage(probe, "see", verdict="failed") == 0, "in sight, silence is a loss and no failure"
    broker.kill()
    wait_until(lambda: failures(probe, "see", "connect_refused") + failures(probe, "see", "connection_lost") >= 2, 30)
    broker.start()
    wait_until(lambda: in_sight(probe), 60)
    before = stage(probe, "see", verdict="failed")
    wait_until(lambda: stage(probe, "see", verdict="lost") >= 2, 60)
    assert stage(probe, "see", verdict="failed") <= before + 4, "those whose time was partly out of sight"
    assert stage(probe, "see", verdict="unseen") == 0 and clean_log(probe)


def test_what_came_while_we_could_not_see_is_read_back(slosonde, own_kafka, nginx):
    """Each time the broker comes back, evidence is in the topic before the probe has found it again."""
    broker = own_kafka()
    broker.create_topic("logs", partitions=3)
    probe = slosonde({"transactions": [sent_elsewhere(nginx, broker, every="400ms", within="60s")]})
    wait_until(lambda: in_sight(probe))
    delivered = set()
    for turn in range(2):
        markers = wait_until(lambda: [m for m in open_markers(probe) if m not in delivered][:20], 30)
        broker.kill()
        wait_until(lambda: out_of_sight(probe), 30)
        markers = [m for m in open_markers(probe) if m not in delivered][:20]
        broker.start()
        for number, marker in enumerate(markers):
            broker.produce("logs", f"incident {marker}", partition=number % 3)
        delivered.update(markers)
        wait_until(lambda: stage(probe, "see", "slosonde_sightings_total", kind="first") >= len(delivered), 30,
                   f"all {len(delivered)} to be seen in turn {turn}")
        wait_until(lambda: in_sight(probe), 30)
    assert stage(probe, "see", verdict="on_time") == len(delivered)
    assert stage(probe, "see", "slosonde_sightings_total", kind="duplicate") == 0


def test_a_gap_is_covered_once_it_is_read_back(slosonde, own_kafka):
    broker = own_kafka()
    broker.create_topic("logs")
    probe = slosonde({"transactions": [produced(broker, every="1h")]})
    wait_until(lambda: in_sight(probe))
    broker.kill()
    wait_until(lambda: out_of_sight(probe), 30)
    lost = watch_state(probe)["covered_to"]
    broker.start()
    wait_until(lambda: in_sight(probe) and watch_state(probe)["covered_to"] > lost, 60)


@pytest.mark.parametrize("clock_error,in_time,late", [(None, "unseen", "unseen"), ("500ms", "on_time", "late")])
def test_what_came_while_we_stood_still_came_when_its_broker_says(slosonde, own_kafka, nginx, clock_error, in_time, late):
    """The one within its limit, the other beyond it, both while the probe was frozen: the log itself knows."""
    broker = own_kafka()
    broker.create_topic("logs", config={"message.timestamp.type": "LogAppendTime"})
    transaction = sent_elsewhere(nginx, broker, every="1s", within="6s")
    if clock_error:
        transaction["stages"][1]["watch"]["kafka"]["clock_error"] = clock_error
    probe = slosonde({"transactions": [transaction]})
    wait_until(lambda: in_sight(probe))
    first, second = wait_until(lambda: (lambda found: found if len(found) >= 2 else None)(open_markers(probe)), 30)[:2]
    probe.process.freeze()
    broker.produce("logs", f"incident {first}")
    over = time.time() + 7
    wait_until(lambda: time.time() > over)
    broker.produce("logs", f"incident {second}")
    probe.process.thaw()

    def verdict(marker):
        return probe.api(f"runs/{marker}")["stages"][1]["verdict"]
    wait_until(lambda: verdict(first) == in_time and verdict(second) == late, 30, lambda: f"{verdict(first)}, {verdict(second)}")


def test_a_broker_that_stands_still(slosonde, own_kafka):
    broker = own_kafka()
    broker.create_topic("logs")
    probe = slosonde({"transactions": [produced(broker)]})
    wait_until(lambda: verdicts(probe, "good") >= 2)
    broker.process.freeze()
    try:
        wait_until(lambda: out_of_sight(probe), 30)
        wait_until(lambda: failures(probe, "send", "unconfirmed") + failures(probe, "send", "timeout") >= 2, 30)
    finally:
        broker.process.thaw()
    good = verdicts(probe, "good")
    wait_until(lambda: in_sight(probe) and verdicts(probe, "good") >= good + 3, 60)
    assert stage(probe, "see", verdict="lost") == 0


@pytest.mark.parametrize("before, after", [(1, 1), (3, 1), (1, 3)])
def test_a_topic_that_is_deleted_and_made_anew(slosonde, own_kafka, before, after):
    broker = own_kafka(settings={"auto.create.topics.enable": "false"})
    broker.create_topic("logs", partitions=before)
    for number in range(20):
        broker.produce("logs", "old", partition=number % before)
    probe = slosonde({"transactions": [produced(broker)]})
    wait_until(lambda: verdicts(probe, "good") >= 3)
    broker.delete_topic("logs")
    state = wait_until(lambda: watch_state(probe) if out_of_sight(probe) else None, 30)
    assert "logs" in json.dumps(state)
    broker.create_topic("logs", partitions=after)
    good = verdicts(probe, "good")
    wait_until(lambda: in_sight(probe) and verdicts(probe, "good") >= good + 3, 60)
    # It stays so: no partition of the old topic keeps being missed.
    covered = watch_state(probe)["covered_to"]
    lost = probe.log().count("out of sight")
    wait_until(lambda: watch_state(probe)["covered_to"] > covered and verdicts(probe, "good") >= good + 20, 60)
    assert in_sight(probe) and probe.log().count("out of sight") == lost


def test_what_was_deleted_before_it_was_read_is_not_covered(slosonde, own_kafka):
    """The probe stands still while the broker's retention deletes what it has not read."""
    broker = own_kafka(settings={"log.retention.check.interval.ms": 300, "log.initial.task.delay.ms": 300})
    broker.create_topic("logs", config={"retention.ms": "1000", "file.delete.delay.ms": "100"})
    probe = slosonde({"transactions": [produced(broker)]})
    wait_until(lambda: verdicts(probe, "good") >= 2)
    probe.process.freeze()
    try:
        for _ in range(30):
            broker.produce("logs", "nobody will read this")
        reader = Consumer({"bootstrap.servers": broker.brokers, "group.id": "tests", "log_level": 0})

        def all_deleted():
            low, high = reader.get_watermark_offsets(TopicPartition("logs", 0), timeout=5)
            return low == high
        wait_until(all_deleted, 60, "the broker to delete what is older than a second")
        reader.close()
    finally:
        probe.process.thaw()
    good = verdicts(probe, "good")
    wait_until(lambda: in_sight(probe) and verdicts(probe, "good") >= good + 3, 60)
    assert clean_log(probe)
    assert stage(probe, "see", verdict="failed") == 0, "it was we who stood still"
    assert stage(probe, "see", verdict="lost") == 0, "nobody has looked"


def test_a_dead_cluster_disturbs_nobody_else(slosonde, own_kafka, nginx):
    broker = own_kafka()
    broker.create_topic("logs")
    broker.kill()
    target = nginx("location / { return 200 'ok'; }")
    dead = [{**produced(broker, every="200ms"), "name": f"dead-{n}"} for n in range(4)]
    for n, transaction in enumerate(dead):
        transaction["stages"][1]["watch"]["kafka"]["topic"] = f"logs-{n}"
    alive = {"name": "alive", "every": "200ms", "stages": [
        {"name": "up", "within": "1s", "http": {"url": target.url}}]}
    probe = slosonde({"probe": {"name": "test", "key": "${env:KEY}", "settle": "2s"}, "transactions": [*dead, alive]},
                     env={"KEY": "sixteen bytes or more"})
    wait_until(lambda: verdicts(probe, "good", "alive") >= 20, 60)
    for verdict in ("bad", "missed", "probe_fault", "blind"):
        assert verdicts(probe, verdict, "alive") == 0, verdict
    wait_until(lambda: probe.metrics().sum("slosonde_stage_failures_total", stage="send", reason="connect_refused") >= 4)
    assert all(state["state"] == "out_of_sight" for state in probe.api("status")["watches"])


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_the_end_does_not_wait_for_a_dead_cluster(slosonde, own_kafka, how):
    broker = own_kafka()
    broker.create_topic("logs")
    probe = slosonde({"probe": {"name": "test", "key": "${env:KEY}", "grace": "1s"}, "transactions": [produced(broker)]},
                     env={"KEY": "sixteen bytes or more"})
    wait_until(lambda: verdicts(probe, "good") >= 1)
    if how == "killed":
        broker.kill()
    else:
        broker.process.freeze()
    try:
        wait_until(lambda: out_of_sight(probe), 30)
        assert probe.stop(grace=15) == 0
    finally:
        if how == "frozen":
            broker.process.thaw()
    assert clean_log(probe)


def test_what_answers_is_no_broker(slosonde, nginx):
    """A port that speaks another protocol is told, and bounded in memory and time."""
    target = nginx("location / { return 200 'ok'; }")
    fake = type("Fake", (), {"brokers": f"127.0.0.1:{target.port}"})
    probe = slosonde({"probe": {"name": "test", "key": "${env:KEY}", "settle": "1s"}, "transactions": [produced(fake)]},
                     env={"KEY": "sixteen bytes or more"})
    wait_until(lambda: out_of_sight(probe) and stage(probe, "send", verdict="failed") >= 2, 30)
    assert fake.brokers in json.dumps(watch_state(probe))
    assert web.get(f"{probe.url}/-/healthy").status == 200 and clean_log(probe)
