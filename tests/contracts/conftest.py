"""One store per backend, empty and open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notifier.store import open_store
from notifier.store.base import Store

BACKENDS = {"sqlite": lambda folder: "sqlite:///notifier.db"}


@pytest.fixture(params=BACKENDS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same memory once more, as another process would."""
    opened: list[Store] = []

    def one_more() -> Store:
        opened.append(open_store(BACKENDS[request.param](tmp_path), tmp_path / "state"))
        return opened[-1]

    yield one_more
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    return reopen()
