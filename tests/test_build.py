"""What a build promises: the same bytes from the same uploads, every upload accounted for, S3 like a folder."""

import json
import os
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.command import SAMPLES, built, etlnarr, fingerprint, rows
from tests.servers import s3_server

REAL_ROWS = {
    "BloodGlucoseRecord": 3,
    "HeartRateRecord": 3,
    "SleepSessionRecord": 3,
    "StepsRecord": 3,
    "ActiveCaloriesBurnedRecord": 1,
    "HeartRateVariabilityRmssdRecord": 1,
}


def test_every_real_upload_is_accounted_for(real_samples: Path, tmp_path: Path) -> None:
    report = built(tmp_path, real_samples, month="2025-09")
    assert report["ingest"]["found"] == report["ingest"]["new"] == 26
    assert report["status"]["records"] == 995
    assert report["status"]["quarantined"] == {}
    superseded = sum(states.get("superseded", 0) for states in report["status"]["uploads"].values())
    assert superseded == 12
    assert Counter(row["metadata"]["record_type"] for row in rows(tmp_path)) == REAL_ROWS


def test_the_order_in_which_real_uploads_arrive_changes_nothing(real_samples: Path, tmp_path: Path) -> None:
    built(tmp_path / "together", real_samples, month="2025-09")
    files = sorted(real_samples.glob("*.avro"))
    random.Random(7).shuffle(files)
    for batch in (files[:9], files[9:11], files[11:]):
        built(tmp_path / "apart", *batch, month="2025-09")
    assert fingerprint(tmp_path / "apart") == fingerprint(tmp_path / "together")


def test_a_second_build_opens_no_source(tmp_path: Path) -> None:
    folder, lake = tmp_path / "in", tmp_path / "lake"
    shutil.copytree(SAMPLES, folder)
    built(lake, folder)
    before = fingerprint(lake)
    for file in folder.iterdir():
        kept = file.stat()
        file.write_bytes(b"\0" * kept.st_size)  # were it opened, it would be found to be damaged
        os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    report = built(lake, folder)
    assert report["ingest"]["known"] == report["ingest"]["found"] == 26
    assert (report["narrate"]["told"], report["export"]["written"]) == (0, [])
    assert fingerprint(lake) == before


def test_known_bytes_at_a_new_place_are_a_duplicate(tmp_path: Path) -> None:
    folder, lake = tmp_path / "in", tmp_path / "lake"
    shutil.copytree(SAMPLES, folder)
    built(lake, folder)
    before = fingerprint(lake)
    for file in list(folder.iterdir()):
        file.rename(file.with_name(file.name.replace(".avro", "_copy.avro")))
    report = built(lake, folder)
    assert report["ingest"]["duplicate"] == 26
    assert report["status"]["duplicates"] == 26
    assert fingerprint(lake) == before


@pytest.mark.parametrize(
    "env",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Caracas", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "99", "POLARS_MAX_THREADS": "1"},
    ],
)
def test_machine_settings_change_no_byte(env: dict[str, str], tmp_path: Path) -> None:
    built(tmp_path / "plain", SAMPLES)
    built(tmp_path / "odd", *sorted(SAMPLES.glob("*.avro"), reverse=True), **env)
    assert fingerprint(tmp_path / "odd") == fingerprint(tmp_path / "plain")


def test_stages_one_by_one_do_what_build_does(tmp_path: Path) -> None:
    built(tmp_path / "built", SAMPLES, month=None)
    lake = ("--lake", tmp_path / "staged")
    etlnarr("ingest", SAMPLES, *lake)
    for stage in ("validate", "analyse", "narrate", "export"):
        etlnarr(stage, *lake)
    assert fingerprint(tmp_path / "staged") == fingerprint(tmp_path / "built")


