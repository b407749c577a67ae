"""Clients that misbehave towards a live probe: each gets a clear answer or is cut off, and nobody else notices."""

import json
import re
import resource
import socket

from servers.waiting import wait_steady, wait_until

GOOD = re.compile(r'^slosonde_runs_total\{transaction="console",verdict="good"\} (\S+)$', re.M)


def config(url, seen_within="1s"):
    return {"transactions": [
        {"name": "console", "every": "200ms", "stages": [{"name": "up", "within": "150ms", "http": {"url": url}}]},
        {"name": "pipeline", "every": "500ms", "stages": [
            {"name": "send", "within": "900ms", "http": {"url": url + "/?{{marker}}"}},
            {"name": "seen", "within": seen_within, "watch": {"webhook": {"path": "/hooks/seen"}}}]}]}


def good_runs(probe):
    return float(GOOD.search(probe.get("/metrics").text)[1])


def assert_runs_go_on(probe):
    before = good_runs(probe)
    wait_until(lambda: good_runs(probe) >= before + 3, what="more good runs")


def hook_requests(probe, result):
    return probe.metrics()[f'slosonde_hook_requests_total{{result="{result}"}}']


def test_ten_thousand_slow_clients_shut_nobody_out(slosonde, nginx):
    probe = slosonde(config(nginx().url))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 12_000), hard))
    held = []
    try:
        for number in range(10_000):
            client = socket.create_connection(("127.0.0.1", probe.port), timeout=10)
            client.sendall(b"POST /hooks/seen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nslow")
            held.append(client)
            if number % 1000 == 0:
                assert probe.get("/-/healthy").status == 200
        assert_runs_go_on(probe)
        assert probe.process.open_files() < 700  # those over the cap were cut off
        assert probe.process.rss_bytes() < 100e6
    finally:
        for client in held:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert probe.get("/-/ready").status == 200


def test_a_hundred_megabytes_are_refused(slosonde, nginx):
    probe = slosonde(config(nginx().url))
    client = socket.create_connection(("127.0.0.1", probe.port), timeout=20)
    client.sendall(b"POST /hooks/seen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n")
    part = b"x" * (1 << 20)
    for _ in range(100):
        client.sendall(part)
    assert client.recv(100).startswith(b"HTTP/1.1 413 ")
    client.close()
    assert hook_requests(probe, "too_large") == 1
    assert probe.process.rss_bytes() < 100e6
    assert_runs_go_on(probe)


def test_endless_chunks_are_refused(slosonde, nginx):
    probe = slosonde(config(nginx().url))
    client = socket.create_connection(("127.0.0.1", probe.port), timeout=20)
    client.sendall(b"POST /hooks/seen HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(8):
        client.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 413 ")
    client.close()
    assert_runs_go_on(probe)


def test_invalid_utf8_and_ten_thousand_markers_are_taken_in_stride(slosonde, nginx):
    probe = slosonde(config(nginx().url, seen_within="5s"))
    own = wait_until(lambda: next((run["id"] for run in probe.api("runs")["runs"]
                                   if run["transaction"] == "pipeline" and run["state"] == "in_flight"), None),
                     what="a run in flight")
    assert probe.post("/hooks/seen", b"\xff\xfe\x00 sonde1-\xc3\x28").status == 202
    forged = " ".join(f"sonde1-aaaaaaaa-bbbbbbbbbb-{n:07}-cccccccccccc" for n in range(9999))
    assert probe.post("/hooks/seen", json.dumps({"text": forged + " " + own})).status == 202
    run = wait_until(lambda: (one := probe.api(f"runs/{own}"))["verdict"] and one, what="the run's verdict")
    assert run["verdict"] == "good"  # the genuine one was found behind all the others
    assert probe.process.rss_bytes() < 100e6
    assert_runs_go_on(probe)


def test_garbage_instead_of_http_is_400_and_harms_nobody(slosonde, nginx):
    probe = slosonde(config(nginx().url))
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"\r\n\r\n", b"GET\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"\x00" * 20000):
        with socket.create_connection(("127.0.0.1", probe.port), timeout=20) as client:
            client.sendall(garbage)
            assert re.match(rb"HTTP/1.1 4\d\d ", client.recv(100)), garbage[:30]
    assert_runs_go_on(probe)


def test_many_scrapers_at_once_delay_no_run(slosonde, nginx):
    probe = slosonde(config(nginx().url))
    wait_until(lambda: good_runs(probe) >= 3, what="good runs")
    client = socket.create_connection(("127.0.0.1", probe.port), timeout=20)
    # A thousand scrapes in one go, read by nobody until they are cut off or served.
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
    assert_runs_go_on(probe)
    wait_steady(lambda: probe.get("/-/healthy").status == 200, 0.5, "health")
    client.close()
