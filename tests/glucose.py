"""Rows of glucose: what is worked out, and what is withheld, for hand-made readings."""

from etlnarr import insights
from etlnarr.model import Batch
from etlnarr.records import sources
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from tests.traces import DAY, MINUTE, at_steps

STATISTICS = "glucose_statistics"
VARIABILITY = f"{STATISTICS}.glycemic_variability"
TIR = f"{STATISTICS}.time_in_range"
HYPO = f"{STATISTICS}.hypoglycemic_events"
HYPER = f"{STATISTICS}.hyperglycemic_events"
COVERAGE = f"{STATISTICS}.coverage"
PATTERNS = "temporal_patterns"
ASSESSMENT = "clinical_assessment"
STELO = "com.dexcom.stelo"
HABITS = sources.habit_gates(BLOOD_GLUCOSE.name)


def row_of(whole: Batch) -> dict[str, object]:
    """The row of the only subject."""
    return insights.evaluate(BLOOD_GLUCOSE, whole, HABITS).row(0, named=True)


def silences(whole: Batch) -> dict[str, str]:
    """Reasons by the path that is withheld."""
    (found,) = insights.unfold(BLOOD_GLUCOSE, insights.evaluate(BLOOD_GLUCOSE, whole, HABITS), HABITS)
    return {entry.path: entry.reason for entry in found.withheld}


def days(number: float, value: float = 110.0, every: int = 5 * MINUTE) -> list[tuple[int, float | None]]:
    """A trace in range that is not flat."""
    return at_steps([value + n % 12 for n in range(round(number * DAY / every))], every)
