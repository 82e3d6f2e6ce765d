"""A broker, a lake and the commands that work with them."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pika

from tests.brokers import Rabbit
from tests.command import SAMPLES, etlnarr

QUEUE = "health_data_processing"
FAILED = "failed_queue"
EXCHANGE = "health_data_exchange"
DELAYS = (1, 4, 30, 60, 120, 300, 600, 900)
SMALL = SAMPLES / "raw"


def samples(most: int = 6) -> list[Path]:
    """The smallest uploads of the synthetic set, of several types."""
    return sorted(SAMPLES.rglob("*.avro"), key=lambda file: (file.stat().st_size, file.name))[:most]


@dataclass
class World:
    """What one test works with; where is the folder of its worker."""

    queues: ClassVar[tuple[str, ...]] = (QUEUE, FAILED, *(f"{QUEUE}.retry.{seconds}s" for seconds in DELAYS))
    broker: Rabbit
    where: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def lake(self) -> Path:
        return self.where / "health-data"

    @property
    def env(self) -> dict[str, str]:
        lake = {} if "ETL_S3_ENDPOINT_URL" in self.more else {"ETL_LAKE_URL": str(self.lake)}
        return {**self.broker.environment, **lake, **self.more}

    def clear(self) -> None:
        """Take away all queues."""
        with self.broker.channel() as channel:
            for name in self.queues:
                channel.queue_delete(name)

    def run(self, *arguments: object, **env: str) -> Any:
        """Run a command that prints JSON."""
        self.lake.mkdir(exist_ok=True)
        return json.loads(etlnarr(*arguments, "--json", cwd=self.where, env={**self.env, **env}).stdout)

    def drain(self, *arguments: object, **env: str) -> Any:
        return self.run("drain-queue", *arguments, **env)

    def put(self, file: Path, user: str = "u1", name: str | None = None, **changes: object) -> dict[str, object]:
        """Put an upload into the lake and return the message that announces it."""
        body = file.read_bytes()
        kind = next(part for part in (*file.parts, file.name.split("_")[0]) if part.endswith("Record"))
        key = f"raw/{kind}/2025/11/15/{name or f'{user}_1763208000_{hashlib.sha256(body).hexdigest()[:8]}'}.avro"
        target = self.lake / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        return {**message(key, body, kind, user), **changes}

    def publish(self, *messages: Mapping[str, object] | bytes) -> None:
        """Announce, as a publisher would that knows of the exchange alone."""
        with self.broker.channel() as channel:
            channel.confirm_delivery()
            for one in messages:
                body = one if isinstance(one, bytes) else json.dumps(one).encode()
                properties = pika.BasicProperties(delivery_mode=2)
                channel.basic_publish(
                    EXCHANGE, "health.processing.stepsrecord.normal", body, properties, mandatory=True
                )

    def depths(self) -> dict[str, int]:
        """How many messages wait in each queue that is there and not empty."""
        return {name: number for name, number in self.run("queue", "status").items() if number}

    def rows(self) -> list[dict[str, Any]]:
        files = sorted(self.lake.glob("training/**/*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def message(key: str, body: bytes, kind: str, user: str) -> dict[str, object]:
    """An announcement with all that real publishers say."""
    return {
        "message_id": str(uuid.uuid4()),
        "correlation_id": str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
        "user_id": user,
        "bucket": "health-data",
        "key": key,
        "record_type": kind,
        "upload_timestamp_utc": "2025-11-15T12:00:00Z",
        "content_hash": hashlib.sha256(body).hexdigest(),
        "file_size_bytes": len(body),
        "processing_priority": "normal",
        "max_retries": 3,
        "health_metadata": {"device": "watch"},
    }
