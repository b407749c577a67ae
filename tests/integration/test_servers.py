"""The test servers themselves: what every other suite relies on."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from servers import odd, web
from servers.nginx import Nginx
from servers.ports import free_port, is_listening
from servers.process import Process
from servers.slosonde import Metrics, complete
from servers.waiting import Timeout, wait_until


def delivered(settings, topic):
    """The error of one produced message, None when the broker took it."""
    producer = Producer({"message.timeout.ms": 5000, "log_level": 0, **settings})
    words = []
    producer.produce(topic, b"hello", on_delivery=lambda error, _message: words.append(error))
    producer.flush(15)
    assert words, "no word from the broker"
    return words[0]


def test_a_message_survives_a_stop_and_a_start_of_the_broker(own_kafka):
    broker = own_kafka(partitions=2)
    broker.create_topic("logs", partitions=3)
    assert broker.produce("logs", b"one", key=b"k", partition=1, headers={"traceparent": b"00"}) == (1, 0)
    port = broker.port
    broker.stop()
    assert not is_listening(port)
    broker.start()
    assert broker.produce("logs", b"two", partition=2) == (2, 0)
    assert sorted((m.partition(), m.value()) for m in broker.messages("logs")) == [(1, b"one"), (2, b"two")]
    broker.add_partitions("logs", 5)
    assert len(broker.messages("logs")) == 2
    broker.kill()
    broker.start()
    assert len(broker.messages("logs")) == 2


def test_sasl_and_tls_listeners_ask_for_what_they_should(own_kafka, authority):
    broker = own_kafka(sasl_users={"probe": "right"}, certificate=authority.server("kafka"), client_ca=authority)
    broker.create_topic("t")
    client = authority.client("kafka-client")
    sasl = {"bootstrap.servers": broker.sasl, "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN",
            "sasl.username": "probe"}
    tls = {"bootstrap.servers": broker.tls, "security.protocol": "ssl", "ssl.ca.location": str(authority.file)}
    assert delivered({**sasl, "sasl.password": "right"}, "t") is None
    assert delivered({**sasl, "sasl.password": "wrong"}, "t") is not None
    assert delivered({**tls, "ssl.certificate.location": str(client.file),
                      "ssl.key.location": str(client.key_file)}, "t") is None
    assert delivered(tls, "t") is not None
    assert len(broker.messages("t")) == 2


def test_nginx_serves_plain_and_tls(nginx, authority):
    server = nginx("location /hello { return 201 'hi'; }", tls=authority.server())
    assert (web.get(f"{server.url}/hello").status, web.get(f"{server.url}/hello").text) == (201, "hi")
    assert web.get(f"{server.tls_url}/hello", ca_file=authority.file).text == "hi"
    wait_until(lambda: len(server.requests()) == 3, what="three requests in the access log")


@pytest.mark.parametrize("kind", ["expired", "wrong_name"])
def test_bad_certificates_are_bad(nginx, authority, kind):
    server = nginx(tls=getattr(authority, kind)())
    with pytest.raises(OSError) as raised:
        web.get(server.tls_url, ca_file=authority.file)
    assert isinstance(raised.value.reason, ssl.SSLCertVerificationError)
    assert ("expired" if kind == "expired" else "match") in str(raised.value)


def test_prometheus_scrapes(nginx, prometheus):
    target = nginx("location /metrics { default_type text/plain; return 200 'answer 42\\n'; }")
    server = prometheus([target.port])
    server.wait_scraped()
    wait_until(lambda: server.query("answer")[0]["value"][1] == "42", what="the sample to be there")


def test_processes_end_with_the_test_run():
    """Also when the test runner is killed and runs no clean-up."""
    script = ("import sys; sys.path.insert(0, sys.argv[1]); from servers.process import Process; "
              "print(Process(['sleep', '1000'], '/dev/null').pid, flush=True); sys.stdin.read()")
    tests = Path(__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", script, str(tests)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as runner:
        child = int(runner.stdout.readline())
        name = Path(f"/proc/{child}/comm")
        wait_until(lambda: name.read_text(encoding="ascii") == "sleep\n", what="the child to run")
        os.kill(runner.pid, signal.SIGKILL)

    def gone():
        try:
            return Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_until(gone, what="the child to be ended by the kernel")


def test_a_server_that_cannot_start_shows_its_log(tmp_path):
    with pytest.raises(AssertionError, match="unknown directive"):
        Nginx(tmp_path, server="nonsense on;").start()


def test_freeze_thaw_and_stop(tmp_path):
    process = Process(["sleep", "1000"], tmp_path / "log")
    process.freeze()
    process.thaw()
    assert process.alive() and process.rss_bytes() > 0 and process.open_files() >= 3
    assert process.stop() == -signal.SIGTERM


def test_waiting_says_what_was_seen_last():
    with pytest.raises(Timeout, match="waited 0.05 s for a miracle: it was 0"):
        wait_until(lambda: 0, 0.05, "a miracle")
    with pytest.raises(Timeout, match="ZeroDivisionError"):
        wait_until(lambda: 1 / 0, 0.05)


def test_free_ports_are_given_once():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert not any(is_listening(port) for port in ports)


def test_odd_peers():
    with odd.TcpServer(odd.hang) as server:
        with pytest.raises(OSError):
            web.get(server.url, deadline=0.2)
        assert server.accepted == 1
    with odd.TcpServer(odd.says(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        assert web.get(server.url).status == 204
    with odd.SilentUdp() as silent, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"?", ("127.0.0.1", silent.port))
        wait_until(lambda: silent.received == 1)


def test_metrics_are_parsed_and_configs_completed(tmp_path):
    metrics = Metrics.parse('# TYPE a counter\na{y="2",x="1"} 3\na{x="2"} 4\nb +Inf\n')
    assert metrics == {'a{x="1",y="2"}': 3, 'a{x="2"}': 4, "b": float("inf")}
    assert (metrics.value("a", x="1", y="2"), metrics.value("a", x="1"), metrics.sum("a")) == (3, None, 7)
    text = complete({"transactions": [{"name": "t"}]}, tmp_path, 1234)
    assert 'transactions: [{"name": "t"}]' in text and 'listen: {"address": "127.0.0.1:1234"}' in text
    assert json.dumps(str(tmp_path / "probe.key")) in text
    assert "listen: {address: x:@PORT@}".replace("@PORT@", "9") in complete("listen: {address: x:@PORT@}", tmp_path, 9)
