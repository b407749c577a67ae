"""The kind "http" against a real nginx, with real certificates."""

import json

import pytest

from servers import odd
from servers.slosonde import once
from servers.tinyproxy import Tinyproxy
from servers.waiting import wait_until

SERVER = """
  location /ok { return 200 'fine'; }
  location /json { default_type application/json; return 200 '{"id": "i-7", "state": "open", "items": [{"n": 1}, {"n": 5}]}'; }
  location /mirror { default_type application/json; return 200 '{"method": "$request_method", "query": "$args",
    "auth": "$http_authorization", "trace": "$http_traceparent", "state": "$http_tracestate", "type": "$content_type"}'; }
  location /private { auth_basic "here"; auth_basic_user_file @FOLDER@/users; return 200 'in'; }
  location /static { auth_basic "here"; auth_basic_user_file @FOLDER@/users; alias @FOLDER@/static; }
  location /moved { return 302 /ok; }
  location /away { return 302 http://localhost:$server_port/ok; }
  location /loop { return 302 /loop; }
  location /gone { return 410 'it was here'; }
"""


@pytest.fixture
def target(nginx, tmp_path, authority):
    folder = tmp_path / "files"
    (folder / "static").mkdir(parents=True)
    (folder / "static" / "x").write_text("inside", encoding="utf-8")
    (folder / "users").write_text("probe:{PLAIN}swordfish\n", encoding="utf-8")
    return nginx(SERVER.replace("@FOLDER@", str(folder)), tls=authority.server())


def run(tmp_path, http, within="5s", env=None):
    """One run of one stage, after one that captures an id: (exit code, its stage in the JSON)."""
    before = {"url": "/".join(http["url"].split("/")[:3]) + "/json", "capture": {"id": "$.id"}}
    if "tls" in http:
        before["tls"] = http["tls"]
    config = {"transactions": [{"name": "t", "every": "10s", "stages": [
        {"name": "before", "within": "4s", "http": before}, {"name": "s", "within": within, "http": http}]}]}
    code, result = once(tmp_path / "once", config, env=env)
    stages = result["runs"][0]["stages"]
    assert stages[0]["verdict"] == "on_time", stages[0]["error"]
    return code, stages[1]


def test_everything_that_can_be_asked_arrives(tmp_path, target):
    http = {"method": "PUT", "url": target.url + "/mirror?a=1", "query": {"q": "{{captured.id}} &"}, "json": {"m": "{{marker}}"},
            "basic": {"username": "probe", "password": "${env:PASSWORD}"},
            "expect": {"status": ["200-204", 299], "header": {"content-type": "application/json"},
                       "header_regex": {"Server": "^nginx"},
                       "body": {"contains": ["slosonde=synthetic"], "not_contains": "nothing of that", "regex": "00-[0-9a-f]{32}-",
                                "json": [{"path": "$.method", "equals": "PUT"},
                                         {"path": "$.query", "equals": "a=1&q={{captured.id}}%20%26"},
                                         {"path": "$.auth", "equals": "Basic cHJvYmU6c3dvcmRmaXNo"},
                                         {"path": "$.type", "equals": "application/json"}]}}}
    code, stage = run(tmp_path, http, env={"PASSWORD": "swordfish"})
    assert stage["error"] is None and code == 0
    assert {"connect", "send", "wait", "receive"} <= set(stage["phases"])


def test_json_conditions_that_do_not_hold_say_what_is_there(tmp_path, target):
    http = {"url": target.url + "/json", "expect": {"body": {"json": [{"path": "$.items[*].n", "greater_than": 5}]}}}
    code, stage = run(tmp_path, http)
    assert code == 1 and stage["error"]["code"] == "wrong_body"
    assert '$.items[*].n is "1", expected a number greater than 5' in stage["error"]["text"]


@pytest.mark.parametrize("password, wanted", [("swordfish", None), ("wrong", "unauthorised")])
def test_credentials(tmp_path, target, password, wanted):
    secret = tmp_path / "password"
    secret.write_text(password, encoding="utf-8")
    code, stage = run(tmp_path, {"url": target.url + "/static/x", "basic": {"username": "probe", "password_file": str(secret)}})
    assert (stage["error"] and stage["error"]["code"]) == wanted
    assert code == (0 if wanted is None else 1)
    assert wanted is None or "swordfish" not in json.dumps(stage) and "wrong" not in stage["error"]["text"]


def test_a_bearer_token_from_a_file(tmp_path, target):
    token = tmp_path / "token"
    token.write_text("swordfish\n", encoding="utf-8")
    shown = {"body": {"json": [{"path": "$.auth", "equals": "Bearer swordfish"}]}}
    code, stage = run(tmp_path, {"url": target.url + "/mirror", "bearer_file": str(token), "expect": shown})
    assert code == 0, stage["error"]


