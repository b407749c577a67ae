"""tinyproxy, a forward proxy that knows CONNECT."""

from pathlib import Path

from .ports import free_port, is_listening
from .process import Process


class Tinyproxy:
    """`connect_ports`: those that CONNECT may reach."""

    def __init__(self, folder, connect_ports):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = self.folder / "tinyproxy.log"
        self.process = None
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 30", "MaxClients 20",
                 "LogLevel Connect", *(f"ConnectPort {port}" for port in connect_ports)]
        (self.folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n", encoding="ascii")

    def __enter__(self):
        self.process = Process(["tinyproxy", "-d", "-c", self.folder / "tinyproxy.conf"], self.log_path)
        self.process.wait_ready(lambda: is_listening(self.port))
        return self

    def __exit__(self, *_):
        self.process.stop()

    def log(self):
        return self.process.log()
