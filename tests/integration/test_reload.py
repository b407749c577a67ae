"""The configuration changed under the running program: SIGHUP and POST /-/reload, all or nothing."""

import os
import signal
import threading
import uuid

import pytest

from servers import odd, web
from servers.ports import free_port
from servers.receiver import Receiver
from servers.waiting import wait_until

SERVER = """
location = /ok { return 200 'ok'; }
location = /no { return 503 'no'; }
location / { return 404 'nothing'; }
"""


def check(name, url, every="200ms", within="1s", **settings):
    return {"name": name, "every": every, "stages": [{"name": "up", "within": within, "http": {"url": url, **settings}}]}


def slo(transaction, objective="99%", window="1d", name=None):
    return {"name": name or f"{transaction}-slo", "objective": objective, "window": window,
            "sli": {"transaction": transaction}}


class Gated(odd.TcpServer):
    """Answers 200 once it is opened."""

    def __init__(self):
        super().__init__(self._answer)
        self.gate = threading.Event()

    def _answer(self, connection, _server):
        connection.recv(65536)
        self.gate.wait(30)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class Probe:
    """A running probe whose file is written again."""

    def __init__(self, slosonde, tmp_path, config):
        self.admin = f"127.0.0.1:{free_port()}"
        self.base = {"admin": {"address": self.admin}}
        self.probe = slosonde({**self.base, **config})

    def write(self, **config):
        self.probe.write({**self.base, **config})

    def post(self):
        return web.post(f"http://{self.admin}/-/reload", deadline=30)

    def reload(self, **config):
        self.write(**config)
        answer = self.post()
        assert answer.status == 200, answer.text
        return answer.json()["changes"]

    def runs(self, transaction, verdict=None):
        labels = {"verdict": verdict} if verdict else {}
        return self.probe.metrics().sum("slosonde_runs_total", transaction=transaction, **labels)


@pytest.fixture
def begin(slosonde, tmp_path):
    return lambda **config: Probe(slosonde, tmp_path, config)


def test_sighup_brings_the_new_file_into_force_and_says_what_changed(begin, nginx):
    server = nginx(SERVER)
    one = begin(transactions=[check("a", server.url + "/ok"), check("b", server.url + "/ok")], slos=[slo("a"), slo("b")])
    wait_until(lambda: one.runs("a", "good") >= 3 and one.runs("b", "good") >= 3)
    before = one.runs("a")
    since = one.probe.slo("a-slo")["since"]
    one.write(transactions=[check("c", server.url + "/ok"), check("b", server.url + "/no"), check("a", server.url + "/ok")],
              slos=[slo("a", objective="95%"), slo("c")])
    one.probe.reload()
    wait_until(lambda: "msg=reloaded" in one.probe.log())
    log = one.probe.log()
    for line in ("transaction changed", "transaction added", "slo changed", "slo removed", "slo added"):
        assert log.count(f'msg="{line}"') == 1, log
    assert "objective 99% -> 95%" in log
    wait_until(lambda: one.runs("b", "bad") >= 2 and one.runs("c", "good") >= 2)
    after = one.probe.metrics()
    assert after.sum("slosonde_runs_total", transaction="a") >= before
    assert after.sum("slosonde_runs_total", transaction="a", verdict="bad") == 0
    assert after.sum("slosonde_runs_total", transaction="a", verdict="missed") == 0
    assert one.probe.slo("a-slo")["since"] == since
    assert after["slosonde_config_last_reload_successful"] == 1
    assert "/no" in str(one.probe.api("config")), "the view is of what is in force"


def test_a_bad_file_is_refused_with_all_its_mistakes_and_the_old_one_goes_on(begin, nginx):
    server = nginx(SERVER)
    one = begin(transactions=[check("a", server.url + "/ok")])
    loaded = one.probe.metrics()["slosonde_config_last_reload_success_timestamp_seconds"]
    good = one.probe.config_path.read_text()
    one.probe.config_path.write_text(good.replace('"200ms"', '"200"').replace('"within": "1s"', '"whithin": "1s"'))
    answer = one.post()
    assert answer.status == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    mistakes = answer.json()["mistakes"]
    assert len(mistakes) >= 2 and all(str(one.probe.config_path) in line for line in mistakes), mistakes
    assert any("whithin" in line for line in mistakes), mistakes
    # The log is written by a thread of its own.
    wait_until(lambda: all(line.split(": ", 1)[1][:30].replace('"', '\\"') in one.probe.log() for line in mistakes))
    assert one.probe.metrics()["slosonde_config_last_reload_successful"] == 0
    assert one.probe.metrics()["slosonde_config_last_reload_success_timestamp_seconds"] == loaded
    before = one.runs("a", "good")
    wait_until(lambda: one.runs("a", "good") > before + 2)
    one.probe.config_path.write_text(good)
    assert one.post().json() == {"changes": []}
    assert one.probe.metrics()["slosonde_config_last_reload_successful"] == 1
    assert one.probe.metrics()["slosonde_config_last_reload_success_timestamp_seconds"] > loaded


