"""The way in from outside breaks: what senders cannot deliver to hooks.external_url is our blindness, and nobody's loss."""

import pytest

from servers import web
from servers.ports import free_port
from servers.receiver import Receiver
from servers.waiting import wait_until

ENV = {"TOKEN": "open-sesame"}
PROOF = {"Authorization": "Bearer open-sesame"}


class Pipeline(Receiver):
    """Takes a log and posts an alert for it to `hooks`, once, for as long as it `sends`."""

    def __init__(self):
        super().__init__(status=202, then=self._alert)
        self.hooks, self.sends = None, True

    def _alert(self, received):
        if self.sends:
            try:
                web.post(f"{self.hooks}/hooks/alert", received.body, headers=PROOF, deadline=2)
            except OSError:
                pass  # it tries no more


@pytest.fixture
def pipeline():
    with Pipeline() as running:
        yield running


def config(pipeline, port, external_url):
    send = {"method": "POST", "url": pipeline.url, "body": "{{marker}}", "expect": {"status": 202}}
    return {"probe": {"settle": "3s"},
            "hooks": {"address": f"127.0.0.1:{port}", "token": "${env:TOKEN}", "external_url": external_url},
            "transactions": [{"name": "t", "every": "200ms", "linger": "1s", "stages": [
                {"name": "send", "within": "1s", "http": send},
                {"name": "alert", "within": "1s", "watch": {"webhook": {"path": "/hooks/alert"}}}]}]}


def runs(probe, verdict):
    return probe.metrics().value("slosonde_runs_total", transaction="t", verdict=verdict)


def lost(probe):
    return probe.metrics().value("slosonde_stages_total", transaction="t", stage="alert", verdict="lost")


def breaks(probe):
    return probe.metrics().value("slosonde_hook_sight_breaks_total", reason="way_in")


def watch(probe):
    return probe.api("status")["watches"][0]


def more(probe, verdict, count=3):
    before = runs(probe, verdict)
    wait_until(lambda: runs(probe, verdict) >= before + count, 30, f"{count} more runs that are {verdict}")


def test_what_cannot_come_in_is_unseen_and_never_lost(slosonde, nginx, pipeline):
    port = free_port()
    proxy = nginx("location /outside/ { if ($http_authorization != 'Bearer open-sesame') { return 403; } "
                  f"proxy_pass http://127.0.0.1:{port}/; }}")
    pipeline.hooks = proxy.url + "/outside"
    probe = slosonde(config(pipeline, port, pipeline.hooks + "/"), env=ENV)
    wait_until(lambda: sum('POST /outside/-/hook-sight HTTP/1.1" 202' in line for line in proxy.requests()) >= 2)
    more(probe, "good")
    proxy.stop()
    wait_until(lambda: watch(probe)["state"] == "out_of_sight", 30)
    error = watch(probe)["error"]
    assert error["code"] == "io_failed"
    assert f"POST {pipeline.hooks}/-/hook-sight: could not connect" in error["text"]
    assert any("Webhooks are out of our sight since" in why for why in probe.api("status")["why"])
    more(probe, "blind")
    assert runs(probe, "bad") == 0 and lost(probe) == 0
    assert breaks(probe) == 1

    proxy.start()
    wait_until(lambda: watch(probe)["state"] == "in_sight", 30)
    more(probe, "good")
    assert not any("out of our sight" in why for why in probe.api("status")["why"])

    pipeline.sends = False
    wait_until(lambda: lost(probe) >= 3, 30, "what is not sent to be lost: the way in is no excuse for it")
    assert watch(probe)["state"] == "in_sight" and breaks(probe) == 1
    assert "open-sesame" not in probe.log() + probe.get("/api/v1/status").text + probe.get("/").text
    assert probe.stop() == 0


def test_a_way_in_that_has_never_worked_excuses_nothing(slosonde, pipeline):
    """It may be a load balancer that routes the senders' paths alone: told, and otherwise as without an external URL."""
    port = free_port()
    pipeline.hooks = f"http://127.0.0.1:{port}"
    outside = f"http://127.0.0.1:{free_port()}"
    probe = slosonde(config(pipeline, port, outside), env=ENV)
    more(probe, "good")
    line = wait_until(lambda: next((one for one in probe.log().splitlines() if "way in does not work" in one), None))
    assert f"POST {outside}/-/hook-sight: could not connect" in line
    assert any("has never worked" in why and outside in why for why in probe.api("status")["why"])
    pipeline.sends = False
    wait_until(lambda: lost(probe) >= 3, 30)
    assert runs(probe, "blind") == 0 and breaks(probe) == 0
    assert watch(probe)["state"] == "in_sight"
    assert probe.log().count("way in does not work") == 1
