"""Private servers for the tests, on free ports, so that they can be killed."""

import contextlib
import json
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import s3fs

ACCESS_KEY = "tests"
SECRET_KEY = "tests-secret"
START_SECONDS = 60
NEVER_GIVEN = (15_000, 32_000)
"""Below the range from which Linux gives ports to connections, 32768 and more."""


@dataclass(frozen=True)
class S3:
    """A running S3 server with one empty bucket."""

    endpoint: str
    bucket: str
    process: "subprocess.Popen[bytes]"

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which a lake finds this server."""
        return {
            "ETL_S3_ENDPOINT_URL": self.endpoint,
            "ETL_S3_ACCESS_KEY": ACCESS_KEY,
            "ETL_S3_SECRET_KEY": SECRET_KEY,
            "ETL_S3_BUCKET_NAME": self.bucket,
        }

    def put(self, folder: Path, prefix: str) -> None:
        """Upload the files of a folder."""
        for file in sorted(folder.iterdir()):
            _client(self.endpoint).pipe_file(f"{self.bucket}/{prefix}/{file.name}", file.read_bytes())

    def put_bytes(self, key: str, body: bytes) -> None:
        """Upload one object."""
        _client(self.endpoint).pipe_file(f"{self.bucket}/{key}", body)

    def get(self, prefix: str, target: Path) -> Path:
        """Download what stands under a prefix."""
        get(self.endpoint, f"{self.bucket}/{prefix}", target)
        return target


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on now, and that no connection is given meanwhile as its own end."""
    free: set[int] = set()
    while len(free) < count:
        port = random.SystemRandom().randrange(*NEVER_GIVEN)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            free.add(port)
    return list(free)


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """Run SeaweedFS with its S3 gateway until the block ends."""
    ports = free_ports(8)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
             "s3.port", "s3.port.grpc")  # fmt: skip
    flags = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    command = ["weed", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer",
               "-volume.max=8", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0",
               f"-s3.config={config}", *flags]  # fmt: skip
    with _serving(command, folder / "weed.log", f"http://127.0.0.1:{ports[6]}") as server:
        yield server


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[S3]:
    """Run the gateway of JuiceFS, which is the S3 layer of MinIO, until the block ends."""
    port, metrics = free_ports(2)
    meta = f"sqlite3://{folder}/meta.db"
    formatted = ["juicefs", "format", "--storage", "file", "--bucket", f"{folder}/blobs/", meta, "tests"]
    subprocess.run(formatted, capture_output=True, check=True)
    kept = ["--multi-buckets", "--keep-etag", "--object-meta", "--object-tag", "--no-usage-report"]
    own = [f"--metrics=127.0.0.1:{metrics}", f"--cache-dir={folder}/cache"]
    command = ["juicefs", "gateway", *kept, *own, meta, f"127.0.0.1:{port}"]
    with _serving(command, folder / "juicefs.log", f"http://127.0.0.1:{port}") as server:
        yield server


@contextlib.contextmanager
def _serving(command: list[str], file: Path, endpoint: str) -> Iterator[S3]:
    keys = {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY}
    with file.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **keys})
        try:
            _wait(endpoint, process)
            _make_bucket(endpoint, "health-data")
            yield S3(endpoint, "health-data", process)
        finally:
            process.kill()
            process.wait()


def get(endpoint: str, prefix: str, target: Path) -> None:
    """Download what stands under a prefix, if anything does."""
    fs = _client(endpoint)
    for path in fs.find(prefix):
        place = target / path.removeprefix(f"{prefix}/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(fs.cat_file(path))


def _wait(endpoint: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the S3 server ended while it was starting")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            try:
                urllib.request.urlopen(endpoint, timeout=2).close()
            except urllib.error.HTTPError as answer:
                answer.close()
            return
        time.sleep(0.1)
    raise RuntimeError("the S3 server does not answer")


def _make_bucket(endpoint: str, bucket: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        fs = _client(endpoint)
        try:
            fs.mkdir(bucket)
            fs.pipe_file(f"{bucket}/ready", b"1")
            fs.rm_file(f"{bucket}/ready")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _client(endpoint: str) -> s3fs.S3FileSystem:
    return s3fs.S3FileSystem(key=ACCESS_KEY, secret=SECRET_KEY, endpoint_url=endpoint, skip_instance_cache=True)
