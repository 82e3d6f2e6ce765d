"""Who handles which message, where one process at a time may write."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from etlnarr.catalog.connection import Catalog, transaction
from etlnarr.model import Standing

CLAIM = "INSERT OR IGNORE INTO claims SELECT unnest($keys::VARCHAR[]), $owner, FALSE, $until"
COMPLETE = "INSERT OR REPLACE INTO claims SELECT unnest($keys::VARCHAR[]), $owner, TRUE, $until"
WANTED = "idempotency IN (SELECT unnest($keys::VARCHAR[]))"


@dataclass(frozen=True, slots=True)
class CatalogClaims:
    """Claims that live in the catalog.

    Units: seconds for which a claim is held, and for which it is remembered that something was done.
    """

    con: Catalog
    owner: str
    held: float
    kept: float

    def inherit(self) -> None:
        """Free what others claimed and did not finish: who has the catalog open proves that they are gone."""
        with transaction(self.con):
            self.con.execute("DELETE FROM claims WHERE NOT done AND owner <> $owner", {"owner": self.owner}).complete()

    def claim(self, keys: Sequence[str]) -> dict[str, Standing]:
        """Claim what is free or was left behind; return how each stands now."""
        now = _ms(0)
        with transaction(self.con):
            self.con.execute("DELETE FROM claims WHERE until <= $now", {"now": now}).complete()
            self.con.execute(CLAIM, {"keys": [*keys], "owner": self.owner, "until": _ms(self.held)}).complete()
            rows = self.con.execute(
                f"SELECT idempotency, done, owner FROM claims WHERE {WANTED}",  # noqa: S608 - a constant
                {"keys": [*keys]},
            ).fetchall()
        return {
            key: Standing.done if done else Standing.mine if owner == self.owner else Standing.held
            for key, done, owner in rows
        }

    def renew(self) -> None:
        """Hold all claims for longer."""
        with transaction(self.con):
            self.con.execute(
                "UPDATE claims SET until = $until WHERE owner = $owner AND NOT done",
                {"owner": self.owner, "until": _ms(self.held)},
            ).complete()

    def complete(self, keys: Sequence[str]) -> None:
        """Remember that these are done."""
        with transaction(self.con):
            self.con.execute(COMPLETE, {"keys": [*keys], "owner": self.owner, "until": _ms(self.kept)}).complete()

    def release(self, keys: Sequence[str]) -> None:
        """Let others have what was not done."""
        with transaction(self.con):
            self.con.execute(
                f"DELETE FROM claims WHERE {WANTED} AND owner = $owner AND NOT done",  # noqa: S608 - a constant
                {"keys": [*keys], "owner": self.owner},
            ).complete()


def _ms(seconds: float) -> int:
    """Return the time in so many seconds: the real one, as claims are between processes that live at once."""
    return int((time.time() + seconds) * 1000)
