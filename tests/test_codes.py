"""Every code that can be told can be explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notifier.cli.codes import CODES

ROOT = Path(__file__).parents[1]
CATALOGUE = [
    *(f"E{n:03}" for n in (*range(1, 20), *range(20, 25), 30, 31, 40, 41)),
    *(f"E{n}" for n in (*range(200, 208), *range(301, 305), *range(401, 409))),
    *(f"W{n}" for n in (*range(101, 115), 120, 201)),
]


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_code_is_explained_with_a_title_and_a_cure(code: str) -> None:
    title, text = CODES[code]
    assert len(title) <= 60
    assert not title.endswith(".")
    assert len(text) > 40
    assert max(len(line) for line in text.split("\n")) <= 120


def test_every_code_in_the_sources_is_explained() -> None:
    used = {
        code
        for path in (*(ROOT / "notifier/sources").glob("*.py"), *(ROOT / "notifier/events").glob("*.py"))
        for code in re.findall(r"\"([EW]\d{3})\"", path.read_text("utf-8"))
    }
    assert len(used) > 25
    assert used <= set(CODES)
