"""The program under test: the real binary, with a config file of the test's own."""

import json
import math
import os
import re
import signal
from pathlib import Path

from . import web
from .ports import free_port
from .process import Process, run

ROOT = Path(__file__).resolve().parents[2]


def binary():
    """The slosonde to test: SLOSONDE_BIN, or the release build's."""
    path = Path(os.environ.get("SLOSONDE_BIN") or ROOT / "build" / "release" / "slosonde")
    assert path.exists(), f"{path} is not there: build it (cmake --build --preset release), or set SLOSONDE_BIN"
    return path


class Metrics(dict):
    """A scrape: {'name{a="1",b="2"}': value}, labels in alphabetical order, names alone without braces."""

    _LINE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$')
    _LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    @classmethod
    def parse(cls, text):
        found = cls()
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = cls._LINE.match(line)
            assert match, f"not a metrics line: {line!r}"
            key = cls.key(match[1], dict(cls._LABEL.findall(match[2] or "")))
            assert key not in found, f"{key} is there twice"
            found[key] = float(match[3].replace("Inf", "inf"))
        return found

    @staticmethod
    def key(name, labels):
        inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        return f"{name}{{{inside}}}" if inside else name

    def value(self, name, **labels):
        """The one series with these labels; None when there is none."""
        return self.get(self.key(name, labels))

    def series(self, name, **labels):
        """[(labels, value)] of all series of that name that have these labels, and perhaps more."""
        found = []
        for key, value in self.items():
            if key.partition("{")[0] == name:
                have = dict(self._LABEL.findall(key))
                if all(have.get(label) == wanted for label, wanted in labels.items()):
                    found.append((have, value))
        return found

    def sum(self, name, **labels):
        """The sum over all series with these labels (0 when there is none)."""
        return math.fsum(value for _, value in self.series(name, **labels))


class Slosonde:
    """`slosonde run` on `config`, which is the YAML text, or a dict.

    Where the config has no `listen` or no `probe` it gets a free port and a key of its own. In the text, @PORT@ stands for
    the free listen port and @FOLDER@ for the test's folder.
    """

    def __init__(self, folder, config, env=None, arguments=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.env, self.arguments = env, arguments
        self.config_path = self.folder / "slosonde.yaml"
        self.process = None
        self.write(config)

    def write(self, config):
        """Writes the config file (again: before a reload)."""
        text = complete(config, self.folder, self.port)
        match = re.search(r"^listen:.*?address[\"']?:\s*[\"']?[\w.\[\]:-]*:(\d+)", text, re.M)
        if match:
            self.port = int(match[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.config_path.write_text(text, encoding="utf-8")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process:
            self.process.stop()

    def start(self, ready=True, deadline=30.0):
        """Starts it; with `ready` waits for /-/ready, else returns at once."""
        command = [binary(), "run", *self.arguments, self.config_path]
        self.process = Process(command, self.folder / "slosonde.log", name="slosonde", env=self.env)
        if ready:
            self.process.wait_ready(lambda: web.get(f"{self.url}/-/ready", deadline=2).status == 200, deadline)
        return self

    def stop(self, grace=20.0):
        """SIGTERM; gives the exit code."""
        return self.process.stop(grace)

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def log(self):
        return self.process.log()

    def get(self, path, **options):
        return web.get(self.url + path, **options)

    def post(self, path, body=b"", **options):
        return web.post(self.url + path, body, **options)

    def api(self, path):
        """The JSON of GET /api/v1/<path> (a leading slash means the whole path)."""
        full = path if path.startswith("/") else f"/api/v1/{path}"
        answer = self.get(full)
        assert answer.status == 200, f"GET {full}: {answer.status} {answer.text}"
        return answer.json()

    def metrics(self):
        answer = self.get("/metrics")
        assert answer.status == 200, f"GET /metrics: {answer.status} {answer.text}"
        return Metrics.parse(answer.text)

    def slo(self, name):
        """The SLO of that name from /api/v1/slos."""
        return next(slo for slo in self.api("slos")["slos"] if slo["name"] == name)


def complete(config, folder, port):
    """The config's text, with `listen` and `probe` (its name and key) added where they are missing."""
    folder = Path(folder)
    key = folder / "probe.key"
    if not key.exists():
        key.write_bytes(b"a key for tests only, 32 bytes..")
        key.chmod(0o600)
    if not isinstance(config, str):
        probe = {"name": "test", **config.get("probe", {})}
        if "key" not in probe:
            probe.setdefault("key_file", str(key))
        config = json.dumps({"listen": {"address": f"127.0.0.1:{port}"}, **config, "probe": probe}, indent=1)
        # One line a block: the runner finds the port again, whatever form the config came in.
        return "".join(f"{json.dumps(k)[1:-1]}: {json.dumps(v)}\n" for k, v in json.loads(config).items())
    config = config.replace("@PORT@", str(port)).replace("@FOLDER@", str(folder))
    if not re.search(r"^listen:", config, re.M):
        config = f"listen: {{address: 127.0.0.1:{port}}}\n{config}"
    if not re.search(r"^probe:", config, re.M):
        config = f'probe: {{name: test, key_file: "{key}"}}\n{config}'
    return config


def command(*arguments, deadline=60.0, env=None, cwd=None):
    """Runs `slosonde ARGUMENTS…` to its end; gives the CompletedProcess (returncode, stdout, stderr)."""
    return run([binary(), *arguments], deadline=deadline, env=env, cwd=cwd)


def once(folder, config, transaction=None, deadline=60.0, env=None):
    """`slosonde once CONFIG --json`: (exit code, its JSON; None when stdout had none, as with a bad config)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "once.yaml"
    path.write_text(complete(config, folder, free_port()), encoding="utf-8")
    chosen = ["--transaction", transaction] if transaction else []
    result = command("once", path, *chosen, "--json", deadline=deadline, env=env)
    try:
        return result.returncode, json.loads(result.stdout)
    except ValueError:
        assert result.returncode not in (0, 1, 3), (
            f"once ended with {result.returncode} and no JSON\nstdout: {result.stdout}\nstderr: {result.stderr}")
        return result.returncode, None


def validate(folder, config):
    """`slosonde validate CONFIG`: the CompletedProcess."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "validate.yaml"
    path.write_text(complete(config, folder, free_port()), encoding="utf-8")
    return command("validate", path)
