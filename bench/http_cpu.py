"""CPU time of one fresh HTTP check: slosonde as it runs in the field, beside Debian's blackbox_exporter.

Method. One nginx on loopback answers both with `return 200`. slosonde is the whole daemon with a configuration of 20
transactions of one `http` stage each, and an SLO for each; blackbox_exporter is asked for /probe?target=… over one kept
connection, as Prometheus asks it, with a module that does nothing but the request. Both make a new TCP connection for
every check, and both at the same pace: probes are cold between checks, and one that is kept running looks cheaper than it
is. A round measures each in turn: start, let it warm up, read the process's utime + stime, let it make its checks, read
again; what nginx counted is what the time is divided by. Rounds are interleaved, the order changes from round to round,
and medians over the rounds are compared. nginx's own CPU time is in neither figure.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from servers.nginx import Nginx  # noqa: E402
from servers.ports import free_port, is_listening  # noqa: E402
from servers.process import Process  # noqa: E402
from servers.slosonde import Slosonde  # noqa: E402
from servers.waiting import wait_until  # noqa: E402

TRANSACTIONS = 20
GOAL = 8
STATUS = "location = /nginx_status { stub_status; access_log off; } location / { access_log off; return 200 'ok'; }"


def cpu_seconds(pid):
    """utime + stime of the process with all its threads: what /proc/PID/stat shows in ticks, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of that process, as clock_getcpuclockid(3) makes it


class Counter:
    """How many requests nginx has taken, over one kept connection of ours."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.asked = 0

    def read(self):
        self.asked += 1
        self.connection.request("GET", "/nginx_status")
        text = self.connection.getresponse().read().decode()
        return int(text.splitlines()[2].split()[2]) - self.asked


def measure_slosonde(folder, nginx, counter, checks, rate):
    every = f"{TRANSACTIONS * 1000 // rate}ms"
    config = {"transactions": [{"name": f"t{n}", "every": every, "stages": [
        {"name": "get", "within": "1s", "http": {"url": f"{nginx.url}/{n}"}}]} for n in range(TRANSACTIONS)],
        "slos": [{"name": f"s{n}", "objective": "99.9%", "window": "30d", "sli": {"transaction": f"t{n}"}}
                 for n in range(TRANSACTIONS)]}
    with Slosonde(folder, config) as probe:
        warm = counter.read()
        wait_until(lambda: counter.read() >= warm + 2 * TRANSACTIONS, 60, "slosonde to warm up")
        before, begun = cpu_seconds(probe.process.pid), counter.read()
        wait_until(lambda: counter.read() >= begun + checks, 600, f"{checks} checks of slosonde", every=0.2)
        made, used = counter.read() - begun, cpu_seconds(probe.process.pid) - before
        metrics = probe.metrics()
        bad = metrics.sum("slosonde_runs_total", verdict="bad") + metrics.sum("slosonde_runs_total", verdict="probe_fault")
        assert bad == 0, f"{bad:g} of {made} runs of slosonde were not good: this machine is too busy to measure"
        return used / made


def measure_blackbox(folder, nginx, counter, checks, rate):
    folder.mkdir(parents=True, exist_ok=True)
    config, port = folder / "blackbox.yml", free_port()
    config.write_text(json.dumps({"modules": {"http": {"prober": "http", "timeout": "5s",
                                                       "http": {"preferred_ip_protocol": "ip4"}}}}), encoding="utf-8")
    command = ["/usr/bin/prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    blackbox = Process(command, folder / "blackbox.log", name="blackbox_exporter")
    try:
        blackbox.wait_ready(lambda: is_listening(port))
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

        def probe(n):
            asking.request("GET", f"/probe?module=http&target={nginx.url}/{n}")
            answer = asking.getresponse().read()
            assert b"probe_success 1" in answer, answer

        for n in range(2 * TRANSACTIONS):
            probe(n)
        before, begun = cpu_seconds(blackbox.pid), counter.read()
        start = time.monotonic()
        for n in range(checks):
            time.sleep(max(0.0, start + n / rate - time.monotonic()))
            probe(n)
        made, used = counter.read() - begun, cpu_seconds(blackbox.pid) - before
        return used / made
    finally:
        blackbox.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--checks", type=int, default=2000, help="of each, in each round")
    parser.add_argument("--rate", type=int, default=400, help="checks a second of each")
    options = parser.parse_args()
    print(__doc__.split("\n\n", 1)[1])
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name, Nginx(Path(name) / "nginx", server=STATUS) as nginx:
        counter = Counter(nginx.port)
        for round_ in range(options.rounds):
            turns = [lambda: ours.append(measure_slosonde(Path(name) / f"s{round_}", nginx, counter, options.checks, options.rate)),
                     lambda: theirs.append(measure_blackbox(Path(name) / f"b{round_}", nginx, counter, options.checks, options.rate))]
            for turn in turns if round_ % 2 == 0 else reversed(turns):
                turn()
            print(f"round {round_ + 1}: slosonde {ours[-1] * 1e6:.1f} µs, blackbox_exporter {theirs[-1] * 1e6:.1f} µs a check",
                  flush=True)
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"\nmedian: slosonde {mine * 1e6:.1f} µs, blackbox_exporter {other * 1e6:.1f} µs a check: "
          f"{other / mine:.1f} times less (goal: {GOAL} times)")
    print(f"at {options.rate} checks a second over {TRANSACTIONS} targets; {time.strftime('%Y-%m-%d', time.gmtime())}, "
          f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    return 0 if other / mine >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
