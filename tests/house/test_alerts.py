"""The shipped Prometheus rules: promtool's tests pass, and say of every alert when it fires, when it does not, and that it ends."""

import re
import shutil
import subprocess

import pytest
import yaml

from sources import ROOT, files

ALERTS = ROOT / "alerts"
CASES = sorted(path.name for path in ALERTS.glob("*_test.yaml"))


def promtool(*arguments, cwd=ALERTS):
    return subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def alerts():
    groups = yaml.safe_load((ALERTS / "slosonde.rules.yaml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_the_rules_are_sound():
    result = promtool("check", "rules", "slosonde.rules.yaml")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("cases", CASES)
def test_promtool_agrees(cases):
    result = promtool("test", "rules", cases)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_is_seen_to_fire_to_stay_quiet_and_to_end():
    checks = [check for name in CASES for test in yaml.safe_load((ALERTS / name).read_text("utf-8"))["tests"]
              for check in test["alert_rule_test"]]
    for rule in alerts():
        fires = [bool(check["exp_alerts"]) for check in checks if check["alertname"] == rule["alert"]]
        assert True in fires, f"{rule['alert']} never fires in the tests"
        assert False in fires[:fires.index(True)] + fires[fires.index(True) + 1:], f"{rule['alert']} is never quiet"
        assert not fires[-1] or rule["alert"] == "SlosondeRunsMissed", f"{rule['alert']} never ends in the tests"


def test_every_alert_says_what_to_do():
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert len(rule["annotations"]["summary"]) > 20 and len(rule["annotations"]["description"]) > 20, rule["alert"]


def exported():
    """Every metric the exporter's sources name; a histogram has three series."""
    names = set()
    for path in files("exporter"):
        names |= set(re.findall(r'"((?:slosonde|process)_[a-z_]+)"', path.read_text("utf-8")))
    return names | {f"{name}{suffix}" for name in names for suffix in ("_bucket", "_sum", "_count")}


@pytest.mark.parametrize("shipped", ["alerts/slosonde.rules.yaml", "dashboards/slosonde-overview.json"])
def test_only_metrics_that_exist_are_asked_for(shipped):
    text = (ROOT / shipped).read_text("utf-8")
    asked = {name for name in re.findall(r"\b(?:slosonde|process)_[a-z_]+\b", text) if not name.endswith("_test")}
    assert asked, "no metric found: has the file changed its form?"
    assert asked <= exported(), f"not exported: {sorted(asked - exported())}"


def test_a_broken_rule_is_found(tmp_path):
    for path in ALERTS.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    rules = tmp_path / "slosonde.rules.yaml"
    rules.write_text(rules.read_text("utf-8").replace("slosonde_watch_in_sight == 0", "slosonde_watch_in_sight == 1"), "utf-8")
    result = promtool("test", "rules", "slosonde_test.yaml", cwd=tmp_path)
    assert result.returncode != 0
    assert "SlosondeWatchOutOfSight" in result.stdout + result.stderr
