"""nginx with a given configuration."""

import os
from pathlib import Path

from .ports import free_port, is_listening
from .process import Process

_MAIN = """
daemon off;
{user}
worker_processes 1;
error_log stderr {level};
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {http}
}}
"""


class Nginx:
    """`server` is what stands inside `server { … }` of the plain port; `http` stands beside it (further servers).

    tls: a servers.tls.Certificate adds the same server on `tls_port`; client_ca demands a client certificate.
    """

    def __init__(self, folder, server="location / { return 200 'ok'; }", http="", tls=None, client_ca=None,
                 port=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.tls_port = free_port() if tls else None
        self.url = f"http://127.0.0.1:{self.port}"
        self.tls_url = f"https://localhost:{self.tls_port}"
        self.process = None
        servers = [f"server {{ listen 127.0.0.1:{self.port}; {server} }}"]
        if tls:
            verify = f"ssl_client_certificate {client_ca.file}; ssl_verify_client on;" if client_ca else ""
            servers.append(f"server {{ listen 127.0.0.1:{self.tls_port} ssl; ssl_certificate {tls.file}; "
                           f"ssl_certificate_key {tls.key_file}; {verify} {server} }}")
        # The worker must be able to read what the tests wrote.
        user = "user root;" if os.geteuid() == 0 else ""
        text = _MAIN.format(folder=self.folder, user=user, level="info", http="\n  ".join([*servers, http]))
        (self.folder / "nginx.conf").write_text(text, encoding="utf-8")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        command = ["/usr/sbin/nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"]
        # SIGTERM makes the master take its workers along.
        self.process = Process(command, self.folder / "nginx.log", name="nginx", death_signal="TERM")
        self.process.wait_ready(lambda: is_listening(self.port))

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def requests(self):
        """The access log's lines so far."""
        return (self.folder / "access.log").read_text(encoding="utf-8").splitlines()
