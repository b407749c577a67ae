"""Declared maintenance windows and suspensions, through the real binary: declared while a real server refuses, over a
kill, and taken back."""

import json
import re

import pytest

from servers import web
from servers.nginx import Nginx
from servers.ports import free_port
from servers.slosonde import Slosonde, command, validate
from servers.waiting import wait_until

JSON = {"Content-Type": "application/json"}


class Watched:
    """A probe with a state file and an admin listener, over an nginx that can be stopped and started."""

    def __init__(self, folder, commit="50ms", **more):
        self.folder = folder
        self.server_port, self.admin_port = free_port(), free_port()
        self.admin = f"http://127.0.0.1:{self.admin_port}"
        self.nginx = None
        key = folder / "key"
        key.write_bytes(b"a key for tests only, 32 bytes..")
        transactions = [{"name": "web", "every": "100ms", "stages": [
            {"name": "get", "within": "90ms", "http": {"url": f"http://127.0.0.1:{self.server_port}/"}}]}]
        self.config = {
            "probe": {"name": "test", "key_file": str(key), "state": str(folder / "state.db"), "commit": commit},
            "admin": {"address": f"127.0.0.1:{self.admin_port}"},
            "transactions": transactions,
            "slos": [{"name": "web", "objective": "99%", "window": "1h", "sli": {"transaction": "web"}}], **more}
        self.probe = Slosonde(folder / "probe", self.config)

    def serve(self, yes=True):
        if self.nginx:
            self.nginx.__exit__(None, None, None)
            self.nginx = None
        if yes:
            self.nginx = Nginx(self.folder / "nginx", server="location / { access_log off; return 200 'ok'; }",
                               port=self.server_port).__enter__()

    def declare(self, **order):
        return web.post(f"{self.admin}/api/v1/exclusions", json.dumps(order).encode(), headers=JSON)

    def slo(self):
        return self.probe.slo("web")

    def kill(self):
        self.probe.process.kill()


@pytest.fixture(name="watched")
def fixture_watched(tmp_path):
    watched = Watched(tmp_path)
    watched.serve()
    try:
        watched.probe.start()
        yield watched
    finally:
        if watched.probe.process:
            watched.probe.process.stop()
        watched.serve(False)


def test_declared_while_the_server_refuses_and_gone_on_with_after_a_kill(watched):
    wait_until(lambda: watched.slo()["good"] >= 10)
    answer = watched.declare(name="release", **{"for": "1h"})
    assert answer.status == 201, answer.text
    watched.serve(False)
    wait_until(lambda: watched.slo()["excluded"]["bad"] >= 20)
    watched.kill()
    watched.probe.start()
    declared = watched.probe.api("exclusions")["exclusions"]
    assert [(one["name"], one["source"], one["active"]) for one in declared] == [("release", "api", True)]
    before = watched.slo()["excluded"]["bad"]
    assert before >= 15
    wait_until(lambda: watched.slo()["excluded"]["bad"] >= before + 10)
    slo = watched.slo()
    # At most the run that was decided as it was declared.
    assert slo["bad"] == 0 and slo["sli"] == 1 and slo["budget_remaining"] == 1
    assert not any(alert["active"] for alert in slo["alerts"])
    all_good, all_bad = slo["good"] + slo["excluded"]["good"], slo["bad"] + slo["excluded"]["bad"]
    assert slo["sli_with_excluded"] == pytest.approx(all_good / (all_good + all_bad))
    assert slo["unjudged"]["excluded"] == sum(slo["excluded"].values())
    run = next(one for one in watched.probe.api("runs?limit=20")["runs"] if one["state"] == "closed")
    assert run["verdict"] == "excluded" and run["would_be"] == "bad" and run["stages"][0]["verdict"] == "failed"
    metrics = watched.probe.metrics()
    assert metrics.value("slosonde_sli_excluded_total", slo="web", result="bad") >= 10
    assert metrics.value("slosonde_runs_total", transaction="web", verdict="excluded") >= 10
    page = watched.probe.get("/").text
    assert "release" in page and "with what was excluded" in page
    status = command("status", "--probe", watched.probe.url)
    assert re.search(r"The exclusion release is active until 20\d\d", status.stdout), status.stdout

    ended = web.request("DELETE", f"{watched.admin}/api/v1/exclusions/release")
    assert ended.status == 200, ended.text
    counted = watched.slo()["excluded"]
    wait_until(lambda: watched.slo()["bad"] >= 10)
    # What was due before its end is excluded still; what was counted stays.
    assert watched.slo()["excluded"]["bad"] <= counted["bad"] + 3
    assert watched.slo()["excluded"]["good"] == counted["good"]
    assert watched.slo()["budget_remaining"] < 1


def test_what_is_acknowledged_is_committed(tmp_path):
    """Also where commits are a minute apart: the process is killed as soon as it has said yes."""
    watched = Watched(tmp_path, commit="1m")
    watched.serve()
    try:
        watched.probe.start()
        for name in ("first", "second"):
            assert watched.declare(name=name, **{"for": "1h"}).status == 201
        assert web.post(f"{watched.admin}/-/suspend", b"", headers=JSON).status == 200
        watched.kill()
        watched.probe.start()
        assert {one["name"] for one in watched.probe.api("exclusions")["exclusions"]} == {"first", "second"}
        assert watched.probe.metrics().value("slosonde_suspended", transaction="web") == 1
    finally:
        watched.probe.process.stop()
        watched.serve(False)


