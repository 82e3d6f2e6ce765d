import pytest

from etlnarr import envelope
from etlnarr.envelope import Envelope

TYPES = {"BloodGlucoseRecord", "StepsRecord"}
MS = 1_758_407_139_312  # 2025-09-20T22:25:39.312Z
NOON = 1_763_208_000_000  # 2025-11-15T12:00:00Z
MIDNIGHT = 1_763_164_800_000


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (
            "raw/BloodGlucoseRecord/2025/11/15/user123_1731628800_abc123.avro",
            Envelope("user123", "BloodGlucoseRecord", 1_731_628_800_000, MIDNIGHT),
        ),
        (
            "raw/BloodGlucoseRecord/2025/11/15/user123_20251115_120000_dexcom_a1b2c3d4.avro",
            Envelope("user123", "BloodGlucoseRecord", NOON, MIDNIGHT),
        ),
        ("BloodGlucoseRecord_1758407139312.avro", Envelope(None, "BloodGlucoseRecord", MS, None)),
        ("AvroStepsRecord_1758407139312.avro", Envelope(None, "StepsRecord", MS, None)),
        ("a_b_c_1763208000_x.avro", Envelope("a_b_c", None, NOON, None)),
        ("raw/StepsRecord/2025/13/45/steps.avro", Envelope(None, "StepsRecord", None, None)),
        ("u_20251399_120000_x.avro", Envelope("u", None, None, None)),
        (
            "raw/StepsRecord/2025/11/15/patient_0012345678_20251115_120000_a1.avro",
            Envelope("patient_0012345678", "StepsRecord", NOON, MIDNIGHT),
        ),
        ("patient_1731628800_20251115_120000_a1.avro", Envelope("patient_1731628800", None, NOON, None)),
        ("u_1763208000_1731628800.avro", Envelope("u_1763208000", None, 1_731_628_800_000, None)),
        ("StepsRecord/2025/11/15/u_1763208000_1731628800.avro", Envelope("u", "StepsRecord", NOON, MIDNIGHT)),
        ("u9_20251115_120000 (1).avro", Envelope("u9", None, NOON, None)),
        ("whatever.avro", Envelope(None, None, None, None)),
    ],
)
def test_keys_seen_in_the_wild(key: str, expected: Envelope) -> None:
    assert envelope.read(key, TYPES) == expected


@pytest.mark.parametrize(
    ("named", "dated", "fetched", "expected"),
    [
        (NOON, MIDNIGHT, MS, NOON),  # the name, on the date of the key
        (NOON, None, MS, NOON),  # the name, no date to disagree with
        (MS, MIDNIGHT, NOON + 1, NOON + 1),  # the name is of another day, the fetch time is not
        (MS, MIDNIGHT, MS, MIDNIGHT),  # neither is of the day of the key
        (None, None, MS, MS),
        (None, MIDNIGHT, None, MIDNIGHT),
        (None, None, None, 7),  # the time of the file
    ],
)
def test_upload_time_is_the_first_that_agrees(
    named: int | None, dated: int | None, fetched: int | None, expected: int
) -> None:
    assert envelope.uploaded(Envelope(None, None, named, dated), fetched, 7) == expected
