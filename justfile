# Everything that must hold before a change is merged.
check:
    ruff format --check .
    ruff check .
    mypy
    lint-imports

# The programs of the servers that tests start for themselves, where the machine lacks them.
servers:
    (command -v rabbitmq-server && command -v redis-server) >/dev/null || \
        (apt-get update -q && apt-get install -y -q --no-install-recommends rabbitmq-server redis-server)

# The checks and the tests.
test: check servers
    pytest
    coverage report --skip-covered --fail-under=100 --include="etlnarr/metrics/*,etlnarr/identity.py,etlnarr/quality.py,etlnarr/quarantine.py,etlnarr/catalog/quality.py,etlnarr/catalog/uploads.py,etlnarr/stages/validate.py"

# The randomised faults of the queue at full size, as often in a row as asked.
faults rounds="20": servers
    for round in $(seq {{ rounds }}); do \
        ETLNARR_KILLS=20 pytest --no-cov -q tests/queue/test_faults.py -k "killed or poisons or middle" && \
        ETLNARR_MESSAGES=500 pytest --no-cov -q tests/queue/test_faults.py -k "two_drains" || exit 1; \
    done

# Write the golden narratives anew, to be read before they are committed.
goldens:
    pytest tests/test_goldens.py --snapshot-update

# Write the generated parts of the README anew.
docs:
    python -m tests.docs

# Write the synthetic uploads anew.
samples:
    etlnarr samples --out sample-avro-files

# Time builds beside bare decodes of the same files; fails on a ratio worse by a fifth than the one in tests/bench.json.
bench *arguments:
    python -m tests.bench {{ arguments }}
