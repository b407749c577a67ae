"""What a live probe says to Prometheus."""

import gzip
import subprocess

import pytest

from servers import web
from servers.slosonde import Metrics
from servers.waiting import wait_until

VERDICTS = ["good", "bad", "blind", "probe_fault", "missed", "excluded"]


def config(url, every="200ms"):
    return {
        "transactions": [
            {"name": "console", "every": every,
             "stages": [{"name": "up", "within": "150ms", "http": {"url": url}}]},
            {"name": "pipeline", "every": every, "linger": "500ms", "stages": [
                {"name": "send", "within": "1s", "http": {"url": url + "/?{{marker}}"}},
                {"name": "seen", "within": "1500ms", "watch": {"webhook": {"path": "/hooks/seen"}}}]},
        ],
        "slos": [{"name": "console-up", "objective": "99.9%", "window": "1d", "sli": {"transaction": "console"}},
                 {"name": "seen-fast", "objective": "95%", "window": "1d",
                  "sli": {"transaction": "pipeline", "stage": "seen", "faster_than": "500ms"}}],
    }


@pytest.fixture
def probe(slosonde, nginx):
    return slosonde(config(nginx().url))


def promtool(text):
    return subprocess.run(["/usr/bin/promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                          timeout=60, check=False)


def test_promtool_has_nothing_to_say(probe):
    def console_runs():
        return probe.metrics()['slosonde_runs_total{transaction="console",verdict="good"}'] >= 3

    for what in ("at the start", "after some runs"):
        checked = promtool(probe.get("/metrics").text)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), what
        wait_until(console_runs, what="good runs")


def test_everything_countable_is_there_from_the_start(slosonde, nginx):
    probe = slosonde(config(nginx().url, every="1h"))  # nothing has run yet
    metrics = probe.metrics()
    for transaction in ("console", "pipeline"):
        for verdict in VERDICTS:
            assert metrics[f'slosonde_runs_total{{transaction="{transaction}",verdict="{verdict}"}}'] == 0
    assert metrics['slosonde_stage_failures_total{reason="connect_refused",stage="up",transaction="console"}'] == 0
    assert metrics['slosonde_sightings_total{kind="duplicate",stage="seen",transaction="pipeline"}'] == 0
    assert metrics['slosonde_stage_latency_seconds_bucket{le="+Inf",stage="up",transaction="console"}'] == 0
    assert metrics['slosonde_check_phase_seconds_count{phase="connect",stage="up",transaction="console"}'] == 0
    assert metrics['slosonde_sli_events_total{result="bad",slo="console-up"}'] == 0
    assert metrics['slosonde_sli_unjudged_total{reason="missed",slo="seen-fast"}'] == 0
    assert metrics['slosonde_hook_requests_total{result="overflow"}'] == 0
    assert metrics['slosonde_slo_objective_ratio{slo="console-up"}'] == 0.999
    assert not [name for name in metrics if name.startswith("slosonde_slo_burn_rate")]
    assert metrics["slosonde_config_last_reload_successful"] == 1


def test_the_limit_is_an_edge_and_what_is_lost_is_in_infinity_alone(probe):
    def lost():
        return probe.metrics()['slosonde_stages_total{stage="seen",transaction="pipeline",verdict="lost"}'] >= 2

    wait_until(lost, what="lost stages")  # nobody calls /hooks/seen
    metrics = probe.metrics()
    assert 'slosonde_stage_latency_seconds_bucket{le="1.5",stage="seen",transaction="pipeline"}' in metrics
    assert metrics['slosonde_stage_latency_seconds_bucket{le="6",stage="seen",transaction="pipeline"}'] == 0
    assert metrics['slosonde_stage_latency_seconds_bucket{le="+Inf",stage="seen",transaction="pipeline"}'] >= 2
    assert metrics['slosonde_stage_latency_seconds_sum{stage="seen",transaction="pipeline"}'] == 0


def test_burn_rates_and_process_figures(probe):
    def burns():
        return [value for name, value in probe.metrics().items()
                if name.startswith('slosonde_slo_burn_rate{slo="seen-fast"')]

    wait_until(burns, what="a burn rate")
    assert max(burns()) == pytest.approx(20)  # everything is lost, and a twentieth may be
    metrics = probe.metrics()
    assert metrics['slosonde_slo_coverage_ratio{slo="console-up",window="1d"}'] > 0
    assert metrics["process_resident_memory_bytes"] == pytest.approx(probe.process.rss_bytes(), rel=0.3)
    assert abs(metrics["process_open_fds"] - probe.process.open_files()) <= 3
    assert metrics["process_start_time_seconds"] <= metrics["slosonde_engine_last_turn_timestamp_seconds"] + 2
    assert 'slosonde_watch_in_sight{kind="webhook",watch="webhook /hooks/seen"}' in metrics


def test_gzip_is_the_same_text(probe):
    packed = probe.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    unpacked = Metrics.parse(gzip.decompress(packed.body).decode())
    assert set(unpacked) >= {name for name in probe.metrics() if "_total" in name}
    assert len(packed.body) * 4 < len(gzip.decompress(packed.body))


def test_a_real_prometheus_scrapes_it(probe, prometheus):
    server = prometheus([probe.port])
    server.wait_scraped()
    found = wait_until(lambda: server.query('slosonde_slo_burn_rate{slo="console-up"}'), 30, "burn rates in Prometheus")
    assert {one["metric"]["window"] for one in found} >= {"1d"}
    # What it stored, it understood as counters and histograms of the right types.
    metadata = web.get(f"{server.url}/api/v1/metadata").json()["data"]
    assert metadata["slosonde_runs_total"][0]["type"] == "counter"
    assert metadata["slosonde_stage_latency_seconds"][0]["type"] == "histogram"
    quantile = 'histogram_quantile(0.5, slosonde_stage_latency_seconds_bucket{transaction="console"})'
    wait_until(lambda: server.query(quantile), 30, "a quantile")
