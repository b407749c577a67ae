"""`listen.web_config`: TLS, client certificates and passwords before the views of a live probe."""

import json
import shutil
import socket
import ssl

import pytest

from servers import web
from servers.ports import free_port
from servers.process import run
from servers.slosonde import Slosonde, binary, command, complete
from servers.waiting import wait_until

PASSWORD = "a canary's password"
HASHES = {"prom": "$2y$05$abcdefghijklmnopqrstuuT6m2ek1wOheK.0KLhZQciYv5CQ6Eu6K",
          "dear": "$2b$10$abcdefghijklmnopqrstuudUuph3gDcXPujR6ZiI6CPM/DJ38DTJK"}
PLAIN = {"name": "console", "every": "200ms", "stages": [{"name": "up", "within": "150ms", "http": {"url": "@URL@"}}]}


@pytest.fixture
def guarded(tmp_path, nginx):
    """A factory: guarded({"tls_server_config": …}, address=…) starts a probe with that web.yml; its `port` is open."""
    started = []

    def start(web_file, **blocks):
        folder = tmp_path / f"guarded-{len(started)}"
        folder.mkdir()
        (folder / "web.yml").write_text(json.dumps(web_file), encoding="utf-8")
        port = free_port()
        text = json.dumps({"listen": {"address": f"127.0.0.1:{port}", "web_config": "web.yml"},
                           "transactions": [PLAIN], **blocks}).replace("@URL@", nginx().url)
        probe = Slosonde(folder, json.loads(text))
        probe.port = port
        started.append(probe)
        probe.start(ready=False)
        probe.process.wait_ready(lambda: socket.create_connection(("127.0.0.1", port), 5).close() or True)
        return probe

    yield start
    for probe in started:
        if probe.process:
            probe.stop()


def curl(url, *arguments):
    """(exit code, status, body)."""
    result = run(["curl", "-sS", "--noproxy", "*", "--max-time", "20", "-w", "\n%{http_code}", *arguments, url], deadline=30)
    body, _, status = result.stdout.rpartition("\n")
    return result.returncode, int(status or 0), body


def tls_of(folder, certificate, **more):
    """A tls_server_config over copies of the certificate's files in `folder`, which can then be replaced."""
    folder.mkdir(exist_ok=True)
    put(folder, certificate)
    return {"cert_file": str(folder / "server.pem"), "key_file": str(folder / "server.key"), **more}


def put(folder, certificate):
    shutil.copy(certificate.key_file, folder / "server.key")
    shutil.copy(certificate.file, folder / "server.pem")


@pytest.fixture
def tls(tmp_path, authority):
    return tls_of(tmp_path / "tls", authority.server("web"))


def test_tls_is_spoken_and_only_who_trusts_the_authority_goes_on(guarded, authority, tls, tmp_path):
    probe = guarded({"tls_server_config": tls})
    url = f"https://127.0.0.1:{probe.port}"
    assert curl(f"{url}/-/healthy", "--cacert", authority.file) == (0, 200, "ok\n")
    assert curl(f"{url}/-/healthy", "--cacert", authority.file, "--tls-max", "1.2") == (0, 200, "ok\n")
    assert curl(f"{url}/metrics", "--cacert", authority.file)[2].count("slosonde_runs_total") > 0
    stranger = type(authority)(tmp_path / "stranger")
    assert curl(f"{url}/-/healthy", "--cacert", stranger.file)[:2] == (60, 0)
    assert curl(f"{url}/-/healthy", "--cacert", authority.file, "--tls-max", "1.1")[1] == 0
    assert probe.stop() == 0


def test_the_oldest_tls_is_as_set(guarded, authority, tls):
    probe = guarded({"tls_server_config": {**tls, "min_version": "TLS13"}})
    url = f"https://127.0.0.1:{probe.port}/-/healthy"
    assert curl(url, "--cacert", authority.file)[:2] == (0, 200)
    assert curl(url, "--cacert", authority.file, "--tls-max", "1.2")[1] == 0


