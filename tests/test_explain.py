"""What a number was worked out from is told with it: so many readings, days, nights, pairs, facts of the person."""

import json
from pathlib import Path
from typing import Any

import pytest

from etlnarr import definitions
from etlnarr.model import PEOPLE, RecordType
from etlnarr.records import RECORD_TYPES, by_name
from etlnarr.stages.numbers import numbers
from etlnarr.wire import Metadata
from tests import uploads
from tests.command import SAMPLES, built, etlnarr, rows
from tests.uploads import DAY, HOUR, T0

NOUNS = {"readings", "records", "sessions", "days", "nights", "pairs", "excursions", "episodes", "stretches"}
NOUNS |= {"windows", "spans", "min", "periods", "facts of the person"}
EVERY = pytest.mark.parametrize("kind", RECORD_TYPES, ids=[kind.name for kind in RECORD_TYPES])


@EVERY
def test_what_counts_the_inputs_of_a_metric_is_a_metric_that_counts(kind: RecordType) -> None:
    units = {metric.path: metric.unit for metric in kind.metrics}
    paths = {*units, *(verdict.path for verdict in kind.verdicts)}
    for beginning, names in kind.inputs.items():
        assert names, beginning
        assert not beginning or any(path == beginning or path.startswith(f"{beginning}.") for path in paths), beginning
        for name in names:
            assert name in PEOPLE or units[name] in NOUNS, (beginning, name)


@EVERY
def test_a_metric_that_reckons_with_facts_of_the_person_names_them(kind: RecordType) -> None:
    for metric in kind.metrics:
        taken = set() if metric.expr is None else set(metric.expr.meta.root_names()) & set(PEOPLE)
        assert taken <= set(definitions.inputs(kind, metric.path)), metric.path


def test_every_number_of_every_synthetic_row_tells_how_much_it_was_worked_out_from(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("user_id,birth_year,sex,mass_kg,height_cm\nsample_data_user,1980,female,78,170\n")
    kinds = [word for kind in ("upload", "day", "night", "week", "month") for word in ("--per", kind)]
    etlnarr("build", SAMPLES, *kinds, "--month", "2025-11", "--lake", tmp_path, "--people", people)
    told = rows(tmp_path)
    assert len(told) > 150
    for row in told:
        metadata = Metadata.model_validate(row["metadata"])
        # no readings are handed over, so that a count that no metric knows would be 0
        for number in numbers(by_name[metadata.record_type], metadata, 0):
            assert number.inputs, number.path
            for one in number.inputs:
                assert one.count > 0 or number.path.startswith("withheld."), number.path
                assert one.noun in NOUNS, number.path


def explained(tmp_path: Path, kind: str, body: list[dict[str, Any]], *arguments: object) -> dict[str, list[str]]:
    """What each number of the row of an upload was worked out from, as noun and count."""
    upload = uploads.write(tmp_path / f"in/{kind}_1763380800000.avro", kind, body)
    built(tmp_path, upload, *arguments)
    (row,) = rows(tmp_path)
    asked = ("explain", row["metadata"]["example_id"], "--lake", tmp_path)
    done = json.loads(etlnarr(*asked, "--json").stdout)
    found = {one["path"]: [f"{i['noun']}: {i['count']:g}" for i in one["inputs"]] for one in done["numbers"]}
    text = etlnarr(*asked).stdout
    assert all(f"[{', '.join(inputs)}]" in text for inputs in found.values())
    return found


def test_an_average_of_complete_days_leaves_out_the_day_that_was_not_over(tmp_path: Path) -> None:
    midnight = T0 - 10 * HOUR - 3 * DAY
    whole = [(midnight + n * DAY, midnight + (n + 1) * DAY - 1, 6000 + 1000 * n) for n in range(4)]
    body = uploads.steps(whole[:3], modified=midnight + 4 * DAY)
    body += uploads.steps(whole[3:], modified=midnight + 3 * DAY + 9 * HOUR)
    found = explained(tmp_path, "StepsRecord", body)
    assert found["steps_statistics.daily_mean"] == ["days: 3"]
    assert found["steps_statistics.complete_days"] == ["days: 4"]
    assert found["steps_statistics.count"] == ["records: 4"]
    assert found["steps_statistics.latest.total"] == ["records: 1"]


def test_sleep_time_is_of_the_nights_with_stages_and_time_in_bed_of_all(tmp_path: Path) -> None:
    body = [uploads.sleep(T0 - n * DAY, [(200, "LIGHT"), (100, "DEEP"), (120, "REM")]) for n in (1, 2, 3)]
    body.append({**uploads.sleep(T0 - 4 * DAY, []), "endTimeEpochMillis": T0 - 4 * DAY + 8 * HOUR})
    found = explained(tmp_path, "SleepSessionRecord", body)
    assert found["sleep_statistics.total_sleep_time"] == ["nights: 3"]
    assert found["sleep_statistics.time_in_bed"] == ["nights: 4"]
    assert found["sleep_statistics.nights"] == ["sessions: 4"]
    assert found["clinical_assessment.sleep_duration"] == ["nights: 3"]


def test_the_mean_of_a_meal_is_of_the_readings_marked_with_it(tmp_path: Path) -> None:
    stick = {"specimen": "CAPILLARY_BLOOD", "source": "org.example.meter"}
    fasting = [(T0 - n * DAY, 95.0 + n) for n in range(2)]
    after = [(T0 - n * DAY + 4 * HOUR, 140.0 + n) for n in range(3)]
    body = uploads.glucose(fasting, relation="FASTING", **stick)  # type: ignore[arg-type]  # names of the function
    body += uploads.glucose(after, relation="AFTER_MEAL", **stick)  # type: ignore[arg-type]  # likewise
    found = explained(tmp_path, "BloodGlucoseRecord", body)
    assert found["glucose_statistics.mean"] == ["readings: 5"]
    assert found["meal_analysis.by_relation_to_meal.after_meal.mean"] == ["readings: 3"]
    assert found["meal_analysis.by_relation_to_meal.fasting.mean"] == ["readings: 2"]
