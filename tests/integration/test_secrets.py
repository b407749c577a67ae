"""No secret is ever printed: a probe with one of every kind, a target that repeats all it is told, and every place where
slosonde says something."""

import base64
import json

import pytest

from servers import odd, web
from servers.ports import free_port, is_listening
from servers.process import Process
from servers.slosonde import binary, command
from servers.waiting import wait_until

# By the variable or file that holds them. URL and JSON have forms of their own for what is in some of them.
SECRETS = {name: f"canary-of-{name.lower().replace('_', '-')}-0123456789" for name in (
    "KEY", "HOOK_TOKEN", "WATCH_TOKEN", "HMAC", "ADMIN", "BEARER", "PASSWORD", "HEADER", "COOKIE", "API_KEY", "PATH_TOKEN",
    "QUERY", "QUERY_KEY", "EXPECTED", "BODY_TEXT", "TCP", "KAFKA", "KAFKA_PROPERTY", "HOOK_PATH", "EXTERNAL")}
SECRETS["ODD"] = 'canary "odd" \\ one/with&all <of> them'
SECRETS["WHOLE_URL"] = "canary-in-a-whole-url"


def parroting(status):
    """Answers with all of the request, as text and as base64, and sends a marker along that captures can take."""

    def handler(connection, _server):
        request = connection.recv(65536)
        body = b"you said: " + request.replace(b"\r\n", b" ") + b" " + base64.b64encode(request)
        connection.sendall(b"HTTP/1.1 %d x\r\nX-Echo: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
            status, request.split(b"\r\n")[0], len(body), body))

    return handler


