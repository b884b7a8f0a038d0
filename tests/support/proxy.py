"""A TCP proxy before the test server that cuts or stalls connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Literal, Protocol

from django.db import connections

from tests.support.servers import TestServer

Action = Literal["pass", "cut", "cut the answer", "stall"]
"""What to do with a message of the client: cut before it or after the server has answered it, or
let nothing pass any more, in both directions."""


class HasParameters(Protocol):
    """A server: `parameters` has its host and port."""

    @property
    def parameters(self) -> Mapping[str, str]: ...


class Proxy:
    """Passes messages on, as long as ``decide`` says so.

    Attributes:
        decide: returns what to do with a message of a client.
        refuses: whether new connections are closed.
    """

    def __init__(self, server: HasParameters) -> None:
        self.server = server
        self.decide: Callable[[bytes], Action] = lambda message: "pass"
        self.refuses = False
        self.clients: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more, and end the connections that are stalled."""
        self.listener.close()
        for client in self.clients:
            _end(client)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.refuses:
                    client.close()
                    continue
                self.clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self.server.parameters["host"], self.server.parameters["port"]
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        stalled, answers_pass = threading.Event(), threading.Event()
        answers_pass.set()

        def answer() -> None:
            with suppress(OSError):
                while data := server.recv(65536):
                    if stalled.is_set():
                        continue
                    if not answers_pass.is_set():
                        break
                    client.sendall(data)
            if not stalled.is_set():
                _end(client, server)

        threading.Thread(target=answer, daemon=True).start()
        with suppress(OSError):
            while data := client.recv(65536):
                action = "stall" if stalled.is_set() else self.decide(data)
                if action == "cut":
                    break
                if action == "stall":
                    stalled.set()
                    continue
                if action == "cut the answer":
                    answers_pass.clear()
                server.sendall(data)
        if answers_pass.is_set():
            _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def through_proxy(server: TestServer) -> Iterator[Proxy]:
    """Let Django's default connection go through a proxy."""
    previous = connections["default"]
    previous.close()
    with closing(Proxy(server)) as proxy:
        settings = {**previous.settings_dict, "HOST": "127.0.0.1", "PORT": str(proxy.port)}
        settings["OPTIONS"] = {**settings["OPTIONS"], "sslmode": "disable", "gssencmode": "disable"}
        connections["default"] = through = type(previous)(settings, "default")
        try:
            yield proxy
        finally:
            through.close()
            connections["default"] = previous


def at_commit(table: bytes, action: Action) -> Callable[[bytes], Action]:
    """The action at the COMMIT of the transaction that writes to the history."""
    armed = done = False

    def decide(message: bytes) -> Action:
        nonlocal armed, done
        armed = armed or table in message
        if not done and armed and message[5:11] == b"COMMIT":
            done = True
            return action
        return "pass"

    return decide
