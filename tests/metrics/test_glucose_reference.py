"""Glucose against values from outside: reference traces, and the real uploads."""

from collections.abc import Mapping
from pathlib import Path

import fastavro
import polars as pl
import pytest

from etlnarr import insights
from etlnarr.metrics.episodes import LOW, episodes
from etlnarr.metrics.grid import trace
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from tests.glucose import (
    COVERAGE,
    HYPER,
    HYPO,
    PATTERNS,
    STATISTICS,
    STELO,
    TIR,
    VARIABILITY,
    row_of,
    silences,
)
from tests.traces import batch, readings, reference, trace_file

REFERENCE_PATHS = {
    "mean": f"{STATISTICS}.mean",
    "sd": f"{STATISTICS}.std",
    "cv_pct": f"{STATISTICS}.cv",
    "gmi_pct": f"{STATISTICS}.gmi",
    "ea1c_adag_pct": f"{STATISTICS}.estimated_hba1c",
    "pct_lt54": f"{TIR}.severe_hypoglycemia",
    "pct_54_69": f"{TIR}.hypoglycemia",
    "pct_70_180": f"{TIR}.target_range",
    "pct_181_250": f"{TIR}.hyperglycemia",
    "pct_gt250": f"{TIR}.severe_hyperglycemia",
    "titr_70_140": f"{TIR}.tight_range",
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
    "active_pct": f"{COVERAGE}.active_percent",
    "n_hypo_l1": f"{HYPO}.level_1",
    "n_hypo_l2": f"{HYPO}.level_2",
    "n_hypo_extended": f"{HYPO}.extended",
    "n_hypo_l1_excl": f"{HYPO}.level_1_exclusive",
    "n_hyper_l1": f"{HYPER}.level_1",
    "n_hyper_l2": f"{HYPER}.level_2",
    "n_hyper_extended": f"{HYPER}.extended",
}
"""Keys of the reference, but for MAGE and ADRR, of which it has only the values of peers."""

DETAIL_PATHS = {
    "span_h": f"{PATTERNS}.collection_span_hours",
    "nominal_interval_min": f"{PATTERNS}.interval_minutes",
    "n": f"{STATISTICS}.count",
    "min": f"{STATISTICS}.min",
    "max": f"{STATISTICS}.max",
    "active_pct_of_14_days": f"{COVERAGE}.active_percent_14d",
    "gaps_gt_1.5_intervals": f"{COVERAGE}.gaps",
    "peak_hour_local": f"{PATTERNS}.peak_glucose_hour",
}
TRACES = ("cgm_14d_5min", "cgm_band_edges_1d")
PEER_MAGE = ("iglu-R(ma,avg)", "cgmguru(mage_rcpp)")


@pytest.fixture(scope="module")
def reference_rows() -> dict[str, dict[str, object]]:
    row = insights.evaluate(BLOOD_GLUCOSE, batch(*(trace_file(name, number) for number, name in enumerate(TRACES))), ())
    return {TRACES[line["subject"]]: line for line in row.iter_rows(named=True)}


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("key", REFERENCE_PATHS)
def test_reference(reference_rows: Mapping[str, Mapping[str, object]], name: str, key: str) -> None:
    values = reference("traces", name, "metrics", key)
    assert isinstance(values, dict)
    tolerance = 5e-5 if key in {"lbgi", "hbgi"} else 1e-6
    value = reference_rows[name][REFERENCE_PATHS[key]]
    expected = values["reference"]
    assert value is None if expected is None else value == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("key", DETAIL_PATHS)
def test_reference_detail(reference_rows: Mapping[str, Mapping[str, object]], name: str, key: str) -> None:
    expected = reference("traces", name, "reference_detail", key)
    assert reference_rows[name][DETAIL_PATHS[key]] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("peer", PEER_MAGE)
def test_mage_is_that_of_its_peers(reference_rows: Mapping[str, Mapping[str, object]], name: str, peer: str) -> None:
    anchor = reference("traces", name, "metrics", "mage", peer)
    assert reference_rows[name][f"{VARIABILITY}.mage"] == pytest.approx(anchor, rel=1e-6)


@pytest.mark.parametrize("name", TRACES)
def test_adrr_is_that_of_the_peer_with_the_exact_constant(
    reference_rows: Mapping[str, Mapping[str, object]], name: str
) -> None:
    peer = reference("traces", name, "metrics", "adrr", "py-agata")
    assert reference_rows[name][f"{VARIABILITY}.adrr"] == pytest.approx(peer, rel=1e-6)


