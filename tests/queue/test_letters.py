"""What may be said of a dead letter."""

import json

import pytest

from etlnarr.broker.connection import Delivery
from etlnarr.broker.dead_letters import _letter
from etlnarr.broker.deliveries import QUEUE
from tests.queue.world import message

DAY = "raw/StepsRecord/2025/11/15"


@pytest.mark.parametrize(
    ("user", "name", "shown"),
    [
        ("u1", "u1_1763208000_ab12.avro", "*_1763208000_ab12.avro"),
        ("u1", "somebody_1763208000_ab12.avro", "*_1763208000_ab12.avro"),
        ("some", "somebody_1763208000_ab12.avro", "*_1763208000_ab12.avro"),
        ("u1", "StepsRecord_1763208000.avro", "StepsRecord_1763208000.avro"),
        ("u1", "u1.avro", "*.avro"),
    ],
)
def test_the_key_names_no_user_however_the_message_calls_them(user: str, name: str, shown: str) -> None:
    told = message(f"{DAY}/{name}", b"", "StepsRecord", user)
    assert _letter(Delivery(1, json.dumps(told).encode(), {})).key == f"{DAY}/{shown}"


@pytest.mark.parametrize(
    ("headers", "queue"),
    [
        ({QUEUE: "night"}, "night"),
        ({QUEUE: "night", "x-death": [{"queue": "day"}]}, "night"),
        ({"x-death": [{"queue": "day"}, {"queue": "night"}]}, "day"),
        ({QUEUE: "failed_queue"}, None),
        ({QUEUE: "night.retry.30s"}, None),
        ({QUEUE: "two\nlines"}, None),
        ({QUEUE: 5}, None),
        ({}, None),
    ],
)
def test_a_letter_knows_the_queue_of_work_that_it_came_from(headers: dict[str, object], queue: str | None) -> None:
    assert _letter(Delivery(1, b"{", headers)).queue == queue  # type: ignore[arg-type]  # JSON as it is
