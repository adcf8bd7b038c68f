"""What people get, approved by eye: every kind in every language, byte for byte."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from golden import renew

from notifier.events import vtimezone


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, bytes]]:
    before = zoneinfo.TZPATH
    _zones_from(())  # the pinned zone data, as every command takes it
    yield dict(renew.made())
    _zones_from(before)


def _zones_from(paths: tuple[str, ...]) -> None:
    zoneinfo.reset_tzpath(to=paths)
    ZoneInfo.clear_cache()
    vtimezone.holds.cache_clear()


NAMES = [
    f"{kind.value}.{language}{suffix}"
    for kind, language, suffix in product(renew.KINDS, renew.LANGUAGES, renew.SUFFIXES)
    if not (kind == "digest" and suffix == ".ics")  # a digest carries no calendar file
]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_was_approved(made: dict[str, bytes], name: str) -> None:
    approved = (renew.FOLDER / name).read_bytes()
    how = "look at the difference, then: python tests/golden/renew.py"
    assert made[name].decode().splitlines() == approved.decode().splitlines(), how
    assert made[name] == approved, how


def test_all_that_is_made_was_approved(made: dict[str, bytes]) -> None:
    assert sorted(made) == sorted(NAMES)
    there = [p.name for p in renew.FOLDER.iterdir() if p.name.split(".")[0] in {k.value for k in renew.KINDS}]
    assert sorted(there) == sorted(NAMES)
