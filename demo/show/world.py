"""The two processes of the demo, and what can be asked of them."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLOSONDE_BUILD") or ROOT / "build" / "release")


class DemoError(Exception):
    """The demo cannot go on, or showed something that should not be; says what."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url, method="GET", body=None):
    """The answer's text; DemoError unless it is a 2xx."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        raise DemoError(f"{method} {url} answered {error.code}: {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise DemoError(f"{method} {url}: {error}") from error


class World:
    """Starts pipeline and probe on free loopback ports, and ends them by their process ids."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="slosonde-demo-"))
        self.processes = {}
        self.pipeline = self.probe = self.brokers = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self.processes.values()):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def forget(self):
        """Removes the logs, once nobody needs them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self):
        """The end of each process's log, for when something went wrong."""
        shown = []
        for name, process in self.processes.items():
            code = process.poll()
            state = "running" if code is None else f"ended with {code}"
            text = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            shown.append(f"--- {name} ({state}), the end of {self.folder}/{name}.log\n{text[-4000:]}")
        return "\n".join(shown)

    def fault(self, **fault):
        """Switches a fault on, or with nothing all of them off."""
        if fault:
            ask(f"{self.pipeline}/faults", "POST", fault)
        else:
            ask(f"{self.pipeline}/faults", "DELETE")

    def stages(self):
        return json.loads(ask(f"{self.pipeline}/status"))["stages"]

    def slo(self, name):
        return next(slo for slo in json.loads(ask(f"{self.probe}/api/v1/slos"))["slos"] if slo["name"] == name)

    def runs(self, transaction, limit):
        return json.loads(ask(f"{self.probe}/api/v1/runs?transaction={transaction}&limit={limit}"))["runs"]

    def metrics(self):
        return ask(f"{self.probe}/metrics")

    def state(self):
        return json.loads(ask(f"{self.probe}/api/v1/status"))["state"]

    def kill_probe(self, dead_for):
        """kill -9, and after so many seconds another process on the same configuration."""
        self.processes["slosonde"].kill()
        self.processes["slosonde"].wait()
        time.sleep(dead_for)
        self._run_probe()

    def check_alive(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DemoError(f"{name} ended with {process.returncode}")

    def _start(self):
        listen, pipeline = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        for name in ("marker.key", "hook.token"):
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        self._run("pipeline", [BUILD / "slosonde-demo-pipeline", "--listen", pipeline,
                               "--alerts-to", f"http://{listen}/hooks/alert",
                               "--token-file", self.folder / "hook.token"])
        self.pipeline, self.probe = f"http://{pipeline}", f"http://{listen}"
        self._wait("pipeline", f"{self.pipeline}/healthz")
        self.brokers = json.loads(ask(f"{self.pipeline}/status"))["brokers"]
        os.environ.update(DEMO_FOLDER=str(self.folder), DEMO_LISTEN=listen, DEMO_PIPELINE=pipeline,
                          DEMO_BROKERS=self.brokers)
        self._run_probe()

    def _run_probe(self):
        self._run("slosonde", [BUILD / "slosonde", "run", ROOT / "demo" / "slosonde.yaml"])
        self._wait("slosonde", f"{self.probe}/-/ready")

    def _run(self, name, command):
        if not Path(command[0]).exists():
            raise DemoError(f"{command[0]} is not there; demo/run builds it")
        with open(self.folder / f"{name}.log", "ab") as log:
            # The kernel ends it should this script be killed.
            self.processes[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)

    def _wait(self, name, url):
        end = time.monotonic() + 30
        while True:
            self.check_alive()
            try:
                ask(url)
                return
            except DemoError as error:
                if time.monotonic() > end:
                    raise DemoError(f"{name} was not ready within 30 s: {error}") from error
            time.sleep(0.05)


def on_signals_exit():
    """SIGTERM ends the demo as Ctrl-C does, so that nothing is left running."""

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def metric(text, name, **labels):
    """One sample's value; None when there is none."""
    for line in text.splitlines():
        match = re.match(r"^(\w+)(?:\{(.*)\})? (\S+)$", line)
        if match and match[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', match[2] or "")) == labels:
            return float(match[3])
    return None