def test_through_a_proxy(tmp_path, target, nginx):
    """nginx as the proxy: it forwards what it is asked for by its full URL, and leaves its mark."""
    proxy = nginx("location / { proxy_pass http://$http_host$request_uri; proxy_set_header Authorization 'by proxy'; }")
    asked = {"url": target.url + "/mirror?a=1", "proxy": proxy.url,
             "expect": {"body": {"json": [{"path": "$.auth", "equals": "by proxy"}, {"path": "$.query", "equals": "a=1"}]}}}
    # What the environment says of proxies counts for nothing.
    code, stage = run(tmp_path, asked, env={"NO_PROXY": "127.0.0.1", "http_proxy": "http://127.0.0.1:1"})
    assert code == 0, stage["error"]


def test_tls_through_a_proxy_that_connects(tmp_path, target, authority):
    tls = {"ca_file": str(authority.file)}
    with Tinyproxy(tmp_path / "proxy", connect_ports=[target.tls_port]) as proxy:
        code, stage = run(tmp_path, {"url": target.tls_url + "/ok", "proxy": proxy.url, "tls": tls, "expect": {"body": {"contains": "fine"}}})
        assert code == 0, stage["error"]
        assert f"CONNECT localhost:{target.tls_port}" in proxy.log()
        assert {"connect", "tls", "wait"} <= set(stage["phases"])


def test_a_proxy_that_will_not_connect_is_named(tmp_path, target, authority):
    tls = {"ca_file": str(authority.file)}
    with Tinyproxy(tmp_path / "proxy", connect_ports=[1]) as proxy:
        code, stage = run(tmp_path, {"url": target.tls_url + "/ok", "proxy": proxy.url, "tls": tls})
    assert code == 1 and proxy.url in stage["error"]["text"] and "403" in stage["error"]["text"], stage["error"]


def test_a_proxy_that_is_not_there_is_named(tmp_path, target, authority):
    code, stage = run(tmp_path, {"url": target.tls_url + "/ok", "proxy": "http://127.0.0.1:1", "tls": {"ca_file": str(authority.file)}})
    assert code == 1 and stage["error"]["code"] == "connect_refused" and "http://127.0.0.1:1:" in stage["error"]["text"], stage["error"]


@pytest.mark.parametrize("host, family, wanted", [("localhost", "ipv4", None), ("127.0.0.1", "ipv4", None),
                                                  ("127.0.0.1", "ipv6", "resolve_failed")])
def test_which_addresses_of_a_host_are_tried(tmp_path, target, host, family, wanted):
    code, stage = run(tmp_path, {"url": f"http://{host}:{target.port}/ok", "ip": family})
    assert (stage["error"] and stage["error"]["code"]) == wanted
    assert code == (0 if wanted is None else 1)


def test_an_unexpected_status_says_what_the_server_says(tmp_path, target):
    _, stage = run(tmp_path, {"url": target.url + "/gone?token=abc"})
    assert stage["error"] == {"code": "wrong_status", "text":
                              f'GET {target.url}/gone?…: status 410, expected 200-299; the body says "it was here"'}


def test_redirects(tmp_path, target):
    def error(path, **more):
        found = run(tmp_path, {"url": target.url + path, "expect": {"body": {"contains": "fine"}}, **more})[1]["error"]
        return found and found["code"]

    assert error("/moved") == "redirected"
    assert error("/moved", redirects="same_host") is None
    assert error("/away", redirects="same_host") == "redirected"
    assert error("/away", redirects="follow") is None
    assert error("/loop", redirects="follow") == "redirected"
    assert run(tmp_path, {"url": target.url + "/moved", "expect": {"status": 302}})[0] == 0


def test_tls_with_a_trusted_certificate(tmp_path, target, authority):
    code, stage = run(tmp_path, {"url": target.tls_url + "/ok", "tls": {"ca_file": str(authority.file)}})
    assert code == 0, stage["error"]
    assert {"resolve", "connect", "tls"} <= set(stage["phases"])


@pytest.mark.parametrize("spoken, wanted", [("TLSv1.2", "tls_failed"), ("TLSv1.3", None)])
def test_the_oldest_version_of_tls_that_will_do(tmp_path, nginx, authority, spoken, wanted):
    target = nginx(f"ssl_protocols {spoken}; location / {{ return 200 'ok'; }}", tls=authority.server())
    config = {"transactions": [{"name": "t", "every": "5s", "stages": [{"name": "s", "within": "3s", "http": {
        "url": target.tls_url + "/", "tls": {"ca_file": str(authority.file), "min_version": "1.3"}}}]}]}
    _, result = once(tmp_path, config)
    error = result["runs"][0]["stages"][0]["error"]
    assert (error and error["code"]) == wanted


