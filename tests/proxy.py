"""A way to a server that can be cut, slowed, or made to answer for it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
ANSWERS = {"503": ("503 Slow Down", "SlowDown"), "403": ("403 Forbidden", "AccessDenied")}
SLOW_SECONDS = 0.3


class Proxy:
    """Passes bytes on in both ways while its mode is pass; else: away, slow, 503, 403."""

    def __init__(self, endpoint: str) -> None:
        self.target = (str(urlsplit(endpoint).hostname), int(urlsplit(endpoint).port or 80))
        self.mode = "pass"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: set[socket.socket] = set()
        self.ended = False
        threading.Thread(target=self._serve, daemon=True).start()

    def become(self, mode: str) -> None:
        """Change the mode, and cut what is under way."""
        self.mode = mode
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while not self.ended:
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        self.open.add(client)
        with contextlib.suppress(OSError), client:
            if self.mode == "away":
                return
            if self.mode in ANSWERS:
                self._refuse(client)
                return
            with socket.create_connection(self.target) as server:
                self.open.add(server)
                back = threading.Thread(target=self._pipe, args=(server, client), daemon=True)
                back.start()
                self._pipe(client, server)
                back.join()
                self.open.discard(server)
        self.open.discard(client)

    def _pipe(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := one.recv(65_536):
                if self.mode == "slow":
                    time.sleep(SLOW_SECONDS)
                other.sendall(part)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _refuse(self, client: socket.socket) -> None:
        client.recv(65_536)
        status, code = ANSWERS[self.mode]
        body = ERROR.format(code=code).encode()
        lines = [
            f"HTTP/1.1 {status}",
            "Content-Type: application/xml",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        client.sendall("\r\n".join([*lines, "", ""]).encode() + body)


@contextlib.contextmanager
def proxy(endpoint: str) -> Iterator[Proxy]:
    """Stand before a server until the block ends."""
    one = Proxy(endpoint)
    try:
        yield one
    finally:
        one.ended = True
        one.listener.close()
        one.become("away")
