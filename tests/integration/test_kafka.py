"""The kafka check and watch against a real broker, through the real program."""

import itertools
import json
import re
from datetime import datetime

import pytest
from confluent_kafka import Producer

from servers import web
from servers.kafka import Kafka
from servers.slosonde import once, validate
from servers.waiting import wait_until

_numbers = itertools.count()


@pytest.fixture
def topic(kafka):
    name = f"logs-{next(_numbers)}"
    kafka.create_topic(name, partitions=1)
    return name


# Where a watch cannot become ready the first run waits for it this long.
SOON = {"probe": {"name": "test", "key": "${env:KEY}", "settle": "2s"}}
ENV = {"KEY": "sixteen bytes or more", "RIGHT": "open-sesame", "WRONG": "open-barley"}


def journey(check, watch, every="300ms", within=("5s", "15s")):
    """A transaction that produces, and sees what it produced."""
    return {"transactions": [{"name": "t", "every": every, "stages": [
        {"name": "send", "within": within[0], "kafka": check},
        {"name": "see", "within": within[1], "watch": {"kafka": watch}}]}]}


def runs(probe, verdict="good"):
    return probe.metrics().value("slosonde_runs_total", transaction="t", verdict=verdict) or 0


def sightings(probe, kind, stage="see"):
    return probe.metrics().value("slosonde_sightings_total", transaction="t", stage=stage, kind=kind)


def stages(probe, stage, verdict):
    return probe.metrics().value("slosonde_stages_total", transaction="t", stage=stage, verdict=verdict)


def failures(probe, stage, reason):
    return probe.metrics().value("slosonde_stage_failures_total", transaction="t", stage=stage, reason=reason) or 0


def seconds(stamp):
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() if isinstance(stamp, str) else stamp


def watch_state(probe):
    return probe.api("status")["watches"][0]


def only_stage(result, name):
    return next(stage for stage in result["runs"][0]["stages"] if stage["name"] == name)


def test_a_message_carries_all_that_was_asked_for(tmp_path, kafka, topic):
    kafka.add_partitions(topic, 3)
    check = {"brokers": kafka.brokers, "topic": topic, "partition": 2, "key": "key-{{seq}}",
             "json": {"message": "login failed \"{{marker}}\"", "n": 1}, "headers": {"source": "{{probe}}"}}
    code, result = once(tmp_path, journey(check, {"brokers": [kafka.brokers], "topic": topic}))
    assert (code, result["verdict"]) == (0, "good"), result
    run = result["runs"][0]
    message, = kafka.messages(topic)
    assert (message.partition(), message.offset()) == (2, 0)
    assert message.key().startswith(b"key-")
    assert json.loads(message.value()) == {"message": f'login failed "{run["id"]}"', "n": 1}
    headers = dict(message.headers())
    assert headers["source"] == b"test" and headers["tracestate"] == b"slosonde=synthetic"
    assert headers["traceparent"].decode()[:36] == run["traceparent"][:36], "same trace"
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["traceparent"])


@pytest.mark.parametrize("place", [{"headers": {"id": "{{marker}}"}, "value": "x"}, {"key": "{{marker}}", "value": "x"},
                                   {"value": "{{marker}}"}], ids=["header", "key", "value"])
def test_the_marker_is_found_wherever_it_stands(tmp_path, kafka, topic, place):
    config = journey({"brokers": kafka.brokers, "topic": topic, **place}, {"brokers": kafka.brokers, "topic": topic})
    code, result = once(tmp_path, config)
    assert code == 0, result


def test_every_partition_is_read_and_nothing_is_seen_twice(slosonde, kafka, topic):
    kafka.add_partitions(topic, 5)
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "key": "{{seq}}", "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic}, every="100ms"))
    wait_until(lambda: runs(probe) >= 40, 60)
    assert runs(probe, "bad") == 0
    assert len({message.partition() for message in kafka.messages(topic)}) == 5
    assert sightings(probe, "duplicate") == 0 and sightings(probe, "stale") == 0
    # What is there already is not read: another probe's start does not see it.
    before = len(kafka.messages(topic))
    other = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic}, every="1h"))
    wait_until(lambda: watch_state(other)["state"] == "in_sight")
    seen = sightings(other, "foreign") + sightings(other, "stale")
    assert seen <= len(kafka.messages(topic)) - before


def test_a_partition_added_while_running_is_read_from_its_beginning(slosonde, kafka, topic):
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "partition": 2, "value": "{{marker}}",
                              "message_timeout": "500ms"}, {"brokers": kafka.brokers, "topic": topic}))
    wait_until(lambda: failures(probe, "send", "rejected") >= 1, 30)
    kafka.add_partitions(topic, 4)
    wait_until(lambda: runs(probe) >= 3, 60)
    assert stages(probe, "see", "lost") == 0, "the first message of the new partition was missed"


