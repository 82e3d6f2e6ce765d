import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.command import built, etlnarr
from tests.command import rows as rows_of
from tests.queue.world import EXCHANGE, FAILED, QUEUE, World, samples
from tests.servers import S3

BINDING = f"{EXCHANGE} -> {QUEUE} (health.processing.#)"
DIFFERENT = {"source_s3_key", "source_bucket", "correlation_id", "uploads"}
"""What follows from where an upload stands and who announced it."""


def alike(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {**row, "metadata": {name: value for name, value in dict(row["metadata"]).items() if name not in DIFFERENT}}  # type: ignore[call-overload]  # a mapping
        for row in rows
    ]


def rows_in_both_orders(
    world: World, right: dict[str, Any], wrong: dict[str, Any], size: int, reason: str
) -> list[dict[str, Any]]:
    """Announce the same bytes rightly and wrongly, in both orders; what comes of it must not depend on the order."""
    told = []
    for number, order in enumerate(([right, wrong], [wrong, right])):
        world.publish(*order)
        done = world.drain("--batch-size", size, ETL_CATALOG_PATH=str(world.where / f"{number}.duckdb"))
        assert done["told"]["validate"]["accepted"] == 1
        if order[0] is right or size == 2:
            assert (done["read"], done["dead"]) == (1, {reason: 1})
            (letter,) = world.run("queue", "peek")
            assert (letter["reason"], letter["correlation_id"]) == (reason, "wrong")
            world.run("queue", "purge", "--yes")
        else:
            assert (done["read"], done["dead"]) == (2, {}), "it was in quarantine until the bytes were told rightly"
        told.append((world.rows(), done["told"]["status"]))
    assert told[0] == told[1]
    return told[0][0]


def test_a_drain_tells_what_a_build_tells(world: World, minio: S3, real_samples: Path, tmp_path: Path) -> None:
    world.more = {**minio.environment, "ETL_LAKE_URL": f"s3://{minio.bucket}/{tmp_path.name}"}
    assert sum(world.run("load", real_samples, "--user-id", "u1")["loaded"].values()) == 26
    done = world.drain()
    assert (done["messages"], done["read"]) == (26, 26)
    assert world.depths() == {}
    got = minio.get(f"{tmp_path.name}/training", tmp_path / "drained" / "training").parent
    local = tmp_path / "local"
    built(local, real_samples, "--user-id", "u1", month=None)
    assert len(rows_of(local)) == 14
    assert alike(rows_of(got)) == alike(rows_of(local))


def test_what_was_announced_decides_over_key_and_name(world: World) -> None:
    file = samples(1)[0]
    world.run("queue", "setup")
    told = world.put(file, "u9", upload_timestamp_utc="2025-12-24T18:00:00.250Z")
    world.publish(told)
    world.drain()
    (row,) = world.rows()
    assert row["metadata"]["user_id"] == "u9"
    assert row["metadata"]["upload_timestamp_utc"] == "2025-12-24T18:00:00.250Z"
    assert row["metadata"]["correlation_id"] == told["correlation_id"]
    built(world.lake, month=None, ETL_CATALOG_PATH=str(world.lake / "catalog.duckdb"))
    assert [again["metadata"] for again in world.rows()] == [row["metadata"]], "a build knows less than the message"


def test_every_message_is_accounted_for(world: World) -> None:
    world.run("queue", "setup")
    small, other, third, fourth, fifth = samples(5)
    good = world.put(small)
    cut = world.where / "StepsRecord_cut.avro"
    cut.write_bytes(other.read_bytes()[:-20])
    corrupt = world.put(cut)
    missing = world.put(third, key="raw/StepsRecord/2025/11/15/gone.avro")
    wrong = world.put(fourth, content_hash="0" * 64)
    large = world.put(fifth)
    poison = [b"{", b'"text"', json.dumps({**good, "record_type": "BloodPressureRecord"}).encode()]
    world.publish(good, good, good, corrupt, missing, wrong, large, *poison)
    limit = max(file.stat().st_size for file in (small, fourth))
    assert fifth.stat().st_size > limit
    done = world.drain(ETL_MAX_FILE_SIZE_MB=str(limit / 1_000_000))
    assert done["messages"] == 10
    assert (done["read"], done["duplicate"]) == (4, 2)
    assert done["dead"] == {"not_found": 1, "message_not_json": 1, "message_invalid": 1, "unknown_record_type": 1}
    assert done["told"]["validate"] == {"accepted": 1, "quarantined": 3, "lost": 0}
    assert done["told"]["status"]["quarantined"] == {"content_hash_mismatch": 1, "too_large": 1, "truncated": 1}
    assert world.depths() == {FAILED: 4}