def test_a_certificate_is_demanded_of_clients(guarded, authority, tls, tmp_path):
    probe = guarded({"tls_server_config": {**tls, "client_auth_type": "RequireAndVerifyClientCert",
                                           "client_ca_file": str(authority.file)}})
    ask = [f"https://127.0.0.1:{probe.port}/-/healthy", "--cacert", authority.file]
    ours, theirs = authority.client(), type(authority)(tmp_path / "stranger").client()
    code, status, _ = curl(*ask)
    assert code != 0 and status == 0
    code, status, _ = curl(*ask, "--cert", theirs.file, "--key", theirs.key_file)
    assert code != 0 and status == 0
    assert curl(*ask, "--cert", ours.file, "--key", ours.key_file) == (0, 200, "ok\n")


@pytest.mark.parametrize("way, none, any_at_all", [
    ("RequestClientCert", 200, 200), ("RequireAnyClientCert", 0, 200), ("VerifyClientCertIfGiven", 200, 0)])
def test_the_other_ways_to_ask_for_a_certificate(guarded, authority, tls, tmp_path, way, none, any_at_all):
    probe = guarded({"tls_server_config": {**tls, "client_auth_type": way, "client_ca_file": str(authority.file)}})
    ask = [f"https://127.0.0.1:{probe.port}/-/healthy", "--cacert", authority.file]
    theirs = type(authority)(tmp_path / "stranger").client()
    assert curl(*ask)[1] == none
    assert curl(*ask, "--cert", theirs.file, "--key", theirs.key_file)[1] == any_at_all


def test_plain_http_on_the_tls_port_is_cut_off(guarded, authority, tls):
    probe = guarded({"tls_server_config": tls})
    with socket.create_connection(("127.0.0.1", probe.port), 20) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in read_to_the_end(client)
    assert curl(f"https://127.0.0.1:{probe.port}/-/healthy", "--cacert", authority.file)[1] == 200


def read_to_the_end(client):
    everything = b""
    try:
        while some := client.recv(65536):
            everything += some
    except ConnectionResetError:
        pass
    return everything


def test_a_slow_handshake_is_cut_off_and_holds_nobody_up(guarded, authority, tls):
    probe = guarded({"tls_server_config": tls})
    slow = [socket.create_connection(("127.0.0.1", probe.port), 60) for _ in range(20)]
    for client in slow:
        client.sendall(b"\x16\x03\x01")
    assert curl(f"https://127.0.0.1:{probe.port}/-/healthy", "--cacert", authority.file)[1] == 200
    for client in slow:
        assert read_to_the_end(client) == b""
        client.close()


def connect(port, ca_file):
    context = ssl.create_default_context(cafile=ca_file)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20), server_hostname="localhost")


def serial(port, authority):
    with connect(port, authority.file) as client:
        return client.getpeercert()["serialNumber"]


def test_a_replaced_certificate_is_served_and_a_broken_one_is_not(guarded, authority, tls, tmp_path):
    probe = guarded({"tls_server_config": tls})
    first = serial(probe.port, authority)
    with connect(probe.port, authority.file) as old:
        put(tmp_path / "tls", authority.server("web-2"))
        second = wait_until(lambda: (now := serial(probe.port, authority)) != first and now, what="the new certificate")
        old.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert old.recv(65536).startswith(b"HTTP/1.1 200")
    (tmp_path / "tls" / "server.pem").write_text("no certificate", encoding="utf-8")
    wait_until(lambda: serial(probe.port, authority) == second and "certificate not replaced" in probe.log(),
               what="a line in the log")
    assert "tls_server_config.cert_file" in probe.log()
    put(tmp_path / "tls", authority.server("web-3"))
    wait_until(lambda: serial(probe.port, authority) not in (first, second), what="the third certificate")
    assert probe.log().count("certificate not replaced") <= 2  # certificate and key are not replaced at one instant


