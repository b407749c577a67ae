"""Peers that misbehave on purpose: real sockets, answered by a function of the test's own."""

import socket
import threading


class TcpServer:
    """Accepts on a free loopback port and runs handler(connection, server) in a thread for each connection.

    handler may loop on `server.ended`, a threading.Event that is set at the end. `accepted` counts connections.
    """

    def __init__(self, handler, host="127.0.0.1", port=0, context=None):
        self.handler, self.context = handler, context
        self.ended = threading.Event()
        self.accepted = 0
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(10)

    def _accept(self):
        while not self.ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self._lock:
            self._open.add(connection)
        try:
            with connection:
                served = self.context.wrap_socket(connection, server_side=True) if self.context else connection
                self.handler(served, self)
        except OSError:
            pass  # the peer went away, which is its right
        finally:
            with self._lock:
                self._open.discard(connection)


def hang(connection, server):
    """Takes the connection and never says a word."""
    server.ended.wait()


def drip(connection, server):
    """Slow loris: a proper answer, one byte every 100 ms, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not server.ended.wait(0.1):
        connection.sendall(b"x")


def endless(connection, server):
    """A body that does not stop."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not server.ended.is_set():
        connection.sendall(b"x" * 65536)


def reset(connection, _server):
    """Takes the connection and resets it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def says(data):
    """A handler that reads one request and answers with these bytes."""

    def handler(connection, _server):
        connection.recv(65536)
        connection.sendall(data)

    return handler


class SilentUdp:
    """Takes datagrams and never answers: a name server that is dead behind a firewall. `port`, `received`."""

    def _answer(self, _datagram, _sender):
        """Says nothing."""

    def __init__(self, host="127.0.0.1", port=0):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self.received = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(10)
        self._socket.close()

    def _receive(self):
        while not self._ended.is_set():
            try:
                datagram, sender = self._socket.recvfrom(65536)
                self.received += 1
                self._answer(datagram, sender)
            except socket.timeout:
                pass


class NameServer(SilentUdp):
    """Refuses (RFC 1035: RCODE 5) every question but those with `silent_to` in them, to which it says nothing."""

    def __init__(self, silent_to, **where):
        super().__init__(**where)
        self._silent_to = silent_to

    def _answer(self, datagram, sender):
        if self._silent_to not in datagram:
            self._socket.sendto(datagram[:2] + b"\x81\x85" + datagram[4:], sender)


class Mutable:
    """A TCP port that answers connections, or swallows them as a network that is down does: its queue is full, and what the
    kernel gets beyond that it drops. Answers at first. `port`, `address`."""

    _ROOM = 3  # a queue of nought takes one or two

    def __init__(self, host="127.0.0.1"):
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind((host, 0))
        self._listener.listen(0)
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self._speaks, self._rests, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._speaks.set()
        self._fillers = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(10)
        self.speak()
        self._listener.close()

    def mute(self):
        """From its return on nothing answers there."""
        self._rests.clear()
        self._speaks.clear()
        self._rests.wait(10)
        for _ in range(self._ROOM):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            self._fillers.append(filler)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.settimeout(0.3)
            try:
                trial.connect(self._listener.getsockname())
            except socket.timeout:
                return
        raise AssertionError("the port still answers")

    def speak(self):
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._speaks.set()

    def _accept(self):
        while not self._ended.is_set():
            if not self._speaks.is_set():
                self._rests.set()
                self._speaks.wait(0.05)
                continue
            try:
                self._listener.accept()[0].close()
            except socket.timeout:
                pass
