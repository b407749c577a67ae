"""The webhook watch: a pipeline that answers with webhooks, over real sockets, through the real program."""

import hashlib
import hmac
import json
import socket

import pytest

from servers import web
from servers.ports import free_port
from servers.receiver import Receiver
from servers.slosonde import command, complete, once
from servers.waiting import wait_steady, wait_until

PROBE = {"name": "test", "key": "${env:KEY}"}
ENV = {"KEY": "sixteen bytes or more", "TOKEN": "open-sesame", "SIGN": "a key to sign with"}


class Pipeline(Receiver):
    """Takes a log over HTTP and hands it to answer(pipeline, marker), which may send webhooks to pipeline.hooks."""

    def __init__(self, answer):
        super().__init__(status=202, then=lambda received: answer(self, received.body.decode()))
        self.hooks = None
        self.statuses = []

    def send(self, path, body, headers=None):
        wait_until(lambda: self.hooks, what="the probe's address")  # its first run may come before we know it
        self.statuses.append(web.post(self.hooks + path, body, headers=headers or {}).status)


def alert(marker, status="firing", fingerprint=None, starts="2026-01-05T09:00:00Z"):
    return {"status": status, "labels": {"alertname": "LoginFailed", "log": marker},
            "annotations": {"summary": f"login failed {marker}"}, "startsAt": starts, "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus/graph", "fingerprint": fingerprint or marker[-16:]}


