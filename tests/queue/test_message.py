import json

import pytest

from etlnarr.message import PoisonError, body_of, parse
from tests.queue.world import message

GOOD = message("raw/StepsRecord/2025/11/15/u1_1763208000_ab.avro", b"bytes", "StepsRecord", "u1")


def said(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_what_a_publisher_adds_travels_along() -> None:
    again = json.loads(body_of(parse(said(retry_count=1))))
    assert again["health_metadata"] == {"device": "watch"}
    assert again["retry_count"] == 1


def test_a_key_that_was_not_agreed_on_is_the_hash_of_user_content_and_time() -> None:
    # printf 'u1:277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9:2025-11-15T12:00:00Z' | sha256sum
    assert parse(said()).idempotency_key == "3dbc9042e5bf066f"


def test_a_short_hash_and_a_full_one_are_of_the_same_bytes() -> None:
    full, short = (
        parse(said(idempotency_key="k")),
        parse(said(idempotency_key="k", content_hash=str(GOOD["content_hash"])[:16])),
    )
    assert full.idempotency == short.idempotency


def test_one_key_for_two_contents_or_two_people_is_not_one_upload() -> None:
    keys = {
        parse(said(idempotency_key="k", **change)).idempotency
        for change in ({}, {"content_hash": "0" * 64}, {"user_id": "u2"})
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        ("2025-11-15T12:00:00Z", 1_763_208_000_000),
        ("2025-11-15T12:00:00.123456Z", 1_763_208_000_123),
        ("2025-11-15T12:00:00", 1_763_208_000_000),
        ("2025-11-15T14:00:00+02:00", 1_763_208_000_000),
    ],
)
def test_times_as_publishers_write_them(time: str, ms: int) -> None:
    assert parse(said(upload_timestamp_utc=time)).uploaded_ms == ms


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"\xff\x00", "message_not_json", "not JSON"),
        (b"", "message_not_json", "not JSON"),
        (b"[]", "message_invalid", "the whole"),
        (b"{}", "message_invalid", None),
        (said(file_size_bytes="12"), "message_invalid", "file_size_bytes"),
        (said(file_size_bytes=-1), "message_invalid", "file_size_bytes"),
        (said(retry_count=1.5), "message_invalid", "retry_count"),
        (said(key="raw/../../etc/passwd"), "message_invalid", "key"),
        (said(key="/etc/passwd"), "message_invalid", "key"),
        (said(bucket="../lake"), "message_invalid", "bucket"),
        (said(user_id=""), "message_invalid", "user_id"),
        (said(user_id="a\x00b"), "message_invalid", "user_id"),
        (said(content_hash="abc"), "message_invalid", "content_hash"),
        (said(upload_timestamp_utc="yesterday"), "message_invalid", "upload_timestamp_utc"),
        (said(upload_timestamp_utc="0001-01-01T00:00:00Z"), "message_invalid", "upload_timestamp_utc"),
        (said(note="x" * 1_000_001), "message_too_large", None),
    ],
)
def test_what_is_no_message_is_named_without_being_quoted(body: bytes, reason: str, detail: str | None) -> None:
    with pytest.raises(PoisonError) as caught:
        parse(body)
    assert caught.value.reason == reason
    assert detail in (None, caught.value.detail)
