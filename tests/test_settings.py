from pathlib import Path

import pytest

from etlnarr.settings import Settings
from tests.command import SAMPLES, etlnarr

SPECIFIED = """
ETL_SERVICE_NAME=etl-narrative-engine
ETL_VERSION=v3.0
ETL_RABBITMQ_URL=amqp://guest:guest@localhost:5672
ETL_QUEUE_NAME=health_data_processing
ETL_RETRY_DELAYS=[30,300,900]
ETL_S3_ACCESS_KEY=minioadmin
ETL_S3_SECRET_KEY=hush-hush
ETL_DEDUPLICATION_STORE=sqlite  # or 'redis'
ETL_DEDUPLICATION_DB_PATH={folder}/data/etl_processed_messages.db
ETL_QUALITY_THRESHOLD=0.7
ETL_QUARANTINE_PREFIX=quarantine/
ETL_MAX_FILE_SIZE_MB=100
ETL_TRAINING_FORMAT=jsonl
ETL_ENABLE_METRICS=true
ETL_METRICS_PORT=8004
ETL_LOG_FORMAT=text
ETL_DEVELOPMENT_MODE=false
"""


def test_a_file_written_for_the_specification_loads_whole(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(SPECIFIED.format(folder=tmp_path))
    done = etlnarr("build", SAMPLES, "--month", "2025-11", cwd=tmp_path)
    assert "the DuckDB catalog at" in done.stderr
    assert (tmp_path / "data/etl_processed_messages.db").exists()
    assert (tmp_path / "lake/training").is_dir()
    assert "hush-hush" not in done.stdout + done.stderr
    line = next((tmp_path / "lake/training").rglob("*.jsonl")).read_text().splitlines()[0]
    assert '"processor_version":"v3.0"' in line


@pytest.mark.parametrize(
    ("given", "lake", "catalog"),
    [
        ({}, "./lake", "lake/catalog.duckdb"),
        ({"lake_url": "/data/lake"}, "/data/lake", "/data/lake/catalog.duckdb"),
        ({"lake_url": "file:///data/lake"}, "file:///data/lake", "/data/lake/catalog.duckdb"),
        ({"s3_endpoint_url": "http://localhost:9000"}, "s3://health-data", "catalog.duckdb"),
        ({"s3_endpoint_url": "http://localhost:9000", "lake_url": "here"}, "here", "here/catalog.duckdb"),
        ({"catalog_path": "/c.duckdb"}, "./lake", "/c.duckdb"),
    ],
)
def test_where_the_lake_and_the_catalog_are(given: dict[str, str], lake: str, catalog: str) -> None:
    settings = Settings.model_validate(given)
    assert (settings.lake, settings.catalog) == (lake, Path(catalog))


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"ETL_QUALITY_THRESHOLD": "7.25"}, "ETL_QUALITY_THRESHOLD"),
        ({"ETL_MAX_FILE_SIZE_MB": "-1"}, "ETL_MAX_FILE_SIZE_MB"),
        ({"ETL_LOG_FORMAT": "yaml"}, "ETL_LOG_FORMAT"),
        ({"ETL_TZ": "Mars/Olympus"}, "ETL_TZ"),
        ({"SOURCE_DATE_EPOCH": "yesterday"}, "SOURCE_DATE_EPOCH"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(env: dict[str, str], name: str, tmp_path: Path) -> None:
    done = etlnarr("build", SAMPLES, "--lake", tmp_path, env=env, expect=2)
    assert name in done.stderr
    assert done.stderr.count("\n") == 1
    assert not set(env.values()) & set(done.stderr.split())


@pytest.mark.parametrize(("told", "delays"), [("[30, 300]", (30, 300)), ("30,300", (30, 300)), ("5", (5,))])
def test_delays_are_seconds_in_a_row(monkeypatch: pytest.MonkeyPatch, told: str, delays: tuple[int, ...]) -> None:
    monkeypatch.setenv("ETL_RETRY_DELAYS", told)
    assert Settings(_env_file=None).retry_delays == delays  # type: ignore[call-arg]  # a setting of the library
