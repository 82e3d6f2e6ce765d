"""RMSSD of a night: a level of the night, a rise in its course and much noise from one five minutes to the next."""

from datetime import date
from typing import Final

from etlnarr.samples.chance import bell, exponential, stream
from etlnarr.samples.person import Person, during

NIGHT_SPREAD: Final = 0.09
WITHIN_SPREAD: Final = 0.34
COURSE: Final = 0.4
"""Of the logarithm: from night to night, within a night, and from its beginning to its end."""
LOWEST: Final = 6
HIGHEST: Final = 190


def rmssd(person: Person, day: date, epochs: int) -> list[int]:
    """Return the RMSSD of each five minutes of the night that ends on this day, in whole ms."""
    draw = stream(person.key, "rmssd", day)
    usual = during(person.heart, day).rmssd * exponential(NIGHT_SPREAD * bell(draw) - WITHIN_SPREAD * WITHIN_SPREAD / 2)
    values = []
    for epoch in range(epochs):
        course = COURSE * (epoch / epochs - 0.5)
        values.append(round(usual * exponential(course + WITHIN_SPREAD * bell(draw))))
    return [min(max(value, LOWEST), HIGHEST) for value in values]