@pytest.mark.parametrize("place", ["same", "other"])
@pytest.mark.parametrize("size", [1, 2])
def test_a_wrong_hash_of_bytes_that_are_known_is_an_integrity_failure(world: World, place: str, size: int) -> None:
    world.run("queue", "setup")
    right = world.put(samples(1)[0])
    wrong = {**(right if place == "same" else world.put(samples(1)[0], name="other")), "content_hash": "0" * 64}
    wrong |= {"message_id": "wrong", "correlation_id": "wrong", "upload_timestamp_utc": "2025-11-14T12:00:00Z"}
    rows = rows_in_both_orders(world, right, wrong, size, "content_hash_mismatch")
    assert rows[0]["metadata"]["correlation_id"] == right["correlation_id"]


def test_a_second_telling_of_the_same_is_a_duplicate_in_every_drain(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0])
    world.publish(told)
    assert world.drain()["read"] == 1
    before = world.rows()
    world.publish(told, {**told, "idempotency_key": "another"})
    again = world.drain()
    assert (again["duplicate"], again["read"]) == (1, 1)
    assert world.rows() == before


def test_two_messages_of_one_object_agree_whatever_their_order(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0])
    early = {**told, "upload_timestamp_utc": "2025-11-02T00:00:00Z", "correlation_id": "early"}
    late = {**told, "upload_timestamp_utc": "2025-11-03T00:00:00Z", "correlation_id": "late"}
    rows = []
    for number, order in enumerate(([early, late], [late, early])):
        world.publish(*order)
        world.drain("--batch-size", 1, ETL_CATALOG_PATH=str(world.where / f"{number}.duckdb"))
        rows.append(world.rows())
    assert rows[0] == rows[1]
    assert rows[0][0]["metadata"]["correlation_id"] == "early"


def test_a_queue_that_others_declared_is_used_as_it_stands(world: World) -> None:
    with world.broker.channel() as channel:
        channel.exchange_declare("health_data_exchange", "topic", durable=True)
        arguments = {"x-message-ttl": 600_000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": FAILED}
        channel.queue_declare(QUEUE, durable=True, arguments=arguments)
        channel.queue_bind(QUEUE, "health_data_exchange", "health.processing.#")
    assert world.run("queue", "setup")["made"] == [FAILED]
    world.publish(world.put(samples(1)[0]))
    assert world.drain()["read"] == 1


def test_what_failed_comes_back_by_itself_and_then_counts(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0])
    world.publish(told)
    slow: dict[str, Any] = {"ETL_PROCESSING_TIMEOUT_SECONDS": "0", "ETL_RETRY_DELAYS": "[4]", "ETL_MAX_RETRIES": "1"}
    began = time.monotonic()
    assert world.drain(**slow)["retried"] == {"timeout": 1}
    while not (done := world.drain(**slow))["messages"]:
        time.sleep(0.2)
    assert time.monotonic() - began > 4, "it waits in the broker meanwhile"
    assert done["dead"] == {"timeout": 1}
    (letter,) = world.run("queue", "peek")
    assert (letter["reason"], letter["retry_count"], letter["detail"]) == ("timeout", 1, "after 1 retries")
    assert [(one["kind"], one["delay_seconds"]) for one in letter["failures"]] == [("timeout", 4), ("timeout", None)]
    text = etlnarr("queue", "peek", env=world.env).stdout
    assert str(told["key"]).replace("u1", "*") in text
    first, last = (one["failed_utc"] for one in letter["failures"])
    assert f"{first} timeout, again after 4 s" in text
    assert f"{last} timeout, given up" in text
    world.run("queue", "requeue", "--yes")
    assert world.drain()["read"] == 1


def test_limits_leave_the_rest_in_the_queue(world: World) -> None:
    world.run("queue", "setup")
    world.publish(*(world.put(file) for file in samples(5)))
    assert world.run("drain-queue", "--dry-run") == {"messages": 5}
    assert world.drain("--max-messages", 3, "--batch-size", 2)["messages"] == 3
    assert world.depths() == {QUEUE: 2}
    assert world.drain("--max-seconds", 0)["messages"] == 0
    assert world.drain()["messages"] == 2


@pytest.mark.parametrize(
    ("env", "code", "said"),
    [
        ({"ETL_RABBITMQ_URL": "amqp://me:hidden@127.0.0.1:1/"}, 75, "the broker does not answer"),
        ({"ETL_RABBITMQ_URL": "amqp://me:hidden@nowhere.invalid/"}, 75, "no such host"),
        ({"ETL_RABBITMQ_URL": "http://me:hidden@127.0.0.1/"}, 2, "not an amqp:// URL"),
        ({"ETL_S3_ENDPOINT_URL": "http://127.0.0.1:1", "ETL_LAKE_URL": "s3://health-data"}, 75, "the lake does not"),
    ],
)
def test_what_is_away_is_said_without_a_password(world: World, env: dict[str, str], code: int, said: str) -> None:
    world.lake.mkdir()
    done = etlnarr("drain-queue", cwd=world.where, env={**world.env, **env}, expect=code)
    assert said in done.stderr
    assert "hidden" not in done.stderr + done.stdout
    assert done.stderr.count("\n") == 1


