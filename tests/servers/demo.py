"""The demo's reference pipeline, as a target for the probe."""

import json
import os
import re
from pathlib import Path

from . import web
from .process import Process

ROOT = Path(__file__).resolve().parents[2]


def binary():
    """The pipeline of the build under test: SLOSONDE_BUILD names its folder."""
    path = Path(os.environ.get("SLOSONDE_BUILD") or ROOT / "build" / "release") / "slosonde-demo-pipeline"
    assert path.exists(), f"{path} is not there: build it (cmake --build --preset release), or set SLOSONDE_BUILD"
    return path


class DemoPipeline:
    """`url` takes logs at /v1/logs; `brokers` is the embedded Kafka, or the one it was given."""

    def __init__(self, folder, *arguments):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.arguments = arguments
        self.process = None
        self.url = self.brokers = None

    def __enter__(self):
        log = self.folder / "pipeline.log"
        self.process = Process([binary(), *self.arguments], log, name="pipeline")
        self.process.wait_ready(lambda: re.search(r"^{.*}\n", self.process.log(), re.M))
        ready = json.loads(re.search(r"^{.*}\n", self.process.log(), re.M)[0])
        self.url, self.brokers = f"http://{ready['listen']}", ready["brokers"]
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.stop()

    def send(self, message, **fields):
        return web.post(f"{self.url}/v1/logs", {"message": message, **fields})

    def fault(self, **fault):
        """Sets a fault (stage=…, delay=…, drop=…), or with nothing clears them all."""
        return web.post(f"{self.url}/faults", fault) if fault else web.request("DELETE", f"{self.url}/faults")

    def count(self, stage, what):
        return web.get(f"{self.url}/status").json()["stages"][stage][what]