def test_a_reload_with_the_name_of_a_declared_one_is_refused_until_that_is_over(watched):
    """The declared one could not be ended any more: its name meant the configuration's."""
    assert watched.declare(name="release", **{"for": "1h"}).status == 201
    planned = {"name": "release", "start": "2090-01-01T00:00:00+00:00", "for": "1h"}
    watched.probe.write({**watched.config, "exclusions": [planned]})
    answer = web.post(f"{watched.admin}/-/reload", deadline=30)
    assert answer.status == 422 and "exclusions[0].name: an exclusion `release` is declared" in answer.text, answer.text
    assert web.request("DELETE", f"{watched.admin}/api/v1/exclusions/release").status == 200
    assert web.post(f"{watched.admin}/-/reload", deadline=30).status == 200


def test_what_cannot_be_meant_is_refused_with_what_would_be_right(watched):
    def refused(status, says, **order):
        answer = watched.declare(**order)
        assert answer.status == status and says in answer.text, f"{answer.status} {answer.text}"

    refused(400, "name is missing", **{"for": "1h"})
    refused(400, "Nothing says when it is over", name="x")
    refused(400, "Both", name="x", end="2090-01-01T00:00:00Z", **{"for": "1h"})
    refused(400, "No duration is", name="x", **{"for": "1"})
    refused(400, "No time is", name="x", start="now", **{"for": "1h"})
    refused(400, "There is no parameter", name="x", until="1h")
    refused(400, "longer than 31d", name="x", **{"for": "32d"})
    refused(400, "over already", name="x", start="2020-01-01T00:00:00Z", **{"for": "1h"})
    refused(404, "wbe", name="x", transactions=["wbe"], **{"for": "1h"})
    assert watched.declare(name="x", transactions=["web"], **{"for": "1h"}).status == 201
    refused(409, "there is an exclusion", name="x", **{"for": "1h"})
    assert web.request("DELETE", f"{watched.admin}/api/v1/exclusions/y").status == 404
    # On `listen` they can only be read.
    assert watched.probe.post("/api/v1/exclusions", b"{}", headers=JSON).status == 404
    assert watched.probe.post("/-/suspend").status == 404
    assert len(watched.probe.api("exclusions")["exclusions"]) == 1


def test_suspended_is_missed_and_loud_until_resumed(watched):
    wait_until(lambda: watched.slo()["good"] >= 5)
    assert web.post(f"{watched.admin}/-/suspend?transction=web").status == 400
    assert web.post(f"{watched.admin}/-/suspend?transaction=wbe").status == 404
    assert web.post(f"{watched.admin}/-/suspend?transaction=web").status == 200
    good = watched.slo()["good"]
    watched.kill()
    watched.probe.start()
    wait_until(lambda: watched.slo()["unjudged"]["missed"] >= 20)
    assert watched.slo()["good"] <= good + 1, "at most the run that was in flight"
    assert watched.slo()["bad"] == 0
    assert watched.probe.metrics().value("slosonde_suspended", transaction="web") == 1
    assert "suspended" in watched.probe.get("/").text
    assert any("suspended" in why for why in watched.probe.api("status")["why"])
    assert "SUSPENDED" in command("status", "--probe", watched.probe.url).stdout
    # The probe is not silent about it: coverage falls, and there is an alert on it (which fires within minutes).
    coverage = next(one for one in watched.slo()["alerts"] if one["kind"] == "coverage")
    assert coverage["severity"] == "page" and coverage["long_window_seconds"] == 300
    assert watched.slo()["coverage"] < 1
    assert web.post(f"{watched.admin}/-/resume").status == 200
    wait_until(lambda: watched.slo()["good"] >= good + 10)
    assert watched.probe.metrics().value("slosonde_suspended", transaction="web") == 0


def test_a_weekly_window_of_the_configuration_is_shown_with_its_local_time(tmp_path):
    always = {"days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], "from": "00:00", "to": "00:00", "time_zone": "Asia/Seoul"}
    watched = Watched(tmp_path, exclusions=[{"name": "always", "transactions": ["web"], "weekly": always}])
    watched.serve()
    with watched.probe:
        wait_until(lambda: watched.slo()["excluded"]["good"] >= 5)
        assert watched.slo()["good"] == 0 and watched.slo()["coverage"] is None
        (shown,) = watched.probe.api("exclusions")["exclusions"]
        assert shown["weekly"] == always and shown["active"] and shown["source"] == "configuration"
        assert shown["start"].endswith("T15:00:00.000Z"), "midnight in Seoul"
        assert web.request("DELETE", f"{watched.admin}/api/v1/exclusions/always").status == 409
    watched.serve(False)


def test_an_unknown_time_zone_is_a_mistake_of_the_configuration(tmp_path):
    result = validate(tmp_path, {
        "transactions": [{"name": "web", "every": "1s", "stages": [{"name": "get", "within": "1s", "tcp": {"address": "127.0.0.1:1"}}]}],
        "exclusions": [{"name": "n", "weekly": {"days": ["sun"], "from": "02:00", "to": "04:00", "time_zone": "Europe/Berln"}}]})
    assert result.returncode == 2 and "did you mean `Europe/Berlin`?" in result.stdout + result.stderr