def test_credentials_that_are_refused_are_the_users_to_mend(world: World) -> None:
    url = world.broker.url.replace("guest:guest", "guest:hidden")
    done = etlnarr("queue", "status", env={**world.env, "ETL_RABBITMQ_URL": url}, expect=2)
    assert "refuses these credentials" in done.stderr
    assert "hidden" not in done.stderr


def test_a_virtual_host_that_is_not_there_is_told_as_what_it_is(world: World) -> None:
    done = etlnarr("queue", "status", env={**world.env, "ETL_RABBITMQ_URL": f"{world.broker.url}/typo"}, expect=2)
    assert "no such virtual host" in done.stderr
    assert "credentials" not in done.stderr


@pytest.mark.parametrize("setting", ["ETL_QUEUE_NAME", "ETL_EXCHANGE_NAME"])
@pytest.mark.parametrize("name", ["amq.typo", "q" * 256, "two\nlines"])
def test_a_name_that_no_queue_can_have_is_the_users_to_mend(world: World, setting: str, name: str) -> None:
    done = etlnarr("queue", "setup", env={**world.env, setting: name}, expect=2)
    assert "no queue or exchange" in done.stderr or setting in done.stderr


@pytest.mark.parametrize(
    "setting",
    [
        {"ETL_LAKE_URL": "s3://"},
        {"ETL_LAKE_URL": "s3://a b"},
        {"ETL_LAKE_URL": "s3://a"},
        {"ETL_S3_ENDPOINT_URL": "ftp://localhost"},
        {"ETL_S3_ACCESS_KEY": ""},
    ],
)
def test_a_lake_that_can_never_be_opened_is_the_users_to_mend(world: World, minio: S3, setting: dict[str, str]) -> None:
    env = {**world.env, **minio.environment, "ETL_LAKE_URL": "s3://health-data", **setting}
    for command in (["drain-queue"], ["load", str(samples(1)[0])]):
        done = etlnarr(*command, cwd=world.where, env=env, expect=2)
        assert done.stderr.count("\n") == 1


def test_a_lake_that_is_not_there_takes_no_message(world: World) -> None:
    world.run("queue", "setup")
    world.publish(world.put(samples(1)[0]))
    done = etlnarr("drain-queue", "--lake", "./typo", cwd=world.where, env=world.env, expect=2)
    assert done.stderr == "etlnarr: ./typo: no such folder or bucket; see --lake\n"
    assert not (world.where / "typo").exists()
    assert world.depths() == {QUEUE: 1}


def test_a_bucket_that_is_not_there_is_named_by_whoever_would_write_to_it(world: World, minio: S3) -> None:
    env = {**world.env, **minio.environment, "ETL_LAKE_URL": "s3://gone-bucket"}
    for command in (["load", samples(1)[0]], ["build", samples(1)[0]], ["drain-queue"]):
        done = etlnarr(*command, cwd=world.where, env=env, expect=2)
        assert done.stderr == "etlnarr: s3://gone-bucket: no such folder or bucket; see --lake\n"
    assert world.depths() == {}


def test_one_object_announced_for_two_people_is_told_of_both(world: World) -> None:
    world.run("queue", "setup")
    told = [world.put(samples(1)[0], user, name="one") for user in ("u1", "u2")]
    rows = []
    for number, order in enumerate((told, told[::-1])):
        world.publish(*order)
        world.drain("--batch-size", 1, ETL_CATALOG_PATH=str(world.where / f"{number}.duckdb"))
        rows.append(world.rows())
    assert rows[0] == rows[1]
    assert sorted(row["metadata"]["user_id"] for row in rows[0]) == ["u1", "u2"]


@pytest.mark.parametrize("name", [FAILED, f"{QUEUE}.retry.30s"])
def test_what_holds_failures_is_no_queue_of_work(world: World, name: str) -> None:
    world.lake.mkdir()
    for command in (["drain-queue"], ["load", str(samples(1)[0])], ["queue", "setup"]):
        done = etlnarr(*command, cwd=world.where, env={**world.env, "ETL_QUEUE_NAME": name}, expect=2)
        assert "ETL_QUEUE_NAME" in done.stderr
    assert world.depths() == {}


