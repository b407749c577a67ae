"""A child process whose output is kept for the failure message, and which never outlives the test run."""

import os
import signal
import subprocess
import time

from .waiting import wait_until

KEPT_LOG = 8000  # bytes shown of each log


class Process:
    """Runs `command` in its own session; output goes to `log`. The kernel ends it should the test runner be killed.

    Start it from a thread that lives on (the main one): the kernel takes the end of the starting thread for ours.
    """

    current = []  # started since the last forget_ended(), for the failure message

    def __init__(self, command, log, name=None, env=None, cwd=None, death_signal="KILL"):
        self.name = name or os.path.basename(command[0])
        self.log_path = str(log)
        # None in `env` unsets; everything else adds to what we have.
        merged = {**os.environ, **(env or {})}
        merged = {key: str(value) for key, value in merged.items() if value is not None}
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", death_signal, "--", *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=merged, cwd=cwd,
                start_new_session=True)
        Process.current.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def log(self, limit=None):
        """What it wrote to stdout and stderr (the last `limit` bytes)."""
        with open(self.log_path, "rb") as file:
            data = file.read()
        return (data if limit is None else data[-limit:]).decode("utf-8", "replace")

    def wait_ready(self, ready, deadline=30.0):
        """Waits for ready(), and at once gives up, with the log, if the process ends."""

        def state():
            if not self.alive():
                return "ended"
            return "ready" if ready() else None

        what = lambda: f"{self.name} to be ready; its log ends:\n{self.log(KEPT_LOG)}"
        if wait_until(state, deadline, what) == "ended":
            raise AssertionError(
                f"{self.name} ended with {self.popen.returncode} before it was ready:\n{self.log(KEPT_LOG)}")

    def wait(self, deadline=20.0):
        """Waits for it to end; gives its exit code (negative: the signal)."""
        wait_until(lambda: not self.alive(), deadline, lambda: f"{self.name} to end; its log ends:\n{self.log(KEPT_LOG)}")
        return self.popen.returncode

    def signal(self, number):
        self.popen.send_signal(number)

    def freeze(self):
        """SIGSTOP, returning once the kernel shows it stopped."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self._state() == "T", 10, f"{self.name} to stop")

    def thaw(self):
        self.signal(signal.SIGCONT)

    def stop(self, grace=15.0):
        """SIGTERM, and SIGKILL when that is not enough within `grace` seconds; gives the exit code."""
        if self.alive():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.popen.wait(grace)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.wait()

    def kill(self):
        """SIGKILL; gives the exit code."""
        if self.alive():
            self.signal(signal.SIGKILL)
        return self.popen.wait()

    def rss_bytes(self):
        """Resident memory now."""
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError(f"{self.name} has no resident memory: has it ended?")

    def cpu_seconds(self):
        """User and system time so far."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _state(self):
        return self._stat()[0]

    def _stat(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()

    @classmethod
    def forget_ended(cls):
        cls.current = [process for process in cls.current if process.alive()]


def run(command, deadline=60.0, env=None, cwd=None, stdin=None):
    """Runs a command to its end; gives a CompletedProcess with text output. Never raises for its exit code."""
    merged = {**os.environ, **(env or {})}
    merged = {key: str(value) for key, value in merged.items() if value is not None}
    started = time.monotonic()
    try:
        return subprocess.run(list(map(str, command)), timeout=deadline, env=merged, cwd=cwd, input=stdin, text=True,
                              capture_output=True, check=False, errors="replace")
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"{command[0]} did not end within {time.monotonic() - started:.0f} s; "
                             f"stdout: {error.stdout!r}; stderr: {error.stderr!r}") from error
