"""Both layouts that writers use give the same readings."""

import json
from pathlib import Path

import pytest

from etlnarr import avro, canonical
from etlnarr.model import RecordType
from etlnarr.records import RECORD_TYPES
from tests import uploads
from tests.amounts import uploaded
from tests.command import ROOT

EVERY = pytest.mark.parametrize("kind", RECORD_TYPES, ids=[kind.name for kind in RECORD_TYPES])
LIMITS = avro.Limits(100_000, 60.0)


@EVERY
def test_the_nested_shape_tells_what_the_flat_one_does(kind: RecordType, tmp_path: Path) -> None:
    rows = json.loads((ROOT / "tests/cases" / f"{kind.name}.json").read_text(encoding="utf-8"))
    read = []
    for nested in (False, True):
        path = uploads.write(tmp_path / str(nested) / "upload.avro", kind.name, rows, nested=nested)
        assert canonical.missing_fields(avro.opened(path.read_bytes(), LIMITS).writer.columns, kind.shape) == []
        read.append(uploaded(path.parent, path.stem, kind))
    assert read[0].equals(read[1])
    told = read[0].select("start", "end", "offset_s", "label" if kind.name == "SleepSessionRecord" else "value")
    assert not told.is_empty()
    assert sum(told.null_count().row(0)) == 0
