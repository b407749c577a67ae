"""An HTTP server that takes everything and keeps it: the far end of a webhook."""

import http.server
import threading
from dataclasses import dataclass


@dataclass
class Received:
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes


class Receiver:
    """`received` grows by one Received a request; `status` is what it answers, and may be changed while it runs.
    `then(received)` is called once a request has been answered."""

    def __init__(self, status=200, port=0, then=lambda received: None):
        self.status = status
        self.then = then
        self.received = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                taken = Received(self.command, self.path, headers, body)
                owner.received.append(taken)
                self.send_response(owner.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.wfile.flush()
                owner.then(taken)

            do_GET = do_POST = do_PUT = do_DELETE = _take

            def log_message(self, format, *_):  # pylint: disable=redefined-builtin
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
