"""Ids that follow from what they name."""

import hashlib
import uuid
from functools import lru_cache
from typing import Final

NAMESPACE: Final = uuid.UUID("8b1c1f0e-6f0b-5a52-9d0c-5f1f6f1b7a3d")


@lru_cache(maxsize=4096)  # that of one subject is asked for again and again while it is told
def derived(name: str, *parts: str) -> str:
    """Return the UUIDv5 of a name and what it is about."""
    return str(uuid.uuid5(NAMESPACE, "\n".join([name, *parts])))


def digest(*parts: str) -> str:
    """Return the SHA-256 of texts, which tells whether any of them changed."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def processing_id(user_id: str, content_hash: str, subject: str) -> str:
    """Return the id of a subject of an upload, which also stands in for the correlation id that no envelope gave."""
    return derived("processing", user_id, content_hash, subject)
