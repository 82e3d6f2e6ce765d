import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from etlnarr.cli.session import session, settings_from
from etlnarr.message import parse
from etlnarr.model import Standing
from etlnarr.stages.handle import Outcome, handle
from tests.queue.world import message


class Crowded:
    """Claims that memory has no room for when there are several, or one of a certain user."""

    def claim(self, keys: Sequence[str]) -> dict[str, Standing]:
        if len(keys) > 1 or keys == [self.never]:
            raise MemoryError
        return dict.fromkeys(keys, Standing.done)

    def __init__(self, never: str) -> None:
        self.never = never

    def renew(self) -> None: ...

    def complete(self, keys: Sequence[str]) -> None: ...

    def release(self, keys: Sequence[str]) -> None: ...


def test_a_batch_that_memory_cannot_hold_is_handled_in_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.chdir(tmp_path)
    bodies = [json.dumps(message(f"raw/{n}.avro", b"x", "StepsRecord", f"u{n}")).encode() for n in range(5)]
    claims = Crowded(parse(bodies[3]).idempotency)
    with session(settings_from(lake_url=str(tmp_path)), memory=True) as opened:
        settled = handle(opened.con, opened.run, claims, bodies)
    assert [one.outcome for one in settled] == [Outcome.duplicate] * 3 + [Outcome.failed, Outcome.duplicate]
    assert settled[3].kind == "memory"