def test_a_copy_is_a_duplicate_and_a_second_reading_is_not(slosonde, kafka, topic):
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic}, every="2s"))
    wait_until(lambda: runs(probe) >= 1)
    marker = kafka.messages(topic)[-1].value()
    kafka.produce(topic, marker + b" again")
    wait_until(lambda: sightings(probe, "duplicate") == 1)


def test_exactly_one_and_none_are_judged_when_their_time_is_over(slosonde, kafka, topic):
    alerts = topic + "-alerts"
    kafka.create_topic(alerts, partitions=2)
    config = journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                     {"brokers": kafka.brokers, "topic": topic}, every="500ms", within=("2s", "3s"))
    stages_of_it = config["transactions"][0]["stages"]
    stages_of_it[1]["watch"]["expect"] = "exactly_one"
    stages_of_it.append({"name": "quiet", "within": "3s",
                         "watch": {"kafka": {"brokers": kafka.brokers, "topic": alerts}, "expect": "none"}})
    config["slos"] = [{"name": "quiet", "objective": "99%", "sli": {"transaction": "t", "stage": "quiet"}}]
    probe = slosonde(config)
    wait_until(lambda: runs(probe) >= 2, 60)
    assert runs(probe, "bad") == 0 and stages(probe, "quiet", "on_time") >= 2
    producer = Producer({"bootstrap.servers": kafka.brokers})

    def copy_newest_to(where):
        newest = [m for m in kafka.messages(topic)][-1].value()
        producer.produce(where, newest)
        producer.flush(10)

    copy_newest_to(topic)
    wait_until(lambda: failures(probe, "see", "duplicated") == 1, 30)
    assert sightings(probe, "duplicate") == 1 and failures(probe, "quiet", "unexpected") == 0
    copy_newest_to(alerts)
    wait_until(lambda: failures(probe, "quiet", "unexpected") == 1, 30)
    assert sightings(probe, "unexpected", "quiet") == 1
    wait_until(lambda: runs(probe, "bad") == 2, 30)
    assert probe.api("slos")["slos"][0]["bad"] == 1


def test_what_is_no_text_does_not_disturb(slosonde, kafka, topic):
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic}))
    wait_until(lambda: runs(probe) >= 1)
    kafka.produce(topic, bytes(range(256)) * 3900, key=b"\xff\xfe", headers={"h": b"\xc3\x28"})
    kafka.produce(topic, None, key=b"tombstone")
    kafka.produce(topic, b"sonde1-" * 100000)
    before = runs(probe)
    wait_until(lambda: runs(probe) >= before + 3)
    assert runs(probe, "bad") == 0


def test_a_transactions_end_does_not_keep_time_from_being_proven(slosonde, kafka, topic):
    """The broker's own marks take offsets and are no messages: the position passes them by the reported end."""
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic}, every="1h"))
    wait_until(lambda: watch_state(probe)["covered_to"])
    producer = Producer({"bootstrap.servers": kafka.brokers, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(30)
    for _ in range(3):
        producer.begin_transaction()
        producer.produce(topic, b"within a transaction")
        producer.commit_transaction(30)
    after = probe.api("status")["now"]
    wait_until(lambda: watch_state(probe)["covered_to"] > after)
    assert watch_state(probe)["state"] == "in_sight"


def test_an_open_transaction_does_not_keep_time_from_being_proven(slosonde, kafka, topic):
    """What is not committed has not arrived: it is read once it is, and nobody waits for it."""
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic}, every="1h"))
    wait_until(lambda: watch_state(probe)["covered_to"])
    producer = Producer({"bootstrap.servers": kafka.brokers, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"not committed yet")
    producer.flush(30)
    opened = seconds(probe.api("status")["now"])
    # Longer than a watch may lag behind before it says so.
    wait_until(lambda: seconds(watch_state(probe)["covered_to"]) > opened + 8, 30)
    producer.commit_transaction(30)
    committed = seconds(probe.api("status")["now"])
    wait_until(lambda: seconds(watch_state(probe)["covered_to"]) > committed + 1)
    assert watch_state(probe)["state"] == "in_sight" and "out of sight" not in probe.log()


def test_a_compacted_topic_is_read_to_its_end(slosonde, own_kafka):
    """Compaction takes most offsets away; the position passes over them."""
    broker = own_kafka(settings={"log.cleaner.backoff.ms": 100, "log.initial.task.delay.ms": 100})
    broker.create_topic("t", config={"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01",
                                     "max.compaction.lag.ms": "200", "delete.retention.ms": "0"})
    probe = slosonde(journey({"brokers": broker.brokers, "topic": "t", "key": "same", "value": "{{marker}}"},
                             {"brokers": broker.brokers, "topic": "t"}, every="200ms"))
    wait_until(lambda: runs(probe) >= 10)
    probe.process.freeze()
    try:
        for _ in range(100):
            broker.produce("t", "unread", key="same")

        def compacted():
            broker.produce("t", "unread", key="same")  # a segment ends when something comes
            return len(broker.messages("t")) < 20
        wait_until(compacted, 60, "the broker to compact the topic")
    finally:
        probe.process.thaw()
    good = runs(probe)
    wait_until(lambda: watch_state(probe)["state"] == "in_sight" and runs(probe) >= good + 5, 60)
    assert stages(probe, "see", "lost") == 0 and stages(probe, "see", "failed") == 0


def test_a_message_too_long_to_be_looked_through_is_not_covered(slosonde, kafka, topic):
    probe = slosonde(journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                             {"brokers": kafka.brokers, "topic": topic, "max_message": "1KiB"}))
    wait_until(lambda: runs(probe) >= 1)
    kafka.produce(topic, b"x" * 5000)
    wait_until(lambda: "raise `max_message`" in probe.log())
    good = runs(probe)
    wait_until(lambda: watch_state(probe)["state"] == "in_sight" and runs(probe) >= good + 3)
    assert runs(probe, "bad") == 0


