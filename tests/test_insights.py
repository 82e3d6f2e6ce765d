from dataclasses import replace

import polars as pl
import pytest

from etlnarr import insights
from etlnarr.model import Gate, Metric, RecordType
from etlnarr.records.steps import STEPS_RECORD
from etlnarr.wire import Withheld

DEEP = Metric("group.deep.value", "", 0, "", "", undefined=("none is there", "one"))
GATES = (Gate(pl.lit(value=True), "first", "a"), Gate(pl.lit(value=False), "next", "b"))
GATED = Metric("group.gated", "", 0, "", "", gates=GATES)


def of(*metrics: Metric) -> RecordType:
    return replace(STEPS_RECORD, metrics=metrics, verdicts=(), recommendations=())


def row(values: dict[str, float | None], failed: dict[str, int]) -> pl.DataFrame:
    gates = {f"gate|{path}": failed.get(path) for path in values}
    return pl.DataFrame({"subject": 1, **values, **gates})


def test_values_are_nested_and_what_keeps_them_from_being_stated_is_told() -> None:
    (found,) = insights.unfold(of(DEEP, GATED), row({DEEP.path: None, GATED.path: 2.0}, {GATED.path: 1}), ())
    assert found.clinical == {"group": {"deep": {"value": None}, "gated": 2.0}}
    assert found.withheld == [
        Withheld(path=DEEP.path, reason="none is there", needs="one"),
        Withheld(path=GATED.path, reason="next", needs="b"),
    ]


@pytest.mark.parametrize("paths", [("group", "group.deep.value"), ("group.deep.value", "group.deep"), ("a.b.c", "a")])
def test_a_path_is_a_value_or_a_group(paths: tuple[str, ...]) -> None:
    kind = of(*(replace(DEEP, path=path) for path in paths))
    with pytest.raises(TypeError, match="is a value and a group"):
        list(insights.unfold(kind, row(dict.fromkeys(paths, 1.0), {}), ()))