@pytest.mark.parametrize("which, says", [("expired", "expired"), ("wrong_name", "subject name"), ("untrusted", "issuer")])
def test_certificates_that_are_not_acceptable(tmp_path, nginx, authority, which, says):
    certificate = {"expired": authority.expired, "wrong_name": authority.wrong_name, "untrusted": authority.server}[which]()
    target = nginx("location / { default_type application/json; return 200 '{\"id\": 1}'; }", tls=certificate)
    tls = {} if which == "untrusted" else {"ca_file": str(authority.file)}
    config = {"transactions": [{"name": "t", "every": "5s", "stages": [
        {"name": "s", "within": "3s", "http": {"url": target.tls_url + "/", "tls": tls}}]}]}
    code, result = once(tmp_path, config)
    error = result["runs"][0]["stages"][0]["error"]
    assert code == 1 and error["code"] == "tls_certificate"
    assert says in error["text"] and target.tls_url in error["text"]


def test_another_server_name(tmp_path, nginx, authority):
    target = nginx("location / { default_type application/json; return 200 '{\"id\": 1, \"host\": \"$http_host\"}'; }",
                   tls=authority.wrong_name())
    tls = {"ca_file": str(authority.file), "server_name": "elsewhere.example"}
    http = {"url": target.tls_url + "/x", "tls": tls,
            "expect": {"body": {"json": [{"path": "$.host", "equals": f"localhost:{target.tls_port}"}]}}}
    code, stage = run(tmp_path, http)
    assert code == 0, stage["error"]


def test_client_certificates(tmp_path, nginx, authority):
    target = nginx("location / { return 200 '{\"id\": \"$ssl_client_s_dn\"}'; }", tls=authority.server(), client_ca=authority)
    client = authority.client()
    tls = {"ca_file": str(authority.file), "certificate_file": str(client.file), "key_file": str(client.key_file)}
    code, stage = run(tmp_path, {"url": target.tls_url + "/", "tls": tls, "expect": {"body": {"contains": "CN=client"}}})
    assert code == 0, stage["error"]
    bare = {"transactions": [{"name": "t", "every": "5s", "stages": [
        {"name": "s", "within": "3s", "http": {"url": target.tls_url + "/", "tls": {"ca_file": str(authority.file)}}}]}]}
    code, result = once(tmp_path / "bare", bare)
    assert code == 1 and result["runs"][0]["stages"][0]["error"]["code"] == "wrong_status"


def test_a_poll_repeats_until_it_holds_and_shows_the_marker(tmp_path, slosonde):
    """The peer shows the marker it was sent only at the third poll."""
    seen = []

    def handler(connection, _server):
        request = connection.recv(65536).decode()
        if request.startswith("POST"):
            seen.append(request.split("\r\n\r\n")[1])
            body = "{}"
        else:
            seen.append("poll")
            body = seen[0] if seen.count("poll") >= 3 else '{"state": "pending"}'
        status = "200 OK" if body != '{"state": "pending"}' or seen.count("poll") == 2 else "404 Not Found"
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    with odd.TcpServer(handler) as peer:
        code, result = once(tmp_path, {"transactions": [{"name": "t", "every": "10s", "stages": [
            {"name": "send", "within": "2s", "http": {"url": peer.url + "/in", "json": {"m": "{{marker}}"}}},
            {"name": "found", "within": "8s", "poll": {"every": "50ms", "timeout": "2s", "http": {"url": peer.url + "/out"}}}]}]})
    stages = result["runs"][0]["stages"]
    assert code == 0, stages
    assert stages[1]["attempts"] == 3 and seen.count("poll") == 3


def test_phases_and_the_certificates_end_are_exported(target, authority, slosonde):
    probe = slosonde({"transactions": [{"name": "t", "every": "200ms", "stages": [
        {"name": "s", "within": "2s", "http": {"url": target.tls_url + "/ok", "tls": {"ca_file": str(authority.file)}}}]}]})
    labels = {"transaction": "t", "stage": "s"}
    wait_until(lambda: probe.metrics().value("slosonde_stages_total", verdict="on_time", **labels) >= 3, what="three good runs")
    metrics = probe.metrics()
    for phase in ("resolve", "connect", "tls", "send", "wait", "receive"):
        assert metrics.value("slosonde_check_phase_seconds_count", phase=phase, **labels) >= 3, phase
    end = metrics.value("slosonde_tls_certificate_expiry_timestamp_seconds", **labels)
    now = metrics.value("process_start_time_seconds")
    assert 29 * 86400 < end - now < 31 * 86400
