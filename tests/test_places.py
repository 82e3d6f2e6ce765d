"""Names, places and rights that a file system allows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etlnarr import avro
from etlnarr.samples.schemas import SCHEMAS
from tests import uploads
from tests.command import ROOT, built, environment, etlnarr, fingerprint, rows
from tests.uploads import DAY, MINUTE, T0

TRACE = uploads.glucose([(T0 + n * 5 * MINUTE, 110.0 + n % 7) for n in range(40)])
NAME = "BloodGlucoseRecord_1763380800000.avro"


def glucose(path: Path) -> Path:
    return uploads.write(path, "BloodGlucoseRecord", TRACE)


@pytest.mark.parametrize("name", ["a [1].avro", "zz::b#?%20.avro", "ä\u3042 x.AVRO", "{a,b}.avro", "-x.avro"])
def test_a_file_is_read_and_kept_whatever_its_name(name: str, tmp_path: Path) -> None:
    upload = glucose(tmp_path / "lake/raw" / name)
    assert json.loads(etlnarr("inspect", upload, "--json").stdout)["quality"]["state"] == "accepted"
    upload.write_bytes(b"no Avro")
    assert built(tmp_path / "lake", month=None)["validate"] == {"accepted": 0, "quarantined": 1, "lost": 0}
    assert len(fingerprint(tmp_path / "lake", "quarantine")) == 2


def test_bytes_that_the_part_before_took_from_their_user_are_decoded_after_all(tmp_path: Path) -> None:
    found = []
    for way, most in (("alone", 1), ("together", 1_000)):
        where = tmp_path / way
        one = glucose(where / "in" / NAME)
        built(where / "lake", one, month=None, ETL_USER_ID="u1")
        glucose(where / "in/raw/BloodGlucoseRecord/2025/11/17/u1_1763380800_0123456789abcdef.avro")
        before = f"from etlnarr.stages import ingest; ingest.BATCH_FILES = {most}"
        subprocess.run(
            [sys.executable, "-c", f"{before}\nfrom etlnarr.cli import main\nmain()", "build", "in", "--lake", "lake"],
            cwd=where, env=environment(ETL_USER_ID="u2", PYTHONPATH=str(ROOT)), check=True, capture_output=True,
        )  # fmt: skip
        found.append(rows(where / "lake"))
    assert sorted(row["metadata"]["user_id"] for row in found[0]) == ["u1", "u2"]
    assert found[0] == found[1]


def test_a_name_that_is_too_long_to_be_added_to_is_shortened(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for letter in "ab":
        (tmp_path / "in" / f"{'x' * 240}{letter}.avro").write_bytes(letter.encode())
    built(tmp_path / "lake", tmp_path / "in", month=None)
    kept = fingerprint(tmp_path / "lake", "quarantine")
    assert len(kept) == 4
    assert all(len(Path(name).name) < 200 for name in kept)


def test_what_is_no_regular_file_or_no_text_is_passed_over(tmp_path: Path) -> None:
    glucose(tmp_path / "in" / NAME)
    os.mkfifo(tmp_path / "in/pipe.avro")
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/bad\xff.avro")).write_bytes(b"x")
    (tmp_path / "in/round").symlink_to(tmp_path / "in")
    report = built(tmp_path / "lake", tmp_path / "in")
    assert (report["ingest"]["found"], report["ingest"]["ignored"]) == (1, 2)
    assert "neither" in etlnarr("inspect", tmp_path / "in/pipe.avro", expect=2).stderr


def test_a_pattern_walks_the_folders_that_it_matches(tmp_path: Path) -> None:
    glucose(tmp_path / "in1/deep" / NAME)
    glucose(tmp_path / "in[2]" / NAME)
    assert built(tmp_path / "lake", tmp_path / "in*")["ingest"]["found"] == 2
    assert built(tmp_path / "lake", tmp_path / "in[2]")["ingest"]["found"] == 1  # what is there is no pattern


def test_a_lake_has_one_name_however_it_is_spelled(tmp_path: Path) -> None:
    glucose(tmp_path / "lake/raw" / NAME)
    first = json.loads(etlnarr("build", "--lake", tmp_path / "lake", "--json").stdout)
    assert len(first["export"]["written"]) == 1
    for spelled in ("./lake/", "lake/../lake", f"file://{tmp_path}/lake"):
        again = json.loads(etlnarr("build", "--lake", spelled, "--json", cwd=tmp_path).stdout)
        assert (again["ingest"]["known"], again["export"]["written"]) == (1, [])


def test_a_damaged_export_is_written_again(tmp_path: Path) -> None:
    glucose(tmp_path / "lake/raw" / NAME)
    built(tmp_path / "lake")
    before = fingerprint(tmp_path / "lake")
    (file,) = (tmp_path / "lake/training").rglob("*.jsonl")
    file.write_bytes(b"")
    assert len(built(tmp_path / "lake")["export"]["written"]) == 1
    assert fingerprint(tmp_path / "lake") == before


def test_a_late_upload_takes_its_row_from_another_month(tmp_path: Path) -> None:
    day = [(T0, T0 + DAY - 1, 8_000)]
    december = uploads.steps(day, fetched=T0 + 20 * DAY)
    november = uploads.steps(day, fetched=T0 + 2 * DAY)
    uploads.write(tmp_path / "lake/raw/StepsRecord_1764930000000.avro", "StepsRecord", december)
    built(tmp_path / "lake", month="2025-12")
    uploads.write(tmp_path / "lake/raw/StepsRecord_1763380800000.avro", "StepsRecord", november)
    report = built(tmp_path / "lake", month="2025-11")
    assert report["export"]["removed"] == 1
    assert [row["metadata"]["upload_timestamp_utc"][:7] for row in rows(tmp_path / "lake")] == ["2025-11"]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_order_of_arrival_leaves_no_trace_in_quarantine(order: tuple[str, str], tmp_path: Path) -> None:
    bodies = {"a": b"one", "b": b"two"}
    for name in order:
        folder = tmp_path / f"apart/lake/raw/{name}/2025/11/15"
        folder.mkdir(parents=True)
        (folder / "x.avro").write_bytes(bodies[name])
        built(tmp_path / "apart/lake")
    for name, body in bodies.items():
        folder = tmp_path / f"whole/lake/raw/{name}/2025/11/15"
        folder.mkdir(parents=True)
        (folder / "x.avro").write_bytes(body)
    built(tmp_path / "whole/lake")
    assert fingerprint(tmp_path / "apart/lake") == fingerprint(tmp_path / "whole/lake")
    assert len(fingerprint(tmp_path / "whole/lake", "quarantine")) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ETL_TRAINING_DATA_PREFIX", "/"),
        ("ETL_TRAINING_DATA_PREFIX", "../out/"),
        ("ETL_QUARANTINE_PREFIX", "raw/"),
        ("ETL_QUARANTINE_PREFIX", " "),
    ],
)
def test_a_prefix_leads_to_no_place_but_one_inside_the_lake(name: str, value: str, tmp_path: Path) -> None:
    done = etlnarr("build", tmp_path, "--lake", tmp_path / "lake", env={name: value}, expect=2)
    assert name in done.stderr


@pytest.mark.parametrize("lake", ["https://x/y", "ftp://x/y", "memory://x"])
def test_a_lake_is_a_folder_or_a_bucket(lake: str, tmp_path: Path) -> None:
    assert etlnarr("build", tmp_path, "--lake", lake, cwd=tmp_path, expect=2).stderr.count("\n") == 1


def test_a_url_is_printed_without_its_secret(tmp_path: Path) -> None:
    env = {"ETL_S3_ENDPOINT_URL": "http://127.0.0.1:9"}
    done = etlnarr("build", "--lake", "s3://KEY:hu/nter2@bucket", cwd=tmp_path, env=env, expect=None)
    assert done.returncode != 0
    assert "nter2" not in done.stdout + done.stderr


def test_an_unknown_field_of_an_item_may_have_any_name(tmp_path: Path) -> None:
    night = uploads.sleep(T0, [(240, "LIGHT"), (240, "DEEP")])
    schema = json.loads(json.dumps(SCHEMAS["SleepSessionRecord"]))
    (stages,) = [field["type"]["items"] for field in schema["fields"] if field["name"] == "stages"]
    stages["fields"] += [{"name": name, "type": "long"} for name in ("upload", "record", "item")]
    items = night["stages"]
    assert isinstance(items, list)
    named = [{**item, "upload": 7, "record": 8, "item": 9} for item in items if isinstance(item, dict)]
    path = tmp_path / "SleepSessionRecord_1763380800000.avro"
    path.write_bytes(avro.encode(schema, [{**night, "stages": named}], "null", uploads.SYNC))
    found = json.loads(etlnarr("inspect", path, "--json").stdout)
    assert found["clinical_insights"]["sleep_statistics"]["total_sleep_time"] == 480


def test_a_dry_run_says_what_would_be_done(tmp_path: Path) -> None:
    glucose(tmp_path / "lake/raw" / NAME)
    done = json.loads(etlnarr("build", "--lake", tmp_path / "lake", "--dry-run", "--json").stdout)
    assert (done["ingest"]["new"], done["validate"]["accepted"], done["narrate"]["told"]) == (1, 1, 1)
    assert len(done["export"]["written"]) == 1
    assert sorted(path.name for path in (tmp_path / "lake").iterdir()) == ["raw"]
    etlnarr("ingest", "--lake", tmp_path / "lake")
    before = (tmp_path / "lake/catalog.duckdb").read_bytes()
    done = json.loads(etlnarr("validate", "--lake", tmp_path / "lake", "--dry-run", "--json").stdout)
    assert done == {"accepted": 1, "quarantined": 0, "lost": 0}
    assert (tmp_path / "lake/catalog.duckdb").read_bytes() == before
    assert "26 uploads would be written" in etlnarr("samples", "--out", tmp_path / "out", "--dry-run").stdout
    assert not (tmp_path / "out").exists()
