"""Several workers on one lake, each with its own catalog."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etlnarr import sharing
from etlnarr.cli.session import session, settings_from
from etlnarr.stages.ingest import ingest
from tests.brokers import RedisServer
from tests.command import ROOT, environment, etlnarr
from tests.queue.world import World, samples
from tests.servers import S3, get, s3_server


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture(params=["folder", "conditional", "redis"])
def shared(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> World:
    """A lake of each sort on which workers can take turns."""
    if request.param == "folder":
        return world
    server: S3 = request.getfixturevalue("weed" if request.param == "conditional" else "minio")
    world.more = {**server.environment, "ETL_LAKE_URL": f"s3://{server.bucket}/{tmp_path.name}"}
    if request.param == "redis":
        store: RedisServer = request.getfixturevalue("store")
        world.more |= {"ETL_DEDUPLICATION_STORE": "redis", "ETL_DEDUPLICATION_REDIS_URL": store.url}
    return world


ALL = (
    "SELECT * EXCLUDE (no, published, brings_new, scores) FROM uploads ORDER BY content_hash",
    "SELECT content_hash, records.* EXCLUDE (upload) FROM records JOIN uploads ON no = upload ORDER BY ALL",
    "SELECT content_hash, readings.* EXCLUDE (upload) FROM readings JOIN uploads ON no = upload ORDER BY ALL",
    "SELECT content_hash, sources.* EXCLUDE (upload, published) FROM sources JOIN uploads ON no = upload ORDER BY ALL",
)


def worker(world: World, number: int) -> dict[str, str]:
    return {"ETL_CATALOG_PATH": str(world.where / f"worker{number}.duckdb")}


def files(world: World) -> dict[str, bytes]:
    """The training files and the quarantine of the lake, byte for byte."""
    root = world.lake
    if "ETL_S3_ENDPOINT_URL" in world.more:
        root = world.where / f"got{len(list(world.where.iterdir()))}"
        prefix = world.more["ETL_LAKE_URL"].removeprefix("s3://").partition("/")[2]
        for folder in ("training", "quarantine"):
            get(world.more["ETL_S3_ENDPOINT_URL"], f"health-data/{prefix}/{folder}", root / folder)
    return {
        str(file.relative_to(root)): file.read_bytes()
        for folder in ("training", "quarantine")
        for file in sorted((root / folder).rglob("*"))
        if file.is_file()
    }


def load(world: World, some: list[Path]) -> None:
    world.run("load", *some, "--user-id", "u1")


def test_whoever_tells_last_tells_all(shared: World) -> None:
    some = samples(6)
    cut = shared.where / "StepsRecord_1763208000.avro"
    cut.write_bytes(some[0].read_bytes()[:-20])
    load(shared, some[:3])
    assert shared.drain(**worker(shared, 1))["read"] == 3
    load(shared, [*some[3:], cut])
    second = shared.drain(**worker(shared, 2))
    assert (second["read"], second["told"]["export"]["rows"]) == (4, 6)
    both = files(shared)
    first = shared.drain(**worker(shared, 1))
    assert first["told"]["status"] == second["told"]["status"]
    assert files(shared) == both
    again = shared.run("catalog", "rebuild", **worker(shared, 3))
    assert again["status"] == second["told"]["status"]
    assert files(shared) == both


def test_what_was_told_first_stays_the_time_of_its_telling(shared: World) -> None:
    load(shared, samples(2))
    shared.drain(**worker(shared, 1), SOURCE_DATE_EPOCH="1764547200")
    before = files(shared)
    shared.run("catalog", "rebuild", **worker(shared, 2), SOURCE_DATE_EPOCH="1800000000")
    assert files(shared) == before


def test_an_export_that_knows_less_is_refused(shared: World) -> None:
    some = samples(4)
    load(shared, some[:2])
    shared.drain(**worker(shared, 1))
    load(shared, some[2:])
    shared.drain(**worker(shared, 2))
    done = etlnarr("export", cwd=shared.where, env={**shared.env, **worker(shared, 1)}, expect=75)
    assert "other workers have published" in done.stderr
    assert shared.run("build", **worker(shared, 1))["export"]["rows"] == 4


def test_a_second_writer_is_refused_where_no_turn_can_be_taken(world: World, minio: S3, tmp_path: Path) -> None:
    world.more = {**minio.environment, "ETL_LAKE_URL": f"s3://{minio.bucket}/{tmp_path.name}"}
    some = samples(2)
    load(world, some[:1])
    world.drain(**worker(world, 1))
    load(world, some[1:])
    done = etlnarr("drain-queue", cwd=world.where, env={**world.env, **worker(world, 2)}, expect=2)
    assert "another catalog writes here" in done.stderr
    assert world.drain(**worker(world, 1))["told"]["export"]["rows"] == 2, "what the other one read is not lost"
    world.run("catalog", "rebuild", **worker(world, 3))
    etlnarr("drain-queue", cwd=world.where, env={**world.env, **worker(world, 1)}, expect=2)


def test_two_workers_at_once_lose_nothing_and_tell_nothing_twice(shared: World) -> None:
    some = samples(12)
    load(shared, some)
    command = [sys.executable, "-m", "etlnarr", "drain-queue", "--batch-size", "2", "--json"]
    workers = [
        subprocess.Popen(
            command, cwd=shared.where, stdout=subprocess.PIPE, text=True,
            env={**environment(**shared.env, **worker(shared, number)), "PYTHONPATH": str(ROOT)},
        )
        for number in (1, 2)
    ]  # fmt: skip
    done = [json.loads(one.communicate(timeout=300)[0]) for one in workers]
    assert [one.returncode for one in workers] == [0, 0]
    assert sum(one["read"] for one in done) == 12
    assert max(one["told"]["export"]["rows"] for one in done) == 12
    lines = [line for body in files(shared).values() for line in body.splitlines()]
    assert len(lines) == len(set(lines)) == 12


def test_small_parts_are_put_together_when_there_are_many(tmp_path: Path) -> None:
    uploads, lake = tmp_path / "uploads", tmp_path / "lake"
    etlnarr("samples", "--out", uploads, "--uploads", 70, "--records", 2)
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "one.duckdb")) as one:
        for file in sorted(uploads.rglob("*.avro")):
            ingest(one.con, one.run, [str(file)])
            assert sharing.publish(one.con, one.run, sharing.UPLOADS)
        assert len(list((lake / "catalog" / "uploads").iterdir())) == 70
        sharing.compact(one.con, one.run)
        assert len(list((lake / "catalog" / "uploads").iterdir())) == 70 - 32 + 1
        assert sharing.absorb(one.con, one.run) == 0
        mine = [one.con.sql(query).fetchall() for query in ALL]
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "two.duckdb")) as two:
        assert sharing.absorb(two.con, two.run) == 39
        assert [two.con.sql(query).fetchall() for query in ALL] == mine


def test_a_part_that_came_meanwhile_is_not_put_away(tmp_path: Path) -> None:
    uploads, lake = tmp_path / "uploads", tmp_path / "lake"
    etlnarr("samples", "--out", uploads, "--uploads", 67, "--records", 2)
    first, *rest = sorted(uploads.rglob("*.avro"))
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "one.duckdb")) as one:
        for file in rest:
            ingest(one.con, one.run, [str(file)])
            sharing.publish(one.con, one.run, sharing.UPLOADS)
        with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "two.duckdb")) as two:
            ingest(two.con, two.run, [str(first)])
            sharing.publish(two.con, two.run, sharing.UPLOADS)
        sharing.compact(one.con, one.run)
        assert sharing.absorb(one.con, one.run) == 1
        assert one.con.sql("SELECT count(*) FROM uploads").fetchall() == [(67,)]


def test_a_place_that_is_read_before_its_upload_is_not_forgotten(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    file = tmp_path / "raw" / "StepsRecord_1763208000.avro"
    file.parent.mkdir()
    file.write_bytes(samples(1)[0].read_bytes())
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "one.duckdb")) as one:
        ingest(one.con, one.run, [str(file)])
        sharing.publish(one.con, one.run, sharing.UPLOADS)
        (whole,) = (lake / "catalog" / "uploads").iterdir()
        earlier = file.with_name("StepsRecord_1762000000.avro")
        earlier.write_bytes(file.read_bytes())
        ingest(one.con, one.run, [str(earlier)])
        sharing.publish(one.con, one.run, sharing.UPLOADS)
        mine = one.con.sql("SELECT uploaded, key FROM uploads").fetchall()
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "two.duckdb")) as two:
        hidden = whole.rename(tmp_path / whole.name)
        sharing.absorb(two.con, two.run)
        assert two.con.sql("SELECT * FROM uploads").fetchall() == []
        hidden.rename(whole)
        sharing.absorb(two.con, two.run)
        assert two.con.sql("SELECT uploaded, key FROM uploads").fetchall() == mine
        assert sharing.absorb(two.con, two.run) == 0


def test_an_upload_whose_file_was_overwritten_is_published_too(tmp_path: Path) -> None:
    lake, file = tmp_path / "lake", tmp_path / "StepsRecord_1763208000.avro"
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "one.duckdb")) as one:
        for sample in samples(2):
            file.write_bytes(sample.read_bytes())
            ingest(one.con, one.run, [str(file)])
        sharing.publish(one.con, one.run, sharing.UPLOADS)
    with session(settings_from(lake_url=str(lake), catalog_path=tmp_path / "two.duckdb")) as two:
        sharing.absorb(two.con, two.run)
        assert two.con.sql("SELECT count(*) FROM uploads").fetchall() == [(2,)]


def test_a_rebuild_that_fails_leaves_nothing_in_the_way(world: World) -> None:
    world.lake.mkdir()
    etlnarr("catalog", "rebuild", cwd=world.where, env={**world.env, **worker(world, 1)}, expect=2)
    load(world, samples(1))
    world.drain()
    assert world.run("catalog", "rebuild", **worker(world, 1))["export"]["rows"] == 1
    done = etlnarr("catalog", "rebuild", cwd=world.where, env={**world.env, **worker(world, 1)}, expect=2)
    assert "move it away" in done.stderr


def test_a_damaged_part_is_named_in_one_line(world: World) -> None:
    load(world, samples(1))
    world.drain()
    (part,) = (world.lake / "catalog" / "uploads").iterdir()
    part.with_name("0.parquet").write_bytes(b"PAR1 no more")
    done = etlnarr("build", cwd=world.where, env=world.env, expect=1)
    assert "catalog/uploads: holds a part that this version cannot read" in done.stderr


def test_a_month_that_another_worker_emptied_has_no_file(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0], upload_timestamp_utc="2025-12-15T12:00:00Z")
    world.publish(told)
    world.drain(**worker(world, 1))
    assert {row["metadata"]["upload_timestamp_utc"][:7] for row in world.rows()} == {"2025-12"}
    world.publish({**told, "upload_timestamp_utc": "2025-11-15T12:00:00Z", "idempotency_key": "earlier"})
    world.drain(**worker(world, 2))
    assert [row["metadata"]["upload_timestamp_utc"][:7] for row in world.rows()] == ["2025-11"]


def test_a_quarantine_that_another_worker_made_is_cleared(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(samples(1)[0])
    world.publish({**told, "content_hash": "0" * 64})
    world.drain(**worker(world, 1))
    assert len(list((world.lake / "quarantine").rglob("*.avro"))) == 1
    foreign = world.lake / "quarantine" / "of-others.metadata.json"
    foreign.write_text("{}")
    world.publish(told)
    world.drain(**worker(world, 2))
    assert [file for file in (world.lake / "quarantine").rglob("*") if file.is_file()] == [foreign]
    assert len(world.rows()) == 1


def test_the_time_of_a_telling_does_not_depend_on_who_writes(world: World) -> None:
    load(world, samples(2))
    early, late = {"SOURCE_DATE_EPOCH": "1764547200"}, {"SOURCE_DATE_EPOCH": "1764633600"}
    for number, env in ((1, early), (2, late)):
        world.run("ingest", world.lake / "raw", **worker(world, number), **env)
        for stage in ("validate", "analyse", "narrate"):
            world.run(stage, **worker(world, number), **env)
    seen = []
    for number in (2, 1, 2, 1):
        world.drain(**worker(world, number), **late)
        seen.append(files(world))
    assert seen[1] == seen[2] == seen[3]
    assert {row["metadata"]["processed_utc"] for row in world.rows()} == {"2025-12-01T00:00:00Z"}
