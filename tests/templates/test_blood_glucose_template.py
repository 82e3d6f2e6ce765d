"""The narrative of glucose: what each kind of upload is told, and what it is not."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from etlnarr import prose
from etlnarr.metrics import glucose_gates as gates
from etlnarr.model import Json
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from etlnarr.stages.narrate import styles, vocabulary

NAME: Final = "blood_glucose.jinja"
TEMPLATES: Final = prose.load(Path(__file__).parents[2] / "templates")
MOST: Final = 6  # phrasings of one tag
STATISTICS: Final = "glucose_statistics"
RANGE: Final = f"{STATISTICS}.time_in_range"
ASSESSMENT: Final = "clinical_assessment"
G7: Final[Json] = {"package": "com.dexcom.g7", "name": "Dexcom G7", "records": 3529, "chosen": True}
METER: Final[Json] = {"package": "org.example.meter", "name": "Meter", "records": 17, "chosen": False}
MARKS: Final = ("fasting", "before_meal", "after_meal", "general")
MEALS: Final = ("breakfast", "lunch", "dinner", "snack")

LONG: Final[dict[str, Json]] = {
    "period": {
        "start": "2025-10-20T00:01:35", "end": "2025-11-03T14:21:35", "span_hours": 350.333,
        "offset": "UTC-05:00", "offset_source": "inferred",
    },
    "sources": {"primary": G7, "chosen": [G7], "others": []},
    "series": [{"label": "2025-10-20", "n": 264, "mean": 159.02, "lowest": 49.0, "highest": 361.0}],
    "silences": [],
    "recommendations": ["discuss_lows", "discuss_time_in_range"],
    "recommendations_on": True,
    STATISTICS: {
        "count": 3529, "mean": 162.29, "median": 140.0, "min": 49.0, "max": 361.0, "std": 85.3, "cv": 52.57,
        "gmi": 7.19, "estimated_hba1c": 7.28,
        "coverage": {"active_percent": 97.24, "days": 14.6, "gaps": 16, "grade": "A"},
        "time_in_range": {
            "severe_hypoglycemia": 8.16, "hypoglycemia": 9.89, "target_range": 42.22, "hyperglycemia": 18.84,
            "severe_hyperglycemia": 20.88, "tight_range": 32.02, "below_range": 18.05, "above_range": 39.73,
            "pregnancy_range": 33.95,
        },
        "hypoglycemic_events": {
            "level_1": 20, "level_2": 18, "extended": 11, "ongoing": 2, "readings_below_70": 637,
            "readings_below_54": 288,
        },
        "hyperglycemic_events": {
            "level_1": 32, "level_2": 33, "ongoing": 3, "readings_above_180": 1402, "readings_above_250": 737,
        },
        "glycemic_variability": {"mage": 211.6},
    },
    "temporal_patterns": {
        "interval_minutes": 5.0, "peak_glucose_hour": 20,
        "nocturnal": {"count": 917, "mean": 82.9, "below_70": 49.9},
        "dawn_phenomenon": {"elevation": 28.5, "nights": 9, "frequency": 88.9},
    },
    "meal_analysis": None,
    ASSESSMENT: {
        "stability": "labile", "time_in_range_target": "below", "time_below_range_target": "above",
        "time_above_range_target": "above", "older_time_in_range_target": "below",
        "older_time_below_range_target": "above", "pregnancy_time_in_range_target": "below",
    },
}  # fmt: skip
OLDER: Final = frozenset(f"{ASSESSMENT}.older_time_{name}_range_target" for name in ("in", "below"))
PREGNANT: Final = frozenset({f"{ASSESSMENT}.pregnancy_time_in_range_target"})
ADULT: Final = frozenset(f"{ASSESSMENT}.time_{name}_range_target" for name in ("in", "below", "above"))
JUDGED: Final = frozenset({ASSESSMENT, f"{STATISTICS}.gmi", f"{STATISTICS}.estimated_hba1c"})
LOWS: Final = frozenset({f"{RANGE}.{name}" for name in ("below_range", "hypoglycemia", "severe_hypoglycemia")}) | {
    f"{RANGE}.severe_hyperglycemia", f"{STATISTICS}.hypoglycemic_events", f"{STATISTICS}.hyperglycemic_events.level_2",
    f"{STATISTICS}.hyperglycemic_events.readings_above_250",
}  # fmt: skip
EVENTS: Final = frozenset(f"{STATISTICS}.hyp{kind}glycemic_events.level_{n}" for kind in ("o", "er") for n in (1, 2))
DESCRIBED: Final = JUDGED | EVENTS | {RANGE, f"{STATISTICS}.std", f"{STATISTICS}.cv", "temporal_patterns.nocturnal",
    "temporal_patterns.dawn_phenomenon", "temporal_patterns.peak_glucose_hour", f"{STATISTICS}.glycemic_variability",
}  # fmt: skip
GAP: Final[dict[str, Json]] = {"reason": "the sensor readings span less than 10 days", "needs": "10 days of readings"}
BLIND: Final[dict[str, Json]] = {"reason": "the source reports 70 to 250 mg/dL only", "needs": "another sensor"}
SINGLE: Final[dict[str, Json]] = {"reason": gates.NO_TRACE[0], "needs": gates.NO_TRACE[1]}
PERSON: Final[dict[str, Json]] = {"reason": gates.DIABETES.reason, "needs": gates.DIABETES.needs}
LOW: Final = {"path": f"{RANGE}.below_range"}
HBA1C: Final = {"path": f"{STATISTICS}.estimated_hba1c"}
DAY: Final[dict[str, Json]] = {"start": "2025-10-31T17:25:51", "span_hours": 69.0}
UNKNOWN: Final[dict[str, Json]] = {"offset": None, "offset_source": None}
NO_CLOCK: Final[dict[str, Json]] = {
    "peak_glucose_hour": None, "nocturnal": {"mean": None, "below_70": None}, "dawn_phenomenon": {"elevation": None},
}  # fmt: skip
NO_TRACE: Final[dict[str, Json]] = {"active_percent": None, "days": None, "gaps": None, "grade": None}


def _marked(counts: tuple[int, int, int, int]) -> dict[str, Json]:
    def groups(names: tuple[str, ...]) -> dict[str, Json]:
        means = (191.5, 216.5, 261.5, 185.5)
        return {
            name: {"count": n, "mean": mean if n else None, "min": mean - 8 if n else None, "max": mean + 8 if n else None}
            for name, n, mean in zip(names, counts, means, strict=True)
        }

    return {"by_relation_to_meal": groups(MARKS), "by_meal_type": groups(MEALS)}


def _with(values: Mapping[str, Json], changes: Mapping[str, Json]) -> dict[str, Json]:
    """Return the tree with the leaves of another put into it."""
    merged = dict(values)
    for name, new in changes.items():
        old = merged.get(name)
        merged[name] = _with(old, new) if isinstance(old, dict) and isinstance(new, dict) else new
    return merged
