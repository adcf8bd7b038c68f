"""What is broken stops only what would contain it, is named with its place, and goes out once it is mended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Office, an_office

from notifier.transports.catchall import CatchAll


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CatchAll]:
    with CatchAll(tmp_path / "caught") as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, server: CatchAll) -> Office:
    made = an_office(tmp_path / "office", server.url)
    made.people(2)
    assert made.here("tick").code == 0
    return made


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<p>\n{% if %}\n</p>\n", 2),
        ("<p>\n\n{{ nothing_like_it.at_all }}</p>\n", 3),
        ("{% include 'parts/nowhere.html' %}\n", 1),
    ],
    ids=["syntax", "unknown name", "missing part"],
)
def test_a_broken_template_holds_its_editions_and_names_its_line(
    office: Office, server: CatchAll, text: str, line: int
) -> None:
    template = office.write("templates/mail/announcement.html", text)
    office.tell()

    ran = office.run("tick")

    assert (ran.code, server.caught) == (13, [])
    assert len(ran.err.splitlines()) <= 12
    assert "Traceback" not in ran.err
    assert "held: announcement/meeting@events.region.example" in ran.err
    assert f"templates/mail/announcement.html:{line}: " in ran.err
    # And it goes out when it is mended
    template.unlink()
    assert office.run("tick").code == 0
    assert len(server.caught) == 2


def test_a_broken_event_file_holds_its_own_editions_with_words_that_an_officer_understands(
    office: Office, server: CatchAll
) -> None:
    # Given two new meetings whose notices are stored, and not yet sent
    broken, sound = office.tell("broken", title="Broken meeting"), office.tell("sound", title="Sound meeting")
    assert office.here("hold", "--all", "a moment").code == 0
    assert office.here("tick").code == 0
    text = broken.read_text()
    year, month, day = broken.stem.split("-")[:3]
    broken.write_text(text.replace(f"when: {year}-{month}-{day}", f"when: {day}.{month}.{year}"))
    assert office.here("resume").code == 0

    ran = office.run("tick")

    # Then one is held with its place, and the other goes out
    assert ran.code == 3
    assert f"held: announcement/broken@events.region.example: {broken.stem} cannot be read" in ran.err
    assert len(server.caught) == 2
    listed = office.run("events", "list")
    assert listed.code == 4
    assert sound.stem in listed.out
    assert f" --> data/events/{broken.parent.name}/{broken.name}:4:7" in listed.err
    assert "error[E010]" in listed.err and "^^^" in listed.err
    assert f"= fix: when: {year}-{month}-{day}" in listed.err
    assert "held: announcement/broken@events.region.example" in office.here("status").out
    # And it goes out when it is mended, without being told twice
    broken.write_text(text)
    assert office.run("tick").code == 0
    assert len(server.caught) == 4
    assert server.duplicates == 0


def test_an_announcement_may_wait_for_its_edit_and_expires_where_nobody_mends_it(
    office: Office, server: CatchAll
) -> None:
    short = {"NOTIFIER__EDITIONS__ANNOUNCEMENT__USEFUL_UNTIL": "1s"}
    template = office.write("templates/mail/announcement.html", "{% if %}")
    office.tell()
    assert office.run("tick", env=short).code == 13
    time.sleep(1.1)
    template.unlink()
    assert office.run("tick", env=short).code == 0
    assert server.caught == []
    listed = json.loads(office.here("--output-format", "json", "editions", "list").out)
    assert [e["state"] for e in listed["data"]] == ["expired"]
