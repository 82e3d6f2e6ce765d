"""What stands behind every path of the insights: unit, definition, least data and source."""

from dataclasses import dataclass

from etlnarr import change
from etlnarr.model import RecordType


@dataclass(frozen=True, slots=True)
class Definition:
    """One path of a record type."""

    record_type: str
    path: str
    unit: str
    definition: str
    needs: str
    source: str


def of(kind: RecordType) -> list[Definition]:
    """Return the definitions of every metric, verdict and comparison of a type."""
    unit = {metric.path: metric.unit for metric in kind.metrics}
    metrics = [
        Definition(kind.name, m.path, m.unit, m.definition, "; ".join(gate.needs for gate in m.gates), m.source)
        for m in kind.metrics
    ]
    verdicts = [
        Definition(
            kind.name,
            v.path,
            "word",
            f"{' | '.join(band[0] for band in v.bands)}, from {v.metric}",
            "; ".join(gate.needs for gate in v.gates),
            v.source,
        )
        for v in kind.verdicts
    ]
    comparisons = [
        Definition(
            kind.name,
            f"{change.GROUP}.{one.name}",
            unit[one.metric],
            f"{one.metric} of a week or month against the one before; "
            f"a change is more than {one.threshold:g} {'%' if one.relative else unit[one.metric]}",
            "two periods in a row that carry it, of the same apps over a similar time",
            one.source,
        )
        for one in kind.comparisons
    ]
    return [*metrics, *verdicts, *comparisons]


def inputs(kind: RecordType, path: str) -> tuple[str, ...]:
    """Return what a path is worked out from: the metrics that count it, and the facts of the person that it takes.

    Shapes: path of a metric, of a part of one, or of a verdict, which has the inputs of its metric; any other has those
    of the readings as a whole.
    """
    judged = next((verdict.metric for verdict in kind.verdicts if verdict.path == path), path)
    parts = judged.split(".")
    beginnings = (".".join(parts[:length]) for length in range(len(parts), -1, -1))
    return next(kind.inputs[beginning] for beginning in beginnings if beginning in kind.inputs)
