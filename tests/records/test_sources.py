import polars as pl
import pytest

from etlnarr.insights import claims_of
from etlnarr.records import RECORD_TYPES, by_name
from etlnarr.records.sources import ALWAYS_UTC, SOURCE_HABITS, Habit, display_name, habit_gates

SAMSUNG = "com.sec.android.app.shealth"
OURA = "com.ouraring.oura"
STELO = "com.dexcom.stelo"
LATENCY = "sleep_statistics.sleep_onset_latency"
WASO = "sleep_statistics.waso"


def hidden(record_type: str, source: str) -> set[str]:
    """The paths that are withheld when a source speaks."""
    row = pl.DataFrame({"source": [source]})
    return {path for path, gate in habit_gates(record_type) if not row.select(gate.passes).item()}


@pytest.mark.parametrize(
    ("record_type", "source", "path", "seen"),
    [
        ("SleepSessionRecord", SAMSUNG, LATENCY, False),
        ("SleepSessionRecord", SAMSUNG, WASO, True),
        ("SleepSessionRecord", SAMSUNG, "sleep_statistics.rem_latency", True),
        ("SleepSessionRecord", OURA, LATENCY, True),
        ("SleepSessionRecord", OURA, WASO, False),
        ("SleepSessionRecord", "com.withings.wiscale2", LATENCY, True),
        ("StepsRecord", SAMSUNG, "temporal_patterns.hourly_distribution", False),
        ("StepsRecord", "com.google.android.apps.fitness", "temporal_patterns.hourly_distribution", True),
        ("ActiveCaloriesBurnedRecord", OURA, "energy_statistics.sessions", False),
        ("BloodGlucoseRecord", STELO, "glucose_statistics.time_in_range.below_range", False),
        ("BloodGlucoseRecord", "com.dexcom.g7", "glucose_statistics.time_in_range.below_range", True),
    ],
)
def test_a_source_hides_what_it_cannot_see(record_type: str, source: str, path: str, seen: bool) -> None:
    assert (path not in hidden(record_type, source)) is seen


FIT = "com.google.android.apps.fitness"


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        (SAMSUNG, "the source gives one total for the day"),
        (f"{OURA} {SAMSUNG}", "the source gives one total for the day"),
        (f"{FIT} {SAMSUNG}", "on some days the source gives only one total for the day"),
        (f"{OURA} {FIT} {SAMSUNG}", "on some days the source gives only one total for the day"),
        (f"{OURA} org.example.app", "on some days the source gives only one total for the day"),
        (FIT, None),
    ],
)
@pytest.mark.parametrize("kind", ["StepsRecord", "ActiveCaloriesBurnedRecord"])
def test_a_mix_of_sources_has_its_own_reason(kind: str, chosen: str, reason: str | None) -> None:
    row = pl.DataFrame({"source": [chosen]})
    gates = [gate for path, gate in habit_gates(kind) if path == "temporal_patterns.peak_hour"]
    failed = [gate.reason for gate in gates if not row.select(gate.passes).item()]
    assert failed[:1] == ([] if reason is None else [reason])


@pytest.mark.parametrize("habit", SOURCE_HABITS, ids=lambda habit: f"{habit.package} {habit.record_type}")
def test_a_habit_is_whole_and_concerns_what_is_declared(habit: Habit) -> None:
    assert habit.reason
    assert habit.needs
    assert habit.evidence
    declared = [claim.path for claim in claims_of(by_name[habit.record_type], ())]
    for path in habit.paths:
        assert any(each == path or each.startswith(f"{path}.") for each in declared), path


def test_what_no_type_has_is_hidden_by_no_source() -> None:
    assert habit_gates("WeightRecord") == ()
    assert {habit.record_type for habit in SOURCE_HABITS} <= {kind.name for kind in RECORD_TYPES}


@pytest.mark.parametrize(
    ("package", "name"),
    [
        (SAMSUNG, "Samsung Health"),
        (OURA, "Oura"),
        (STELO, "Dexcom Stelo"),
        ("com.dexcom.one", "Dexcom"),
        ("org.example.app", "org.example.app"),
    ],
)
def test_apps_have_names_and_others_their_package(package: str, name: str) -> None:
    assert display_name(package) == name


def test_dexcom_writes_z_whatever_the_zone() -> None:
    assert STELO.startswith(ALWAYS_UTC)
    assert not SAMSUNG.startswith(ALWAYS_UTC)
