"""The narrative of glucose: what each kind of upload is told, in every phrasing, and what it is not."""

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from etlnarr import insights, prose
from etlnarr.example import styles, vocabulary
from etlnarr.model import PEOPLE, READINGS, SLEEP, Batch, Json
from etlnarr.records.blood_glucose import BLOOD_GLUCOSE
from etlnarr.records.sources import habit_gates
from tests.narration import OF_UPLOAD

NAME: Final = "blood_glucose.jinja"
TEMPLATES: Final = prose.load(Path(__file__).parents[2] / "templates")
HOUR: Final = 3_600_000
MIDNIGHT: Final = 1_760_918_400_000  # 20 October 2025 by the clock of UTC


@dataclass(frozen=True)
class Upload:
    """Readings around a mean, every so many minutes, with some of ten kept; a person; what is told, and what is not."""

    said: str
    unsaid: str
    count: int = 4100
    step: int = 5
    wave: tuple[float, float] = (150.0, 105.0)
    kept: int = 10
    package: str = "com.dexcom.g7"
    offset: int | None = -18_000
    nights: int = 0
    marks: tuple[str | None, str | None] = (None, None)  # meal, relation to it
    person: tuple[int | None, None, str | None, bool | None] = (None, None, None, None)  # age, sex, diabetes, pregnant
    others: int = 0
    values: tuple[float, ...] = ()  # instead of a wave


STICK: Final = Upload("fasting|single|hba1c", "expected|deviation|episode", 30, 240, marks=(None, "FASTING"))
UPLOADS: Final = (
    Upload(
        "of the time|over 70 %|limits of 4 %|labile|of level 2|indicator|dawn", "utc ", person=(None, None, "t2", None)
    ),
    Upload("92.9 % of|no lows|stable", "doctor", wave=(130.0, 55.0), nights=14, person=(None, None, "t2", None)),
    Upload("65 and over|limit of 1 %|over 50 %", "most adults", person=(70, None, "t2", None)),
    Upload("63-140 mg/dl", "most adults|65 and", person=(None, None, "t1", True)),
    Upload("type 1 or type 2 diabetes|17 records from meter", "most adults|known of you|hour from", others=17),
    Upload(" utc|hours of the day", "00:00|hour from", offset=None),
    Upload(
        "100.0 %|lows cannot|connected|hour from 10:00",
        "of the time",
        250,
        wave=(110.0, 25.0),
        package="com.dexcom.stelo",
    ),
    Upload("hba1c estimate|above 180", "deviation|of the time", 60),
    Upload("40.4 % of those expected|59 gaps", "deviation|of the time", 600, kept=4),
    STICK,
    replace(STICK, said="around lunch", unsaid="fasting|before a meal", marks=("LUNCH", None)),
    replace(STICK, count=1, said="a single|marked fasting|at 00:00", unsaid="averaged|median"),
    replace(STICK, count=1, said=" utc", unsaid="at 00:00", offset=None),
)
FLAT: Final = (110.0, 120.0)
PATIENT: Final = (40, None, "t1", None)
EDGES: Final = (
    Upload("these lows", "this low|highs over", step=240, values=(48.0, 44.0, 39.0)),
    Upload("this low", "these low|this high", values=(41.0,)),
    Upload("this high", "these high", values=(410.0,)),
    Upload("these lows|20 below 54|connected", "highs", values=(110.0,) * 38 + (45.0,) * 20 + (110.0,) * 38),
    Upload("lasted 120 min|the low had not ended|this low", "the high had|these lows", values=(62.0,) * 864),
    Upload("the high had not ended|1 low (", "the low had", values=(110.0,) * 300 + (60.0,) * 3 + (110.0,) * 99
           + (200.0,) * 3),
    Upload("of the highs had not ended|2 highs (", "the low had", values=(110.0,) * 200 + (200.0,) * 3 + (110.0,) * 99
           + (200.0,) * 3),
    Upload("1 with 90 min above 250", "not ended", values=(110.0,) * 200 + (260.0,) * 18 + (110.0,) * 99),
    Upload("0.0 % fell below 70|highs (above 180", "with 90 min", values=(110.0,) * 200 + (260.0,) * 17
           + (110.0,) * 99 + (200.0,) * 9 + (110.0,) * 99),
    Upload("99.98 %|1 reading above 180", "100.0 % of the time|0.0 % above", values=FLAT * 2159
           + (181.0, 110.0)),
    Upload("1 reading fell below 70|0.0 % above 180", "0.0 % fell|below 54", values=FLAT * 2159 + (69.0, 110.0)),

)  # fmt: skip
JUDGED: Final = (
    Upload("250 mg/dl is above its limit of 5 %|54 mg/dl and above 180 mg/dl is below the limits of 4 %, 1 % and 25 %"
           "|above the target|these highs", "these lows", values=(*FLAT * 20, *(300.0,) * 6) * 65, person=PATIENT),
    Upload("54 mg/dl, above 180 mg/dl and above 250 mg/dl is below the limits of 4 %, 1 %, 25 % and 5 %", "doctor|had ",
           values=FLAT * 1500, person=PATIENT),
    Upload("70 mg/dl and above 250 mg/dl is below the limits of 1 % and 10 %|over 50 %", "doctor|adults",
           values=FLAT * 1500, person=(70, None, "t2", None)),
    Upload("time below 63 mg/dl (0.0 %), below 54 mg/dl and above 140 mg/dl (0.0 %) is below the limits of 4 %, 1 % and"
           " 25 %|validated in pregnancy", "indicator|doctor", values=FLAT * 1500, person=(30, None, "t1", True)),
    Upload("recorded as having no|indicator", "do not say|limit", values=FLAT * 1500, person=(30, None, "none", None)),
    Upload("no target for gestational diabetes|in pregnancy", "do not say|takes|limit", values=FLAT * 1500,
           person=(30, None, "gdm", True)),
    Upload("validated in pregnancy|10 days with 70 % of the readings|connected", "limit", values=FLAT * 400,
           person=(30, None, "t1", True)),
)  # fmt: skip
uploads = pytest.mark.parametrize("upload", UPLOADS, ids=lambda upload: upload.said)
phrasings = pytest.mark.parametrize("place", range(6))


