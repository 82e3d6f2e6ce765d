import polars as pl
import pytest

from etlnarr import local_time

HOUR = 3_600_000
DAY = 24 * HOUR
NOON_UTC = 1_758_369_600_000  # 2025-09-20T12:00:00Z
MUTE = ("com.dexcom.",)


def frame(*rows: tuple[str, str, int, int, str | None]) -> pl.DataFrame:
    schema = {"user_id": pl.String, "source": pl.String, "start": pl.Int64, "end": pl.Int64, "offset": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def resolved(
    readings: pl.DataFrame, lent: pl.DataFrame, zones: dict[str, str] | None = None
) -> list[tuple[object, ...]]:
    lending = local_time.lending(lent.select("source", "offset").unique(), MUTE)
    lenders = lent.join(lending, on=["source", "offset"]).select("user_id", "start", "end", "offset_s").sort("start")
    out = local_time.resolve(local_time.own(readings, MUTE), zones or {}, lenders)
    return out.select("offset_s", "offset_origin").rows()


@pytest.mark.parametrize(
    ("text", "east"),
    [("-05:00", -18_000), ("+05:30", 19_800), ("Z", 0), ("UTC", 0), ("UTC+01:00", 3_600), ("+0200", 7_200),
     ("+01:00:30", 3_630), ("+18:00", 64_800), ("+99:99", None), ("-18:01", None), ("Europe/Paris", None), ("", None)],
)  # fmt: skip
def test_offset_texts(text: str, east: int | None) -> None:
    assert pl.select(local_time.seconds(pl.lit(text))).item() == east


def test_own_offset_is_never_overridden() -> None:
    own = frame(("u", "app", NOON_UTC, NOON_UTC, "-05:00"))
    lent = frame(("u", "other", NOON_UTC, NOON_UTC, "+02:00"))
    assert resolved(own, lent) == [(-18_000, "record")]


def test_z_of_an_honest_source_is_taken_at_its_word() -> None:
    own = frame(("u", "app", NOON_UTC, NOON_UTC, "Z"))
    assert resolved(own, frame(("u", "other", NOON_UTC, NOON_UTC, "+02:00"))) == [(0, "record")]


def test_z_of_a_mute_source_borrows_from_the_nearest() -> None:
    own = frame(("u", "com.dexcom.stelo", NOON_UTC, NOON_UTC, "Z"))
    lent = frame(
        ("u", "a", NOON_UTC - 3 * HOUR, NOON_UTC - 3 * HOUR, "+02:00"),
        ("u", "b", NOON_UTC + HOUR, NOON_UTC + HOUR, "-05:00"),
        ("u", "com.dexcom.stelo", NOON_UTC, NOON_UTC, "Z"),
        ("someone else", "c", NOON_UTC, NOON_UTC, "+09:00"),
    )
    assert resolved(own, lent) == [(-18_000, "inferred")]


def test_an_overlapping_lender_is_nearer_than_any_other() -> None:
    own = frame(("u", "com.dexcom.g7", NOON_UTC, NOON_UTC, "Z"))
    lent = frame(
        ("u", "a", NOON_UTC - 8 * HOUR, NOON_UTC + HOUR, "+02:00"), ("u", "b", NOON_UTC + 1, NOON_UTC + 1, "+03:00")
    )
    assert resolved(own, lent) == [(7_200, "inferred")]


def test_a_long_lender_is_not_hidden_by_a_later_short_one() -> None:
    own = frame(("u", "com.dexcom.g7", NOON_UTC, NOON_UTC, "Z"))
    lent = frame(
        ("u", "a", NOON_UTC - 8 * HOUR, NOON_UTC + HOUR, "+02:00"),
        ("u", "b", NOON_UTC - 4 * HOUR, NOON_UTC - 4 * HOUR, "+03:00"),
    )
    assert resolved(own, lent) == [(7_200, "inferred")]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_lender_on_either_side_alone_is_enough(hours: int) -> None:
    own = frame(("u", "com.dexcom.g7", NOON_UTC, NOON_UTC, "Z"))
    lent = frame(("u", "a", NOON_UTC + hours * HOUR, NOON_UTC + hours * HOUR, "+02:00"))
    assert resolved(own, lent) == [(7_200, "inferred")]


def test_a_lender_of_another_day_is_too_far() -> None:
    own = frame(("u", "com.dexcom.g7", NOON_UTC, NOON_UTC, "Z"))
    assert resolved(own, frame(("u", "a", NOON_UTC - DAY, NOON_UTC - DAY, "+02:00"))) == [(None, None)]
    assert resolved(own, frame()) == [(None, None)]


def test_no_offset_is_no_claim() -> None:
    own = frame(("u", "app", NOON_UTC, NOON_UTC, None))
    assert resolved(own, frame(("u", "a", NOON_UTC, NOON_UTC, "+02:00"))) == [(None, None)]


def test_the_zone_of_the_person_decides_on_both_sides_of_a_clock_change() -> None:
    before, after = 1_762_063_200_000, 1_762_070_400_000  # 2025-11-02, 06:00Z and 08:00Z, around 07:00Z
    own = frame(
        ("u", "app", before, before, "+09:00"),
        ("u", "com.dexcom.g7", after, after, "Z"),
        ("v", "app", after, after, "Z"),
    )
    assert resolved(own, frame(), {"u": "America/Chicago"}) == [
        (-18_000, "setting"), (-21_600, "setting"), (0, "record")
    ]  # fmt: skip