@pytest.mark.parametrize("name", TRACES)
def test_reference_of_the_night(reference_rows: Mapping[str, Mapping[str, object]], name: str) -> None:
    night = reference("traces", name, "reference_detail", "nocturnal_0000_0600_local")
    assert isinstance(night, dict)
    row = reference_rows[name]
    assert row[f"{PATTERNS}.nocturnal.count"] == night["n"]
    assert row[f"{PATTERNS}.nocturnal.mean"] == pytest.approx(night["mean"])
    assert row[f"{PATTERNS}.nocturnal.below_70"] == pytest.approx(night["pct_lt70"])


@pytest.mark.parametrize(("name", "ongoing"), [("cgm_14d_5min", (0, 1)), ("cgm_band_edges_1d", (0, 1))])
def test_reference_of_ongoing_episodes(
    reference_rows: Mapping[str, Mapping[str, object]], name: str, ongoing: tuple[int, int]
) -> None:
    row = reference_rows[name]
    assert (row[f"{HYPO}.ongoing"], row[f"{HYPER}.ongoing"]) == ongoing


@pytest.mark.parametrize("name", TRACES)
def test_reference_of_single_episodes(name: str) -> None:
    expected = reference("traces", name, "reference_detail", "hypo_events")
    found = episodes(trace(trace_file(name)), LOW)
    keys = {
        "start": "start_ms",
        "last": "last_low_ms",
        "minutes": "duration_min",
        "readings": "readings",
        "extreme": "nadir",
    }
    assert found.select(pl.col(ours).alias(theirs) for ours, theirs in keys.items()).to_dicts() == expected


def of_real_files(folder: Path, *stamps: str) -> pl.DataFrame:
    """Readings of real uploads, each record once."""
    found: dict[int, float | None] = {}
    for stamp in stamps:
        with (folder / f"BloodGlucoseRecord_{stamp}.avro").open("rb") as file:
            for record in fastavro.reader(file):
                assert isinstance(record, dict)
                found[record["timeEpochMillis"]] = record["levelInMilligramsPerDeciliter"]
    return readings(sorted(found.items()), offset_s=-5 * 3600, source=STELO)


FIRST, SECOND, THIRD, FOURTH = "1758407139312", "1758407245091", "1758494067274", "1758554834823"


@pytest.mark.parametrize(
    ("stamps", "mean", "std", "mage", "peak"),
    [
        ((FIRST,), 111.478, 14.998, 41.96, 13),
        ((SECOND,), 111.290, 14.724, 41.63, 13),
        ((THIRD,), 104.798, 14.452, 28.58, 21),
        ((FOURTH,), 105.534, 14.284, 60.26, 15),
        ((FIRST, SECOND, THIRD, FOURTH), 107.781, 15.217, 39.56, None),
    ],
)
def test_real_uploads(
    real_samples: Path, stamps: tuple[str, ...], mean: float, std: float, mage: float, peak: int | None
) -> None:
    row = row_of(batch(of_real_files(real_samples, *stamps)))
    assert row[f"{STATISTICS}.mean"] == pytest.approx(mean, abs=1e-3)
    assert row[f"{STATISTICS}.std"] == pytest.approx(std, abs=1e-3)
    assert row[f"{VARIABILITY}.mage"] == pytest.approx(mage, abs=1e-2)
    assert row[f"{TIR}.target_range"] == 100.0
    assert row[f"{COVERAGE}.grade"] == ("D" if peak else "C")
    assert peak is None or row[f"{PATTERNS}.peak_glucose_hour"] == peak


def test_union_of_real_uploads(real_samples: Path) -> None:
    whole = batch(of_real_files(real_samples, FIRST, SECOND, THIRD, FOURTH))
    row = row_of(whole)
    assert row[f"{STATISTICS}.count"] == 707
    assert row[f"{COVERAGE}.active_percent"] == pytest.approx(94.90, abs=5e-3)
    assert row[f"{VARIABILITY}.modd"] == pytest.approx(14.8894, abs=5e-5)
    silent = silences(whole)
    assert f"{VARIABILITY}.mage" not in silent
    assert silent[f"{STATISTICS}.gmi"] == "the sensor readings span less than 10 days"
