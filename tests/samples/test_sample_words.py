"""Across the synthetic uploads every word occurs that a verdict can be."""

from collections import defaultdict
from pathlib import Path

from pydantic import JsonValue

from etlnarr.records import RECORD_TYPES
from tests.command import SAMPLES, etlnarr, rows

PERSON = "user_id,birth_year,sex,diabetes,mass_kg,height_cm\nsample_data_user,1980,female,t2,78,170\n"
ELSEWHERE = {
    "older_time_in_range_target": "an older person",
    "older_time_below_range_target": "an older person",
    "pregnancy_time_in_range_target": "a pregnancy",
    "control_quality": "no sentence speaks of it",
}
TIE = "at"  # a share that equals its target to the last digit


def words(insights: JsonValue, path: str) -> set[str]:
    for part in path.split("."):
        insights = insights.get(part) if isinstance(insights, dict) else None
    return {insights} if isinstance(insights, str) else set()


def test_every_word_that_a_template_can_speak_occurs(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(PERSON)
    etlnarr("build", SAMPLES, "--month", "2025-11", "--lake", tmp_path, "--people", people)
    stated: dict[str, set[str]] = defaultdict(set)
    for row in rows(tmp_path):
        told = row["metadata"]
        withheld = {entry["path"] for entry in told["withheld"]}
        kind = next(kind for kind in RECORD_TYPES if kind.name == told["record_type"])
        for verdict in kind.verdicts:
            if verdict.path not in withheld:
                stated[f"{kind.name}.{verdict.path}"] |= words(told["clinical_insights"], verdict.path)
    missing = {
        f"{kind.name}.{verdict.path}": lost
        for kind in RECORD_TYPES
        for verdict in kind.verdicts
        if verdict.path.rsplit(".", 1)[-1] not in ELSEWHERE
        and (lost := {band[0] for band in verdict.bands} - {TIE} - stated[f"{kind.name}.{verdict.path}"])
    }
    assert missing == {}
