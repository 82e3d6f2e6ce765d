"""Local time of a person: epoch milliseconds, days and offsets."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
LAST_MILLISECOND: Final = 1
"""Apps end a day or an hour one millisecond before the next begins."""
NEXT: Final = timedelta(days=1)
EPOCH: Final = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=1 << 10)
def midnight(zone: str, day: date) -> int:
    """Return the first instant of a local day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def instant(zone: str, day: date, hours: float) -> int:
    """Return a wall-clock time of a local day, in hours that may pass 24 or be negative, to the whole minute."""
    minutes = round(hours * 60)
    shift, minutes = divmod(minutes, 24 * 60)
    wall = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(days=shift, minutes=minutes)
    return int(wall.timestamp()) * SECOND


def day_of(zone: str, at: int) -> date:
    """Return the local day of an instant."""
    return date.fromordinal((at + offset_s(zone, at) * SECOND) // DAY + EPOCH)


def hour_of(zone: str, at: int) -> float:
    """Return the local time of day in hours."""
    return (at + offset_s(zone, at) * SECOND) % DAY / HOUR


def offset_s(zone: str, at: int) -> int:
    """Return the seconds that local time is ahead of UTC."""
    return _offset(zone, at // (15 * MINUTE))


def offset_id(zone: str, at: int) -> str:
    """Return the offset as Health Connect writes it; nought is Z."""
    return _written(offset_s(zone, at) // 60)


def is_free(day: date) -> bool:
    """Return whether the morning of this day needs no alarm clock."""
    return day.isoweekday() in {6, 7}


@lru_cache
def _written(minutes: int) -> str:
    if not minutes:
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


@lru_cache(maxsize=1 << 14)
def _offset(zone: str, quarter: int) -> int:
    shift = datetime.fromtimestamp(quarter * 15 * 60, ZoneInfo(zone)).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())