def notification(*alerts):
    return {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": alerts[0]["status"],
            "receiver": "slosonde", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://alertmanager", "alerts": list(alerts)}


def journey(pipeline, watches, every="300ms"):
    stages = [{"name": "send", "within": "2s",
               "http": {"method": "POST", "url": pipeline.url, "body": "{{marker}}", "expect": {"status": 202}}}]
    for number, (name, watch) in enumerate(watches.items()):
        stages.append({"name": name, "within": f"{10 + number}s", "watch": watch})
    return {"probe": PROBE, "transactions": [{"name": "t", "every": every, "stages": stages}]}


def runs(probe, verdict="good"):
    return probe.metrics().value("slosonde_runs_total", transaction="t", verdict=verdict) or 0


def sightings(probe, stage, kind):
    return probe.metrics().value("slosonde_sightings_total", transaction="t", stage=stage, kind=kind)


def start(slosonde, pipeline, watches, every="300ms"):
    # The first run waits until the watches are ready, and the pipeline knows by then where to send.
    probe = slosonde(journey(pipeline, watches, every), env=ENV)
    pipeline.hooks = probe.url
    return probe


def test_firing_and_resolved_are_read_for_each_alert(slosonde):
    def answer(pipeline, marker):
        pipeline.send("/hooks/alert", notification(alert("other"), alert(marker)))
        pipeline.send("/hooks/alert", notification(alert("other"), alert(marker)))  # told again
        pipeline.send("/hooks/alert", notification(alert("other"), alert(marker, "resolved")))

    hook = {"path": "/hooks/alert", "format": "alertmanager"}
    with Pipeline(answer) as pipeline:
        probe = start(slosonde, pipeline, {"fired": {"webhook": hook, "phase": "firing"},
                                           "cleared": {"webhook": hook, "phase": "resolved"},
                                           "any": {"webhook": hook}})
        wait_until(lambda: runs(probe) >= 5, 30)
        assert set(pipeline.statuses) == {202}
        for stage in ("fired", "cleared", "any"):
            assert sightings(probe, stage, "first") >= 5 and sightings(probe, stage, "duplicate") == 0, stage


def test_an_alert_that_only_fires_has_not_cleared(slosonde):
    def answer(pipeline, marker):
        pipeline.send("/hooks/alert", notification(alert(marker)))

    hook = {"path": "/hooks/alert", "format": "alertmanager"}
    with Pipeline(answer) as pipeline:
        probe = start(slosonde, pipeline, {"fired": {"webhook": hook, "phase": "firing"},
                                           "cleared": {"webhook": hook, "phase": "resolved"}})
        wait_until(lambda: sightings(probe, "fired", "first") >= 3, 30)
        assert sightings(probe, "cleared", "first") == 0


def test_of_one_log_comes_one_alert_and_of_a_benign_one_none(slosonde):
    faults = set()

    def answer(pipeline, marker):
        pipeline.send("/hooks/alert", notification(alert(marker)))
        pipeline.send("/hooks/alert", notification(alert(marker)))  # told again
        if "twice" in faults:
            pipeline.send("/hooks/alert", notification(alert(marker, fingerprint="another")))
        if "benign" in faults:
            pipeline.send("/hooks/benign", notification(alert(marker)))

    def failures(stage, reason):
        return probe.metrics().value("slosonde_stage_failures_total", transaction="t", stage=stage, reason=reason)

    with Pipeline(answer) as pipeline:
        config = journey(pipeline, {"alert": {"webhook": {"path": "/hooks/alert"}, "expect": "exactly_one"},
                                    "benign": {"webhook": {"path": "/hooks/benign"}, "expect": "none"}})
        for stage in config["transactions"][0]["stages"]:
            stage["within"] = "2s"
        probe = slosonde(config, env=ENV)
        pipeline.hooks = probe.url
        wait_until(lambda: runs(probe) >= 3, 30)
        assert runs(probe, "bad") == 0 and sightings(probe, "benign", "first") == 0
        faults.add("twice")
        wait_until(lambda: failures("alert", "duplicated") >= 2, 30)
        assert failures("benign", "unexpected") == 0
        faults.add("benign")
        wait_until(lambda: failures("benign", "unexpected") >= 2, 30)
        assert sightings(probe, "benign", "unexpected") >= 2
        stage, = [one for one in probe.api("transactions")["transactions"][0]["stages"] if one["name"] == "benign"]
        assert (stage["expect"], stage["observer"]) == ("none", False)


def test_a_second_alert_for_one_log_is_a_duplicate(slosonde):
    def answer(pipeline, marker):
        pipeline.send("/hooks/alert", notification(alert(marker), alert(marker, fingerprint="another")))

    with Pipeline(answer) as pipeline:
        probe = start(slosonde, pipeline, {"alert": {"webhook": {"path": "/hooks/alert"}}})
        wait_until(lambda: runs(probe) >= 3, 30)
        wait_until(lambda: sightings(probe, "alert", "duplicate") == sightings(probe, "alert", "first"))


@pytest.mark.parametrize("form, body", [
    ("auto", lambda m: json.dumps({"text": m.replace("-", "\\u002d")}).replace("\\\\u", "\\u")),
    ("json", lambda m: json.dumps([{"n": 1}, {"deep": [{"text": f"<{m}>"}]}])),
    ("text", lambda m: f"** PROBLEM ** login failed: {m}\nbye"),
    ("text", lambda m: b"\xff\xfe\x00" + m.encode() + b"\xc3\x28"),
    ("alertmanager", lambda m: f"not what was expected, but it says {m}"),
], ids=["escaped", "array", "text", "bytes", "odd"])
def test_any_body(slosonde, form, body):
    with Pipeline(lambda pipeline, marker: pipeline.send("/hooks/x", body(marker))) as pipeline:
        probe = start(slosonde, pipeline, {"seen": {"webhook": {"path": "/hooks/x", "format": form}}})
        wait_until(lambda: runs(probe) >= 3, 30)
        assert runs(probe, "bad") == 0 and set(pipeline.statuses) == {202}


def test_only_who_has_the_token_is_heard(slosonde):
    def answer(pipeline, marker):
        for headers in ({}, {"Authorization": "Bearer open-barley"}, {"Authorization": "Bearer open-sesame"}):
            pipeline.send("/hooks/x", marker + str(headers), headers)

    with Pipeline(answer) as pipeline:
        probe = start(slosonde, pipeline, {"seen": {"webhook": {"path": "/hooks/x", "token": "${env:TOKEN}"}}})
        wait_until(lambda: runs(probe) >= 3, 30)
        assert pipeline.statuses[:3] == [401, 401, 202]
        assert sightings(probe, "seen", "duplicate") == 0, "a refused body was looked at"
        refused = web.post(probe.url + "/hooks/x", "x", headers={"Authorization": "Bearer open-barley"})
        assert "asks for a bearer token" in refused.text
        line = wait_until(lambda: next((one for one in probe.log().splitlines() if "webhook refused" in one), None))
        assert "/hooks/x" in line and "401" in line
        shown = probe.api("status")["watches"][0]["refused"]
        assert shown["count"] >= 6 and "missing or wrong" in shown["why"]
        assert any("refused" in why and "/hooks/x" in why for why in probe.api("status")["why"])
        for told in (command("status", "--probe", probe.url).stdout, web.get(probe.url + "/").text):
            assert "of the webhook /hooks/x were refused" in told, "who looks at an alert that never came must see this"
        assert "open-" not in refused.text + probe.log() + json.dumps(shown)


def test_only_who_can_sign_is_heard(slosonde):
    def signature(body, key=ENV["SIGN"]):
        return "sha256=" + hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()

    def answer(pipeline, marker):
        pipeline.send("/hooks/x", marker, {"X-Hub-Signature-256": signature(marker)})
        pipeline.send("/hooks/x", marker + "!", {"X-Hub-Signature-256": signature(marker)})
        pipeline.send("/hooks/x", marker + "?", {"X-Slosonde-Signature": signature(marker + "?", "another key")})

    with Pipeline(answer) as pipeline:
        probe = start(slosonde, pipeline, {"seen": {"webhook": {"path": "/hooks/x", "hmac_key": "${env:SIGN}"}}})
        wait_until(lambda: runs(probe) >= 3, 30)
        wait_until(lambda: len(pipeline.statuses) >= 9)
        assert pipeline.statuses[:3] == [202, 401, 401]
        assert sightings(probe, "seen", "duplicate") == 0


def test_what_never_comes_is_lost_and_not_unseen(slosonde):
    with Pipeline(lambda pipeline, marker: None) as pipeline:
        config = journey(pipeline, {"seen": {"webhook": {"path": "/hooks/x"}}})
        config["transactions"][0]["stages"][1]["within"] = "2s"
        config["transactions"][0]["linger"] = "1s"
        probe = slosonde(config, env=ENV)
        pipeline.hooks = probe.url
        value = lambda verdict: probe.metrics().value("slosonde_stages_total", transaction="t", stage="seen", verdict=verdict)
        wait_until(lambda: value("lost") >= 3, 30)
        assert value("unseen") == 0 and value("failed") == 0
        assert probe.api("status")["watches"][0]["state"] == "in_sight"


def test_a_probe_that_stood_still_does_not_prove_a_loss(slosonde):
    """What senders gave up on while the process was stopped is not known: that time is covered by nothing."""
    with Pipeline(lambda pipeline, marker: None) as pipeline:
        probe = start(slosonde, pipeline, {"seen": {"webhook": {"path": "/hooks/x"}}}, every="1h")
        state = lambda: probe.api("status")["watches"][0]
        wait_until(lambda: state()["state"] == "in_sight")
        probe.process.freeze()
        wait_steady(lambda: True, 4)
        probe.process.thaw()
        wait_until(lambda: "stood still" in probe.log(), 20)
        wait_until(lambda: state()["state"] == "in_sight")


def test_two_watches_cannot_have_one_path(tmp_path):
    with Pipeline(lambda pipeline, marker: None) as pipeline:
        config = journey(pipeline, {"a": {"webhook": {"path": "/hooks/x"}},
                                    "b": {"webhook": {"path": "/hooks/x", "format": "json"}}})
        code, _ = once(tmp_path, config, env=ENV)
        assert code == 2


def test_once_takes_hooks_as_well(tmp_path):
    def answer(pipeline, marker):
        pipeline.send("/hooks/alert", notification(alert(marker)))

    with Pipeline(answer) as pipeline:
        port = free_port()
        pipeline.hooks = f"http://127.0.0.1:{port}"
        config = journey(pipeline, {"alert": {"webhook": {"path": "/hooks/alert"}, "phase": "firing"}})
        config["listen"] = {"address": f"127.0.0.1:{port}"}
        code, result = once(tmp_path, config, env=ENV)
        assert code == 0, result


def test_once_says_that_the_sender_was_refused(tmp_path):
    """A wrong token at the sender looks like a lost alert: the one who runs `once` must not have to guess."""
    def answer(pipeline, marker):
        pipeline.send("/hooks/alert", notification(alert(marker)), {"Authorization": "Bearer open-barley"})

    with Pipeline(answer) as pipeline:
        port = free_port()
        pipeline.hooks = f"http://127.0.0.1:{port}"
        config = journey(pipeline, {"alert": {"webhook": {"path": "/hooks/alert", "token": "${env:TOKEN}"}}})
        config["transactions"][0]["stages"][1]["within"] = "2s"
        config["listen"] = {"address": f"127.0.0.1:{port}"}
        path = tmp_path / "once.yaml"
        path.write_text(complete(config, tmp_path, port), encoding="utf-8")
        result = command("once", path, env=ENV)
        assert result.returncode == 1, result.stderr
        assert "t: stage alert is lost, and meanwhile a call of /hooks/alert was refused" in result.stderr
        assert "open-" not in result.stdout + result.stderr


def test_calls_that_were_waiting_while_the_probe_stood_still_are_not_late(slosonde):
    """They came in time and were read late, which is the probe's doing: neither late nor lost, but unseen or on time."""
    with Pipeline(lambda pipeline, marker: None) as pipeline:
        config = journey(pipeline, {"seen": {"webhook": {"path": "/hooks/x"}}}, every="1s")
        config["transactions"][0]["stages"][1]["within"] = "3s"
        probe = slosonde(config, env=ENV)
        value = lambda verdict: probe.metrics().value("slosonde_stages_total", transaction="t", stage="seen", verdict=verdict)
        marker = lambda: next((run["id"] for run in probe.api("runs")["runs"] if run["state"] == "in_flight"
                               and run["stages"][0]["verdict"] == "on_time" and not run["stages"][1]["verdict"]), None)
        ours = wait_until(marker)
        probe.process.freeze()
        try:
            with socket.create_connection(("127.0.0.1", probe.port), timeout=20) as connection:
                connection.sendall(b"POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                                   % (len(ours), ours.encode()))
                wait_steady(lambda: True, 4)  # the limit passes meanwhile
                probe.process.thaw()
                assert b" 202 " in connection.recv(4096)
        finally:
            probe.process.thaw()
        verdict = wait_until(lambda: probe.api(f"runs/{ours}")["stages"][1]["verdict"], 30)
        assert verdict in ("unseen", "on_time"), probe.api(f"runs/{ours}")
        assert value("late") == 0
