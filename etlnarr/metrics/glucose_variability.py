"""Glycemic variability and risk, declared."""

from dataclasses import replace
from typing import Final

import polars as pl

from etlnarr.metrics import glucose_gates as gates
from etlnarr.metrics.clock import NO_LOCAL_TIME
from etlnarr.metrics.glucose import MEAN, STATISTICS, TIR
from etlnarr.metrics.grid import CONGA_HOURS
from etlnarr.metrics.risk import gri, high_risk, low_risk
from etlnarr.metrics.statistics import NO_VALUES, ONE_VALUE, finite
from etlnarr.model import Metric

STD: Final = pl.col(f"{STATISTICS}.std")
NO_EXCURSION: Final = ("no sensor trace has an excursion of more than 1 SD", "48 hours of sensor readings")
NO_PAIRS: Final = ("no two sensor readings lie a day apart", "more than 24 hours of sensor readings")
WEIGHED: Final = ("severe_hypoglycemia", "hypoglycemia", "hyperglycemia", "severe_hyperglycemia")


def variability() -> tuple[Metric, ...]:
    """Declare the measures of how much glucose varies, and of the risk it carries."""
    return (*_swings(), *_risks(), *_areas())


def _metric(name: str, unit: str, definition: str, source: str) -> Metric:
    path = f"{STATISTICS}.glycemic_variability.{name}"
    return Metric(path, unit, 1, definition, source, undefined=gates.NO_TRACE)


def _swings() -> tuple[Metric, ...]:
    mage = _metric(
        "mage",
        "mg/dL",
        "mean amplitude of excursions of more than 1 SD, turning points by moving averages of 5 and 32 values",
        "Service 1970; Baghurst 2011; Fernandes 2022",
    )
    modd = _metric("modd", "mg/dL", "mean absolute difference of values 24 h apart on a 5-minute grid", "Molnar 1972")
    return (
        replace(mage, gates=gates.TWO_DAYS, undefined=NO_EXCURSION),
        replace(modd, gates=(gates.SENSOR, gates.MATCHED), undefined=NO_PAIRS),
        *(_conga(hours) for hours in CONGA_HOURS),
        _number("excursions", "excursions", "excursions that MAGE is the mean of", NO_EXCURSION),
        *(
            _number(f"pairs_{hours}", "pairs", f"values {hours} h apart on a 5-minute grid", _few(hours))
            for hours in CONGA_HOURS
        ),
    )


def _number(name: str, unit: str, definition: str, undefined: tuple[str, str]) -> Metric:
    return replace(_metric(name, unit, definition, "descriptive"), decimals=0, undefined=undefined)


def _few(hours: int) -> tuple[str, str]:
    return f"too few sensor readings lie {hours} h apart", "a longer trace of a sensor"


def _conga(hours: int) -> Metric:
    definition = f"standard deviation of the differences of values {hours} h apart on a 5-minute grid"
    return replace(
        _metric(f"conga_{hours}", "mg/dL", definition, "McDonnell 2005"),
        gates=gates.conga(hours),
        undefined=_few(hours),
    )


def _risks() -> tuple[Metric, ...]:
    j_index = _metric("j_index", "", "0.001 x (mean + SD) squared", "Wojcicki 1995")
    lbgi = _metric("lbgi", "", "low blood glucose index: mean risk on the low side", "Kovatchev 2006")
    hbgi = _metric("hbgi", "", "high blood glucose index: mean risk on the high side", "Kovatchev 2006")
    index = _metric(
        "gri",
        "",
        "glycemia risk index: 3.0 x % below 54 + 2.4 x % 54-69 + 0.8 x % 181-250 + 1.6 x % above 250, at most 100",
        "Klonoff 2023",
    )
    adrr = _metric(
        "adrr", "", "mean over local days of the highest low risk plus the highest high risk", "Kovatchev 2006"
    )
    shares = [pl.col(f"{TIR}.{name}") for name in WEIGHED]
    return (
        replace(j_index, expr=0.001 * (MEAN + STD).pow(2), gates=gates.JUDGED, undefined=ONE_VALUE),
        replace(lbgi, agg=finite(low_risk().mean()), gates=gates.DESCRIBED, undefined=NO_VALUES),
        replace(hbgi, agg=finite(high_risk().mean()), gates=gates.DESCRIBED, undefined=NO_VALUES),
        replace(index, expr=gri(*shares), gates=gates.FORTNIGHT, undefined=NO_VALUES),
        replace(adrr, gates=gates.FORTNIGHT, undefined=NO_LOCAL_TIME),
        _number("adrr_days", "days", "local days with a reading", NO_LOCAL_TIME),
    )


def _areas() -> tuple[Metric, ...]:
    return (
        _metric(
            "auc", "mg/dL x h", "area under the trace by trapezoids, steps above 45 min left out", "trapezoid rule"
        ),
        _metric("auc_hourly", "mg/dL", "area under the trace per hour that it covers", "trapezoid rule"),
    )
