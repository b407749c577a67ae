"""The web server of a live probe: views, listeners, hooks and commands."""

import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import stat

import pytest

from servers import web
from servers.ports import free_port
from servers.waiting import wait_until

WATCHED = {"name": "pipeline", "every": "300ms", "stages": [
    {"name": "send", "within": "1s", "http": {"url": "@URL@/?{{marker}}"}},
    {"name": "seen", "within": "2s", "watch": {"webhook": {"path": "/hooks/seen"}}}]}
PLAIN = {"name": "console", "every": "200ms", "stages": [{"name": "up", "within": "150ms", "http": {"url": "@URL@"}}]}


def config(url, *transactions, **blocks):
    text = json.dumps({"transactions": transactions or [PLAIN], **blocks})
    return json.loads(text.replace("@URL@", url))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def over_unix(path, method, target, body=None):
    connection = UnixConnection(path)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, target, body=json.dumps(body) if body is not None else None, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def good_runs(probe):
    return [run for run in probe.api("runs")["runs"] if run["verdict"] == "good"]


def test_the_views_agree(slosonde, nginx):
    probe = slosonde(config(nginx().url, slos=[
        {"name": "console-up", "objective": "99%", "window": "1d", "sli": {"transaction": "console"}}]))
    wait_until(lambda: len(good_runs(probe)) >= 3, what="good runs")
    run = good_runs(probe)[0]
    assert probe.api(f"runs/{run['id']}") == run
    assert run["stages"][0]["verdict"] == "on_time"
    assert 0 < run["stages"][0]["latency_seconds"] < 0.15
    assert probe.slo("console-up")["good"] >= 3
    transaction = probe.api("transactions")["transactions"][0]
    assert transaction["verdicts"]["good"] >= 3 and transaction["last_verdict"] == "good"
    status = probe.api("status")
    assert status["healthy"] and status["ready"] and status["snapshot_age_seconds"] < 5
    page = probe.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "console-up" in page.text and run["id"] in probe.get("/").text + page.text
    assert probe.get("/-/healthy").text == "ok\n"


def test_no_secret_is_in_any_view(slosonde, nginx):
    blocks = {"hooks": {"address": f"127.0.0.1:{free_port()}", "token": "${env:HOOK_TOKEN}"}}
    probe = slosonde(config(nginx().url, WATCHED, **blocks), env={"HOOK_TOKEN": "canary-hook-token"})
    text = "".join(probe.get(path).text for path in
                   ("/", "/metrics", "/api/v1/config", "/api/v1/status", "/api/v1/transactions", "/api/v1/runs"))
    assert "canary" not in text + probe.log()
    assert "a key for tests only" not in text + probe.log()
    assert "<secret>" in probe.get("/api/v1/config").text


def test_a_webhook_closes_the_run(slosonde, nginx):
    probe = slosonde(config(nginx().url, WATCHED))

    def send_what_flies():
        for run in probe.api("runs")["runs"]:
            if run["state"] == "in_flight":
                answer = probe.post("/hooks/seen", json.dumps({"alert": f"login failed {run['id']}"}))
                assert answer.status == 202, answer.text
        return good_runs(probe)

    wait_until(send_what_flies, what="a good run")
    assert probe.metrics()['slosonde_hook_requests_total{result="accepted"}'] >= 1


def test_hooks_of_their_own_ask_for_the_token_or_the_signature(slosonde, nginx):
    port = free_port()
    blocks = {"hooks": {"address": f"127.0.0.1:{port}", "token": "${env:TOKEN}", "hmac_key": "${env:KEY}"}}
    probe = slosonde(config(nginx().url, WATCHED, **blocks), env={"TOKEN": "the-token", "KEY": "the-key"})
    url, body = f"http://127.0.0.1:{port}/hooks/seen", b"no marker here"
    signature = "sha256=" + hmac.new(b"the-key", body, hashlib.sha256).hexdigest()
    assert web.post(url, body).status == 401
    assert web.post(url, body, headers={"Authorization": "Bearer the-key"}).status == 401
    assert web.post(url, body, headers={"Authorization": "Bearer the-token"}).status == 202
    assert web.post(url, body, headers={"X-Slosonde-Signature": signature}).status == 202
    assert web.post(url, body + b"!", headers={"X-Slosonde-Signature": signature}).status == 401
    assert probe.post("/hooks/seen", body).status == 404  # not on `listen` then
    assert web.get(f"http://127.0.0.1:{port}/metrics").status == 405


def test_commands_over_a_unix_socket(slosonde, nginx, tmp_path):
    path = tmp_path / "admin.sock"
    probe = slosonde(config(nginx().url, {**PLAIN, "every": "1h"}, admin={"address": f"unix:{path}"}))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    status, body = over_unix(path, "POST", "/api/v1/trigger", {"transaction": "console"})
    assert status == 202, body
    marker = json.loads(body)["run"]
    run = wait_until(lambda: (one := probe.get(f"/api/v1/runs/{marker}")).status == 200 and one.json()["verdict"]
                     and one.json(), what="the run's verdict")
    assert run["verdict"] == "good" and run["origin"] == "triggered"
    assert probe.metrics()['slosonde_runs_total{transaction="console",verdict="good"}'] == 0
    status, body = over_unix(path, "POST", "/api/v1/trigger", {"transaction": "nothing"})
    assert status == 404 and b"nothing" in body
    refused = probe.post("/api/v1/trigger", {"transaction": "console"})
    assert refused.status == 404 and "admin" in refused.json()["detail"]
    assert probe.stop() == 0
    assert not path.exists()


def test_a_socket_left_by_a_killed_probe_is_taken_over(slosonde, nginx, tmp_path):
    path = tmp_path / "admin.sock"
    probe = slosonde(config(nginx().url, admin={"address": f"unix:{path}"}))
    probe.process.signal(signal.SIGKILL)
    probe.process.wait()
    assert path.exists()
    probe.start()
    assert over_unix(path, "GET", "/-/healthy")[0] == 200


@pytest.mark.parametrize("method, path, status, says", [
    ("GET", "/nothing", 404, "/api/v1/"), ("GET", "/api/v1/slo", 404, "slos"), ("POST", "/metrics", 405, "GET"),
    ("GET", "/api/v1/runs?limit=many", 400, "1 to 1000"), ("GET", "/api/v1/runs/sonde1-x", 404, "sonde1-x")])
def test_errors_are_problems_that_help(slosonde, nginx, method, path, status, says):
    probe = slosonde(config(nginx().url))
    answer = web.request(method, probe.url + path, b"" if method == "POST" else None)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status and problem["type"] == "about:blank"
    assert says in problem["detail"]
