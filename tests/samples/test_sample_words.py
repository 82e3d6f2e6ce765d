"""Across the synthetic uploads every word occurs that a verdict can be."""

from collections import defaultdict
from pathlib import Path

from pydantic import JsonValue

from etlnarr.records import RECORD_TYPES
from tests.command import SAMPLES, etlnarr, rows

HEAD = "user_id,birth_year,sex,diabetes,pregnant,mass_kg,height_cm"
PEOPLE = ("1980,female,t2,,78,170", "1950,female,t2,,78,170", "1990,female,t1,true,78,170")
"""What may be known of the person of the samples: targets differ for older people and in pregnancy."""

UNSPOKEN = {"control_quality", "j_index", "lbgi_risk", "hbgi_risk", "adrr_risk"}
TIE = "at"  # a share that equals its target to the last digit


def words(insights: JsonValue, path: str) -> set[str]:
    for part in path.split("."):
        insights = insights.get(part) if isinstance(insights, dict) else None
    return {insights} if isinstance(insights, str) else set()


def test_every_word_that_a_template_can_speak_occurs(tmp_path: Path) -> None:
    told_of = []
    for person in PEOPLE:
        people = tmp_path / "people.csv"
        people.write_text(f"{HEAD}\nsample_data_user,{person}\n")
        etlnarr("build", SAMPLES, "--month", "2025-11", "--lake", tmp_path, "--people", people)
        told_of += rows(tmp_path)
    stated: dict[str, set[str]] = defaultdict(set)
    for row in told_of:
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
        if verdict.path.rsplit(".", 1)[-1] not in UNSPOKEN
        and (lost := {band[0] for band in verdict.bands} - {TIE} - stated[f"{kind.name}.{verdict.path}"])
    }
    assert missing == {}
