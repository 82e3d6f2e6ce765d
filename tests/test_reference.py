"""Traces written as Avro give the values of several toolboxes, through the whole command."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests import uploads
from tests.command import etlnarr

FOLDER = Path(__file__).parent / "reference"
VALUES = json.loads((FOLDER / "values.json").read_text(encoding="utf-8"))
GLUCOSE = "glucose_statistics"
VARIABILITY = f"{GLUCOSE}.glycemic_variability"
PATHS = {
    "mean": f"{GLUCOSE}.mean",
    "sd": f"{GLUCOSE}.std",
    "cv_pct": f"{GLUCOSE}.cv",
    "gmi_pct": f"{GLUCOSE}.gmi",
    "ea1c_adag_pct": f"{GLUCOSE}.estimated_hba1c",
    "pct_lt54": f"{GLUCOSE}.time_in_range.severe_hypoglycemia",
    "pct_54_69": f"{GLUCOSE}.time_in_range.hypoglycemia",
    "pct_70_180": f"{GLUCOSE}.time_in_range.target_range",
    "pct_181_250": f"{GLUCOSE}.time_in_range.hyperglycemia",
    "pct_gt250": f"{GLUCOSE}.time_in_range.severe_hyperglycemia",
    "titr_70_140": f"{GLUCOSE}.time_in_range.tight_range",
    "modd": f"{VARIABILITY}.modd",
    "conga1": f"{VARIABILITY}.conga_1",
    "conga2": f"{VARIABILITY}.conga_2",
    "conga4": f"{VARIABILITY}.conga_4",
    "conga24": f"{VARIABILITY}.conga_24",
    "j_index": f"{VARIABILITY}.j_index",
    "lbgi": f"{VARIABILITY}.lbgi",
    "hbgi": f"{VARIABILITY}.hbgi",
    "gri": f"{VARIABILITY}.gri",
    "auc_hourly_avg": f"{VARIABILITY}.auc_hourly",
    "auc_total_mgdl_h": f"{VARIABILITY}.auc",
    "active_pct": f"{GLUCOSE}.coverage.active_percent",
    "n_hypo_l1": f"{GLUCOSE}.hypoglycemic_events.level_1",
    "n_hypo_l1_excl": f"{GLUCOSE}.hypoglycemic_events.level_1_exclusive",
    "n_hypo_l2": f"{GLUCOSE}.hypoglycemic_events.level_2",
    "n_hypo_extended": f"{GLUCOSE}.hypoglycemic_events.extended",
    "n_hyper_l1": f"{GLUCOSE}.hyperglycemic_events.level_1",
    "n_hyper_l2": f"{GLUCOSE}.hyperglycemic_events.level_2",
    "n_hyper_extended": f"{GLUCOSE}.hyperglycemic_events.extended",
}
TOLERANCES = {"lbgi": 5e-5, "hbgi": 5e-5}
FROM_TOOLBOXES = {"mage": ("iglu-R(ma,avg)", 0.05), "adrr": ("py-agata", 1e-6)}
TRACES = ["cgm_14d_5min", "cgm_band_edges_1d"]


def inspected(path: Path) -> dict[str, Any]:
    return dict(json.loads(etlnarr("inspect", path, "--json", "--tz", "UTC").stdout))


def at(insights: Any, path: str) -> Any:
    for part in path.split("."):
        insights = insights[part]
    return insights


def lines(name: str) -> Iterable[dict[str, str]]:
    with (FOLDER / "traces" / f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("name", TRACES)
def test_a_glucose_trace_agrees_with_the_toolboxes(name: str, nested: bool, tmp_path: Path) -> None:
    values = [(int(line["epoch_ms"]), float(line["mg_dl"])) for line in lines(name)]
    upload = tmp_path / "BloodGlucoseRecord_1763380800000.avro"
    uploads.write(upload, "BloodGlucoseRecord", uploads.glucose(values), codec="deflate", nested=nested)
    found = inspected(upload)["clinical_insights"]
    expected = VALUES["traces"][name]["metrics"]
    for metric, path in PATHS.items():
        reference = expected[metric]["reference"]
        tolerance = TOLERANCES.get(metric, 1e-6)
        assert at(found, path) == (reference if reference is None else pytest.approx(reference, rel=tolerance)), metric
    for metric, (toolbox, tolerance) in FROM_TOOLBOXES.items():
        if (anchor := expected[metric].get(toolbox)) is not None:
            assert at(found, f"{VARIABILITY}.{metric}") == pytest.approx(anchor, rel=tolerance), metric


def test_a_fortnight_of_sleep_agrees_with_ggir(tmp_path: Path) -> None:
    nights: list[list[tuple[int, int, str]]] = [[]]
    for line in lines("sleep_14d"):
        start, end = int(line["start_ms"]), int(line["end_ms"])
        if nights[-1] and start != nights[-1][-1][1]:
            nights.append([])
        nights[-1].append((start, end, line["stage"]))
    rows = [
        uploads.sleep(night[0][0], [((end - start) // uploads.MINUTE, stage) for start, end, stage in night])
        for night in nights
    ]
    upload = uploads.write(tmp_path / "SleepSessionRecord_1763380800000.avro", "SleepSessionRecord", rows)
    found = inspected(upload)["clinical_insights"]
    expected = VALUES["sleep_14d"]["values"]
    paths = {
        "nights": "sleep_statistics.nights",
        "SRI_pooled_calendar_days2_13_30s": "sleep_consistency.regularity_index",
        "social_jetlag_min": "sleep_consistency.social_jetlag",
        "midpoint_circular_sd_min": "sleep_consistency.midpoint_sd",
        "mean_TST_min": "sleep_statistics.total_sleep_time",
        "mean_SE_pct": "sleep_statistics.efficiency",
    }
    for name, path in paths.items():
        assert at(found, path) == pytest.approx(expected[name], rel=1e-6), name
