"""What may hold a secret is not printed where it is not what it must be."""

from pathlib import Path

import pytest

from tests.command import SAMPLES, etlnarr

SECRET = "s3cr3tPW"
REDIS = {"ETL_DEDUPLICATION_STORE": "redis"}


@pytest.mark.parametrize(
    "url",
    [
        f"etl:{SECRET}@127.0.0.1:5672",
        f"amqp:/etl:{SECRET}@h",
        f"amqp://etl:{SECRET}127.0.0.1:1",
        f"amqp://etl:{SECRET}/x@h",
        f"amqps://etl:{SECRET}@h?ssl_options={{",
        f"http://etl:{SECRET}@h",
        SECRET,
    ],
)
def test_a_broker_that_is_no_url_is_not_printed(url: str, tmp_path: Path) -> None:
    done = etlnarr("queue", "status", cwd=tmp_path, env={"ETL_RABBITMQ_URL": url}, expect=2)
    assert (done.stdout, done.stderr) == ("", "etlnarr: ETL_RABBITMQ_URL: not an amqp:// URL\n")


@pytest.mark.parametrize("url", [f":{SECRET}@h/2", f"redis:/:{SECRET}@h/2", f"redis://:{SECRET}127.0.0.1:1/2", SECRET])
def test_a_store_that_is_no_url_is_not_printed(url: str, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    done = etlnarr("drain-queue", cwd=tmp_path, env={**REDIS, "ETL_DEDUPLICATION_REDIS_URL": url}, expect=2)
    assert (done.stdout, done.stderr) == ("", "etlnarr: ETL_DEDUPLICATION_REDIS_URL: not a redis:// URL\n")


@pytest.mark.parametrize("url", [f"u:{SECRET}@h/x", f"http:/u:{SECRET}@h", f"http://u:{SECRET}", SECRET, "https://"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_api_that_is_no_url_is_not_printed(url: str, more: tuple[str, ...], tmp_path: Path) -> None:
    env = {"ETL_API_TOKEN": "hidden"}
    done = etlnarr("load", SAMPLES, "--user-id", "u", "--via-api", url, *more, cwd=tmp_path, env=env, expect=2)
    assert (done.stdout, done.stderr) == ("", "etlnarr: --via-api: not an http:// or https:// URL\n")


@pytest.mark.parametrize(
    "url",
    [
        f"tests:{SECRET}@health-data",
        f"tests:{SECRET}/x@health-data",
        f"s3:/tests:{SECRET}@health-data",
        f"s3://tests:{SECRET}@health-data",
        f"tests:{SECRET}@http://health-data",
        f"http://tests:{SECRET}@health-data",
    ],
)
@pytest.mark.parametrize("command", [["drain-queue"], ["status"], ["build", str(SAMPLES)]])
def test_a_lake_that_holds_a_secret_is_not_printed_and_not_made(url: str, command: list[str], tmp_path: Path) -> None:
    env = {"ETL_LAKE_URL": url, "ETL_DEDUPLICATION_STORE": "sqlite"}  # of which a notice names the catalog
    done = etlnarr(*command, cwd=tmp_path, env=env, expect=2)
    assert SECRET not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lake", ["./a:b@c", "a@b:c"])
def test_a_folder_may_have_signs_of_a_url_in_its_name(lake: str, tmp_path: Path) -> None:
    etlnarr("build", sorted(SAMPLES.glob("*.avro"))[0], "--month", "2020-01", "--lake", lake, "--dry-run", cwd=tmp_path)