def test_a_message_that_is_too_large_is_refused(tmp_path, own_kafka):
    broker = own_kafka(settings={"message.max.bytes": 2000})
    broker.create_topic("small")
    config = journey({"brokers": broker.brokers, "topic": "small", "value": "{{marker}}" + "x" * 5000},
                     {"brokers": broker.brokers, "topic": "small"})
    code, result = once(tmp_path, config)
    send = only_stage(result, "send")
    assert (code, send["verdict"], send["error"]["code"]) == (1, "failed", "rejected"), result
    assert "topic small on " + broker.brokers in send["error"]["text"] and "max.message.bytes" in send["error"]["text"]


def test_a_topic_that_is_not_there_is_told_and_found_when_it_comes(slosonde, own_kafka):
    broker = own_kafka(settings={"auto.create.topics.enable": "false"})
    probe = slosonde({**SOON, **journey({"brokers": broker.brokers, "topic": "late", "value": "{{marker}}"},
                                        {"brokers": broker.brokers, "topic": "late"})}, env=ENV)
    wait_until(lambda: failures(probe, "send", "rejected") >= 1, 60)
    state = wait_until(lambda: watch_state(probe) if watch_state(probe)["state"] == "out_of_sight" else None)
    assert "create the topic, or correct `topic`" in json.dumps(state)
    broker.create_topic("late", partitions=2)
    wait_until(lambda: runs(probe) >= 2, 60)
    assert stages(probe, "see", "lost") == 0


def sasl(broker, password):
    return {"brokers": broker.sasl, "security_protocol": "sasl_plaintext", "username": "probe",
            "password": "${env:" + password + "}"}


