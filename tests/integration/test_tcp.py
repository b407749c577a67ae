"""The kind "tcp" against a real nginx, plain and with TLS."""

import pytest

from servers.slosonde import once


def run(tmp_path, tcp, within="3s"):
    config = {"transactions": [{"name": "t", "every": "5s", "stages": [{"name": "s", "within": within, "tcp": tcp}]}]}
    code, result = once(tmp_path, config)
    return code, result["runs"][0]["stages"][0]


REQUEST = "GET /{{marker}} HTTP/1.0\r\n\r\n"


def test_connecting_is_enough(tmp_path, nginx):
    code, stage = run(tmp_path, {"address": f"localhost:{nginx().port}"})
    assert code == 0, stage["error"]
    assert {"resolve", "connect"} == set(stage["phases"])


def test_what_is_sent_is_answered(tmp_path, nginx):
    target = nginx("location / { return 200 'you asked for $uri'; }")
    tcp = {"address": f"127.0.0.1:{target.port}", "send": REQUEST,
           "expect": {"contains": ["HTTP/1.1 200", "you asked for /sonde1-"], "regex": "Server: nginx/\\d"}}
    code, stage = run(tmp_path, tcp)
    assert code == 0, stage["error"]
    assert {"connect", "send", "wait", "receive"} == set(stage["phases"])


def test_what_came_instead_is_shown(tmp_path, nginx):
    target = nginx()
    code, stage = run(tmp_path, {"address": f"127.0.0.1:{target.port}", "send": REQUEST, "expect": {"contains": "220 ready"}})
    assert code == 1 and stage["error"]["code"] == "wrong_body"
    assert 'expected "220 ready"; what came is "HTTP/1.1 200 OK' in stage["error"]["text"]


def test_tls(tmp_path, nginx, authority):
    target = nginx(tls=authority.server())
    tcp = {"address": f"localhost:{target.tls_port}", "tls": {"ca_file": str(authority.file)}, "send": REQUEST,
           "expect": {"contains": "200 OK"}}
    code, stage = run(tmp_path, tcp)
    assert code == 0, stage["error"]
    assert "tls" in stage["phases"]


@pytest.mark.parametrize("which, says", [("expired", "expired"), ("wrong_name", "hostname mismatch"), ("untrusted", "issuer")])
def test_certificates_that_are_not_acceptable(tmp_path, nginx, authority, which, says):
    certificate = {"expired": authority.expired, "wrong_name": authority.wrong_name, "untrusted": authority.server}[which]()
    target = nginx(tls=certificate)
    tls = {} if which == "untrusted" else {"ca_file": str(authority.file)}
    code, stage = run(tmp_path, {"address": f"localhost:{target.tls_port}", "tls": tls})
    assert code == 1 and stage["error"]["code"] == "tls_certificate"
    assert says in stage["error"]["text"]


def test_a_client_certificate(tmp_path, nginx, authority):
    target = nginx("location / { return 200 '$ssl_client_s_dn'; }", tls=authority.server(), client_ca=authority)
    client = authority.client()
    tls = {"ca_file": str(authority.file), "certificate_file": str(client.file), "key_file": str(client.key_file)}
    code, stage = run(tmp_path, {"address": f"localhost:{target.tls_port}", "tls": tls, "send": REQUEST,
                                 "expect": {"contains": "CN=client"}})
    assert code == 0, stage["error"]


def test_another_server_name_and_no_verification(tmp_path, nginx, authority):
    target = nginx(tls=authority.wrong_name())
    address = f"localhost:{target.tls_port}"
    assert run(tmp_path, {"address": address, "tls": {"ca_file": str(authority.file), "server_name": "elsewhere.example"}})[0] == 0
    assert run(tmp_path, {"address": address, "tls": {"verify": False}})[0] == 0


def test_a_poll_asks_until_it_holds(tmp_path, nginx):
    target = nginx("location / { return 200 '$uri'; }")
    config = {"transactions": [{"name": "t", "every": "5s", "stages": [
        {"name": "send", "within": "2s", "http": {"url": target.url + "/{{marker}}"}},
        {"name": "found", "within": "4s", "poll": {"every": "100ms", "timeout": "1s", "tcp": {
            "address": f"127.0.0.1:{target.port}", "send": REQUEST, "expect": {"contains": "200 OK"}}}}]}]}
    code, result = once(tmp_path, config)
    assert code == 0, result["runs"][0]["stages"]
