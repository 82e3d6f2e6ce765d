"""Private brokers for the tests, on free ports, so that they can be killed and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pika
import redis

from tests.servers import free_ports

START_SECONDS = 120
RABBITMQ = next(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"), Path("rabbitmq-server"))


@dataclass
class Rabbit:
    """A RabbitMQ of its own, which outlives its process: its messages are on disk."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.ports[0]}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which a drain finds this broker."""
        return {"ETL_RABBITMQ_URL": self.url}

    def start(self) -> None:
        port, distribution, mapper = self.ports
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "broker.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
        own = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # else it does not end while it knows of a node, even a dead one
            "RABBITMQ_NODENAME": f"tests{port}@localhost",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "broker.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
        }
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen([RABBITMQ], env=own, stdout=log, stderr=log, start_new_session=True)
        self._wait()

    def kill(self) -> None:
        """End it as a loss of power would."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def end(self) -> None:
        self.kill()
        mapper = {"PATH": os.environ["PATH"], "ERL_EPMD_PORT": str(self.ports[2])}
        subprocess.run(["epmd", "-kill"], env=mapper, capture_output=True, check=False)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError("the broker ended while it was starting")
            with contextlib.suppress(pika.exceptions.AMQPError, OSError):
                pika.BlockingConnection(pika.URLParameters(self.url)).close()
                return
            time.sleep(0.2)
        raise RuntimeError("the broker does not answer")

    @contextlib.contextmanager
    def channel(self) -> "Iterator[pika.adapters.blocking_connection.BlockingChannel]":
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            yield connection.channel()
        finally:
            connection.close()


@contextlib.contextmanager
def rabbit(folder: Path) -> Iterator[Rabbit]:
    """Run RabbitMQ until the block ends."""
    server = Rabbit(folder)
    try:
        server.start()
        yield server
    finally:
        server.end()


@dataclass
class RedisServer:
    """A Redis of its own."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/2"

    def start(self) -> None:
        program = shutil.which("redis-server") or "redis-server"
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""],
                stdout=log,
                stderr=log,
            )
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.exceptions.RedisError):
                client.ping()
                client.close()
                return
            time.sleep(0.05)
        raise RuntimeError("Redis does not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run Redis until the block ends."""
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
