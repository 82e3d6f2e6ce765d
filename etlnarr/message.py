"""What the queue says of an upload."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from etlnarr import envelope, identity

KEY_DIGITS: Final = 16
"""Digits of a SHA-256 that some publishers keep of it."""

MOST: Final = 1 << 40
"""A number beyond which none of a message makes sense."""

LARGEST: Final = 1_000_000
"""Bytes of a message beyond which it is none of ours."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


def _inside(key: str) -> str:
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise ValueError("not a key below the bucket")
    return key


def _time(text: str) -> str:
    if not envelope.EARLIEST <= _ms(text) < envelope.LATEST:
        raise ValueError("not a time of this century")
    return text


def _ms(text: str) -> int:
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


Text = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_printable)]
Key = Annotated[Text, AfterValidator(_inside)]
Bucket = Annotated[str, StringConstraints(pattern=r"^[^/\\.][^/\\]*$", max_length=255), AfterValidator(_printable)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{16,64}$", to_lower=True)]
Time = Annotated[str, AfterValidator(_time)]


class PoisonError(Exception):
    """A message that is none of ours, or not as agreed.

    Shapes: reason is a snake_case name; detail names the fields at fault, never what they hold.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Failure(BaseModel):
    """One attempt that failed."""

    model_config = ConfigDict(frozen=True)

    kind: str
    failed_utc: str
    delay_seconds: int | None  # None: given up


class HealthDataMessage(BaseModel):
    """The announcement of one upload; what else a publisher says travels along.

    Units: file_size_bytes in bytes.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    message_id: Text
    correlation_id: Text
    user_id: Text
    bucket: Bucket
    key: Key
    record_type: Text
    upload_timestamp_utc: Time
    content_hash: Hash
    file_size_bytes: int = Field(ge=0, le=MOST)
    record_count: int | None = Field(default=None, ge=0, le=MOST)
    idempotency_key: Text | None = None
    priority: Text = "normal"
    retry_count: int = Field(default=0, ge=0, le=MOST)
    failures: tuple[Failure, ...] = ()

    @property
    def uploaded_ms(self) -> int:
        """The time of the upload in epoch ms."""
        return _ms(self.upload_timestamp_utc)

    @property
    def idempotency(self) -> str:
        """What tells whether this was handled: the key that was agreed on, whose bytes it is about, of what type."""
        kind = envelope.base_name(self.record_type)
        return identity.digest(self.idempotency_key or "", self.user_id, self.content_hash[:KEY_DIGITS], kind)


def parse(body: bytes) -> HealthDataMessage:
    """Read a message, and give it the idempotency key that its publisher left out.

    Errors: PoisonError.
    """
    if len(body) > LARGEST:
        raise PoisonError("message_too_large", f"a message of more than {LARGEST} bytes")
    try:
        message = HealthDataMessage.model_validate_json(body)
    except ValidationError as fault:
        raise PoisonError(*_why(fault)) from None
    if message.idempotency_key is not None:
        return message
    key = idempotency_key(message.user_id, message.content_hash, message.upload_timestamp_utc)
    return message.model_copy(update={"idempotency_key": key})


def idempotency_key(user_id: str, content_hash: str, uploaded: str) -> str:
    """Return the key of an upload for which none was agreed on."""
    return identity.digest(f"{user_id}:{content_hash}:{uploaded}")[:KEY_DIGITS]


def _why(fault: ValidationError) -> tuple[str, str]:
    errors = fault.errors(include_input=False, include_context=False, include_url=False)
    if any(error["type"] == "json_invalid" for error in errors):
        return "message_not_json", "not JSON"
    fields = sorted({str(error["loc"][0]) if error["loc"] else "the whole" for error in errors})
    return "message_invalid", ", ".join(
        name for name in fields if name in {*HealthDataMessage.model_fields, "the whole"}
    )


def body_of(message: HealthDataMessage) -> bytes:
    """Return a message as it travels, with all that its publisher said."""
    return message.model_dump_json().encode()
