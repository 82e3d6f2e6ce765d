"""What workers on several hosts agree on: who handles which message, whose turn it is; the only importer of redis."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import redis
from redis.exceptions import AuthenticationError, RedisError

from etlnarr.errors import StoreUnavailableError, UsageError, masked
from etlnarr.model import Standing

TURN: Final = "etlnarr:turn:"
PREFIX: Final = "etlnarr:claim:"
ALIVE: Final = "etlnarr:alive:"
DONE: Final = "done"
SECONDS: Final = 5

CLAIM: Final = """
    local owner = redis.call('GET', KEYS[1])
    if owner == 'done' or (owner and owner ~= ARGV[1] and redis.call('EXISTS', ARGV[2] .. owner) == 1) then
        return owner
    end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
    return ARGV[1]
"""
RENEW: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end"
RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True, slots=True)
class RedisClaims:
    """Claims on the messages of a lake that live in Redis, each as long as its owner is seen to be alive.

    Units: seconds for which an owner is taken to be alive since it was heard of, and for which it is remembered that
    something was done.
    Errors: StoreUnavailableError, UsageError for credentials that are refused, from every call.
    """

    url: str
    lake: str
    owner: str
    held: float
    kept: float
    client: redis.Redis = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", _client(self.url))

    def claim(self, keys: Sequence[str]) -> dict[str, Standing]:
        """Claim what is free or was left behind; return how each stands now."""
        with self._pipeline() as pipe:
            pipe.set(ALIVE + self.owner, 1, px=_ms(self.held))
            for key in keys:
                pipe.eval(CLAIM, 1, self._name(key), self.owner, ALIVE, str(_ms(self.kept)))
            owners = pipe.execute()[1:]
        return {key: self._standing(owner) for key, owner in zip(keys, owners, strict=True)}

    def _name(self, key: str) -> str:
        return f"{PREFIX}{self.lake}:{key}"

    def _standing(self, owner: str) -> Standing:
        if owner == DONE:
            return Standing.done
        return Standing.mine if owner == self.owner else Standing.held

    def renew(self) -> None:
        """Say that the owner is alive."""
        with self._pipeline() as pipe:
            pipe.set(ALIVE + self.owner, 1, px=_ms(self.held))
            pipe.execute()

    def complete(self, keys: Sequence[str]) -> None:
        """Remember that these are done, whoever has claimed them meanwhile."""
        with self._pipeline() as pipe:
            for key in keys:
                pipe.set(self._name(key), DONE, px=_ms(self.kept))
            pipe.execute()

    def release(self, keys: Sequence[str]) -> None:
        """Let others have what was not done."""
        with self._pipeline() as pipe:
            for key in keys:
                pipe.eval(RELEASE, 1, self._name(key), self.owner)
            pipe.execute()

    @contextlib.contextmanager
    def _pipeline(self) -> "Iterator[redis.client.Pipeline]":
        with _faults(self.url), self.client.pipeline(transaction=False) as pipe:
            yield pipe


@dataclass(frozen=True, slots=True)
class RedisTurn:
    """The turn to write the training files of a lake; it lapses with its owner.

    Units: seconds for which it is held unless it is renewed.
    Errors: as RedisClaims.
    """

    url: str
    lake: str
    owner: str
    held: float
    client: redis.Redis = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", _client(self.url))

    def take(self) -> bool:
        """Take the turn if nobody has it; say whether it is ours."""
        with _faults(self.url):
            return bool(self.client.set(TURN + self.lake, self.owner, nx=True, px=_ms(self.held)))

    def renew(self) -> bool:
        """Hold the turn for longer; say whether it still is ours."""
        with _faults(self.url):
            return bool(self.client.eval(RENEW, 1, TURN + self.lake, self.owner, str(_ms(self.held))))

    def release(self) -> None:
        """Let others have the turn."""
        with _faults(self.url):
            self.client.eval(RELEASE, 1, TURN + self.lake, self.owner)


def _client(url: str) -> redis.Redis:
    try:
        return redis.Redis.from_url(url, decode_responses=True, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    except ValueError as fault:
        raise UsageError("ETL_DEDUPLICATION_REDIS_URL: not a redis:// URL") from fault


@contextlib.contextmanager
def _faults(url: str) -> Iterator[None]:
    try:
        yield
    except AuthenticationError as fault:
        raise UsageError(f"{masked(url)}: Redis refuses these credentials") from fault
    except TypeError as fault:
        raise UsageError("ETL_DEDUPLICATION_REDIS_URL: not a redis:// URL") from fault
    except RedisError as fault:
        raise StoreUnavailableError(f"{masked(url)}: Redis does not answer; run again later") from fault


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))