@cache
def facts_of(upload: Upload) -> tuple[dict[str, Json], frozenset[str]]:
    count = len(upload.values) or upload.count
    starts = [MIDNIGHT + i * upload.step * 60_000 for i in range(count) if i % 10 < upload.kept]
    swings = upload.values or [
        float(round(upload.wave[0] + upload.wave[1] * math.sin(i / 23))) for i in range(len(starts))
    ]
    readings = pl.DataFrame({"start": starts, "value": swings}).with_row_index("record").with_columns(
        subject=pl.lit(1, pl.Int64), source=pl.lit(upload.package), end="start", modified="start", record_start="start",
        record_end="start", label=None, meal_type=pl.lit(upload.marks[0]), relation_to_meal=pl.lit(upload.marks[1]),
        offset_s=pl.lit(upload.offset), offset_origin=pl.lit("inferred"),
    )  # fmt: skip
    wakes = [MIDNIGHT + (24 * night + 12) * HOUR for night in range(upload.nights)]
    sleep = pl.DataFrame([(1, wake - 8 * HOUR, wake, "watch") for wake in wakes], SLEEP, orient="row")
    people = pl.DataFrame([(1, *upload.person, None, None)], PEOPLE, orient="row")
    batch = Batch(readings.select(READINGS.names()).cast(READINGS), READINGS.to_frame(), sleep, people)
    habits = habit_gates(BLOOD_GLUCOSE.name)
    (found,) = insights.unfold(BLOOD_GLUCOSE, insights.evaluate(BLOOD_GLUCOSE, batch, habits), habits)
    withheld = {entry.path: entry.model_dump() for entry in found.withheld}
    own: Json = {"package": upload.package, "name": "Sensor_1", "records": len(starts)}
    other: Json = {"package": "org.example.other", "name": "Meter", "records": upload.others}
    span = [datetime.fromtimestamp(at / 1000, UTC).isoformat().removesuffix("+00:00") for at in (starts[0], starts[-1])]
    zone = {"offset": upload.offset and "UTC-05:00", "offset_source": upload.offset and "inferred"}
    values: dict[str, Json] = {
        **found.clinical,
        "period": {
            "start": span[0],
            "end": span[1],
            "span_hours": (starts[-1] - starts[0]) / HOUR,
            **zone,
            **OF_UPLOAD,
        },
        "sources": {"primary": own, "chosen": [own], "others": [other] if upload.others else []},
        "series": BLOOD_GLUCOSE.series(batch)["series"][0].to_list(),
        "silences": [withheld[path] for path in BLOOD_GLUCOSE.silences if path in withheld],
        "recommendations": list(found.recommendations),
    }
    return values, frozenset(withheld)


