"""Uploads into the lake, announced or posted."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.command import etlnarr
from tests.queue.world import World, samples


@dataclass
class Api:
    """A Health API that keeps what it is given."""

    url: str
    answer: int = 200
    got: list[tuple[str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    kept = Api("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((self.path, self.headers["Authorization"], body))
            self.send_response(kept.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def test_uploads_stand_under_their_own_time_and_are_announced(world: World) -> None:
    file = next(file for file in samples(20) if "HeartRateRecord" in str(file))
    copy = world.where / "HeartRateRecord_1763208000250.avro"
    copy.write_bytes(file.read_bytes())
    done = world.run("load", copy, "--user-id", "u1")
    (sent,) = done.pop("uploads")
    assert done == {"found": 1, "loaded": {"HeartRateRecord": 1}, "other_type": 0, "untold": 0, "passed_over": []}
    (key,) = [path.relative_to(world.lake) for path in world.lake.rglob("*.avro")]
    assert str(key).startswith("raw/HeartRateRecord/2025/11/15/u1_1763208000250_")
    world.drain()
    (row,) = world.rows()
    assert row["metadata"]["upload_timestamp_utc"] == "2025-11-15T12:00:00.250Z"
    assert row["metadata"]["source_s3_key"] == str(key)
    assert (sent["key"], sent["correlation_id"]) == (str(key), row["metadata"]["correlation_id"])


def test_an_upload_stays_that_of_the_person_in_its_key(world: World) -> None:
    file = next(file for file in samples(20) if "HeartRateRecord" in str(file))
    copy = world.where / "raw/HeartRateRecord/2025/11/15/somebody_1763208000_0123456789abcdef.avro"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(file.read_bytes())
    (sent,) = world.run("load", copy, "--user-id", "u1")["uploads"]
    assert sent["key"].startswith("raw/HeartRateRecord/2025/11/15/somebody_1763208000_")
    world.drain()
    (row,) = world.rows()
    assert row["metadata"]["user_id"] == "somebody"


def test_loading_twice_announces_the_same_upload(world: World) -> None:
    world.run("load", *samples(1), "--user-id", "u1")
    both = [world.run("load", *samples(2), *more, "--user-id", "u1") for more in (["--dry-run"], [])]
    first, second = samples(2)
    for done in both:
        assert {one["source"]: one["already_there"] for one in done["uploads"]} == {
            str(first): True,
            str(second): False,
        }
    assert both[0] == both[1], "a dry run says what the other one does"
    text = etlnarr("load", first, "--user-id", "u1", cwd=world.where, env=world.env).stdout
    assert f"announced    {next(one['key'] for one in both[0]['uploads'] if one['already_there'])}, " in text
    assert ", already there\n" in text
    done = world.drain()
    assert (done["messages"], done["read"], done["duplicate"]) == (4, 2, 2)


def test_a_long_load_is_told_shortly(world: World) -> None:
    etlnarr("samples", "--out", world.where / "many", "--uploads", 25, "--records", 2)
    world.lake.mkdir()
    lines = etlnarr("load", world.where / "many", "--dry-run", cwd=world.where, env=world.env).stdout.splitlines()
    assert sum(line.startswith("would send") for line in lines) == 20
    assert lines[-1].strip() == "and 5 more; --json lists all"


def test_one_time_for_all_one_type_only_and_what_nothing_tells(world: World) -> None:
    some = samples(6)
    kinds = {next(part for part in (*file.parts, file.name) if "Record" in part).split("_")[0] for file in some}
    only = sorted(kinds)[0]
    stray = world.where / "notes.avro"
    stray.write_bytes(b"no upload")
    dry = world.run("load", *some, "--record-type", only, "--dry-run")
    assert not list(world.lake.rglob("*.avro"))
    done = world.run("load", *some, stray, "--record-type", only, "--uploaded-at", "2025-12-01T10:00:00")
    assert dry["loaded"][only] + 1 == done["loaded"][only], "a type that is given stands in for one that nothing tells"
    assert done["other_type"] == 6 - dry["loaded"][only]
    keys = [path.relative_to(world.lake).parts[:5] for path in world.lake.rglob("*.avro")]
    assert set(keys) == {("raw", only, "2025", "12", "01")}
    assert {left["reason"] for left in done["passed_over"]} == {f"a {kind}" for kind in kinds - {only}}
    done = world.run("load", stray)
    assert done["untold"] == 1
    (left,) = done["passed_over"]
    assert left["source"] == str(stray)
    assert "the name tells no record type" in left["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user-id", "a/b"], "--user-id"),
        (["--record-type", "BloodPressureRecord"], "--record-type"),
        (["--user-id", "u" * 200], "--user-id"),
        (["--uploaded-at", "1999-01-01"], "--uploaded-at"),
        (["--via-api", "http://127.0.0.1:1"], "ETL_API_TOKEN"),
    ],
)
def test_what_cannot_be_loaded_is_said(world: World, arguments: list[str], said: str) -> None:
    world.lake.mkdir()
    done = etlnarr("load", *samples(1), *arguments, env=world.env, cwd=world.where, expect=2)
    assert said in done.stderr


def test_an_api_is_given_the_file_and_the_token(world: World, api: Api) -> None:
    file = samples(1)[0]
    done = world.run("load", file, "--via-api", api.url, ETL_API_TOKEN="hidden\n")
    assert sum(done["loaded"].values()) == 1
    ((path, token, body),) = api.got
    assert (path, token) == ("/v1/upload", "Bearer hidden")
    assert file.read_bytes() in body
    assert f'filename="{file.name}"'.encode() in body


@pytest.mark.parametrize(("answer", "code"), [(401, 2), (503, 75), (429, 75), (422, 1)])
def test_what_an_api_answers_is_told(world: World, api: Api, answer: int, code: int) -> None:
    api.answer = answer
    world.lake.mkdir()
    env = {**world.env, "ETL_API_TOKEN": "hidden"}
    done = etlnarr("load", samples(1)[0], "--via-api", api.url, env=env, cwd=world.where, expect=code)
    assert "hidden" not in done.stderr


def test_an_api_that_is_away_is_temporary(world: World, tmp_path: Path) -> None:
    world.lake.mkdir()
    env = {**world.env, "ETL_API_TOKEN": "hidden"}
    etlnarr("load", samples(1)[0], "--via-api", "http://127.0.0.1:1", env=env, cwd=tmp_path, expect=75)
