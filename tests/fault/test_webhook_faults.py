"""Webhooks that are too large, no text, or full of markers: refused or looked through, and nothing else disturbed."""

import itertools
import json
import socket

import pytest

from servers import web
from servers.waiting import wait_until

PROBE = {"name": "test", "key": "${env:KEY}"}
ENV = {"KEY": "sixteen bytes or more"}


@pytest.fixture
def probe(slosonde, nginx):
    """A transaction beside the hooks, and one whose evidence the tests send by hand."""
    target = nginx("location / { return 202; }")
    http = {"url": target.url + "/{{marker}}", "expect": {"status": 202}}
    return slosonde({"probe": PROBE, "transactions": [
        {"name": "alive", "every": "200ms", "stages": [{"name": "up", "within": "2s", "http": http}]},
        {"name": "t", "every": "500ms", "stages": [
            {"name": "send", "within": "2s", "http": http},
            {"name": "seen", "within": "60s", "watch": {"webhook": {"path": "/hooks/x"}}}]}]}, env=ENV)


def good(probe, transaction="alive"):
    return probe.metrics().value("slosonde_runs_total", transaction=transaction, verdict="good") or 0


def sightings(probe, kind):
    return probe.metrics().value("slosonde_sightings_total", transaction="t", stage="seen", kind=kind)


def open_markers(probe, count):
    def found():
        runs = [run["id"] for run in probe.api("runs")["runs"] if run["transaction"] == "t" and run["state"] == "in_flight"
                and run["stages"][0]["verdict"] == "on_time" and not run["stages"][1]["verdict"]]
        return runs if len(runs) >= count else None
    return wait_until(found, 60, f"{count} runs that wait for their evidence")


def undisturbed(probe):
    before = good(probe)
    wait_until(lambda: good(probe) >= before + 3, 20)
    for verdict in ("bad", "missed", "probe_fault"):
        assert (probe.metrics().value("slosonde_runs_total", transaction="alive", verdict=verdict) or 0) == 0, verdict
    assert probe.api("status")["watches"][0]["state"] == "in_sight"


def test_a_hundred_megabytes_are_refused_without_taking_them_in(probe):
    before = probe.process.rss_bytes()
    with socket.create_connection(("127.0.0.1", probe.port), timeout=10) as connection:
        connection.sendall(b"POST /hooks/x HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
        try:
            for _ in range(1600):
                connection.sendall(b"x" * 65536)
        except OSError:
            pass  # cut off: the better for it
        try:
            answer = connection.recv(65536)
        except OSError:
            answer = b""
    assert answer == b"" or b" 413 " in answer, answer
    assert probe.process.rss_bytes() < before + 16 * 1024 * 1024
    undisturbed(probe)


def test_a_hundred_megabytes_in_chunks_are_refused_too(probe):
    before = probe.process.rss_bytes()
    with socket.create_connection(("127.0.0.1", probe.port), timeout=10) as connection:
        connection.sendall(b"POST /hooks/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(1600):
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            pass  # cut off: the better for it
        try:
            answer = connection.recv(65536)
        except OSError:
            answer = b""
    assert answer == b"" or b" 413 " in answer, answer
    assert probe.process.rss_bytes() < before + 16 * 1024 * 1024
    undisturbed(probe)


@pytest.mark.parametrize("around", [(b"\xff\xfe\xc0\x80", b"\xc3\x28"), (b'{"alerts":[{"status":"\xff', b"\xed\xa0\x80\"}]}"),
                                    (b"\x00\x01", b"\x00")], ids=["text", "json", "zeros"])
def test_invalid_utf8_hides_no_marker(probe, around):
    marker = open_markers(probe, 1)[-1].encode()
    assert web.post(probe.url + "/hooks/x", around[0] + b" " + marker + b" " + around[1]).status == 202
    wait_until(lambda: sightings(probe, "first") >= 1)
    undisturbed(probe)


def test_ten_thousand_markers_in_one_body(probe):
    """Ours among 10,000 that look genuine: one with another sequence number and our tag is foreign."""
    marker = open_markers(probe, 1)[-1]
    head, seq, tag = marker.rsplit("-", 2)
    letters = [c for c in "abcdefghijklmnopqrstuvwxyz234567" if c not in seq[-3:]]
    changed = (seq[:-3] + a + b + c for a in letters for b in letters for c in letters)
    others = [f"{head}-{other}-{tag}" for other in itertools.islice(changed, 9999)]
    before = probe.process.rss_bytes()
    body = "\n".join([*others, marker])
    assert web.post(probe.url + "/hooks/x", body).status == 202
    wait_until(lambda: sightings(probe, "first") >= 1)
    assert sightings(probe, "first") == 1
    assert sightings(probe, "foreign") == 9999
    assert probe.process.rss_bytes() < before + 32 * 1024 * 1024
    undisturbed(probe)


def test_ten_thousand_alerts_in_one_notification(probe):
    marker = open_markers(probe, 1)[-1]
    alerts = [{"status": "firing", "labels": {"n": str(n)}, "startsAt": "t", "fingerprint": str(n)} for n in range(10000)]
    alerts[7777]["annotations"] = {"summary": marker}
    assert web.post(probe.url + "/hooks/x", json.dumps({"version": "4", "status": "firing", "alerts": alerts})).status == 202
    wait_until(lambda: sightings(probe, "first") >= 1)
    undisturbed(probe)


@pytest.mark.parametrize("body", [b"[" * 1000000, b'{"a":' * 200000, b"", b"0" * 1000000, b'"' + b"\\" * 999999],
                         ids=["deep", "deep objects", "empty", "digits", "escapes"])
def test_odd_bodies(probe, body):
    assert web.post(probe.url + "/hooks/x", body).status == 202
    undisturbed(probe)