def test_the_counts_beside_the_catalog_are_those_in_it(tmp_path: Path) -> None:
    told = built(tmp_path, SAMPLES)["status"]
    (tmp_path / "catalog.duckdb.status.json").unlink()
    counted = json.loads(etlnarr("status", "--lake", tmp_path, "--json").stdout)
    assert counted == told
    assert told["records"] > 0


def test_a_dry_run_does_nothing(tmp_path: Path) -> None:
    done = etlnarr("build", SAMPLES, "--lake", tmp_path / "lake", "--dry-run", "--json")
    assert json.loads(done.stdout)["ingest"]["new"] == 26
    assert list(tmp_path.iterdir()) == []


def test_settings_shape_the_lines(tmp_path: Path) -> None:
    built(tmp_path, SAMPLES)
    whole = rows(tmp_path)
    built(tmp_path, SAMPLES, ETL_ENABLE_CLINICAL_INSIGHTS="false")
    assert all("clinical_insights" not in row["metadata"] for row in rows(tmp_path))
    built(tmp_path, SAMPLES, ETL_INCLUDE_METADATA="false")
    assert [sorted(row) for row in rows(tmp_path)] == [["input", "instruction", "output"]] * len(whole)
    built(tmp_path, SAMPLES, ETL_GENERATE_RECOMMENDATIONS="false")
    plain = rows(tmp_path)  # a sentence may come back that a row with advice had no room for
    assert sum(len(row["output"]) for row in plain) < sum(len(row["output"]) for row in whole)
    assert not any("your doctor" in row["output"] for row in plain)
    assert any("your doctor" in row["output"] for row in whole)
    built(tmp_path, SAMPLES)
    assert rows(tmp_path) == whole


def test_facts_of_the_person_make_the_rows_they_touch_pending_again(tmp_path: Path) -> None:
    built(tmp_path, SAMPLES)
    people = tmp_path / "people.csv"
    people.write_text("user_id,birth_year,sex,tz,diabetes\nsample_data_user,1985,female,,t1\n")
    report = json.loads(
        etlnarr("build", SAMPLES, "--month", "2025-11", "--lake", tmp_path, "--people", people, "--json").stdout
    )
    assert report["analyse"]["analysed"] > 0
    assert report["narrate"]["told"] > 0
    again = json.loads(
        etlnarr("build", SAMPLES, "--month", "2025-11", "--lake", tmp_path, "--people", people, "--json").stdout
    )
    assert (again["analyse"]["analysed"], again["narrate"]["told"]) == (0, 0)


def test_a_bucket_is_a_lake_like_a_folder(tmp_path: Path) -> None:
    local = tmp_path / "local"
    for file in SAMPLES.glob("*.avro"):
        (local / "raw").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, local / "raw" / file.name)
    built(local)
    (tmp_path / "weed").mkdir()
    with s3_server(tmp_path / "weed") as server:
        server.put(local / "raw", "raw")
        env = {**server.environment, "ETL_CATALOG_PATH": str(tmp_path / "remote.duckdb")}
        month = ("--month", "2025-11")
        etlnarr("build", *month, env=env)
        again = json.loads(etlnarr("build", *month, "--json", env=env).stdout)
        assert again["ingest"]["known"] == 26
        remote = server.get("training", tmp_path / "down")
        server.process.kill()
        server.process.wait()
        away = etlnarr("build", *month, env=env, expect=75)
        assert away.stderr.count("\n") == 1
    told = [json.loads(line) for file in sorted(remote.rglob("*.jsonl")) for line in file.read_text().splitlines()]
    assert [without_place(row) for row in told] == [without_place(row) for row in rows(local)]
    assert {row["metadata"]["source_bucket"] for row in told} == {"health-data"}


def without_place(row: dict[str, Any]) -> dict[str, Any]:
    uploads = [{**upload, "source_bucket": ""} for upload in row["metadata"]["uploads"]]
    return {**row, "metadata": {**row["metadata"], "source_bucket": "", "uploads": uploads}}
