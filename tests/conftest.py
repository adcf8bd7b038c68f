"""What every test may ask for by name."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that `import makers` works from every folder

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture
def now() -> datetime:
    """Wednesday 1 April 2020, 08:00 in Warsaw."""
    return datetime(2020, 4, 1, 6, 0, tzinfo=UTC)


@pytest.fixture
def shared() -> Path:
    """The folder of real inputs and independent checks, where it is there."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real inputs and independent checks is not beside the checkout")
    return SHARED
