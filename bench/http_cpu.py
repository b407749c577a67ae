"""CPU time of one fresh HTTP check: slosonde as it runs in the field, beside Debian's blackbox_exporter.

Method. One nginx on loopback answers both with `return 200`. slosonde is the whole daemon with a configuration of 20
transactions of one `http` stage each, and an SLO for each; blackbox_exporter is asked for /probe?target=… over one kept
connection, as Prometheus asks it, with a module that does nothing but the request. Both make a new TCP connection for
every check, and both at the same pace: probes are cold between checks, and one that is kept running looks cheaper than it
is. Both stay up all the time. A round measures each in turn for a second, while the other is stopped: the process's CPU
time, divided by what nginx counted. A virtual machine's speed changes from one second to the next, so the rounds are short
and many, the order changes from round to round, and medians over the rounds are compared. nginx's own CPU time is in
neither figure.
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

TRANSACTIONS = 20
GOAL = 8
WINDOW, WARM = 1.0, 0.2  # seconds
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


class Probe:
    """slosonde, which keeps its own pace; stopped while it is not measured."""

    def __init__(self, folder, nginx, rate):
        every = f"{TRANSACTIONS * 1000 // rate}ms"
        self.daemon = Slosonde(folder, {
            "transactions": [{"name": f"t{n}", "every": every, "stages": [
                {"name": "get", "within": "1s", "http": {"url": f"{nginx.url}/{n}"}}]} for n in range(TRANSACTIONS)],
            "slos": [{"name": f"s{n}", "objective": "99.9%", "window": "30d", "sli": {"transaction": f"t{n}"}}
                     for n in range(TRANSACTIONS)]})

    def __enter__(self):
        self.daemon.start()
        self.pid = self.daemon.process.pid
        return self

    def __exit__(self, *_):
        metrics = self.daemon.metrics()
        self.daemon.stop()
        bad = metrics.sum("slosonde_runs_total", verdict="bad")  # those it was stopped in are probe_fault
        assert bad == 0, f"{bad:g} runs of slosonde were bad: this machine is too busy to measure"

    def rest(self):
        self.daemon.process.freeze()

    def wake(self):
        self.daemon.process.thaw()
        time.sleep(WARM)  # it counts what it has missed

    @staticmethod
    def work(seconds):
        time.sleep(seconds)


class Blackbox:
    """blackbox_exporter, asked at the pace of the other."""

    def __init__(self, folder, nginx, rate):
        folder.mkdir(parents=True, exist_ok=True)
        self.config, self.log, self.port = folder / "blackbox.yml", folder / "blackbox.log", free_port()
        self.config.write_text(json.dumps({"modules": {"http": {"prober": "http", "timeout": "5s",
                                                                "http": {"preferred_ip_protocol": "ip4"}}}}), encoding="utf-8")
        self.url, self.rate = nginx.url, rate

    def __enter__(self):
        self.process = Process(["/usr/bin/prometheus-blackbox-exporter", f"--config.file={self.config}",
                                f"--web.listen-address=127.0.0.1:{self.port}"], self.log, name="blackbox_exporter")
        self.process.wait_ready(lambda: is_listening(self.port))
        self.pid = self.process.pid
        self.asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        return self

    def __exit__(self, *_):
        self.process.stop()

    def rest(self):
        """It does nothing unasked."""

    def wake(self):
        self.work(WARM)

    def work(self, seconds):
        start = time.monotonic()
        for n in range(round(seconds * self.rate)):
            time.sleep(max(0.0, start + n / self.rate - time.monotonic()))
            self.asking.request("GET", f"/probe?module=http&target={self.url}/{n % TRANSACTIONS}")
            answer = self.asking.getresponse().read()
            assert b"probe_success 1" in answer, answer


def cost(prober, counter):
    """CPU seconds a check, over one window."""
    prober.wake()
    begun, before = counter.read(), cpu_seconds(prober.pid)
    prober.work(WINDOW)
    used, made = cpu_seconds(prober.pid) - before, counter.read() - begun
    prober.rest()
    return used / made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="of a second each")
    parser.add_argument("--rate", type=int, default=400, help="checks a second of each")
    options = parser.parse_args()
    print(__doc__.split("\n\n", 1)[1])
    with tempfile.TemporaryDirectory() as name, Nginx(Path(name) / "nginx", server=STATUS) as nginx, \
            Probe(Path(name) / "slosonde", nginx, options.rate) as ours, \
            Blackbox(Path(name) / "blackbox", nginx, options.rate) as theirs:
        counter = Counter(nginx.port)
        costs = {ours: [], theirs: []}
        ours.rest()
        cost(theirs, counter)  # warm
        for round_ in range(options.rounds):
            for prober in (ours, theirs) if round_ % 2 == 0 else (theirs, ours):
                costs[prober].append(cost(prober, counter))
        ours.wake()
    mine, other = ([value * 1e6 for value in costs[prober]] for prober in (ours, theirs))
    ratio = statistics.median(other) / statistics.median(mine)
    for name, values in (("slosonde", mine), ("blackbox_exporter", other)):
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name:18} {middle:7.1f} µs a check (quartiles {low:.1f} and {high:.1f})")
    print(f"{ratio:.1f} times less (goal: {GOAL} times)")
    print(f"at {options.rate} checks a second over {TRANSACTIONS} targets; {time.strftime('%Y-%m-%d', time.gmtime())}, "
          f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
