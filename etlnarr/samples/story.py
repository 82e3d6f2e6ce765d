"""The person of the default samples, and the eight weeks that lead them through every band.

A course of steroids for a lung infection lifts glucose; insulin is started, turns out too much as the steroids are
tapered, is reduced and stopped, and after that the body does well. A cold at the end of October, a week of bad nights,
a new phone, training for a race and, last, a beta blocker leave their marks on the other records.
"""

from datetime import date
from typing import Final

from etlnarr.samples.person import Habits, Heart, Low, Metabolism, Movement, Person, Phases, Rhythm
from etlnarr.samples.sources import G7, MAT, METER, OURA, PHONE, SAMSUNG, STELO, STRAP

NAME: Final = "sample_data_user"
ZONE: Final = "America/Chicago"
MASS_KG: Final = 78.0


def _october(day: int) -> date:
    return date(2025, 10, day)


def _november(day: int) -> date:
    return date(2025, 11, day)


BAD_NIGHTS: Final = Rhythm(-0.8, 6.5, 0.9, 8.2, latency=46, efficiency=70, awakenings=5)
RHYTHM: Final[Phases[Rhythm]] = (
    # Short nights in the week and late ones at its end: more than two hours between the midpoints.
    (_october(1), Rhythm(-0.2, 6.4, 2.2, 9.9, latency=16, efficiency=79, awakenings=1)),
    # Bad nights, long awake in bed; one of them is hardly a night at all.
    (_november(2), BAD_NIGHTS),
    (_november(5), Rhythm(3.4, 6.4, 3.4, 6.4, latency=8, efficiency=85, jitter=0.0)),
    (_november(6), BAD_NIGHTS),
    # A weekend of catching up, slow to fall asleep, with a nap.
    (_november(15), Rhythm(-1.0, 6.8, -1.9, 9.3, latency=44, efficiency=88.5, awakenings=0, naps=1)),
    # Good, regular nights.
    (_november(17), Rhythm(-1.1, 6.9, -0.8, 7.2, latency=9, efficiency=95.5, awakenings=0, jitter=0.15)),
)
MOVEMENT: Final[Phases[Movement]] = (
    (_october(1), Movement(5600)),
    (_october(25), Movement(4000)),
    (_october(31), Movement(450)),
    (_november(2), Movement(6400)),
    (_november(8), Movement(8700, every=2, minutes=50, effort=0.35)),
    (_november(15), Movement(11200, every=2, minutes=42, effort=1.0)),
    (_november(22), Movement(13900, spread=0.1, every=2, minutes=45, effort=0.7)),
    (_november(28), Movement(13900, spread=0.1)),
)
HEART: Final[Phases[Heart]] = (
    (_october(1), Heart(awake=79, asleep=64, rmssd=34)),
    # The cold, and its fever.
    (_october(26), Heart(awake=86, asleep=72, rmssd=25)),
    (_october(31), Heart(awake=107.5, asleep=105.5, rmssd=21, continuous=True)),
    (_november(2), Heart(awake=80, asleep=66, rmssd=32)),
    # A party: the heart beats faster asleep than awake.
    (_november(8), Heart(awake=80, asleep=90, rmssd=24, continuous=True)),
    (_november(9), Heart(awake=80, asleep=63, rmssd=31)),
    (_november(15), Heart(awake=80, asleep=63, rmssd=27)),
    (_november(16), Heart(awake=80, asleep=63, rmssd=31)),
    (_november(22), Heart(awake=74, asleep=58, rmssd=43)),
    (_november(28), Heart(awake=47, asleep=45, rmssd=45, continuous=True)),
)
METABOLISM: Final[Phases[Metabolism]] = (
    (_october(1), Metabolism(base=172, swing=85, dawn=22, afternoon=62, restless=11)),
    (
        _october(21),
        Metabolism(
            base=98,
            swing=170,
            dawn=40,
            afternoon=125,
            restless=25,
            lows=(Low(1, 2.2, 50, 60), Low(2, 16.4, 49, 45), Low(3, 22.8, 60, 150)),
        ),
    ),
    (
        _november(2),
        Metabolism(
            base=106,
            swing=165,
            dawn=38,
            afternoon=48,
            restless=22,
            lows=(Low(2, 2.8, 61, 25), Low(3, 16.8, 63, 20)),
        ),
    ),
    (_november(12), Metabolism(base=96, swing=62, dawn=24, restless=6, lows=(Low(14, 3.0, 64, 20),))),
    (_november(28), Metabolism(base=93, swing=46, dawn=8, restless=6)),
)
HABITS: Final[Phases[Habits]] = (
    (_october(1), Habits((METER,), (SAMSUNG, OURA), (SAMSUNG, OURA), (PHONE,), (SAMSUNG, OURA))),
    (_october(21), Habits((G7,), (SAMSUNG, OURA), (SAMSUNG, OURA), (PHONE,), (SAMSUNG, OURA))),
    # A mat under the mattress replaces the watch at night.
    (_november(2), Habits((G7,), (MAT, OURA), (SAMSUNG, OURA), (PHONE,), (SAMSUNG, OURA))),
    # For some days the ring tells energy too.
    (_november(9), Habits((G7,), (MAT, OURA), (SAMSUNG, OURA), (PHONE, OURA), (SAMSUNG, OURA))),
    (_november(13), Habits((G7,), (MAT, OURA), (SAMSUNG, OURA), (PHONE,), (SAMSUNG, OURA))),
    # A new phone counts steps by the minute, and a chest strap is tried.
    (_november(14), Habits((G7,), (MAT, OURA), (PHONE,), (PHONE,), (SAMSUNG, OURA))),
    (_november(15), Habits((G7,), (MAT, OURA), (PHONE,), (PHONE,), (SAMSUNG, STRAP))),
    (_november(23), Habits((G7,), (MAT, OURA), (SAMSUNG, OURA), (PHONE,), (SAMSUNG, OURA))),
    (_november(28), Habits((STELO,), (MAT, OURA), (SAMSUNG, OURA), (PHONE,), (SAMSUNG, OURA))),
)


def sample_data_user(seed: int) -> Person:
    """Return the person of the default samples."""
    return Person(NAME, f"{seed}|{NAME}", ZONE, MASS_KG, RHYTHM, MOVEMENT, HEART, METABOLISM, HABITS)