def test_what_needs_a_restart_is_refused_and_nothing_else_is_applied(begin, nginx):
    server = nginx(SERVER)
    one = begin(transactions=[check("a", server.url + "/ok")])
    text = one.probe.config_path.read_text()
    text = text.replace(f'127.0.0.1:{one.probe.port}', f"127.0.0.1:{free_port()}").replace('"name": "test"', '"name": "other"')
    one.probe.config_path.write_text(text.replace("/ok", "/no"))
    answer = one.post()
    assert answer.status == 422
    assert answer.json()["detail"] == "restart needed for: probe.name, listen.address"
    before = one.runs("a", "good")
    wait_until(lambda: one.runs("a", "good") > before + 2)
    assert one.runs("a", "bad") == 0


def test_a_run_in_flight_of_an_unchanged_transaction_becomes_good(begin, nginx):
    server = nginx(SERVER)
    with Gated() as slow:
        held = check("held", slow.url + "/x", every="1h", within="30s")
        one = begin(transactions=[check("a", server.url + "/ok"), held])
        trigger = web.post(f"http://{one.admin}/api/v1/trigger", b'{"transaction": "held"}',
                           headers={"Content-Type": "application/json"}).json()
        wait_until(lambda: slow.accepted)
        one.reload(transactions=[held, check("z", server.url + "/ok")])
        assert one.probe.api(f"runs/{trigger['run']}")["verdict"] is None
        slow.gate.set()
        wait_until(lambda: one.probe.api(f"runs/{trigger['run']}")["verdict"] == "good")


def test_runs_in_flight_of_a_changed_transaction_are_probe_faults_never_bad(begin):
    with Gated() as slow:
        one = begin(transactions=[check("a", slow.url + "/x", every="300ms", within="20s")], slos=[slo("a")])
        wait_until(lambda: slow.accepted >= 3)
        changes = one.reload(transactions=[check("a", slow.url + "/y", every="300ms", within="20s")], slos=[slo("a")])
        assert changes == ["transaction a changed: stage up"]
        assert one.runs("a", "probe_fault") >= 3
        slow.gate.set()
        wait_until(lambda: one.runs("a", "good") >= 3)
        assert one.runs("a", "bad") == 0
        assert one.probe.slo("a-slo")["unjudged"]["probe_fault"] >= 3


