"""A real Prometheus scrapes the demo: every query of the dashboard and every name in the shipped rules gets an answer."""

import json
import re
import secrets
from pathlib import Path

import pytest
import yaml

from servers import web
from servers.demo import DemoPipeline
from servers.nginx import Nginx
from servers.ports import free_port
from servers.process import run
from servers.prometheus import Prometheus
from servers.slosonde import Slosonde
from servers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "dashboards" / "slosonde-overview.json"
VARIABLES = {"$instance": ".*", "$slo": ".*", "$transaction": "log-to-alert", "$__rate_interval": "30s"}


def queries():
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]


def filled_in(expression):
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression, f"a variable that this test does not know: {expression}"
    return expression


@pytest.fixture(scope="module")
def demo(tmp_path_factory, authority):
    """The demo's pipeline and config, one more transaction over TLS, and a Prometheus that scrapes the probe."""
    folder = tmp_path_factory.mktemp("demo")
    listen = f"127.0.0.1:{free_port()}"
    for name in ("marker.key", "hook.token"):
        (folder / name).write_text(secrets.token_hex(32) + "\n", "ascii")
        (folder / name).chmod(0o600)
    with DemoPipeline(folder / "pipeline", "--alerts-to", f"http://{listen}/hooks/alert", "--token-file",
                      folder / "hook.token") as pipeline, \
            Nginx(folder / "nginx", tls=authority.server()) as secure:
        variables = {"DEMO_FOLDER": str(folder), "DEMO_LISTEN": listen, "DEMO_BROKERS": pipeline.brokers,
                     "DEMO_PIPELINE": pipeline.url.removeprefix("http://")}
        config = yaml.safe_load((ROOT / "demo" / "slosonde.yaml").read_text("utf-8"))
        config["listen"]["address"] = listen
        config["probe"]["witness"] = [f"tcp://{listen}"]  # one that answers
        config["transactions"].append({"name": "secure", "every": "1s", "stages": [{
            "name": "tls", "within": "1s", "http": {"url": secure.tls_url, "tls": {"ca_file": str(authority.file)}}}]})
        with Slosonde(folder / "slosonde", config, env=variables) as probe, \
                Prometheus(folder / "prometheus", [probe.port], rules=[ROOT / "alerts" / "slosonde.rules.yaml"]) as server:
            server.wait_scraped()
            yield pipeline, probe, server


def test_prometheus_answers_with_the_burn_rate(demo):
    _, probe, server = demo
    wait_until(lambda: server.query('slosonde_slo_burn_rate{slo="alert-delivered", window="2m"}'), what="a burn rate")
    for sample in server.query("slosonde_slo_burn_rate"):
        assert sample["metric"]["slo"] in {"alert-delivered", "incident-fast", "console-up"}
    assert {slo["name"] for slo in probe.api("slos")["slos"]} == {
        sample["metric"]["slo"] for sample in server.query("slosonde_slo_error_budget_remaining_ratio")}


@pytest.mark.parametrize("title, expression", queries(), ids=[f"{title}-{n}" for n, (title, _) in enumerate(queries())])
def test_every_query_of_the_dashboard_has_data(demo, title, expression):
    server = demo[2]
    wait_until(lambda: server.query(filled_in(expression)), 60, f"'{title}' to have data: {filled_in(expression)}")


def test_every_metric_of_the_rules_has_data(demo):
    server = demo[2]
    text = (ROOT / "alerts" / "slosonde.rules.yaml").read_text("utf-8")
    names = set(re.findall(r"\bslosonde_[a-z_]+\b", " ".join(re.findall(r"expr: (?:\|\n(?:\s{10,}.*\n)+|.*)", text))))
    assert len(names) > 5
    for name in names:
        wait_until(lambda n=name: server.query(n), 30, f"{name} to have data")


def test_a_fault_burns_and_pages_in_prometheus_too(demo):
    pipeline, probe, server = demo
    assert "SlosondeBudgetBurningFast" not in server.alerts()
    pipeline.fault(stage="alert", drop=1)
    wait_until(lambda: "SlosondeBudgetBurningFast" in server.alerts(), 90, "Prometheus to page")
    burn = float(server.query('slosonde_slo_burn_rate{slo="alert-delivered", window="10s"}')[0]["value"][1])
    assert burn > 14.4
    pipeline.fault()
    wait_until(lambda: "SlosondeBudgetBurningFast" not in server.alerts(), 90, "Prometheus to stop paging")
    bad = next(slo for slo in probe.api("slos")["slos"] if slo["name"] == "alert-delivered")["bad"]
    wait_until(lambda: float(server.query('slosonde_sli_events_total{slo="alert-delivered", result="bad"}')[0]["value"][1])
               >= bad, what="Prometheus to have every bad event")


def test_a_minute_of_scrapes_without_a_gap_answers_with_the_burn_rate_throughout(demo):
    server = demo[2]
    wait_until(lambda: float(server.query("sum(count_over_time(up[10m]))")[0]["value"][1]) >= 60, 90, "60 scrapes")
    assert float(server.query("min_over_time(up[10m])")[0]["value"][1]) == 1, "a scrape failed"
    for slo in ("alert-delivered", "incident-fast"):
        burns = server.query(f'count_over_time(slosonde_slo_burn_rate{{slo="{slo}", window="10s"}}[1m])')
        assert burns and float(burns[0]["value"][1]) >= 50, f"{slo}: {burns}"


def test_the_scrape_is_clean(demo):
    _, probe, _ = demo
    result = run(["promtool", "check", "metrics"], stdin=web.get(f"{probe.url}/metrics").text)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