def told(upload: Upload, place: int, **changes: Json) -> prose.Told:
    values, withheld = facts_of(upload)
    whole = {"change": None, **values, "recommendations_on": True, **changes}
    tree = prose.facts(whole, styles(BLOOD_GLUCOSE), withheld)
    return prose.tell(TEMPLATES, NAME, tree, lambda _, phrasings: place % phrasings, vocabulary(BLOOD_GLUCOSE))


@pytest.mark.parametrize("upload", [*UPLOADS, *EDGES, *JUDGED], ids=lambda upload: upload.said[:40])
@phrasings
def test_every_phrasing_states_the_same_and_no_number_without_a_witness(upload: Upload, place: int) -> None:
    story, one = told(upload, place), told(upload, 0)
    assert {(w.path, w.text.lower()) for w in story.evidence} == {(w.path, w.text.lower()) for w in one.evidence}
    bare = "".join(" " if any(w.start <= i < w.end for w in story.evidence) else c for i, c in enumerate(story.output))
    for constant in sorted(prose.story(TEMPLATES, NAME).constants, key=len, reverse=True):
        bare = bare.replace(constant, "")
    assert not re.search(r"\d", bare)
    assert not re.search(r" [,.;:)]|\( |  |\.\.", story.output)
    assert [part for part in upload.said.split("|") if part not in story.output.lower()] == []
    assert [part for part in (*upload.unsaid.split("|"), "control") if part in story.output.lower()] == []
    assert len(re.findall(r"[A-Za-z]{2,}", re.sub("mg/dL|min", "", story.output))) < 200


@uploads
@phrasings
def test_every_number_moves_with_its_fact(upload: Upload, place: int) -> None:
    other = {name: _moved(value) for name, value in facts_of(upload)[0].items()}
    before, after = told(upload, place).evidence, told(upload, place, **other).evidence
    assert [w.path for w in before] == [w.path for w in after]
    moved = [(one, two) for one, two in zip(before, after, strict=True) if one.value != two.value]
    assert [one.path for one, two in moved if one.text == two.text] == []


def _moved(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _moved(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner) for inner in value]
    if isinstance(value, str | bool) or value is None or value in (0, 1, 100):
        return value  # at these numbers sentences change
    return value + (1 if isinstance(value, int) else 1.1)


@phrasings
def test_questions_and_openings_differ_and_advice_is_given_where_it_is_asked_for(place: int) -> None:
    on, off = told(UPLOADS[0], place), told(UPLOADS[0], place, recommendations=[], recommendations_on=False)
    assert ("your doctor" in on.output, "your doctor" in off.output) == (True, False)
    assert "20 October" in off.instruction
    assert on.instruction.startswith(f"{off.instruction} ")
    assert on.output[:24] not in {told(UPLOADS[0], other).output[:24] for other in range(place)}


@pytest.mark.parametrize("path", BLOOD_GLUCOSE.silences)
@phrasings
def test_every_silence_can_be_told(path: str, place: int) -> None:
    output = told(UPLOADS[0], place, silences=[{"path": path, "reason": "a reason", "needs": "a reason"}]).output
    assert ("a reason" in output.lower()) != path.endswith("hourly_distribution")  # which the local time tells
