"""The command line as scripts and people meet it: exit codes, tables, JSON, logs, signals, and no secret anywhere."""

import json
import os
import re
import signal
import subprocess

import pytest

from servers import odd, web
from servers.ports import free_port, is_listening
from servers.process import Process, run
from servers.slosonde import ROOT, binary, command, complete, once, validate
from servers.waiting import wait_until

COMMANDS = ["run", "validate", "once", "trigger", "status", "schema"]


def one_stage(url, within="2s", every="1s", name="up", **http):
    return {"name": name, "every": every,
            "stages": [{"name": "get", "within": within, "http": {"url": url, **http}}]}


def slo(transaction="up", **more):
    return {"name": f"{transaction}-slo", "objective": "99.9%", "window": "30d", "sli": {"transaction": transaction}, **more}


def write(tmp_path, config, name="slosonde.yaml"):
    path = tmp_path / name
    path.write_text(complete(config, tmp_path, free_port()), encoding="utf-8")
    return path


# --- help and usage ---------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_each_has_an_example():
    top = command("--help")
    assert top.returncode == 0 and top.stderr == ""
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", top.stdout, re.M), f"{name} is not in --help"
        help_text = command(name, "--help")
        assert help_text.returncode == 0
        assert f"Example:\n  slosonde {name}" in help_text.stdout
        assert "Exit code" in help_text.stdout or name == "schema"


def completions(*words):
    """What bash offers for the last word."""
    script = (f"source {ROOT}/probe/cli/completion.bash; COMP_WORDS=(slosonde {' '.join(map(repr, words))}); "
              f"COMP_CWORD={len(words)}; _slosonde; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return set(run(["bash", "-c", script]).stdout.split())


def test_bash_completes_commands_and_every_option_there_is(tmp_path):
    assert completions("") == {*COMMANDS, "--help", "--version"}
    assert completions("tr") == {"trigger"}
    for name in COMMANDS:
        offered = completions(name, "--")
        there_are = set(re.findall(r"^  (?:-h,)?(--[a-z-]+)", command(name, "--help").stdout, re.M))
        assert offered == there_are, name
    (tmp_path / "slosonde.yaml").touch()
    assert completions("run", f"{tmp_path}/slo") == {f"{tmp_path}/slosonde.yaml"}


def test_version_is_one_line():
    result = command("--version")
    assert result.returncode == 0
    assert re.fullmatch(r"slosonde \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize("arguments", [[], ["nope"], ["run"], ["once"], ["trigger"], ["status"], ["run", "a", "b"],
                                       ["trigger", "--probe", "http://127.0.0.1:1"], ["validate", "--nope", "x"],
                                       ["status", "--probe", "127.0.0.1:9465"], ["status", "--probe", "ftp://x"]])
