import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_samples() -> Path:
    folder = os.environ.get("ETLNARR_REAL_SAMPLES")
    if not folder:
        pytest.skip("ETLNARR_REAL_SAMPLES does not name the folder of real uploads")
    return Path(folder)
