"""A real Prometheus that scrapes given ports."""

import urllib.parse
from pathlib import Path

from . import web
from .ports import free_port
from .process import Process
from .waiting import wait_until


class Prometheus:
    """Scrapes 127.0.0.1:port for every port in `targets` as job "slosonde"; `rules` are rule files, `scrape` further keys of
    the scrape config, as YAML in one line."""

    def __init__(self, folder, targets, interval="1s", rules=(), scrape=""):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        addresses = ", ".join(f'"127.0.0.1:{port}"' for port in targets)
        files = ", ".join(f'"{rule}"' for rule in rules)
        (self.folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}, evaluation_interval: {interval}}}\n"
            f"rule_files: [{files}]\n"
            f"scrape_configs: [{{job_name: slosonde, static_configs: [{{targets: [{addresses}]}}]"
            f"{', ' if scrape else ''}{scrape}}}]\n",
            encoding="utf-8")

    def __enter__(self):
        command = ["/usr/bin/prometheus", f"--config.file={self.folder}/prometheus.yml",
                   f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                   "--log.level=warn"]
        self.process = Process(command, self.folder / "prometheus.log", name="prometheus")
        self.process.wait_ready(lambda: web.get(f"{self.url}/-/ready").status == 200, deadline=60)
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.stop()

    def query(self, expression):
        """The instant query's result: a list of {"metric": {…}, "value": [time, "text"]}."""
        answer = web.get(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}").json()
        assert answer["status"] == "success", f"{expression}: {answer}"
        return answer["data"]["result"]

    def alerts(self):
        """The names of the alerts that fire now."""
        found = web.get(f"{self.url}/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

    def wait_scraped(self, deadline=30.0):
        """Waits until every target was scraped with success."""
        wait_until(lambda: (up := self.query("up")) and all(one["value"][1] == "1" for one in up), deadline,
                   "Prometheus to scrape its targets")