def test_many_answers_to_a_reader_that_is_slow_to_begin(guarded, authority, tls):
    """More than the kernel's buffers hold: the server must wait until it can write, and go on where it was."""
    probe, count = guarded({"tls_server_config": tls}), 400
    with connect(probe.port, authority.file) as client:
        asked = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * count
        client.sendall(asked + b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        everything = read_to_the_end(client)
    assert everything.count(b"HTTP/1.1 200 OK") == count + 1 and everything.endswith(b"ok\n")


@pytest.mark.parametrize("user", ["prom", "dear"])
def test_the_right_password_opens(guarded, user):
    probe = guarded({"basic_auth_users": HASHES})
    for path in ("/metrics", "/", "/api/v1/status", "/-/ready", "/-/healthy"):
        url = f"http://127.0.0.1:{probe.port}{path}"
        wait_until(lambda: curl(url, "-u", f"{user}:{PASSWORD}")[1] == 200, what=path)
        assert curl(url)[1] == 401


@pytest.mark.parametrize("header", [
    None, "Basic", "Basic cHJvbTp4", "Basic bm9ib2R5Ong=", "Bearer x", "Basic !!!!", "Basic cHJvbTo="])
def test_anything_else_does_not(guarded, header):
    probe = guarded({"basic_auth_users": HASHES})
    url = f"http://127.0.0.1:{probe.port}"
    assert curl(f"{url}/-/healthy", "-u", f"prom:{PASSWORD}")[1] == 200  # remembered, and of no use to others
    for method, path in (("GET", "/metrics"), ("GET", "/nothing"), ("GET", "/api/v1/config")):
        answer = web.request(method, url + path, headers={"Authorization": header} if header else {})
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == 'Basic realm="slosonde", charset="UTF-8"'
        assert answer.json()["status"] == 401 and "web_config" in answer.json()["detail"]


def test_a_name_other_than_the_host_is_refused_with_a_password_too(guarded):
    probe = guarded({"basic_auth_users": HASHES})
    url = f"http://127.0.0.1:{probe.port}/metrics"
    for _ in range(2):  # when the password is checked, and when it is remembered
        assert curl(url, "-u", f"prom:{PASSWORD}", "-H", "Host: evil.example")[1] == 403
    assert curl(url, "-H", "Host: evil.example")[1] == 401


def test_hooks_on_listen_show_their_own_proof(guarded, nginx):
    watched = {"name": "pipeline", "every": "300ms", "stages": [
        {"name": "send", "within": "1s", "http": {"url": nginx().url + "/?{{marker}}"}},
        {"name": "seen", "within": "2s", "watch": {"webhook": {"path": "/hooks/seen"}}}]}
    probe = guarded({"basic_auth_users": HASHES}, transactions=[watched])
    wait_until(lambda: web.post(f"http://127.0.0.1:{probe.port}/hooks/seen", b"no marker").status == 202, what="the hook")
    assert web.post(f"http://127.0.0.1:{probe.port}/metrics", b"").status == 401


def test_prometheus_scrapes_over_tls_with_a_password(guarded, authority, tls, prometheus):
    probe = guarded({"tls_server_config": tls, "basic_auth_users": HASHES})
    scrape = (f'scheme: https, tls_config: {{ca_file: "{authority.file}"}}, '
              f'basic_auth: {{username: dear, password: "{PASSWORD}"}}')
    with_password = prometheus([probe.port], scrape=scrape)
    with_password.wait_scraped()
    assert with_password.query("slosonde_probe_info")
    without = prometheus([probe.port], scrape=f'scheme: https, tls_config: {{ca_file: "{authority.file}"}}')
    wait_until(lambda: [one["value"][1] for one in without.query("up")] == ["0"], 30, "a scrape that is refused")
    # One check a connection of its own at most: what was right is remembered.
    metrics = curl(f"https://127.0.0.1:{probe.port}/metrics", "--cacert", authority.file, "-u", f"dear:{PASSWORD}")[2]
    assert 'slosonde_web_password_checks_total{result="right"} 1\n' in metrics


def test_no_password_and_no_hash_is_anywhere(guarded, authority, tls):
    probe = guarded({"tls_server_config": tls, "basic_auth_users": HASHES})
    url, ca = f"https://127.0.0.1:{probe.port}", ["--cacert", authority.file]
    texts = [curl(f"{url}{path}", *ca, "-u", f"prom:{PASSWORD}")[2]
             for path in ("/", "/metrics", "/api/v1/config", "/api/v1/status")]
    assert all(texts) and "web.yml" in texts[2]
    texts.append(curl(f"{url}/metrics", *ca, "-u", "prom:a wrong canary")[2])
    texts.append(probe.log())
    for text in texts:
        assert "canary" not in text and "abcdefghijklmnopqrstuu" not in text and "Y2FuYXJ5" not in text


def test_status_brings_the_password_of_the_url(guarded):
    probe = guarded({"basic_auth_users": HASHES})
    asked = [binary(), "status", "--json", "--probe"]
    good = run([*asked, f"http://prom:a%20canary's%20password@127.0.0.1:{probe.port}"], deadline=30)
    assert good.returncode == 0, good.stderr
    bad = run([*asked, f"http://prom:other-canary@127.0.0.1:{probe.port}"], deadline=30)
    assert bad.returncode == 3 and "web_config" in bad.stderr and "canary" not in bad.stderr + bad.stdout


def validate(folder, listen, web_file):
    folder.mkdir(exist_ok=True)
    (folder / "web.yml").write_text(web_file, encoding="utf-8")
    text = complete({"listen": {"address": listen, "web_config": "web.yml"},
                     "transactions": [json.loads(json.dumps(PLAIN).replace("@URL@", "http://127.0.0.1:1/"))]}, folder, 1)
    (folder / "slosonde.yaml").write_text(text, encoding="utf-8")
    return command("validate", "slosonde.yaml", cwd=folder)


def test_validate_finds_the_mistakes_of_the_second_file_by_its_name(tmp_path, authority):
    result = validate(tmp_path, "127.0.0.1:0", "basic_auth_users: {prom: in-clear}\n")
    assert result.returncode == 2
    assert result.stderr.startswith("web.yml:1:20: basic_auth_users.prom: is no bcrypt hash;"), result.stderr
    assert "in-clear" not in result.stderr
    client = authority.client("no-pair")
    result = validate(tmp_path, "127.0.0.1:0", "tls_server_config:\n"
                      f"  cert_file: {authority.server('pair').file}\n  key_file: {client.key_file}\n")
    assert result.returncode == 2
    assert f"web.yml:3:13: tls_server_config.key_file: {client.key_file} holds no key of the certificate;" in result.stderr
    result = validate(tmp_path, "127.0.0.1:0", "tls_server_config: {cert_file: nowhere.pem, key_file: nowhere.key}\n")
    assert result.returncode == 2
    assert "web.yml:1:32: tls_server_config.cert_file: cannot read nowhere.pem: No such file" in result.stderr


def test_passwords_do_not_cross_the_network_in_clear_text(tmp_path, authority):
    users = f"basic_auth_users: {{prom: {HASHES['prom']}}}\n"
    result = validate(tmp_path, "0.0.0.0:9465", users)
    assert result.returncode == 2
    assert "listen.web_config: other machines reach this address, and passwords would cross the network in clear text; " \
        "add `tls_server_config` to web.yml, or listen on 127.0.0.1" in result.stderr
    pair = authority.server("off-loopback")
    with_tls = f"{users}tls_server_config: {{cert_file: {pair.file}, key_file: {pair.key_file}}}\n"
    assert validate(tmp_path, "0.0.0.0:9465", with_tls).returncode == 0
