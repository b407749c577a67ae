"""Steps under `finally`: always carried out, never judged, and waited for by `once` and `trigger`."""

import json

import pytest

from servers import odd
from servers.ports import free_port
from servers.slosonde import command, complete

SERVER = """
location = /made { default_type application/json; return 201 '{"id": "k-17"}'; }
location = /broken { return 500 'no'; }
location = /items/k-17 { return 200 'gone'; }
location = /refuses { return 503 'not now'; }
location / { return 404 'nothing'; }
"""


def journey(server, act="/made", clean="/items/{{captured.id}}", within="2s", name="journey", **step):
    act = {"method": "POST", "url": server.url + act, "expect": {"status": [201]}, "capture": {"id": "$.id"}}
    clean = {"method": "DELETE", "url": clean if clean.startswith("http") else server.url + clean}
    return {"name": name, "every": "1h", "stages": [{"name": "make", "within": "5s", "http": act}],
            "finally": [{"name": "clean", "within": within, "http": clean, **step}]}


def asked(server, path):
    return [line for line in server.requests() if f" {path} " in line]


def once(tmp_path, transaction):
    path = tmp_path / "once.yaml"
    path.write_text(complete({"transactions": [transaction]}, tmp_path, free_port()), encoding="utf-8")
    result = command("once", path, "--json")
    (run,) = json.loads(result.stdout)["runs"]
    return result.returncode, run


@pytest.fixture
def through_trigger(tmp_path, slosonde):
    """Like once(), through a running probe."""
    def trigger(_, transaction):
        address = f"unix:{tmp_path}/admin.sock"
        slosonde({"admin": {"address": address}, "transactions": [transaction]})
        result = command("trigger", "--probe", address, "--transaction", transaction["name"], "--json")
        return result.returncode, json.loads(result.stdout)
    return trigger


@pytest.fixture(params=["once", "trigger"])
def run_it(request):
    return once if request.param == "once" else request.getfixturevalue("through_trigger")


def test_what_a_run_has_made_is_cleaned_up_by_its_captured_name(tmp_path, nginx, run_it):
    server = nginx(SERVER)
    code, run = run_it(tmp_path, journey(server))
    assert (code, run["verdict"]) == (0, "good")
    (stage,), (step,) = run["stages"], run["finally"]
    assert stage["verdict"] == "on_time" and stage["delivery"] == "acked"
    assert step["verdict"] == "on_time" and step["attempts"] == 1 and step["error"] is None
    assert len(asked(server, "/items/k-17")) == 1, server.requests()


@pytest.mark.parametrize("clean, code, says", [("/refuses", "wrong_status", "503"), ("closed", "connect_refused", "127.0.0.1")])
def test_a_clean_up_that_fails_is_shown_and_changes_no_verdict(tmp_path, nginx, run_it, clean, code, says):
    server = nginx(SERVER)
    target = f"http://127.0.0.1:{free_port()}/" if clean == "closed" else clean
    exit_code, run = run_it(tmp_path, journey(server, clean=target))
    assert (exit_code, run["verdict"]) == (0, "good")
    (step,) = run["finally"]
    assert step["verdict"] == "failed" and step["error"]["code"] == code and says in step["error"]["text"]


def test_a_clean_up_that_hangs_is_given_up_at_its_limit_and_changes_no_verdict(tmp_path, nginx, run_it):
    with odd.TcpServer(odd.hang) as hanging:
        exit_code, run = run_it(tmp_path, journey(nginx(SERVER), clean=hanging.url + "/", within="700ms"))
    assert (exit_code, run["verdict"]) == (0, "good")
    (step,) = run["finally"]
    assert step["verdict"] == "failed" and step["error"]["code"] == "timeout"


def test_a_bad_run_is_cleaned_up_as_well(tmp_path, nginx, run_it):
    server = nginx(SERVER)
    exit_code, run = run_it(tmp_path, journey(server, act="/broken", clean="/refuses"))
    assert (exit_code, run["verdict"]) == (1, "bad")
    (stage,), (step,) = run["stages"], run["finally"]
    assert stage["error"]["code"] == "wrong_status" and step["verdict"] == "failed"
    assert len(asked(server, "/refuses")) == 1, server.requests()
