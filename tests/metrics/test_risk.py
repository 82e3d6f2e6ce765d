import polars as pl
import pytest

from etlnarr.metrics.risk import daily_range, gri, high_risk, low_risk
from tests.traces import HOUR, MIDNIGHT, at_steps, batch, readings


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(20.0, 100.0, 0.0), (70.0, 7.75, 0.0), (112.5, 0.0, 0.0), (180.0, 0.0, 7.75), (600.0, 0.0, 100.0)],
)
def test_the_scale_is_symmetric(value: float, low: float, high: float) -> None:
    # what the constants were chosen for: 70 and 180 are equally risky, 20 and 600 carry a risk of 100
    row = pl.DataFrame({"value": [value]}).select(low=low_risk(), high=high_risk()).row(0)
    assert row == pytest.approx((low, high), abs=0.1)


def test_gri_weighs_the_very_low_most_and_stops_at_100() -> None:
    def index(*shares: float) -> float:
        return float(pl.select(gri(*(pl.lit(share) for share in shares))).item())

    assert index(1.0, 0.0, 0.0, 0.0) == 3.0
    assert index(0.0, 1.0, 0.0, 0.0) == pytest.approx(2.4)
    assert index(0.0, 0.0, 1.0, 0.0) == pytest.approx(0.8)
    assert index(0.0, 0.0, 0.0, 1.0) == pytest.approx(1.6)
    assert index(30.0, 30.0, 20.0, 20.0) == 100.0


def test_adrr_averages_the_extremes_of_local_days() -> None:
    # 70 and 180 on the first day, of risk 7.75 each, 112.5 twice on the second, which begins at 19:00 UTC
    points = [(MIDNIGHT + hour * HOUR, value) for hour, value in ((1, 70.0), (18, 180.0), (19, 112.5), (23, 112.5))]
    row = daily_range(batch(readings(points, offset_s=5 * 3600))).row(0, named=True)
    assert row["adrr"] == pytest.approx(7.75, abs=0.02)


def test_adrr_needs_to_know_the_days() -> None:
    assert daily_range(batch(readings(at_steps([100.0] * 9), offset_s=None))).is_empty()
