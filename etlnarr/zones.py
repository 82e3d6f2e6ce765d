"""Names of time zones."""

from typing import Final
from zoneinfo import available_timezones

NOT_PLACES: Final = {"localtime", "posixrules", "Factory"}
"""Files of the time zone database that name no place."""


def iana(zone: str | None) -> str | None:
    """Return the name of a time zone as it is.

    Errors: ValueError for any other text.
    """
    if zone is not None and (zone in NOT_PLACES or zone not in available_timezones()):
        raise ValueError("not the name of an IANA time zone, such as America/Chicago")
    return zone
