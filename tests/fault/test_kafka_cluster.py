"""Three brokers, of which some or all go away and come back: what the probe says is what the brokers' own log says."""

import time
from datetime import datetime

import pytest

from servers.kafka_cluster import NODES, KafkaCluster
from servers.waiting import wait_until

EVERY, SENT_WITHIN, SEEN_WITHIN = 0.5, 3.0, 8.0  # seconds
OURS = ("blind", "probe_fault", "missed")  # a fault of the place is none of these


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster(tmp_path_factory):
    with KafkaCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def config(cluster, topic):
    brokers = cluster.brokers.split(",")
    return {
        "transactions": [{"name": "t", "every": f"{EVERY}s", "max_in_flight": 100, "stages": [
            {"name": "send", "within": f"{SENT_WITHIN:g}s",
             "kafka": {"brokers": brokers, "topic": topic, "value": "{{marker}}", "message_timeout": "2500ms"}},
            {"name": "see", "within": f"{SEEN_WITHIN:g}s", "watch": {"kafka": {"brokers": brokers, "topic": topic}}}]}],
        "slos": [{"name": "seen", "objective": "99%", "window": "1d", "sli": {"transaction": "t"}}]}


def runs(probe, verdict):
    return probe.metrics().value("slosonde_runs_total", transaction="t", verdict=verdict) or 0


def closed_runs(probe):
    return [run for run in probe.api("runs?transaction=t&limit=1000")["runs"] if run["verdict"] is not None]


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def appended(cluster, topic):
    """When each marker was appended by the brokers' clock, which is ours."""
    return {message.value().decode(): message.timestamp()[1] / 1000 for message in cluster.nodes[1].messages(topic)}


def assert_as_the_log_says(probe, cluster, topic):
    log = appended(cluster, topic)
    judged = closed_runs(probe)
    assert len(judged) > 20
    for run in judged:
        send, see = (stage["verdict"] for stage in run["stages"])
        at = log.get(run["id"])
        story = f"{run['id']} was due at {run['due']}, send {send}, see {see}, in the log {at}"
        assert run["verdict"] in ("good", "bad"), story
        if send == "on_time":
            assert at is not None, f"what was acknowledged is not in the log: {story}"
        if see == "on_time":
            assert at is not None and at <= instant(run["due"]) + SEEN_WITHIN + 0.1, story
        if see == "lost":
            assert at is None, story
        if see == "late":
            assert at is not None, story
        if run["verdict"] == "bad":
            assert send == "failed" or see in ("lost", "late", "failed"), story
    assert {verdict: runs(probe, verdict) for verdict in OURS} == dict.fromkeys(OURS, 0)
    slo = probe.slo("seen")
    assert (slo["good"], slo["bad"]) == (runs(probe, "good"), runs(probe, "bad"))


def settled(probe):
    """Twenty good runs after all is well again, and none of before in flight."""
    good = runs(probe, "good")
    wait_until(lambda: runs(probe, "good") >= good + 20, 90, "twenty good runs")
    trouble_over = time.time()
    wait_until(lambda: not [run for run in probe.api("runs?transaction=t&limit=1000")["runs"]
                            if run["verdict"] is None and instant(run["due"]) < trouble_over - SEEN_WITHIN], 30)


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_the_leader_goes_and_another_leads(slosonde, cluster, how):
    topic = f"leader-{how}"
    cluster.create_topic(topic, **{"message.timestamp.type": "LogAppendTime"})
    probe = slosonde(config(cluster, topic))
    wait_until(lambda: runs(probe, "good") >= 10, 60, "ten good runs")
    leader = cluster.leader(topic)
    others = [node for node in NODES if node != leader]
    if how == "killed":
        cluster.nodes[leader].kill()
    else:
        cluster.nodes[leader].process.freeze()
    try:
        wait_until(lambda: cluster.leader(topic, asked=others[0]) in others, 60, "another leader")
        good = runs(probe, "good")
        wait_until(lambda: runs(probe, "good") >= good + 10, 60, "good runs through the new leader")
    finally:
        if how == "killed":
            cluster.start(leader)
        else:
            cluster.nodes[leader].process.thaw()
            wait_until(cluster.nodes[leader].answers, 60, "the broker to be back among the others")
    settled(probe)
    assert_as_the_log_says(probe, cluster, topic)


def test_all_brokers_go_and_come_back(slosonde, cluster):
    """An outage of the place: every run that is due in it is bad, at its limit, while it lasts."""
    topic = "all-away"
    cluster.create_topic(topic, **{"message.timestamp.type": "LogAppendTime"})
    probe = slosonde(config(cluster, topic))
    wait_until(lambda: runs(probe, "good") >= 10, 60, "ten good runs")
    before = runs(probe, "bad")
    for node in NODES:
        cluster.nodes[node].kill()
    away = time.time()
    try:
        wait_until(lambda: runs(probe, "bad") >= before + 20, 60, "runs to be bad while the brokers are away")
        burning = probe.metrics().series("slosonde_slo_burn_rate", slo="seen")
        assert burning and all(value > 1 for _, value in burning), "the budget burns while the outage lasts"
        back = time.time()
    finally:
        cluster.start(*NODES)
    settled(probe)
    in_it = [run for run in closed_runs(probe) if away < instant(run["due"]) < back - SENT_WITHIN]
    assert len(in_it) >= 10 and all(run["verdict"] == "bad" for run in in_it), [run["verdict"] for run in in_it]
    assert_as_the_log_says(probe, cluster, topic)