def test_wrong_usage_is_2_and_says_so_on_stderr(arguments):
    result = command(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.strip()


@pytest.mark.parametrize("word, says", [("statsu", "did you mean `status`?"), ("Run", "did you mean `run`?"),
                                        ("frobnicate", "expected one of run, validate"), (None, "a command is missing")])
def test_an_unknown_command_is_called_one(word, says):
    result = command(*([word] if word else []))
    assert result.returncode == 2 and says in result.stderr, result.stderr
    assert word is None or f"there is no command `{word}`" in result.stderr


# --- validate ---------------------------------------------------------------------------------------------------------


def test_validate_says_what_each_tier_means(tmp_path):
    config = {"transactions": [
        {"name": "log-to-alert", "every": "5s", "stages": [
            {"name": "ingest", "within": "2s", "http": {"method": "POST", "url": "http://127.0.0.1:1/", "body": "{{marker}}"}},
            {"name": "alert", "within": "60s", "watch": {"webhook": {"path": "/hooks/alert"}}}]},
        {"name": "console", "every": "1h", "stages": [{"name": "up", "within": "2s", "http": {"url": "http://127.0.0.1:1/"}}]}],
        "slos": [{"name": "delivered", "objective": "99.9%", "window": "30d",
                  "sli": {"transaction": "log-to-alert", "stage": "alert"}},
                 {"name": "console", "objective": "90%", "window": "30d", "sli": {"transaction": "console"}}]}
    result = validate(tmp_path, config)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    rest = result.stdout.partition("a run every 1h\n")[2]
    # By hand: k = max(2, floor(factor * 0.001 * long / 5 s) + 1), seen after (k - 1/2) * 5 s + 60 s.
    assert result.stdout == f"""\
{tmp_path}/validate.yaml: good, with 2 transactions and 2 SLOs

delivered: 99.9% of the runs of log-to-alert, stage alert, good over 30d; a run every 5s
  tier     severity  windows  fired by     of the budget  outage seen after
  14.4x1h  page      1h, 5m   11 failures             2%  1m 53s
  6x6h     page      6h, 30m  26 failures             5%  3m 8s
  3x1d     ticket    1d, 2h   52 failures            10%  5m 18s
  1x3d     ticket    3d, 6h   52 failures            10%  5m 18s

console: 90% of the runs of console good over 30d; a run every 1h
""" + rest
    assert re.search(r"dropped: 14\.4x1h .*90%", rest), rest
    assert "6x6h" in rest and "1x3d" in rest


def test_validate_says_which_outage_a_latency_slo_cannot_tell_of(tmp_path):
    stages = [{"name": "ingest", "within": "2s", "http": {"method": "POST", "url": "http://127.0.0.1:1/", "body": "{{marker}}"}},
              {"name": "alert", "within": "60s", "watch": {"webhook": {"path": "/hooks/alert"}}}]
    sli = {"transaction": "t", "stage": "alert"}
    config = {"transactions": [{"name": "t", "every": "5s", "stages": stages}],
              "slos": [{"name": "fast", "objective": "99%", "sli": {**sli, "faster_than": "13s"}}]}
    result = validate(tmp_path, config)
    assert result.returncode == 0, result.stderr
    assert re.search(r"an outage of stage alert itself\. After one of ingest\b", result.stdout), result.stdout
    config["slos"][0]["sli"] = sli
    assert "skipped" not in validate(tmp_path, config).stdout


def test_validate_json_has_the_same_figures(tmp_path):
    config = {"transactions": [one_stage("http://127.0.0.1:1/", every="5s")], "slos": [slo()]}
    path = write(tmp_path, config)
    result = command("validate", path, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["good"] is True
    (only,) = found["slos"]
    assert only["name"] == "up-slo" and only["transaction"] == "up" and only["dropped"] == []
    assert only["objective"] == 0.999 and only["window_seconds"] == 30 * 86400 and only["every_seconds"] == 5
    first = only["tiers"][0]
    assert first["tier"] == "14.4x1h" and first["severity"] == "page"
    assert first["failures"] == 11
    assert first["outage_seen_seconds"] == pytest.approx(10.5 * 5 + 2)
    assert first["budget_spent"] == pytest.approx(0.02)


@pytest.mark.parametrize("where,what", [("nowhere/state.db", "there is no folder"), ("", "is a folder"), ("state.db", None)])
def test_validate_says_where_no_state_can_be_kept(tmp_path, where, what):
    config = {"probe": {"state": str(tmp_path / where)}, "transactions": [one_stage("http://127.0.0.1:1/", every="5s")]}
    path = write(tmp_path, config)
    result = command("validate", path)
    assert result.returncode == 0, "the file may be meant for another machine"
    assert ("probe.state: " in result.stdout) == (what is not None)
    assert (what or "good") in result.stdout
    assert (what or "") in json.loads(command("validate", path, "--json").stdout).get("note", "")


BROKEN = """\
probe: {name: test, key_file: "@KEY@"}
listen: {address: 127.0.0.1:1}
transactions:
  - name: up
    every: 5
    stages:
      - {name: get, within: 2s, htp: {url: "http://127.0.0.1:1/"}}
slos:
  - {name: s, objective: 99.9%, window: 30d, sli: {transaction: nope}}
"""


def broken(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN.replace("@KEY@", str(key)), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["validate", "run", "once"])
def test_every_mistake_is_shown_at_once_with_its_place(tmp_path, name):
    path = broken(tmp_path)
    result = command(name, path)
    assert result.returncode == 2
    assert result.stdout == ""
    for line, where in [(5, r"transactions\[0\]\.every"), (7, r"transactions\[0\]\.stages\[0\]"), (9, r"slos\[0\]\.sli")]:
        assert re.search(rf"^{re.escape(str(path))}:{line}:\d+: {where}.*: .+", result.stderr, re.M), result.stderr
    assert re.search(r"did you mean", result.stderr)
    assert re.search(rf"^{re.escape(str(path))}: \d+ mistakes$", result.stderr, re.M)


def test_validate_json_lists_the_mistakes(tmp_path):
    path = broken(tmp_path)
    result = command("validate", path, "--json")
    assert result.returncode == 2
    found = json.loads(result.stdout)
    assert found["good"] is False
    assert {problem["line"] for problem in found["problems"]} >= {5, 7, 9}
    assert all(problem["message"] for problem in found["problems"])


@pytest.mark.parametrize("name", ["validate", "run", "once"])
def test_a_file_that_is_not_there_is_2(tmp_path, name):
    result = command(name, tmp_path / "missing.yaml")
    assert result.returncode == 2
    assert str(tmp_path / "missing.yaml") in result.stderr


# --- once -------------------------------------------------------------------------------------------------------------


def test_once_good(tmp_path, nginx):
    server = nginx()
    code, found = once(tmp_path, {"transactions": [one_stage(server.url)]})
    assert code == 0
    assert found["verdict"] == "good"
    (run,) = found["runs"]
    assert run["transaction"] == "up" and run["verdict"] == "good" and run["origin"] == "triggered"
    (stage,) = run["stages"]
    assert stage["verdict"] == "on_time" and 0 < stage["latency_seconds"] < 2
    assert len(server.requests()) == 1, "once means once"


def test_once_prints_a_table_without_colour_off_a_terminal(tmp_path, nginx):
    server = nginx("location / { return 503 'busy'; }")
    path = write(tmp_path, {"transactions": [
        {"name": "two", "every": "5s", "stages": [
            {"name": "first", "within": "1s", "http": {"url": server.url}},
            {"name": "second", "within": "2s", "http": {"url": server.url}}]}]})
    result = command("once", path)
    assert result.returncode == 1
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"two: bad  sonde1-[a-z0-9-]+", lines[0]), lines
    assert re.fullmatch(r"  stage   verdict +latency +hop  what was wrong", lines[1]), lines
    assert re.match(r"  first   failed .*wrong_status: .*503", lines[2]), lines
    assert re.match(r"  second  skipped .*a stage before it failed", lines[3]), lines
    assert len(server.requests()) == 1, "the skipped stage must not be sent"


def test_once_bad_where_nothing_listens(tmp_path):
    code, found = once(tmp_path, {"transactions": [one_stage(f"http://127.0.0.1:{free_port()}/")]})
    assert code == 1
    (stage,) = found["runs"][0]["stages"]
    assert stage["verdict"] == "failed" and stage["error"]["code"] == "connect_refused"


def test_once_runs_every_transaction_side_by_side_or_the_one_asked_for(tmp_path, nginx):
    server = nginx()
    with odd.TcpServer(odd.hang) as hanging:
        config = {"transactions": [one_stage(server.url, name="good"), one_stage(hanging.url, name="hangs", within="1s")],
                  "slos": [slo("hangs")]}
        code, found = once(tmp_path, config)
        assert code == 1
        assert {run["transaction"]: run["verdict"] for run in found["runs"]} == {"good": "good", "hangs": "bad"}
        (stage,) = next(run for run in found["runs"] if run["transaction"] == "hangs")["stages"]
        assert stage["error"]["code"] == "timeout"
        code, found = once(tmp_path, config, transaction="good")
        assert code == 0
        assert [run["transaction"] for run in found["runs"]] == ["good"]


def test_once_for_no_transaction_names_those_there_are(tmp_path):
    path = write(tmp_path, {"transactions": [one_stage("http://127.0.0.1:1/", name="known")]})
    result = command("once", path, "--transaction", "unknown")
    assert result.returncode == 2
    assert '"unknown"' in result.stderr and "known" in result.stderr


def through_webhook(hooks_port, send_to, within="3s"):
    return {"hooks": {"address": f"127.0.0.1:{hooks_port}"},
            "transactions": [{"name": "hooked", "every": "5s", "stages": [
                {"name": "send", "within": "2s", "http": {"method": "POST", "url": send_to, "body": "{{marker}}"}},
                {"name": "hook", "within": within, "watch": {"webhook": {"path": "/hooks/x"}}}]}]}


def test_once_listens_for_webhooks_itself(tmp_path, nginx):
    port = free_port()
    server = nginx(f"location / {{ proxy_pass http://127.0.0.1:{port}/hooks/x; }}")
    code, found = once(tmp_path, through_webhook(port, server.url))
    assert code == 0, found
    assert [stage["verdict"] for stage in found["runs"][0]["stages"]] == ["on_time", "on_time"]


def test_once_says_lost_for_what_never_came(tmp_path, nginx):
    code, found = once(tmp_path, through_webhook(free_port(), nginx().url, within="2500ms"))
    assert code == 1
    assert [stage["verdict"] for stage in found["runs"][0]["stages"]] == ["on_time", "lost"]


def test_once_cannot_judge_while_another_holds_the_hook_port(tmp_path, nginx):
    with odd.TcpServer(odd.hang) as holder:
        path = write(tmp_path, through_webhook(holder.port, nginx().url))
        result = command("once", path)
    assert result.returncode == 3
    assert f"127.0.0.1:{holder.port}" in result.stderr and "slosonde trigger --probe" in result.stderr


# --- run --------------------------------------------------------------------------------------------------------------


def log_lines(probe):
    return [line for line in probe.log().splitlines() if line.strip()]


def test_a_healthy_probe_logs_its_start_and_its_end_and_no_run(slosonde, nginx):
    server = nginx()
    probe = slosonde({"transactions": [one_stage(server.url, every="100ms", within="3s")], "slos": [slo()]})
    wait_until(lambda: (probe.metrics().value("slosonde_runs_total", transaction="up", verdict="good") or 0) >= 20,
               what="20 good runs")
    assert probe.stop() == 0
    lines = log_lines(probe)
    runs = [line for line in lines if "transaction=" in line and "bad" not in line]
    assert not runs, lines
    assert re.search(r"^time=\S+Z level=info msg=started version=\S+ probe=test transactions=1 slos=1 listen=127\.0\.0\.1:", lines[0])
    assert re.search(r'msg=stopping signal=SIGTERM', lines[-2]), lines
    assert re.search(r"msg=stopped$", lines[-1]), lines
    assert len(lines) <= 4, lines


def test_one_line_for_each_change_of_state(slosonde, nginx):
    server = nginx()
    probe = slosonde({"transactions": [one_stage(server.url, every="100ms", within="3s")]})
    good = lambda: probe.metrics().value("slosonde_runs_total", transaction="up", verdict="good")
    bad = lambda: probe.metrics().value("slosonde_runs_total", transaction="up", verdict="bad")
    wait_until(lambda: good() >= 3, what="good runs")
    server.stop()
    wait_until(lambda: bad() >= 5, what="bad runs")
    assert len([line for line in log_lines(probe) if "turned bad" in line]) == 1, probe.log()
    before = good()
    server.start()
    wait_until(lambda: good() >= before + 3, what="good runs again")
    wait_until(lambda: "good again" in probe.log(), what="the line of the recovery")
    assert probe.stop() == 0
    changes = [line for line in log_lines(probe) if "transaction=up" in line and "missed" not in line and "another reason" not in line]
    assert [("bad" in line.split("text=")[0]) for line in changes] == [True, False], probe.log()
    assert "connect_refused" in changes[0] or "refused" in changes[0], changes


def test_the_log_as_json(slosonde, nginx):
    probe = slosonde({"log": {"format": "json"}, "transactions": [one_stage(nginx().url)]})
    assert probe.stop() == 0
    lines = [json.loads(line) for line in log_lines(probe)]
    assert [line["msg"] for line in lines][0] == "started"
    assert lines[-1]["msg"] == "stopped" and lines[-1]["level"] == "info" and lines[-1]["time"].endswith("Z")


def slow_answer(seconds):
    def handler(connection, server):
        connection.recv(65536)
        server.ended.wait(seconds)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    return handler


def test_sigterm_lets_the_run_in_flight_end_and_starts_no_more(slosonde):
    with odd.TcpServer(slow_answer(1.5)) as server:
        probe = slosonde({"transactions": [one_stage(server.url, every="5s", within="4s")]})
        wait_until(lambda: server.accepted >= 1, what="a run in flight")
        accepted = server.accepted
        probe.process.signal(signal.SIGTERM)
        wait_until(lambda: probe.get("/-/ready").status == 503, what="not to be ready while stopping")
        runs = probe.api("runs")["runs"]
        assert runs and runs[0]["state"] == "in_flight", runs
        assert probe.process.wait(20) == 0
        assert server.accepted == accepted
        assert "SIGTERM" in probe.log()


def hold_back_and_stop():
    """In the child, before it is slosonde: told to stop before it can have listened to that."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_before_the_probe_is_ready_for_it_is_no_crash(tmp_path):
    path = write(tmp_path, {"transactions": [one_stage("http://127.0.0.1:1/", every="1h")]})
    process = subprocess.run([binary(), "run", path], preexec_fn=hold_back_and_stop, capture_output=True, timeout=30)
    assert process.returncode == 0, process.stderr
    assert b"SIGTERM" in process.stderr


def test_a_second_signal_stops_at_once(slosonde):
    with odd.TcpServer(odd.hang) as server:
        probe = slosonde({"probe": {"name": "test", "grace": "10m"},
                          "transactions": [one_stage(server.url, every="5s", within="5m")]})
        wait_until(lambda: server.accepted >= 1, deadline=30, what="a run in flight")
        probe.process.signal(signal.SIGINT)
        wait_until(lambda: "SIGINT" in probe.log(), what="the first signal to be understood")
        assert probe.process.alive()
        probe.process.signal(signal.SIGTERM)
        assert probe.process.wait(20) == 0


def test_a_stderr_that_nobody_reads_stops_neither_the_probe_nor_its_end(tmp_path, nginx):
    port, server = free_port(), nginx()
    path = write(tmp_path, {"listen": {"address": f"127.0.0.1:{port}"},
                            "transactions": [one_stage(server.url, every="100ms", within="3s")]})
    unread, full = os.pipe()
    os.set_blocking(full, False)
    try:
        while True:
            os.write(full, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(full, True)
    process = subprocess.Popen([binary(), "run", path], stdin=subprocess.DEVNULL, stderr=full)
    try:
        wait_until(lambda: re.search(r'runs_total{transaction="up",verdict="good"} [1-9]\d', web.get(f"http://127.0.0.1:{port}/metrics").text),
                   what="ten good runs")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(full)
        os.close(unread)


# --- trigger and status -----------------------------------------------------------------------------------------------


def with_admin(tmp_path, transactions, **more):
    return {"admin": {"address": f"unix:{tmp_path}/admin.sock"}, "transactions": transactions, **more}


def test_trigger_runs_once_through_a_running_probe_and_counts_nowhere(tmp_path, slosonde, nginx):
    server = nginx("location /bad { return 500; } location / { return 200 'ok'; }")
    probe = slosonde(with_admin(tmp_path, [one_stage(server.url, every="1h", name="fine"),
                                           one_stage(server.url + "/bad", every="1h", name="broken")]))
    address = f"unix:{tmp_path}/admin.sock"
    good = command("trigger", "--probe", address, "--transaction", "fine")
    assert good.returncode == 0, good.stderr
    assert re.match(r"fine: good  sonde1-", good.stdout)
    assert re.search(r"^  get +on_time +\d", good.stdout, re.M)
    bad = command("trigger", "--probe", address, "--transaction", "broken", "--json")
    assert bad.returncode == 1, bad.stderr
    run = json.loads(bad.stdout)
    assert run["verdict"] == "bad" and run["stages"][0]["error"]["code"] == "wrong_status"
    missing = command("trigger", "--probe", address, "--transaction", "nope")
    assert missing.returncode == 2
    assert "nope" in missing.stderr and "fine" in missing.stderr
    assert probe.metrics().sum("slosonde_runs_total") == 0, "triggered runs are in no counter"


def test_trigger_goes_to_the_admin_listener_only(tmp_path, slosonde, nginx):
    probe = slosonde(with_admin(tmp_path, [one_stage(nginx().url, every="1h")]))
    result = command("trigger", "--probe", probe.url, "--transaction", "up")
    assert result.returncode == 3
    assert result.stdout == "" and result.stderr.strip()


def test_status_shows_slos_and_transactions(slosonde, nginx):
    server = nginx()
    probe = slosonde({"transactions": [one_stage(server.url, every="100ms", within="3s")], "slos": [slo()]})
    wait_until(lambda: probe.slo("up-slo")["good"] >= 3, what="good events")
    result = command("status", "--probe", probe.url)
    assert result.returncode == 0, result.stderr
    assert re.match(r"test: ready, since 20", result.stdout)
    assert "in the window of each SLO" in result.stdout and "since this process began, 20" in result.stdout
    assert re.search(r"^up-slo +99\.9% +\d+ +0 .*100%", result.stdout, re.M), result.stdout
    assert re.search(r"^up +100ms +good +\d+ +0 ", result.stdout, re.M), result.stdout
    found = json.loads(command("status", "--probe", probe.url, "--json").stdout)
    assert found["status"]["probe"] == "test" and found["slos"][0]["name"] == "up-slo"
    assert found["transactions"][0]["name"] == "up"


@pytest.mark.parametrize("arguments", [["status"], ["trigger", "--transaction", "t"]])
def test_a_probe_that_is_not_there_is_3(tmp_path, arguments):
    for address in (f"http://127.0.0.1:{free_port()}", f"unix:{tmp_path}/none.sock"):
        result = command(*arguments, "--probe", address)
        assert result.returncode == 3
        assert address in result.stderr


def test_something_else_at_the_probes_address_is_3(nginx):
    server = nginx("location / { return 200 '<html>hello</html>'; }")
    result = command("status", "--probe", server.url)
    assert result.returncode == 3
    assert server.url in result.stderr and "is no slosonde" in result.stderr
    elsewhere = nginx("location / { return 404 'not here'; }")
    result = command("status", "--probe", elsewhere.url)
    assert result.returncode == 3 and "is it the address of a probe?" in result.stderr


def test_status_says_why_a_burning_budget_pages_nobody(slosonde):
    probe = slosonde({"transactions": [one_stage(f"http://127.0.0.1:{free_port()}", every="1s")], "slos": [slo(min_bad=1000)]})
    wait_until(lambda: probe.slo("up-slo")["bad"] >= 1, what="the first failure")
    result = command("status", "--probe", probe.url)
    assert result.returncode == 0, result.stderr
    assert "none; " in result.stdout and re.search(r"fires at 1000 failures, has \d", result.stdout), result.stdout
    assert re.search(r"1h 1000\b", result.stdout) and "e+" not in result.stdout, result.stdout
    assert re.search(r"fires at 1.000 failures, has \d", probe.get("/").text)


def test_json_has_numbers_as_people_write_them(tmp_path, slosonde, nginx):
    server = nginx()
    probe = slosonde({"transactions": [one_stage(server.url, every="100ms")], "slos": [slo()]})
    wait_until(lambda: probe.slo("up-slo")["good"] >= 1, what="a good event")
    path = write(tmp_path, {"transactions": [one_stage(server.url, every="2m")], "slos": [slo()]})
    for arguments in (["validate", path, "--json"], ["once", path, "--json"], ["status", "--probe", probe.url, "--json"]):
        result = command(*arguments)
        assert result.returncode == 0, result.stderr
        assert not re.search(r"\d[eE][-+]?\d", re.sub(r'"[^"]*"', '""', result.stdout)), result.stdout
        assert "000000001" not in result.stdout
    assert '"every_seconds":120,' in command("validate", path, "--json").stdout


# --- schema -----------------------------------------------------------------------------------------------------------


def test_schema_is_a_json_schema_that_takes_a_good_file(tmp_path):
    import jsonschema  # pylint: disable=import-outside-toplevel
    import yaml  # pylint: disable=import-outside-toplevel

    result = command("schema")
    assert result.returncode == 0
    schema = json.loads(result.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    path = write(tmp_path, {"transactions": [one_stage("http://127.0.0.1:1/")], "slos": [slo()]})
    validator = jsonschema.Draft202012Validator(schema)
    good = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert not list(validator.iter_errors(good))
    assert list(validator.iter_errors({**good, "transaktions": []})), "an unknown key must not pass"


def test_schema_reference_is_a_page():
    result = command("schema", "--reference")
    assert result.returncode == 0
    assert result.stdout.startswith("#") and "within" in result.stdout and "max_lateness" in result.stdout
