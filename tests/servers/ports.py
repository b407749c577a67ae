"""Free ports of the loopback address, given out once, also among test processes that run side by side."""

import fcntl
import os
import random
import socket
import tempfile

_held = {}  # port -> lock file, kept open for the life of this process


def free_port(kind=socket.SOCK_STREAM):
    """A port that nothing listens on and that no other test process was given.

    It lies below the kernel's own range, so that no outgoing connection can take it before the server does.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        ceiling = min(int(file.read().split()[0]), 32768)
    folder = os.path.join(tempfile.gettempdir(), f"slosonde-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    for _ in range(1000):
        port = random.randrange(max(1025, ceiling - 16000), ceiling)
        if port in _held:
            continue
        lock = open(os.path.join(folder, str(port)), "w", encoding="ascii")  # pylint: disable=consider-using-with
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _held[port] = lock
        return port
    raise RuntimeError("no free port found in 1000 attempts")


def is_listening(port, host="127.0.0.1"):
    """Whether a TCP connection to the port succeeds."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
