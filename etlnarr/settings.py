"""The settings of a run: environment, `.env` and options, read once and frozen."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, PositiveInt, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from etlnarr import __version__
from etlnarr.zones import iana

SQLITE: Final = b"SQLite format 3"
CREDENTIALS: Final = re.compile(r"(?:s3://|file://|(?!\w+://))[^/]+:.*@", re.DOTALL)
"""How a lake begins in which somebody wrote a key and a secret."""


class Settings(BaseSettings):
    """Every setting, under its name in the environment less the prefix ETL_.

    Units: sizes in MB, times in seconds, the threshold between 0 and 1.
    Errors: pydantic.ValidationError for a value out of range.
    """

    model_config = SettingsConfigDict(
        env_prefix="ETL_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
    )

    service_name: str = "etl-narrative-engine"
    version: str = f"v{__version__}"

    rabbitmq_url: SecretStr = SecretStr("amqp://guest:guest@localhost:5672")  # a URL holds a password
    queue_name: str = "health_data_processing"
    exchange_name: str = "health_data_exchange"
    prefetch_count: int = Field(default=500, gt=0, le=65_535)
    max_retries: int | None = Field(default=None, ge=0)
    retry_delays: Annotated[tuple[PositiveInt, ...] | None, NoDecode] = None
    api_token: SecretStr | None = None

    lake_url: str | None = None
    catalog_path: Path | None = None
    s3_endpoint_url: str | None = None
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    s3_bucket_name: str = "health-data"
    s3_region: str = "us-east-1"

    deduplication_store: Literal["duckdb", "sqlite", "redis"] = "duckdb"
    deduplication_db_path: Path | None = None
    deduplication_redis_url: SecretStr = SecretStr("redis://localhost:6379/2")
    deduplication_retention_hours: float = Field(default=168, gt=0)

    quality_threshold: float = Field(default=0.7, ge=0, le=1)
    enable_quarantine: bool = True
    quarantine_prefix: str = "quarantine/"

    max_file_size_mb: float = Field(default=100, gt=0)
    max_records_per_file: int = Field(default=100_000, gt=0)
    processing_timeout_seconds: float = Field(default=300, ge=0)

    enable_clinical_insights: bool = True
    generate_recommendations: bool = True

    training_data_prefix: str = "training/"
    training_format: Literal["jsonl"] = "jsonl"
    include_metadata: bool = True

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    development_mode: bool = False
    templates_path: Path | None = None

    user_id: str = "sample_data_user"
    tz: str | None = None
    age: int | None = Field(default=None, ge=0, le=130)
    sex: Literal["female", "male"] | None = None
    people: Path | None = None
    source_priority: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("source_priority", mode="before")
    @classmethod
    def _packages(cls, told: object) -> object:
        return tuple(told.replace(",", " ").split()) if isinstance(told, str) else told

    @field_validator("retry_delays", mode="before")
    @classmethod
    def _seconds(cls, told: object) -> object:
        return tuple(told.strip("[] ").replace(",", " ").split()) or None if isinstance(told, str) else told

    @field_validator("lake_url")
    @classmethod
    def _without_credentials(cls, url: str | None) -> str | None:
        if url and CREDENTIALS.match(url):
            raise ValueError("holds a secret; keys go to ETL_S3_ACCESS_KEY and ETL_S3_SECRET_KEY")
        return url

    @field_validator("training_data_prefix", "quarantine_prefix")
    @classmethod
    def _inside(cls, prefix: str) -> str:
        parts = prefix.strip("/").split("/")
        if prefix.startswith("/") or parts[0] == "raw" or not all(part.strip() and part != ".." for part in parts):
            raise ValueError("not a folder below the lake and beside raw/, such as training/")
        return prefix

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return iana(zone)

    @property
    def lake(self) -> str:
        """The root URL of the lake."""
        if self.lake_url:
            return self.lake_url
        return f"s3://{self.s3_bucket_name}" if self.s3_endpoint_url else "./lake"

    @property
    def catalog(self) -> Path:
        """The path of the catalog."""
        if self.catalog_path:
            return self.catalog_path
        if self.deduplication_store == "sqlite" and (path := self.deduplication_db_path):
            return path.with_name(f"{path.name}.duckdb") if _is_sqlite(path) else path
        remote = "://" in self.lake and not self.lake.startswith("file://")
        return Path("catalog.duckdb") if remote else Path(self.lake.removeprefix("file://")) / "catalog.duckdb"

    @property
    def limits(self) -> str:
        """What an upload may cost, as a text: another one may let in what was kept out."""
        return (
            f"{self.max_file_size_mb:g} MB, {self.max_records_per_file} records, {self.processing_timeout_seconds:g} s"
        )

    @property
    def judgement(self) -> str:
        """By what uploads are judged, as a text: another one makes them pending again."""
        return (
            f"{__version__}, {self.quality_threshold:g}, {self.quarantine_prefix if self.enable_quarantine else None}"
        )

    @property
    def max_bytes(self) -> int:
        """The size in bytes above which an upload is not read."""
        return int(self.max_file_size_mb * 1_000_000)


def _is_sqlite(path: Path) -> bool:
    """Whether the file that another engine kept its messages in still stands there."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(SQLITE)) == SQLITE
    except OSError:
        return False