def test_a_rotated_secret_is_used_and_neither_old_nor_new_is_shown(begin, nginx, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("old-password-1")
    server = nginx("""location = /in { if ($http_authorization != "Bearer new-password-2") { return 401 "no $http_authorization"; }
                                      return 200 'ok'; }""")
    config = [check("a", server.url + "/in", headers={"Authorization": "Bearer ${file:%s}" % secret},
                    expect={"status": [200]})]
    one = begin(transactions=config)
    wait_until(lambda: one.runs("a", "bad") >= 2)
    secret.write_text("new-password-2")
    assert one.post().json()["changes"] == ["transaction a changed: stage up"]
    wait_until(lambda: one.runs("a", "good") >= 2)
    secret.write_text("old-password-1")
    one.probe.reload()
    wait_until(lambda: one.probe.log().count("msg=reloaded") == 2)
    shown = one.probe.log() + one.probe.get("/api/v1/runs").text + one.probe.get("/api/v1/config").text
    assert "password" not in shown


def test_a_webhook_path_goes_over_to_its_new_watch(begin, tmp_path):
    hooks = {"address": f"127.0.0.1:{free_port()}"}
    token = tmp_path / "token"
    token.write_text("first-token-1")

    def answer(received):
        status = web.post(f"http://{hooks['address']}/hooks/a", received.body,
                          headers={"Authorization": f"Bearer {token.read_text()}"}).status
        statuses.append(status)
    statuses = []
    with Receiver(status=202, then=answer) as pipeline:
        send = {"name": "send", "within": "2s", "http": {"method": "POST", "url": pipeline.url + "/in", "body": "{{marker}}"}}

        def config(path="/hooks/a"):
            seen = {"name": "seen", "within": "3s", "watch": {"webhook": {"path": path, "token": "${file:%s}" % token}}}
            return {"hooks": hooks, "transactions": [{"name": "t", "every": "300ms", "stages": [send, seen]}]}
        one = begin(**config())
        wait_until(lambda: one.runs("t", "good") >= 3)
        token.write_text("second-token-2")
        changes = one.reload(**config())
        assert sorted(changes) == ["transaction t changed: stage seen", "watch webhook /hooks/a added",
                                   "watch webhook /hooks/a removed"]
        before = one.runs("t", "good")
        wait_until(lambda: one.runs("t", "good") >= before + 5)
        assert one.runs("t", "bad") == 0
        one.reload(**config("/hooks/b"))
        wait_until(lambda: statuses[-1] == 404)


def test_a_kafka_topic_is_read_on_while_another_is_opened_and_closed(begin, kafka):
    topics = [f"reload-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for topic in topics:
        kafka.create_topic(topic, partitions=1)

    def journey(name, topic):
        place = {"brokers": [kafka.brokers] if isinstance(kafka.brokers, str) else kafka.brokers, "topic": topic}
        return {"name": name, "every": "500ms",
                "stages": [{"name": "put", "within": "5s", "kafka": {**place, "value": "{{marker}}"}},
                           {"name": "seen", "within": "8s", "watch": {"kafka": place}}]}
    one = begin(transactions=[journey("first", topics[0])])
    wait_until(lambda: one.runs("first", "good") >= 3, deadline=60)
    one.reload(transactions=[journey("second", topics[1]), journey("first", topics[0])])
    before = one.runs("first", "good")
    wait_until(lambda: one.runs("first", "good") >= before + 5 and one.runs("second", "good") >= 3, deadline=60)
    assert one.runs("first") - one.runs("first", "good") == 0, "not one run of the unchanged transaction was touched"
    changes = one.reload(transactions=[journey("first", topics[0])])
    assert changes == ["transaction second removed", f"watch kafka {topics[1]} removed"]
    before = one.runs("first", "good")
    wait_until(lambda: one.runs("first", "good") >= before + 5)
    assert one.runs("first") - one.runs("first", "good") == 0


def descriptors_and_memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        (memory,) = [int(line.split()[1]) for line in status if line.startswith("VmRSS")]
    return len(os.listdir(f"/proc/{pid}/fd")), memory


def test_fifty_reloads_under_load_leave_nothing_behind(begin, nginx):
    server = nginx(SERVER)
    hooks = {"address": f"127.0.0.1:{free_port()}"}

    def config(n):
        """Another one each time: what is checked, watched and promised changes; `same` does not."""
        seen = {"name": "seen", "within": "1s", "watch": {"webhook": {"path": f"/hooks/{n % 7}"}}}
        changing = check("changing", f"{server.url}/ok?{n}&{{{{marker}}}}", every="50ms")
        return {"hooks": hooks, "slos": [slo("same"), slo("changing", objective=f"9{n % 9}%")],
                "transactions": [changing, check("same", server.url + "/ok", every="20ms"),
                                 {"name": "hooked", "every": "1h", "stages": [*changing["stages"], seen]}]}
    one = begin(**config(0))
    pid = one.probe.process.popen.pid
    for n in range(1, 11):
        one.reload(**config(n))
    wait_until(lambda: one.runs("same", "good") >= 100)
    counted, before = one.probe.metrics(), descriptors_and_memory(pid)
    for n in range(11, 61):
        assert one.reload(**config(n))
    wait_until(lambda: descriptors_and_memory(pid)[0] <= before[0] + 8)
    assert descriptors_and_memory(pid)[1] <= before[1] + 8 * 1024, "kB"
    after = one.probe.metrics()
    for key, value in counted.items():
        if key.startswith("slosonde_runs_total"):
            assert after[key] >= value, key
    assert one.runs("same", "missed") == 0 and one.runs("same", "bad") == 0 and one.runs("same", "probe_fault") == 0
    assert one.runs("changing", "bad") == 0


def test_a_kill_right_after_a_reload_goes_on_from_the_cut(begin, nginx, tmp_path):
    server = nginx(SERVER)
    state = {"probe": {"name": "test", "key_file": str(tmp_path / "key"), "state": str(tmp_path / "state.db"),
                       "commit": "100ms"}}
    (tmp_path / "key").write_bytes(b"a key for tests only, 32 bytes..")
    (tmp_path / "key").chmod(0o600)

    def config(n):
        return {**state, "transactions": [check("a", server.url + "/ok"), check("b", f"{server.url}/ok?{n}")],
                "slos": [slo("a"), slo("b")]}
    one = begin(**config(0))
    wait_until(lambda: one.runs("a", "good") >= 5 and one.runs("b", "good") >= 5)
    good = [one.probe.slo(f"{name}-slo")["good"] for name in "ab"]
    since = [one.probe.slo(f"{name}-slo")["since"] for name in "ab"]
    wait_until(lambda: one.probe.api("status")["state"]["committed_to"] > one.probe.api("status")["started"])
    for n in range(1, 5):
        one.reload(**config(n))
        one.probe.process.signal(signal.SIGKILL)
        one.probe.process.popen.wait(10)
        one.probe.start()
        for i, name in enumerate("ab"):
            status = one.probe.slo(f"{name}-slo")
            assert status["bad"] == 0 and status["since"] == since[i]
        before = one.probe.slo("a-slo")["good"]
        wait_until(lambda: one.probe.slo("a-slo")["good"] >= before + 3)
    assert [one.probe.slo(f"{name}-slo")["good"] for name in "ab"] > good


def test_a_page_of_another_site_cannot_reload_and_the_read_only_listener_does_not(begin, nginx):
    server = nginx(SERVER)
    one = begin(transactions=[check("a", server.url + "/ok")])
    assert web.post(f"http://{one.admin}/-/reload", headers={"Origin": "http://evil.example"}).status == 403
    assert one.probe.post("/-/reload").status == 404
    assert web.get(f"http://{one.admin}/-/reload").status == 405
    assert "reloaded" not in one.probe.log()
