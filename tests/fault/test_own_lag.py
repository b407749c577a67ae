"""The probe itself stands still for a while: what came in time meanwhile is in time."""

import time

import pytest

from servers import odd
from servers.waiting import wait_until

WITHIN = 0.25  # seconds, of the stage
STILL = 0.35  # how long the probe stands still from its request on: beyond the limit, within max_lateness


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_an_answer_that_waits_for_us_is_not_late(slosonde, kind):
    running = []

    def peer(connection, _server):
        connection.recv(65536)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        if not running:
            return connection.sendall(answer)
        running[0].process.freeze()
        try:
            connection.sendall(answer)
            then = time.monotonic() + STILL
            wait_until(lambda: time.monotonic() >= then, what="the limit to pass")
        finally:
            running[0].process.thaw()

    with odd.TcpServer(peer) as target:
        settings = ({"http": {"url": target.url + "/"}} if kind == "http" else
                    {"tcp": {"address": f"127.0.0.1:{target.port}", "send": "hello\r\n\r\n", "expect": {"contains": "200 OK"}}})
        probe = slosonde({"transactions": [{"name": "t", "every": "1s", "stages": [
            {"name": "s", "within": f"{WITHIN * 1000:g}ms", **settings}]}]})
        running.append(probe)

        def count(verdict):
            return probe.metrics().value("slosonde_runs_total", transaction="t", verdict=verdict) or 0

        known = count("good")
        wait_until(lambda: count("good") >= known + 4 or count("bad") > 0, deadline=60, what="four more good runs")
        assert count("bad") == 0 and count("probe_fault") == 0, probe.api("runs?transaction=t&limit=5")
        running.clear()
