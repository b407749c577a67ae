"""A probe that cannot start says why, in words that help, with the contracted exit code, and leaves nothing behind."""

import http.client
import os
import re
import shutil
import subprocess

import pytest

from servers import odd, web
from servers.ports import free_port
from servers.process import Process, run
from servers.slosonde import binary, command, complete
from servers.waiting import wait_until


def one_stage(url="http://127.0.0.1:1/", every="1s", within="900ms", name="up"):
    return {"name": name, "every": every, "stages": [{"name": "get", "within": within, "http": {"url": url}}]}


def write(tmp_path, config):
    path = tmp_path / "slosonde.yaml"
    path.write_text(complete(config, tmp_path, free_port()), encoding="utf-8")
    return path


@pytest.mark.parametrize("listener", ["listen", "hooks", "admin"])
def test_a_port_in_use_is_1_and_named(tmp_path, listener):
    with odd.TcpServer(odd.hang) as holder:
        config = {"transactions": [one_stage()], listener: {"address": f"127.0.0.1:{holder.port}"}}
        result = command("run", write(tmp_path, config))
    assert result.returncode == 1
    assert f"127.0.0.1:{holder.port}" in result.stderr and "in use" in result.stderr
    assert result.stdout == ""


def test_a_unix_socket_in_no_folder_is_2_and_named(tmp_path):
    address = f"unix:{tmp_path}/no/such/folder/admin.sock"
    result = command("run", write(tmp_path, {"transactions": [one_stage()], "admin": {"address": address}}))
    assert result.returncode == 2  # as for every address that can never be listened on
    assert address in result.stderr and "folder" in result.stderr


def test_a_broken_config_is_2_and_nothing_is_bound(tmp_path):
    port = free_port()
    path = tmp_path / "broken.yaml"
    path.write_text(f"listen: {{address: 127.0.0.1:{port}}}\ntransactions: [{{name: up}}]\n", encoding="utf-8")
    with odd.TcpServer(odd.hang, port=port):  # would be in use, were it tried
        result = command("run", path)
    assert result.returncode == 2
    assert re.search(rf"^{re.escape(str(path))}:2:\d+: transactions\[0\]", result.stderr, re.M), result.stderr


def test_a_ca_file_that_is_not_there_is_2_with_its_place(tmp_path):
    transaction = one_stage("https://127.0.0.1:1/")
    transaction["stages"][0]["http"]["tls"] = {"ca_file": str(tmp_path / "ca.pem")}
    for name in ("run", "validate", "once"):
        result = command(name, write(tmp_path, {"transactions": [transaction]}))
        assert result.returncode == 2, (name, result.stderr)
        assert re.search(r"slosonde\.yaml:\d+:\d+: transactions\[0\]\.stages\[0\]\.http.*ca\.pem", result.stderr), result.stderr


def unprivileged(tmp_path, *arguments):
    """The command as a user who may read the test's folder and the binary, and has no privileges."""
    if os.geteuid() != 0:
        return command(*arguments)
    # The build may lie where only its owner can go.
    copy = tmp_path / "slosonde"
    shutil.copy(binary(), copy)
    copy.chmod(0o755)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o055)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return run([*drop, copy, *arguments])


@pytest.mark.parametrize("name", ["run", "validate", "once"])
def test_a_key_file_that_may_not_be_read_is_2_and_named(tmp_path, name):
    key = tmp_path / "probe.key"
    key.write_bytes(b"canary-key-that-nobody-may-see..")
    key.chmod(0o000)
    port = free_port()
    path = tmp_path / "slosonde.yaml"
    path.write_text(f'probe: {{name: test, key_file: "{key}"}}\nlisten: {{address: 127.0.0.1:{port}}}\n'
                    "transactions: [{name: up, every: 1s, stages: "
                    '[{name: get, within: 900ms, http: {url: "http://127.0.0.1:1/"}}]}]\n', encoding="utf-8")
    path.chmod(0o644)
    result = unprivileged(tmp_path, name, path)
    assert result.returncode == 2, result.stderr
    assert re.search(rf"{re.escape(str(path))}:1:\d+: probe\.key", result.stderr), result.stderr
    assert str(key) in result.stderr and re.search(r"permission|may not be read", result.stderr, re.I), result.stderr
    assert "canary" not in result.stdout + result.stderr