def authorization_only(connection, _server):
    """The likeliest leak: a 401 that quotes the credentials it did not like, and nothing else."""
    lines = [line for line in connection.recv(65536).split(b"\r\n") if line.lower().startswith((
        b"authorization", b"cookie", b"x-"))]
    body = b"bad: " + b" ".join(lines)
    connection.sendall(b"HTTP/1.1 401 x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))


def parrot_of_bytes(connection, _server):
    connection.sendall(b"you said " + connection.recv(65536))


def one(name, **action):
    return {"name": name, "every": "1s", "stages": [{"name": "only", "within": "900ms", **action}]}


def config(folder, ports, urls, tcp):
    env = lambda name: "${env:" + name + "}"
    transactions = []
    for where, url in urls.items():
        requests = {
            "bearer": {"bearer": env("BEARER")},
            "basic": {"basic": {"username": "me", "password_file": str(folder / "PASSWORD")}},
            "header": {"headers": {"Authorization": f"Bearer {env('HEADER')}", "Cookie": f"sid={env('COOKIE')}",
                                   "X-Api-Key": "${file:API_KEY}", "X-Other": env("ODD")}},
            "url": {"url": f"{url}/hooks/{env('PATH_TOKEN')}/{{{{marker}}}}?k={env('QUERY')}",
                    "query": {"key": env("QUERY_KEY")}},
            "body": {"body": f"said {env('BODY_TEXT')}"},
            "json": {"json": {"text": env("ODD")}},
        }
        for name, request in requests.items():
            transactions.append(one(f"{where}-{name}", http={"url": url, **request}))
        expectations = {"header": {"X-Echo": env("EXPECTED")}, "header_regex": {"X-Echo": f"^{env('EXPECTED')}$"},
                        "body": {"contains": env("EXPECTED")}}
        for name, expected in expectations.items():
            transactions.append(one(f"{where}-expect-{name.replace('_', '-')}", http={
                "url": url, "body": "x", "expect": {"status": ["100-599"], name: expected}}))
        transactions.append(one(f"{where}-regex", http={
            "url": url, "expect": {"status": ["100-599"], "body": {"regex": f"^{env('EXPECTED')}$"}}}))
    transactions += [
        one("whole-url", http={"url": env("URL")}),
        one("tcp", tcp={"address": f"127.0.0.1:{tcp}", "send": f"AUTH {env('TCP')}\n",
                        "expect": {"contains": f"welcome {env('TCP')}!"}}),
        one("kafka", kafka={"brokers": f"127.0.0.1:{free_port()}", "topic": "t", "value": "{{marker}}",
                            "security_protocol": "sasl_plaintext", "username": "me", "password": env("KAFKA")}),
        {"name": "hooked", "every": "1s", "stages": [
            {"name": "send", "within": "500ms", "tcp": {"address": f"127.0.0.1:{tcp}", "send": "{{marker}}"}},
            {"name": "hook", "within": "900ms", "watch": {"webhook": {
                "path": f"/hooks/{env('HOOK_PATH')}", "token": env("WATCH_TOKEN"), "hmac_key": env("HMAC")}}}]}]
    return {
        "probe": {"name": "test", "key_file": str(folder / "KEY")},
        "listen": {"address": f"127.0.0.1:{ports[0]}"},
        "hooks": {"address": f"127.0.0.1:{ports[1]}", "token_file": str(folder / "HOOK_TOKEN"),
                  "external_url": f"http://hooks.example/{env('EXTERNAL')}"},
        "admin": {"address": f"unix:{folder}/admin.sock", "token_file": str(folder / "ADMIN")},
        "log": {"format": "json"},
        "transactions": transactions,
        "slos": [{"name": "all", "objective": "99%", "window": "1h", "sli": {"transaction": transactions[0]["name"]}}]}


def forms(secret):
    """How a secret may look in what is shown."""
    yield secret
    yield json.dumps(secret)[1:-1]
    for before in range(3):  # base64 within a longer text: what the secret alone decides
        text = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        yield text[(before * 8 + 5) // 6:-2]


def assert_shows_none(outputs):
    for where, output in outputs.items():
        for name, secret in SECRETS.items():
            for form in forms(secret):
                assert form not in output, f"the secret {name} is shown by {where}: {output[:3000]}"
        assert "canary" not in output, f"a secret is shown by {where}: …{output[output.index('canary') - 300:][:600]}"


@pytest.fixture(name="probed")
def _probed(tmp_path):
    for name, text in SECRETS.items():
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    with (odd.TcpServer(parroting(401)) as no, odd.TcpServer(authorization_only) as quoting,
          odd.TcpServer(parroting(200)) as yes, odd.TcpServer(parrot_of_bytes) as tcp):
        ports = free_port(), free_port()
        gone = f"http://127.0.0.1:{free_port()}"
        path = tmp_path / "secretive.yaml"
        urls = {"no": no.url, "quoting": quoting.url, "yes": yes.url, "gone": gone}
        path.write_text(json.dumps(config(tmp_path, ports, urls, tcp.port)), encoding="utf-8")
        env = {**SECRETS, "URL": f"{quoting.url}/services/{SECRETS['WHOLE_URL']}/x?token={SECRETS['QUERY']}"}
        yield path, ports[0], env


def test_no_secret_is_in_what_a_command_prints(probed):
    path, _, env = probed
    outputs = {}
    for arguments in (["validate", path], ["validate", path, "--json"], ["once", path], ["once", path, "--json"]):
        result = command(*arguments, env=env)
        assert result.returncode in (0, 1), result.stdout + result.stderr
        outputs[" ".join(map(str, arguments))] = result.stdout + result.stderr
    assert_shows_none(outputs)
    shown = outputs[f"once {path}"]
    assert "401" in shown and "${env:HEADER}" in shown and "/hooks/${env:PATH_TOKEN}/" in shown, shown
    assert "<secret>" in shown and "${env:EXPECTED}" in shown and "${env:TCP}" in shown, shown


def test_no_secret_is_in_what_a_daemon_says(probed, tmp_path):
    path, port, env = probed
    process = Process([binary(), "run", path], tmp_path / "run.log", env=env)
    base, outputs = f"http://127.0.0.1:{port}", {}
    try:
        process.wait_ready(lambda: is_listening(port))
        names = [one["name"] for one in json.loads(path.read_text("utf-8"))["transactions"]]
        runs = lambda: web.get(f"{base}/api/v1/runs?limit=1000").json()["runs"]
        wait_until(lambda: {run["transaction"] for run in runs() if run["verdict"] == "bad"} >=
                   {name for name in names if not name.startswith("yes-") or "expect" in name}, what="every kind of failure")
        for view in ("/", "/metrics", "/-/ready", "/api/v1/status", "/api/v1/slos", "/api/v1/transactions",
                     "/api/v1/runs?limit=1000", "/api/v1/config", f"/api/v1/runs/{runs()[0]['id']}", "/api/v1/nothing"):
            outputs[view] = web.get(base + view).text
        config_shown = json.loads(outputs["/api/v1/config"])
        status = command("status", "--probe", base)
        outputs["status"] = status.stdout + status.stderr
        for name in ("no-header", "quoting-basic", "no-url"):
            triggered = command("trigger", "--probe", f"unix:{tmp_path}/admin.sock", "--token-file", tmp_path / "ADMIN",
                                "--transaction", name)
            assert triggered.returncode == 1, triggered.stderr
            outputs[f"trigger {name}"] = triggered.stdout + triggered.stderr
    finally:
        process.stop()
    outputs["log"] = process.log()
    assert_shows_none(outputs)
    for line in outputs["log"].splitlines():
        json.loads(line)
    headers = next(one for one in config_shown["transactions"] if one["name"] == "no-header")["stages"][0]["http"]["headers"]
    assert headers["Authorization"] == headers["Cookie"] == headers["X-Api-Key"] == "<secret>"
    assert headers["X-Other"] == "${env:ODD}"


@pytest.mark.parametrize("http", [
    {"headers": {"Authorization": "Bearer canary"}}, {"headers": {"Cookie": "sid=canary"}}, {"bearer": "canary"},
    {"headers": {"X-Api-Key": "canary"}}, {"headers": {"Proxy-Authorization": "Basic canary"}}])
def test_a_secret_in_clear_is_refused_and_not_repeated(tmp_path, http):
    path = tmp_path / "clear.yaml"
    path.write_text(json.dumps({"transactions": [one("t", http={"url": "http://127.0.0.1:1/", **http})]}), "utf-8")
    for arguments in (["validate", path], ["validate", path, "--json"], ["once", path], ["run", path]):
        result = command(*arguments)
        assert result.returncode == 2
        assert "canary" not in result.stdout + result.stderr
        assert "a secret in clear text" in result.stdout + result.stderr


def test_what_librdkafka_refuses_is_not_repeated(tmp_path):
    path = tmp_path / "refused.yaml"
    path.write_text(json.dumps({"transactions": [one("t", kafka={
        "brokers": "127.0.0.1:1", "topic": "t", "value": "{{marker}}",
        "properties": {"compression.type": "${env:KAFKA_PROPERTY}"}})]}), "utf-8")
    result = command("validate", path, env=SECRETS)
    assert result.returncode == 2
    assert "properties.compression.type" in result.stderr
    assert_shows_none({"validate": result.stderr})


def test_credentials_in_the_probes_address_are_not_printed(nginx):
    server = nginx("location / { return 403 'no'; }")
    with_credentials = server.url.replace("http://", "http://me:canary@")
    nobody = f"http://me:canary@127.0.0.1:{free_port()}"
    for arguments in (["status"], ["trigger", "--transaction", "t"]):
        for address in (with_credentials, nobody, "me:canary@127.0.0.1:9465", "ftp://me:canary@h/"):
            result = command(*arguments, "--probe", address)
            assert result.returncode in (2, 3)
            assert result.stderr and "canary" not in result.stdout + result.stderr, result.stderr


def test_tokens_that_no_sender_can_show_together_are_refused(tmp_path):
    (tmp_path / "same").write_text("one-token", "ascii")
    def said(watch, hooks):
        stages = [{"name": "send", "within": "1s", "http": {"url": "http://127.0.0.1:1/", "body": "{{marker}}"}},
                  {"name": "hook", "within": "2s", "watch": {"webhook": {"path": "/hooks/x", **watch}}}]
        path = tmp_path / "hooks.yaml"
        path.write_text(json.dumps({
            "hooks": {"address": f"127.0.0.1:{free_port()}", **hooks},
            "transactions": [{"name": "t", "every": "5s", "stages": stages}]}), "utf-8")
        return command("validate", path, env={"A": "one-token", "B": "other-token"})

    refused = said({"token": "${env:B}"}, {"token": "${env:A}"})
    assert refused.returncode == 2
    assert "hooks.yaml:1:" in refused.stderr and "watch.webhook.token" in refused.stderr
    assert "none could get in" in refused.stderr
    assert "one-token" not in refused.stderr and "other-token" not in refused.stderr
    for watch, hooks in [({"token_file": "same"}, {"token": "${env:A}"}), ({"token": "${env:B}"}, {}),
                         ({"token": "${env:B}"}, {"token": "${env:A}", "hmac_key": "${env:B}"}),
                         ({"token": "${env:B}", "hmac_key": "${env:B}"}, {"token": "${env:A}"})]:
        result = said(watch, hooks)
        assert result.returncode == 0, result.stderr
