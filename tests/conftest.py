"""What every test may use."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def project() -> Path:
    """Give the folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Give a folder with copies of the public data, or skip where there is none."""
    for folder in os.environ.get("RULEALIGN_DATA_MIRRORS", "").split(os.pathsep):
        if folder and (Path(folder) / "cichy92").is_dir():
            return Path(folder)
    pytest.skip("no mirror of public data (RULEALIGN_DATA_MIRRORS)")
