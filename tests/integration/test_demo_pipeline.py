"""The demo's pipeline does what it says, on the embedded broker and on a real one, and so do its faults."""

import json
import re
import socket

import pytest

from servers import web
from servers.demo import DemoPipeline, binary
from servers.process import run
from servers.receiver import Receiver
from servers.waiting import wait_until


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def pipeline(tmp_path, receiver):
    (tmp_path / "token").write_text("only for the test\n", encoding="ascii")
    with DemoPipeline(tmp_path / "pipeline", "--alerts-to", f"{receiver.url}/hooks/alert",
                      "--token-file", tmp_path / "token") as running:
        yield running


def summaries(receiver):
    return [json.loads(r.body)["alerts"][0]["annotations"]["summary"] for r in list(receiver.received)]


def test_a_log_becomes_an_alert(pipeline, receiver):
    answer = pipeline.send("login failed for bob", traceparent="00-ab-cd-01", synthetic=True)
    assert answer.status == 202
    wait_until(lambda: len(receiver.received) == 1, what="the alert")
    got = receiver.received[0]
    assert (got.method, got.path) == ("POST", "/hooks/alert")
    assert got.headers["authorization"] == "Bearer only for the test"
    body = json.loads(got.body)
    assert (body["version"], body["status"]) == ("4", "firing")
    alert = body["alerts"][0]
    assert alert["labels"]["incident"] == answer.json()["id"]
    assert alert["annotations"] == {"summary": "login failed for bob", "traceparent": "00-ab-cd-01"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", alert["startsAt"])
    assert alert["startsAt"] > "2020"


def test_a_harmless_log_raises_nothing(pipeline, receiver):
    assert pipeline.send("user bob logged in").status == 202
    assert pipeline.send("disk error").status == 202
    wait_until(lambda: summaries(receiver) == ["disk error"], what="the one alert")
    assert pipeline.count("detect", "ignored") == 1


def test_a_real_broker_carries_it_too(kafka, tmp_path, receiver):
    arguments = ("--brokers", kafka.brokers, "--topic-prefix", "real-", "--alerts-to", f"{receiver.url}/a")
    with DemoPipeline(tmp_path / "first", *arguments) as pipeline:
        pipeline.send("payment failed")
        wait_until(lambda: summaries(receiver) == ["payment failed"], 30, "the alert")
    assert [json.loads(m.value())["message"] for m in kafka.messages("real-logs")] == ["payment failed"]
    assert [json.loads(m.value())["summary"] for m in kafka.messages("real-incidents")] == ["payment failed"]
    with DemoPipeline(tmp_path / "again", *arguments) as pipeline:  # the topics are there already; nothing comes twice
        pipeline.send("second failed")
        wait_until(lambda: len(receiver.received) == 2, 30, "the second alert")
    assert summaries(receiver) == ["payment failed", "second failed"]


@pytest.mark.parametrize("stage", ["ingest", "detect", "alert"])
def test_every_stage_can_drop_and_recover(pipeline, receiver, stage):
    assert pipeline.fault(stage=stage, drop=1).status == 200
    assert pipeline.send("one failed").status == 202
    wait_until(lambda: pipeline.count(stage, "dropped") == 1, what="the record to be dropped")
    pipeline.fault()
    pipeline.send("two failed")
    wait_until(lambda: summaries(receiver) == ["two failed"], what="the second alert, and it alone")


@pytest.mark.parametrize("stage", ["ingest", "detect", "alert"])
def test_every_stage_can_duplicate(pipeline, receiver, stage):
    pipeline.fault(stage=stage, duplicate=1)
    pipeline.send("one failed")
    wait_until(lambda: summaries(receiver) == ["one failed"] * 2, what="two alerts")


@pytest.mark.parametrize("stage", ["ingest", "detect", "alert"])
def test_every_stage_can_corrupt(pipeline, receiver, stage):
    pipeline.fault(stage=stage, corrupt=1)
    pipeline.send("one failed abc9!")
    wait_until(lambda: summaries(receiver) == ["one failed abc0!"], what="the damaged text")


def test_refusing(pipeline, receiver):
    pipeline.fault(stage="ingest", refuse=1)
    assert pipeline.send("one failed").status == 503
    pipeline.fault()
    for stage in ("detect", "alert"):
        pipeline.fault()
        pipeline.fault(stage=stage, refuse=1)
        pipeline.send("one failed")
        wait_until(lambda s=stage: pipeline.count(s, "refused") == 1, what="the record to be refused")
    pipeline.fault()
    pipeline.send("two failed")
    wait_until(lambda: summaries(receiver) == ["two failed"], what="the last alert alone")


def test_a_delay_holds_records_without_holding_up_the_next(pipeline, receiver):
    pipeline.fault(stage="detect", delay="10m")
    pipeline.send("slow failed")
    wait_until(lambda: pipeline.count("detect", "held") == 1, what="the record to be held")
    pipeline.fault()
    pipeline.send("fast failed")
    wait_until(lambda: summaries(receiver) == ["fast failed"], what="the second alert")
    assert pipeline.count("detect", "held") == 1
    pipeline.fault(stage="detect", delay="50ms")
    pipeline.send("soon failed")
    wait_until(lambda: summaries(receiver) == ["fast failed", "soon failed"], what="the delayed alert")


def test_an_alert_is_tried_again(pipeline, receiver):
    receiver.status = 500
    pipeline.send("one failed")
    wait_until(lambda: len(receiver.received) >= 2, what="a second attempt")
    receiver.status = 200
    before = len(receiver.received)
    wait_until(lambda: len(receiver.received) > before, what="a third attempt")
    pipeline.send("two failed")
    wait_until(lambda: summaries(receiver)[-1] == "two failed", what="the next alert")
    assert pipeline.count("alert", "failed") == 0


@pytest.mark.parametrize("body, says", [
    ("{", "not JSON"),
    ("[]", "not a JSON object"),
    ('{"drop": 1}', '"stage" names one of ingest, detect and alert'),
    ('{"stage": "egress"}', '"stage" names one of ingest, detect and alert'),
    ('{"stage": "alert", "drop": 2}', '"drop" is 2; it is the share of records, a number from 0 to 1'),
    ('{"stage": "alert", "drop": "all"}', '"drop" is "all"'),
    ('{"stage": "alert", "delay": 2}', 'such as "500ms" or "2s"'),
    ('{"stage": "alert", "delay": "1h"}', "at most 10m"),
    ('{"stage": "alert", "dorp": 1}', 'unknown fault "dorp"; there are delay, drop, duplicate, corrupt and refuse'),
])
def test_a_wrong_fault_is_explained_and_changes_nothing(pipeline, body, says):
    answer = web.post(f"{pipeline.url}/faults", body)
    assert answer.status == 400
    assert says in answer.json()["error"]
    none = {"delay": "0s", "drop": 0, "duplicate": 0, "corrupt": 0, "refuse": 0}
    assert web.get(f"{pipeline.url}/faults").json() == {"ingest": none, "detect": none, "alert": none}


def test_bad_requests(pipeline):
    assert "message" in web.post(f"{pipeline.url}/v1/logs", b'{"text": "x"}').json()["error"]
    assert web.post(f"{pipeline.url}/v1/logs", b"\xff\xfe").status == 400
    assert web.post(f"{pipeline.url}/v1/logs", b"x" * 70000).status == 413
    assert web.get(f"{pipeline.url}/nowhere").status == 404
    assert web.get(f"{pipeline.url}/v1/logs").status == 405
    assert web.get(f"{pipeline.url}/healthz").text == "ok\n"
    host, port = pipeline.url.removeprefix("http://").split(":")
    for nonsense, status in ((b"\x16\x03\x01 nonsense\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\nX: " + b"y" * 9000, b"431")):
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(nonsense)
            assert status in connection.recv(100)
    assert pipeline.count("ingest", "malformed") == 2


@pytest.mark.parametrize("arguments, says", [
    (["--listen", "8080"], "write 127.0.0.1:8080"),
    (["--alerts-to", "https://x/"], "write http://HOST:PORT/PATH"),
    (["--partitions", "0"], "partitions"),
    (["--token-file", "/nowhere"], "/nowhere"),
])
def test_wrong_options_are_explained(arguments, says):
    result = run([binary(), *arguments])
    assert result.returncode != 0
    assert says in result.stderr + result.stdout


def test_a_port_in_use_is_said(pipeline):
    result = run([binary(), "--listen", pipeline.url.removeprefix("http://")])
    assert result.returncode == 1
    assert "cannot listen on 127.0.0.1:" in result.stderr and "in use" in result.stderr
