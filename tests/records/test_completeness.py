"""A record type is whole: nothing that one part speaks of is missing in another."""

import re
from pathlib import Path

import pytest

from etlnarr import prose
from etlnarr.model import RecordType
from etlnarr.records import RECORD_TYPES
from tests.command import ROOT

TEMPLATES = ROOT / "templates"
CASES = ROOT / "tests/cases"
EVERY = pytest.mark.parametrize("kind", RECORD_TYPES, ids=[kind.name for kind in RECORD_TYPES])


def test_the_six_types_of_the_specification_are_told() -> None:
    assert {kind.name: kind.category for kind in RECORD_TYPES} == {
        "BloodGlucoseRecord": "metabolic_diabetes",
        "HeartRateRecord": "cardiovascular_fitness",
        "SleepSessionRecord": "sleep_recovery",
        "StepsRecord": "physical_activity",
        "ActiveCaloriesBurnedRecord": "energy_metabolism",
        "HeartRateVariabilityRmssdRecord": "autonomic_health",
    }


@EVERY
def test_template_and_case_are_there(kind: RecordType) -> None:
    assert kind.template in prose.load(TEMPLATES).stories
    assert (CASES / f"{kind.name}.json").is_file()


@EVERY
def test_every_path_is_declared_once_and_every_mention_is_declared(kind: RecordType) -> None:
    metrics = [metric.path for metric in kind.metrics]
    verdicts = [verdict.path for verdict in kind.verdicts]
    assert len({*metrics, *verdicts}) == len(metrics) + len(verdicts)
    assert {verdict.metric for verdict in kind.verdicts} <= set(metrics)
    assert set(kind.silences) <= {*metrics, *verdicts}
    assert {advice.follows for advice in kind.recommendations} <= {*metrics, *verdicts}


@EVERY
def test_every_metric_says_what_it_is(kind: RecordType) -> None:
    for metric in kind.metrics:
        assert metric.definition, metric.path
        assert metric.source, metric.path
        assert all(metric.undefined), metric.path
        assert all(gate.reason and gate.needs for gate in metric.gates), metric.path


@EVERY
def test_the_template_can_speak_of_every_silence_and_recommendation(kind: RecordType) -> None:
    text = (TEMPLATES / kind.template).read_text(encoding="utf-8")
    macros = set(re.findall(r"macro (\w+)", text)) | set(
        re.findall(r"import (.*?)%}", text)[0].replace(",", " ").split()
    )
    assert {f"silence_{path.rsplit('.', 1)[-1]}" for path in kind.silences} <= macros
    assert {advice.name for advice in kind.recommendations} <= macros


@EVERY
def test_rules_have_names_of_their_own(kind: RecordType) -> None:
    names = [rule.name for rule in kind.rules]
    assert len(set(names)) == len(names)
    assert {rule.kind for rule in kind.rules} <= {"completeness", "physiological", "temporal"}


def test_no_file_of_a_record_type_is_forgotten() -> None:
    assert {file.stem for file in CASES.glob("*.json")} == {kind.name for kind in RECORD_TYPES}
    assert {file.name for file in Path(TEMPLATES).glob("*.jinja")} == {
        "shared.jinja",
        *(k.template for k in RECORD_TYPES),
    }
