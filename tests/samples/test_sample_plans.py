"""Uploads of many people: keys, sizes, determinism, and one file at a time."""

import re
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from etlnarr import avro
from etlnarr.errors import UsageError
from etlnarr.samples import write_samples
from etlnarr.samples.crowd import one_of_many
from etlnarr.samples.exports import EXPORTS
from etlnarr.samples.plans import sized_uploads
from tests.samples.default_set import LIMITS

KEY = re.compile(
    r"raw/(?P<kind>[A-Za-z]+Record)/(?P<day>\d{4}/\d{2}/\d{2})/(?P<user>user\d{5})_(?P<date>\d{8})_\d{6}_[0-9a-f]{8}\.avro"
)


def test_each_person_uploads_every_type_every_day_and_sometimes_twice(tmp_path: Path) -> None:
    paths = list(write_samples(tmp_path, users=2, days=3))
    keys = [KEY.fullmatch(path.relative_to(tmp_path).as_posix()) for path in paths]
    found = Counter((key["user"], key["kind"], key["day"]) for key in keys if key)
    assert sum(found.values()) == len(paths)
    assert {day for _, _, day in found} == {"2025/11/01", "2025/11/02", "2025/11/03"}
    assert len(found) == 2 * 3 * 6
    assert set(found.values()) <= {1, 2}


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in write_samples(tmp_path / name, users=1, days=2)
        }
        for name in ("first", "second")
    )
    assert first == second


def test_uploads_of_a_given_size_are_so_many_and_hold_so_many_records(tmp_path: Path) -> None:
    paths = list(write_samples(tmp_path, uploads=13, records=400))
    assert len({path.relative_to(tmp_path).parts[1] for path in paths}) == 6
    assert [avro.opened(path.read_bytes(), LIMITS).records for path in paths] == [400] * 13


def test_an_upload_holds_the_newest_records_each_once_and_none_after_its_fetch(tmp_path: Path) -> None:
    many, few = (
        {path.parts[-5]: _records(path) for path in write_samples(tmp_path / str(size), uploads=6, records=size)}
        for size in (700, 50)
    )
    for kind, records in many.items():
        starts = [start for _, start, _ in records]
        assert len({name for name, _, _ in records}) == 700
        assert starts == sorted(starts)
        assert records[-50:] == few[kind]
        assert all(start < fetched for _, start, fetched in records)


def test_nobody_has_a_hundred_thousand_sleep_sessions(tmp_path: Path) -> None:
    kinds = Counter(upload.kind for upload in sized_uploads(100, 100_000, None, 1))
    assert set(kinds.values()) == {20}
    assert set(kinds) == set(EXPORTS) - {"SleepSessionRecord"}
    with pytest.raises(UsageError, match="ask for at most"):
        list(write_samples(tmp_path, uploads=1, records=5_000_000))


def _records(path: Path) -> list[tuple[str, int, int]]:
    """Identity, start and time of fetch of each record."""
    rows = avro.decode(avro.opened(path.read_bytes(), LIMITS), LIMITS)
    return [
        (
            cast("dict[str, str]", row["metadata"])["id"],
            cast("int", row.get("startTimeEpochMillis", row.get("timeEpochMillis"))),
            cast("int", row["appRecordFetchTimeEpochMillis"]),
        )
        for row in rows
    ]


def test_uploads_of_a_given_size_belong_to_one_month(tmp_path: Path) -> None:
    paths = list(write_samples(tmp_path, uploads=30, records=2, users=1))
    assert len(paths) == 30
    assert {path.relative_to(tmp_path).parts[2:4] for path in paths} == {("2025", "11")}


def test_files_are_written_one_by_one(tmp_path: Path) -> None:
    written = write_samples(tmp_path, users=1000, days=1000)
    first = next(written)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [first]


def test_people_differ() -> None:
    people = [one_of_many(1, number) for number in range(1, 9)]
    assert len({person.heart for person in people}) == len(people)
    assert one_of_many(1, 3).rhythm == one_of_many(1, 3).rhythm
    assert one_of_many(1, 3).rhythm != one_of_many(2, 3).rhythm