def test_a_queue_that_is_named_outright_must_be_there(world: World) -> None:
    world.run("queue", "setup")
    done = etlnarr("drain-queue", "--queue", "typo", cwd=world.where, env=world.env, expect=2)
    assert "no such queue" in done.stderr
    assert world.run("queue", "status", "--queue", "typo")["typo"] is None


@pytest.mark.parametrize("key", ["catalog.duckdb", "training/x.avro", "quarantine/x.avro"])
def test_no_message_reaches_beyond_what_is_raw(world: World, key: str) -> None:
    world.run("queue", "setup")
    world.publish({**world.put(samples(1)[0]), "key": key})
    assert world.drain()["dead"] == {"access_denied": 1}
    assert not (world.lake / "quarantine").exists()


def test_a_folder_is_no_object(world: World) -> None:
    world.run("queue", "setup")
    world.publish({**world.put(samples(1)[0]), "key": "raw/StepsRecord"}, {**world.put(samples(1)[0]), "key": "raw/x"})
    (world.lake / "raw" / "StepsRecord").mkdir(exist_ok=True)
    assert world.drain()["dead"] == {"not_found": 2}


def test_a_store_that_is_away_leaves_the_messages_where_they_are(world: World) -> None:
    world.run("queue", "setup")
    world.publish(world.put(samples(1)[0]))
    env = {"ETL_DEDUPLICATION_STORE": "redis", "ETL_DEDUPLICATION_REDIS_URL": "redis://:hidden@127.0.0.1:1/0"}
    done = etlnarr("drain-queue", cwd=world.where, env={**world.env, **env}, expect=75)
    assert "Redis does not answer" in done.stderr
    assert "hidden" not in done.stderr
    assert world.depths() == {QUEUE: 1}


@pytest.mark.parametrize("place", ["same", "other"])
@pytest.mark.parametrize("size", [1, 2])
def test_a_wrong_type_of_bytes_that_are_known_is_an_integrity_failure(world: World, place: str, size: int) -> None:
    world.run("queue", "setup")
    right = world.put(samples(1)[0])
    kind = min({"StepsRecord", "HeartRateRecord"} - {right["record_type"]})
    wrong = {**(right if place == "same" else world.put(samples(1)[0], name="other")), "record_type": kind}
    wrong |= {"correlation_id": "wrong"}
    rows_in_both_orders(world, right, wrong, size, "record_type_mismatch")


def test_a_wrong_type_alone_is_kept_in_quarantine(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0])
    world.publish({**told, "record_type": min({"StepsRecord", "HeartRateRecord"} - {told["record_type"]})})
    done = world.drain()
    assert (done["read"], done["told"]["status"]["quarantined"]) == (1, {"record_type_mismatch": 1})


@pytest.mark.parametrize("changed", ["idempotency_key", "upload_timestamp_utc"])
def test_another_message_of_an_upload_in_the_batch_is_a_duplicate(world: World, changed: str) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0])
    world.publish({**told, changed: "2025-11-14T12:00:00Z"}, told)
    done = world.drain()
    assert (done["read"], done["duplicate"], done["dead"]) == (1, 1, {})


def test_a_topology_without_its_binding_is_mended(world: World) -> None:
    world.run("queue", "setup")
    with world.broker.channel() as channel:
        channel.queue_unbind(QUEUE, "health_data_exchange", "health.processing.#")
    said = etlnarr("queue", "setup", env=world.env).stdout
    assert said == f"all is there\nbound {BINDING}, unless it was\n", "a broker does not tell"
    world.publish(b"{")
    assert world.depths() == {QUEUE: 1}


def test_a_binding_that_is_made_is_told(world: World) -> None:
    assert world.run("queue", "setup") in (
        {"made": [FAILED, QUEUE, BINDING], "bound": BINDING},
        {"made": [EXCHANGE, FAILED, QUEUE, BINDING], "bound": BINDING},
    )
    assert world.run("queue", "setup") == {"made": [], "bound": BINDING}


def test_logs_say_nothing_of_whose_uploads_they_are(world: World) -> None:
    world.run("queue", "setup")
    gone = world.put(samples(1)[0], "somebody", key="raw/StepsRecord/2025/11/15/somebody_1.avro")
    world.publish(gone, world.put(samples(2)[1], "somebody"), b'{"user_id": "somebody"}')
    env = {**world.env, "ETL_LOG_LEVEL": "DEBUG"}
    done = etlnarr("drain-queue", cwd=world.where, env=env)
    assert '"not handled"' in done.stderr
    assert str(gone["correlation_id"]) in done.stderr
    assert "somebody" not in done.stderr + done.stdout + etlnarr("queue", "peek", env=env).stdout
