"""What the network and the peers can do wrong: each a clear error with the right reason, and nothing else disturbed."""

import http.client
import resource

import pytest

from servers import odd
from servers.ports import free_port
from servers.slosonde import Metrics
from servers.waiting import wait_until

ENOUGH = 6  # good runs of the neighbour while the faulty one fails


def stage(name, within, **kind):
    return {"name": name, "within": within, **kind}


def transaction(name, kind, every="500ms", within="400ms"):
    return {"name": name, "every": every, "stages": [stage("s", within, **kind)]}


def watch_it_fail(slosonde, nginx, kind, env=None, runs=3, within="400ms"):
    """The probe, once the faulty transaction has failed `runs` times beside a good one that was never disturbed."""
    good = nginx()
    probe = slosonde({"transactions": [transaction("faulty", kind, within=within),
                                       transaction("good", {"http": {"url": good.url}}, every="300ms", within="290ms")]}, env=env)

    def count(name, verdict):
        return probe.metrics().value("slosonde_runs_total", transaction=name, verdict=verdict) or 0

    wait_until(lambda: count("faulty", "bad") + count("faulty", "probe_fault") >= runs and count("good", "good") >= ENOUGH,
               deadline=60, what=f"{runs} runs that fail and {ENOUGH} good ones of the neighbour")
    for verdict in ("bad", "missed", "probe_fault", "blind"):
        assert count("good", verdict) == 0, f"the neighbour had a run that is {verdict}"
    return probe


def reasons(probe, name="faulty"):
    """{reason: how often} of a transaction's stage failures."""
    series = probe.metrics().series("slosonde_stage_failures_total", transaction=name)
    return {labels["reason"]: count for labels, count in series if count}


def error_of(probe, name="faulty"):
    """The sentence of the last run that failed."""
    for run in probe.api(f"runs?transaction={name}&limit=20")["runs"]:
        shown = probe.api(f"runs/{run['id']}")
        for one in shown["stages"]:
            if one["error"]:
                return one["error"]["text"]
    raise AssertionError("no run of it has an error")


def test_a_name_server_that_never_answers(slosonde, nginx):
    with odd.SilentUdp() as server:
        probe = watch_it_fail(slosonde, nginx, {"http": {"url": "http://pipeline.example/"}},
                              env={"SLOSONDE_DNS_SERVERS": f"127.0.0.1:{server.port}"})
        assert not reasons(probe), "our own name servers are no fault of the target's"
        assert 'the name "pipeline.example" was not resolved: our name servers answer nothing at all' in error_of(probe)
        assert server.received > 0


def test_a_name_server_that_never_answers_this_name(slosonde, nginx):
    """It lives: those of the name's zone do not, and that is an outage."""
    with odd.NameServer(silent_to=b"pipeline") as server:
        probe = watch_it_fail(slosonde, nginx, {"http": {"url": "http://pipeline.example/"}},
                              env={"SLOSONDE_DNS_SERVERS": f"127.0.0.1:{server.port}"})
        assert set(reasons(probe)) == {"resolve_timeout"}
        assert 'the name "pipeline.example" was not resolved in time' in error_of(probe)


def test_no_name_server_at_all(slosonde, nginx):
    probe = watch_it_fail(slosonde, nginx, {"tcp": {"address": "pipeline.example:80"}},
                          env={"SLOSONDE_DNS_SERVERS": f"127.0.0.1:{free_port()}"})
    assert not reasons(probe), "our own name servers are no fault of the target's"
    assert "pipeline.example" in error_of(probe)


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_closed_port(slosonde, nginx, kind):
    port = free_port()
    settings = {"http": {"url": f"http://127.0.0.1:{port}/"}} if kind == "http" else {"tcp": {"address": f"127.0.0.1:{port}"}}
    probe = watch_it_fail(slosonde, nginx, settings)
    assert set(reasons(probe)) == {"connect_refused"}
    assert f"127.0.0.1:{port}" in error_of(probe) and "nothing listens there" in error_of(probe)


