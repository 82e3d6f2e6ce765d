"""The apps that write records: their names, and what each of them cannot see."""

import re
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from etlnarr.model import Gate

DISPLAY_NAMES: Final = {
    "com.dexcom.": "Dexcom",
    "com.dexcom.stelo": "Dexcom Stelo",
    "com.dexcom.g7": "Dexcom G7",
    "com.google.android.apps.fitness": "Google Fit",
    "com.mysugr.android.companion": "mySugr",
    "com.ouraring.oura": "Oura",
    "com.sec.android.app.shealth": "Samsung Health",
    "com.withings.wiscale2": "Withings",
    "fi.polar.polarflow": "Polar Flow",
}
"""Names by the beginning of the package; the longest beginning decides."""

ALWAYS_UTC: Final = ("com.dexcom.",)
"""Beginnings of packages whose Z is no offset. Evidence: Z on 1,260 rows beside -05:00 of all other apps."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What a source cannot see in records of a type.

    Shapes: package is the beginning of a name; paths are those of metrics or verdicts, or beginnings of paths;
    in_part is the reason where sources without the habit speak too, when it is another.
    """

    package: str
    record_type: str
    paths: tuple[str, ...]
    reason: str
    needs: str
    evidence: str
    in_part: str = ""


STELO: Final = "com.dexcom.stelo"
STELO_RANGE: Final = "the source reports 70 to 250 mg/dL only"
STELO_IN_PART: Final = "one of the sources reports 70 to 250 mg/dL only"
STELO_EVIDENCE: Final = "LoopKit/G7SensorKit pull request 30: values below 70 seen live were absent from the export"

HOURS: Final = ("temporal_patterns.hourly_distribution", "temporal_patterns.peak_hour")

SOURCE_HABITS: Final = (
    Habit(
        STELO,
        "BloodGlucoseRecord",
        (
            "glucose_statistics.time_in_range.severe_hypoglycemia",
            "glucose_statistics.time_in_range.hypoglycemia",
            "glucose_statistics.time_in_range.below_range",
            "glucose_statistics.time_in_range.pregnancy_below_range",
            "glucose_statistics.hypoglycemic_events",
            "glucose_statistics.glycemic_variability.lbgi",
            "glucose_statistics.glycemic_variability.gri",
            "glucose_statistics.glycemic_variability.adrr",
            "temporal_patterns.nocturnal.below_70",
        ),
        STELO_RANGE,
        "a sensor that reports values below 70 mg/dL",
        STELO_EVIDENCE,
        STELO_IN_PART,
    ),
    Habit(
        STELO,
        "BloodGlucoseRecord",
        (
            "glucose_statistics.time_in_range.severe_hyperglycemia",
            "glucose_statistics.hyperglycemic_events.level_2",
            "glucose_statistics.hyperglycemic_events.extended",
            "glucose_statistics.hyperglycemic_events.highest",
            "glucose_statistics.hyperglycemic_events.readings_above_250",
            "glucose_statistics.glycemic_variability.hbgi",
        ),
        STELO_RANGE,
        "a sensor that reports values above 250 mg/dL",
        STELO_EVIDENCE,
        STELO_IN_PART,
    ),
    Habit(
        "com.dexcom.",
        "BloodGlucoseRecord",
        (),  # no metric is of the moment
        "the source keeps back its newest 3 hours",
        "the sensor's own app",
        "1,260 readings were written 180 to 185 minutes after they were taken",
    ),
    Habit(
        "com.sec.android.app.shealth",
        "SleepSessionRecord",
        (
            "sleep_statistics.sleep_onset_latency",
            "sleep_statistics.quality_score",
        ),
        "Samsung Health begins every session asleep, so the time of falling asleep is not known",
        "a device that records the time awake before sleep",
        "four of four sessions open with LIGHT, two of them before more than 30 minutes of AWAKE",
    ),
    Habit(
        "com.ouraring.oura",
        "SleepSessionRecord",
        (
            "sleep_statistics.awakenings",
            "sleep_statistics.awakenings_over_5_min",
            "sleep_statistics.waso",
            "sleep_statistics.quality_score",
        ),
        "Oura tells sleep in steps of 5 minutes, which miss short awakenings and stretch others",
        "a device that tells sleep in steps of a minute or less",
        "every stage but the last lasts a multiple of 5 minutes; 5 wake bouts where a 30 s device has 40",
    ),
    *(
        Habit(
            package,
            kind,
            paths,
            "the source gives one total for the day",
            needs,
            "each of the five records lasts from the start of the day to 23:59:59.999",
            "on some days the source gives only one total for the day",
        )
        for package in ("com.sec.android.app.shealth", "com.ouraring.oura")
        for kind, paths, needs in (
            ("StepsRecord", (*HOURS, "steps_statistics.sedentary"), "records of an hour or less"),
            ("StepsRecord", ("steps_statistics.cadence",), "records of a minute"),
            ("ActiveCaloriesBurnedRecord", HOURS, "records of an hour or less"),
            (
                "ActiveCaloriesBurnedRecord",
                ("energy_statistics.intensity", "energy_statistics.sessions"),
                "records of 10 minutes or less",
            ),
        )
    ),
)
"""One entry per habit; its paths are withheld when the source is the chosen one."""


def habit_gates(record_type: str) -> tuple[tuple[str, Gate], ...]:
    """Return the gates of sources by the path, or the beginning of a path, that they concern.

    Shapes: each passes over a row whose column source holds the chosen packages, separated by spaces.
    """
    return tuple(
        (path, gate)
        for habit in SOURCE_HABITS
        if habit.record_type == record_type
        for gate in _gates(habit)
        for path in habit.paths
    )


def _gates(habit: Habit) -> tuple[Gate, ...]:
    """Gate what a source cannot see: where it speaks alone, or with others of the same habit, and where it does not."""
    chosen = pl.concat_str(pl.lit(" "), "source")
    plain = Gate(~chosen.str.contains(f" {habit.package}", literal=True), habit.reason, habit.needs)
    if not habit.in_part:
        return (plain,)
    alike = {h.package for h in SOURCE_HABITS if (h.record_type, h.reason) == (habit.record_type, habit.reason)}
    alone = chosen.str.contains(rf"^(?: (?:{'|'.join(map(re.escape, sorted(alike)))})\S*)+$")
    return Gate(~alone, habit.reason, habit.needs), replace(plain, reason=habit.in_part)


def display_name(package: str) -> str:
    """Return the name under which people know an app, the package itself where none is known."""
    known = [start for start in DISPLAY_NAMES if package.startswith(start)]
    return DISPLAY_NAMES[max(known, key=len)] if known else package
