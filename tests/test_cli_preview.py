"""What `notifier preview` chooses to show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from office import Office, an_office

#: Of the first Tuesday of April 2020, on which the digests of all cadences are due.
SLOTS = {"2020-W15-2w": "Every two weeks.", "2020-W15": "Every week.", "2020-04": "Every month."}
EVENT = "---\nuid: calabria@region.example\ntitle: Meeting in Calabria\nwhen: 2020-04-28..2020-04-29\n---\nWe meet.\n"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    for name in [n for n in os.environ if n.startswith("NOTIFIER_")]:
        monkeypatch.delenv(name)
    made = an_office(tmp_path / "office")
    made.write("data/events/2020/2020-04-28-calabria.md", EVENT)
    for slot, words in SLOTS.items():
        made.write(f"data/notes/events/{slot}.en.md", f"{words}\n")
    return made


@pytest.mark.parametrize(
    ("now", "is_shown"),
    [("2020-04-01 08:00", True), ("2020-04-07 07:30", True), ("2020-04-07 07:31", False)],
)
def test_the_note_of_the_next_digest_at_the_cadence_of_most_readers_is_shown(
    office: Office, tmp_path: Path, now: str, is_shown: bool
) -> None:
    out = tmp_path / "preview"

    ran = office.here(
        "--at", now, "preview", "--kind", "digest", "--lang", "en", "--out", str(out), "--no-open"
    )

    assert ran.code == 0, ran.err
    for part in ("html", "txt"):
        told = (out / f"digest.en.{part}").read_text()
        assert (SLOTS["2020-W15-2w"] in told) is is_shown
        assert not any(words in told for slot, words in SLOTS.items() if slot != "2020-W15-2w")