@pytest.mark.parametrize("peer, wanted, says", [
    (odd.hang, {"timeout"}, "no answer came before the deadline"),
    (odd.drip, {"timeout"}, "the answer was not complete before the deadline"),
    (odd.endless, {"too_large"}, "larger than max_body, 1024 bytes"),
    (odd.reset, {"connection_lost", "send_failed", "connect_failed"}, ""),
    (odd.says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), {"malformed", "connection_lost"}, ""),
    (odd.says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), {"connection_lost"}, "before the answer was complete"),
    (odd.says(b"HTTP/1.1 200 OK\r\n" + b"X-Padding: " + b"x" * 200_000 + b"\r\n\r\n"), {"too_large"}, "a header of the answer is larger"),
], ids=["hang", "slow-loris", "endless", "reset", "not-http", "cut-off", "huge-header"])
def test_peers_that_misbehave_over_http(slosonde, nginx, peer, wanted, says):
    # Those that answer have time enough for it on a machine that is busy with something else: too slow is not their fault.
    within = "480ms" if wanted == {"timeout"} else "10s"
    with odd.TcpServer(peer) as target:
        probe = watch_it_fail(slosonde, nginx, {"http": {"url": target.url + "/p?token=swordfish", "max_body": "1KiB"}},
                              within=within)
        found = reasons(probe)
        assert found and set(found) <= wanted, found
        text = error_of(probe)
        assert says in text and target.url in text and "swordfish" not in text, text


@pytest.mark.parametrize("peer, wanted", [(odd.hang, "timeout"), (odd.drip, "timeout"), (odd.endless, "too_large"),
                                          (odd.reset, None)], ids=["hang", "slow-loris", "endless", "reset"])
def test_peers_that_misbehave_over_tcp(slosonde, nginx, peer, wanted):
    with odd.TcpServer(peer) as target:
        probe = watch_it_fail(slosonde, nginx, {"tcp": {"address": f"127.0.0.1:{target.port}", "send": "hello\r\n",
                                                        "expect": {"contains": "220 ready"}}},
                              within="480ms" if wanted == "timeout" else "10s")
        found = reasons(probe)
        assert found and set(found) <= ({wanted} if wanted else {"connection_lost", "send_failed", "wrong_body", "connect_failed"}), found


@pytest.mark.parametrize("kind", ["http", "tcp"])
@pytest.mark.parametrize("which, says", [("expired", "expired"), ("wrong_name", "")])
def test_certificates_that_are_not_acceptable(slosonde, nginx, authority, kind, which, says):
    target = nginx(tls=getattr(authority, which)())
    tls = {"ca_file": str(authority.file)}
    settings = ({"http": {"url": target.tls_url + "/", "tls": tls}} if kind == "http"
                else {"tcp": {"address": f"localhost:{target.tls_port}", "tls": tls}})
    probe = watch_it_fail(slosonde, nginx, settings)
    assert set(reasons(probe)) == {"tls_certificate"}
    assert "the certificate is not acceptable" in error_of(probe) and says in error_of(probe)


def test_a_peer_that_speaks_no_tls(slosonde, nginx):
    target = nginx()
    probe = watch_it_fail(slosonde, nginx, {"http": {"url": f"https://127.0.0.1:{target.port}/"}})
    assert set(reasons(probe)) == {"tls_failed"}


def test_out_of_file_descriptors_is_the_probes_own_fault(slosonde, nginx):
    """The limit is taken away and given back while the probe runs: no run is bad, and good ones follow."""
    good = nginx()
    probe = slosonde({"transactions": [transaction("good", {"http": {"url": good.url}}, every="200ms", within="190ms")]})
    # A new connection would need a descriptor itself: this one is there before they are gone.
    kept = http.client.HTTPConnection("127.0.0.1", probe.port, timeout=10)

    def metrics():
        kept.request("GET", "/metrics")
        return Metrics.parse(kept.getresponse().read().decode())

    def count(verdict):
        return metrics().value("slosonde_runs_total", transaction="good", verdict=verdict) or 0

    wait_until(lambda: count("good") >= 3, what="three good runs")
    before = resource.prlimit(probe.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(probe.process.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    wait_until(lambda: count("probe_fault") >= 3, what="runs that the probe could not make")
    resource.prlimit(probe.process.pid, resource.RLIMIT_NOFILE, before)
    known = count("good")
    wait_until(lambda: count("good") >= known + 5, what="five more good runs")
    assert count("bad") == 0 and count("missed") == 0
    faults = [run for run in probe.api("runs?transaction=good&limit=100")["runs"] if run["verdict"] == "probe_fault"]
    shown = probe.api(f"runs/{faults[0]['id']}")
    assert shown["stages"][0]["error"]["code"] == "no_descriptors", shown