def test_sasl(tmp_path, slosonde, own_kafka):
    broker = own_kafka(sasl_users={"probe": "open-sesame"})
    broker.create_topic("t")
    right, wrong = sasl(broker, "RIGHT"), sasl(broker, "WRONG")
    code, result = once(tmp_path / "right", journey({**right, "topic": "t", "value": "{{marker}}"},
                                                    {**right, "topic": "t"}), env=ENV)
    assert code == 0, result
    config = journey({**wrong, "topic": "t", "value": "{{marker}}"}, {**wrong, "topic": "t"})
    probe = slosonde({**SOON, **config}, env=ENV)
    wait_until(lambda: failures(probe, "send", "unauthorised") >= 1, 60)
    state = wait_until(lambda: watch_state(probe) if watch_state(probe)["state"] == "out_of_sight" else None)
    assert "password_file" in json.dumps(state) and broker.sasl in json.dumps(state)
    assert "open-" not in probe.log() + json.dumps(probe.api("status")) + json.dumps(probe.api("runs"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, authority):
    """A broker that wants credentials over TLS."""
    folder = tmp_path_factory.mktemp("guarded") / "kafka"
    with Kafka(folder, sasl_users={"probe": "open-sesame"}, certificate=authority.server("guarded")) as broker:
        broker.add_scram_users()
        broker.create_topic("t")
        yield broker


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_sasl_over_tls(tmp_path, slosonde, guarded, authority, mechanism):
    def settings(password):
        return {"brokers": guarded.sasl_tls, "security_protocol": "sasl_ssl", "sasl_mechanism": mechanism,
                "ca_file": str(authority.file), "username": "probe", "password": "${env:" + password + "}", "topic": "t"}
    code, result = once(tmp_path, journey({**settings("RIGHT"), "value": "{{marker}}"}, settings("RIGHT")), env=ENV)
    assert code == 0, result
    assert "open-" not in json.dumps(result)
    probe = slosonde({**SOON, **journey({**settings("WRONG"), "value": "{{marker}}"}, settings("WRONG"))}, env=ENV)
    wait_until(lambda: failures(probe, "send", "unauthorised") >= 1, 60)
    state = wait_until(lambda: watch_state(probe) if watch_state(probe)["state"] == "out_of_sight" else None)
    assert "`username`, `password_file` and `sasl_mechanism`" in json.dumps(state), state
    views = [probe.api(view) for view in ("status", "runs", "config", "transactions", "slos")]
    page = [web.get(probe.url + path).text for path in ("/", "/metrics")]
    for secret in ("open-sesame", "open-barley"):
        assert secret not in probe.log() + json.dumps(views) + "".join(page)


def tls(broker, authority, client):
    return {"brokers": broker.tls, "security_protocol": "ssl", "ca_file": str(authority.file),
            **({"certificate_file": str(client.file), "key_file": str(client.key_file)} if client else {})}


def test_tls_with_a_client_certificate(tmp_path, own_kafka, authority):
    broker = own_kafka(certificate=authority.server("kafka"), client_ca=authority)
    broker.create_topic("t")
    client = authority.client("kafka-probe")
    with_it, without = tls(broker, authority, client), tls(broker, authority, None)
    code, result = once(tmp_path / "with", journey({**with_it, "topic": "t", "value": "{{marker}}"},
                                                   {**with_it, "topic": "t"}))
    assert code == 0, result
    code, result = once(tmp_path / "without", journey({**without, "topic": "t", "value": "{{marker}}"},
                                                      {**with_it, "topic": "t"}))
    assert (code, only_stage(result, "send")["verdict"]) == (1, "failed"), result


@pytest.mark.parametrize("kind", ["wrong_name", "expired"])
def test_a_certificate_that_is_not_acceptable(tmp_path, own_kafka, authority, kind):
    broker = own_kafka(certificate=getattr(authority, kind)())
    broker.create_topic("t")
    settings = tls(broker, authority, None)
    code, result = once(tmp_path, journey({**settings, "topic": "t", "value": "{{marker}}"},
                                          {"brokers": broker.brokers, "topic": "t"}))
    send = only_stage(result, "send")
    assert (code, send["error"]["code"]) == (1, "tls_certificate"), result


def test_what_may_not_be_done_is_refused(slosonde, own_kafka):
    """Access rules: this user may describe the topic, but neither write nor read it."""
    rules = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
             "super.users": "User:ANONYMOUS", "allow.everyone.if.no.acl.found": "false"}
    broker = own_kafka(sasl_users={"probe": "open-sesame"}, settings=rules)
    broker.create_topic("t")
    settings = sasl(broker, "RIGHT")
    config = journey({**settings, "topic": "t", "value": "{{marker}}"}, {**settings, "topic": "t"})
    probe = slosonde({**SOON, **config}, env=ENV)
    wait_until(lambda: failures(probe, "send", "unauthorised") >= 1, 60)
    state = wait_until(lambda: watch_state(probe) if watch_state(probe)["state"] == "out_of_sight" else None)
    assert "let this user" in json.dumps(state)


def test_files_that_cannot_be_used_are_said_at_the_start(tmp_path, kafka, topic, slosonde):
    junk = tmp_path / "ca.pem"
    junk.write_text("no certificate", encoding="ascii")
    for file, text in ((tmp_path / "none.pem", "No such file"), (junk, "librdkafka cannot start with these settings")):
        config = journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}", "security_protocol": "ssl",
                          "ca_file": str(file)}, {"brokers": kafka.brokers, "topic": topic})
        code, result = once(tmp_path / "once", config)
        assert (code, result) == (2, None)


def test_a_property_that_librdkafka_refuses_is_a_mistake_with_its_place_and_without_its_value(tmp_path, kafka, topic):
    properties = {"fetch.wait.max": "5", "retries": "open-sesame", "socket.keepalive.enable": "open-barley"}
    config = journey({"brokers": kafka.brokers, "topic": topic, "value": "{{marker}}"},
                     {"brokers": kafka.brokers, "topic": topic, "properties": properties})
    result = validate(tmp_path, config)
    assert result.returncode == 2
    said = result.stdout + result.stderr
    assert "properties.fetch.wait.max: librdkafka knows no such property" in said
    assert "properties.retries: librdkafka takes no such value for it; its default is `2147483647`" in said
    assert "it is true or false" in said and "open-" not in said
