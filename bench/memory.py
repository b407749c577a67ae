"""Resident memory of slosonde after 1,000 runs of the demo's configuration.

Method. The demo's pipeline runs beside the daemon with demo/slosonde.yaml, as `demo/run` starts them, but with runs every
100 ms instead of every second, so that it does not take half an hour; limits, watches and SLOs are the demo's own. Once
1,000 runs are decided, VmRSS of /proc/PID/status is read after a scrape of /metrics and a look at the status page, and
what of it is the program's text and libraries (RssFile) is shown beside.
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("SLOSONDE_BUILD", str(Path(os.environ["SLOSONDE_BIN"]).parent))

from servers import web  # noqa: E402
from servers.demo import DemoPipeline  # noqa: E402
from servers.ports import free_port  # noqa: E402
from servers.process import Process  # noqa: E402
from servers.waiting import wait_until  # noqa: E402
from servers.slosonde import Metrics, binary  # noqa: E402

GOAL_BYTES = 20_000_000


def resident(pid):
    """{"VmRSS": bytes, "RssFile": …, "RssAnon": …}"""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return {match[1]: int(match[2]) * 1024 for match in re.finditer(r"^(VmRSS|RssFile|RssAnon):\s+(\d+) kB", file.read(), re.M)}


def shown(sizes):
    parts = ", ".join(f"{name} {sizes[name] / 1e6:.1f} MB" for name in ("RssAnon", "RssFile"))
    return f"{sizes['VmRSS'] / 1e6:.1f} MB ({parts})"


def measure(folder, runs, every):
    port = free_port()
    (folder / "marker.key").write_text("a key for the benchmark only, 32 bytes", encoding="ascii")
    (folder / "hook.token").write_text("a token for the benchmark only\n", encoding="ascii")
    config = (ROOT / "demo" / "slosonde.yaml").read_text(encoding="utf-8")
    config, changed = re.subn(r"^    every: \S+$", f"    every: {every}", config, flags=re.M)
    assert changed == 2, "demo/slosonde.yaml has other transactions than this benchmark knows"
    (folder / "slosonde.yaml").write_text(config, encoding="utf-8")
    arguments = ("--alerts-to", f"http://127.0.0.1:{port}/hooks/alert", "--token-file", folder / "hook.token")
    with DemoPipeline(folder / "pipeline", *arguments) as pipeline:
        env = {"DEMO_FOLDER": folder, "DEMO_LISTEN": f"127.0.0.1:{port}", "DEMO_BROKERS": pipeline.brokers,
               "DEMO_PIPELINE": pipeline.url.removeprefix("http://")}
        probe = Process([binary(), "run", folder / "slosonde.yaml"], folder / "slosonde.log", name="slosonde", env=env)
        try:
            url = f"http://127.0.0.1:{port}"
            probe.wait_ready(lambda: web.get(f"{url}/-/ready").status == 200)
            print(f"when ready:      {shown(resident(probe.pid))}", flush=True)

            def decided(verdict=None):
                labels = {"verdict": verdict} if verdict else {}
                return Metrics.parse(web.get(f"{url}/metrics").text).sum("slosonde_runs_total", **labels)

            wait_until(lambda: decided() >= runs, 600, f"{runs} runs", every=1.0)
            good, all_of_them = decided("good"), decided()
            assert good >= 0.9 * all_of_them, f"only {good:g} of {all_of_them:g} runs were good"
            assert web.get(url + "/").status == 200
            sizes = resident(probe.pid)
            print(f"after {all_of_them:g} runs: {shown(sizes)}; goal: {GOAL_BYTES / 1e6:.0f} MB")
            return sizes["VmRSS"]
        finally:
            probe.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--every", default="100ms", help="of each transaction")
    options = parser.parse_args()
    print(__doc__.split("\n\n", 1)[1])
    with tempfile.TemporaryDirectory() as name:
        return 0 if measure(Path(name), options.runs, options.every) <= GOAL_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
