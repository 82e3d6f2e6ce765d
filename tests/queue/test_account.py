"""What became of an upload, by whatever a person has in hand of it."""

from pathlib import Path

from tests import uploads
from tests.command import etlnarr
from tests.queue.world import World
from tests.uploads import MINUTE, T0

TRACE = uploads.glucose([(T0 + n * 5 * MINUTE, 110.0 + n % 7) for n in range(200)])


def written(world: World, name: str, part: slice) -> Path:
    return uploads.write(world.where / f"BloodGlucoseRecord_{name}.avro", "BloodGlucoseRecord", TRACE[part])


def test_an_upload_is_accounted_for_by_whatever_names_it(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(written(world, "whole", slice(None)), "somebody")
    world.publish(told)
    world.drain()
    (row,) = world.rows()
    key, content = str(told["key"]), str(told["content_hash"])
    asked = [key, f"health-data/{key}", str(told["correlation_id"]), content, content[:16].upper()]
    answers = [world.run("explain", one) for one in asked]
    assert all(answer == answers[0] for answer in answers)
    ((account,),) = answers[:1]
    assert account["upload"] == row["metadata"]["uploads"][0]
    assert (account["state"], account["correlation_id"]) == ("told", told["correlation_id"])
    assert account["explanation"] == world.run("explain", row["metadata"]["example_id"])
    assert row["metadata"]["example_id"] in etlnarr("explain", key, cwd=world.where, env=world.env).stdout


def test_an_upload_without_a_row_says_why(world: World) -> None:
    world.run("queue", "setup")
    half, other, repeat, cut = (
        written(world, name, part)
        for name, part in {
            "half": slice(120), "other": slice(120, 200), "repeat": slice(100, 160), "cut": slice(10),
        }.items()
    )  # fmt: skip
    cut.write_bytes(cut.read_bytes()[:-20])
    first, second, third, fourth = (
        world.put(file, name=f"u1_{1763208000 + n}", upload_timestamp_utc=f"2025-11-15T12:00:0{n}Z")
        for n, file in enumerate((half, other, repeat, cut))
    )
    world.publish(first, second, third, fourth)
    world.drain()
    (superseded,) = world.run("explain", third["correlation_id"])
    assert (superseded["state"], superseded["rows"]) == ("superseded", [])
    assert [(one["source_s3_key"], one["records"]) for one in superseded["superseded_by"]] == [
        (first["key"], 20), (second["key"], 40),
    ]  # fmt: skip
    (quarantined,) = world.run("explain", fourth["key"])
    assert (quarantined["state"], quarantined["reason"]) == ("quarantined", "truncated")
    assert (world.lake / quarantined["quarantine_key"]).exists()
    text = etlnarr("explain", str(fourth["key"]), cwd=world.where, env=world.env).stdout
    assert "quarantined: truncated" in text
    world.run("ingest", written(world, "new", slice(50)))
    assert [one["state"] for one in world.run("explain", "BloodGlucoseRecord_new.avro")] == ["waiting"]


def test_an_upload_that_is_told_in_windows_names_them(world: World) -> None:
    world.run("queue", "setup")
    told = world.put(written(world, "whole", slice(None)))
    world.publish(told)
    world.drain("--per", "day")
    (account,) = world.run("explain", told["key"])
    assert account["state"] == "told"
    assert account["explanation"] is None
    rows = {row["metadata"]["example_id"]: row["metadata"]["subject"]["key"] for row in world.rows()}
    assert {row["example_id"]: row["key"] for row in account["rows"]} == rows


def test_what_nobody_knows_is_said_in_one_line_that_names_nobody(world: World) -> None:
    world.run("queue", "setup")
    world.publish(world.put(written(world, "whole", slice(None))))
    world.drain()
    done = etlnarr("explain", "raw/StepsRecord/somebody_1.avro", cwd=world.where, env=world.env, expect=2)
    assert "no row and no upload" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "somebody" not in done.stderr