def limited(descriptors, *arguments):
    return ["prlimit", f"--nofile={descriptors}", "--", str(binary()), *map(str, arguments)]


def test_too_few_descriptors_to_start_is_1_and_says_so(tmp_path):
    path = write(tmp_path, {"transactions": [one_stage()]})
    tried = []
    for descriptors in (4, 6, 8, 10):
        result = run(limited(descriptors, "run", path), deadline=20)
        tried.append((descriptors, result.returncode, result.stderr))
        # The loader itself may not find its libraries with so few; from there on every refusal is our own.
        if "error while loading shared libraries" in result.stderr:
            continue
        # What a check could not be made for is told with its place in the file, and that is 2; all else is 1.
        assert result.returncode == (2 if f"{path}:" in result.stderr else 1), tried
        assert re.search(r"descriptor|too many open files", result.stderr, re.I), tried
    assert any("shared libraries" not in text for _, _, text in tried), tried


def test_once_without_enough_descriptors_cannot_judge_and_never_says_bad(tmp_path, nginx):
    path = write(tmp_path, {"transactions": [one_stage(nginx().url, within="5s")]})
    codes = {}
    for descriptors in range(6, 40):
        result = run(limited(descriptors, "once", path), deadline=30)
        if "shared libraries" in result.stderr:
            continue
        codes[descriptors] = result.returncode
        if result.returncode == 0:
            break
        assert result.stderr.strip() or "no_descriptors" in result.stdout, (descriptors, result)
    assert set(codes.values()) <= {0, 2, 3}, codes  # 2: the configuration itself could not be read
    assert 3 in codes.values() and 0 in codes.values(), codes


def test_out_of_descriptors_while_running_is_our_fault_and_never_the_targets(tmp_path, nginx):
    server = nginx()
    port = free_port()
    config = {"listen": {"address": f"127.0.0.1:{port}"},
              "transactions": [one_stage(server.url, every="100ms", within="3s", name=f"t{n}") for n in range(5)]}
    process = Process([binary(), "run", write(tmp_path, config)], tmp_path / "slosonde.log")
    base = f"http://127.0.0.1:{port}"

    def runs(verdict):
        text = web.get(f"{base}/metrics").text
        return sum(float(value) for value in re.findall(rf'^slosonde_runs_total{{.*verdict="{verdict}"}} (\S+)', text, re.M))

    try:
        process.wait_ready(lambda: web.get(f"{base}/-/ready", deadline=2).status == 200)
        wait_until(lambda: runs("good") >= 20, what="good runs")
        bad_before = runs("bad")
        # What is open stays open; nothing new can be opened but what takes a place that was given back.
        limit = len(os.listdir(f"/proc/{process.pid}/fd"))
        scrape = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        scrape.request("GET", "/-/ready")
        scrape.getresponse().read()
        subprocess.run(["prlimit", f"--pid={process.pid}", f"--nofile={limit - 3}:"], check=True)

        def kept(verdict):
            scrape.request("GET", "/metrics")
            text = scrape.getresponse().read().decode()
            return sum(float(value) for value in re.findall(rf'^slosonde_runs_total{{.*verdict="{verdict}"}} (\S+)', text, re.M))

        wait_until(lambda: kept("probe_fault") >= 10, what="probe faults")
        assert kept("bad") == bad_before, "our own lack of descriptors was held against the target"
        subprocess.run(["prlimit", f"--pid={process.pid}", "--nofile=1024:"], check=True)
        before = kept("good")
        wait_until(lambda: kept("good") >= before + 20, what="good runs again")
        assert kept("bad") == bad_before
    finally:
        assert process.stop() == 0
