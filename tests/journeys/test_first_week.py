"""From an empty folder to mail that went out and can be explained: the officer's first week, on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from office import HEADINGS, Office, Ran, here, run

PEOPLE = f"""\
{HEADINGS}
office@example.org;Office;en;weekly;2020-01-07;consent;paper form;form-v1
biuro@example.org;Biuro;pl;weekly;2020-01-07;consent;paper form;form-v1
new@example.org;New;en;weekly;;;;
"""
RANGES = {
    "pl": "28–29 kwietnia 2020",
    "de": "28.–29. April 2020",
    "bg": "28 – 29 април 2020",
    "en": "28–29 April 2020",
}


@pytest.fixture(autouse=True)
def _no_other_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFIER_CONFIG", raising=False)


def subjects(folder: Path) -> list[tuple[str, str]]:
    """(to, subject) of every message in a maildir, sorted."""
    found = [message_from_bytes(p.read_bytes(), policy=policy.default) for p in folder.glob("new/*")]
    return sorted((str(m["To"]), str(m["Subject"])) for m in found)


def said(ran: Ran, code: int = 0) -> str:
    """What a command said, after a look at how it ended."""
    assert ran.code == code, ran.err
    return ran.out


def test_from_an_empty_folder_to_mail_that_can_be_explained(tmp_path: Path) -> None:
    # A project is made in a folder that knows nothing of a checkout, by a person who is asked nothing
    made = run("init", "office", "--languages", "en,pl", "--yes", cwd=tmp_path)
    assert "config.toml is ready" in said(made)
    office = Office(tmp_path / "office")
    assert run("check", cwd=office.folder).code == 0
    # (there is no quarter of an hour to wait for here)
    office.config.write_text(office.config.read_text() + '\n[editions.update]\ndelay = "0s"\n')
    assert "First meeting" in said(office.here("events", "list"))
    assert "draft" in said(office.here("events", "show", "2030-05-14-first-meeting"))

    # It has subscribers: first looked at, then taken; who is pending stays so
    people = str(office.write("people.csv", PEOPLE))
    assert "2 with consent, 1 pending" in said(
        office.here("subscribers", "import", people, "--accept-consent", "--dry-run")
    )
    assert "nobody yet" in said(office.here("subscribers", "list"))
    said(office.here("subscribers", "import", people))
    assert "3 pending" in said(office.here("subscribers", "list"))
    said(office.here("subscribers", "import", people, "--accept-consent"))
    assert "1 pending, 2 confirmed" in said(office.here("subscribers", "list"))
    assert "o…@example.org" in said(office.here("subscribers", "list"))
    assert "consent, paper form, wording form-v1" in said(
        office.here("subscribers", "show", "Office@Example.ORG")
    )

    # The first tick is a baseline; then a meeting is written
    assert office.run("tick") == Ran(0, "", "")
    day = (datetime.now(UTC) + timedelta(days=21)).date()
    said(
        office.here("events", "new", "--title", "Spring seminar", "--when", str(day), "--place", "Town hall")
    )
    file = next((office.folder / "data/events").rglob("*spring-seminar.md"))
    file.write_text(re.sub(r"(?m)^draft: yes.*\n", "", file.read_text()))
    slug = file.stem
    planned = said(office.here("plan", "--within", "30d"))
    assert "Spring seminar" in planned and "en 1, pl 1" in planned and "(to approve)" in planned

    # It is looked at, and tried on oneself
    out = office.folder / "look"
    said(office.here("preview", slug, "--out", str(out), "--no-open"))
    assert {
        f"announcement.{lang}.{kind}" for lang in ("en", "pl") for kind in ("html", "txt", "eml", "ics")
    } == {path.name for path in out.iterdir()}
    said(office.here("send", slug, "--test", "me@example.org"))
    assert [(to, s[:6]) for to, s in subjects(office.folder / "outbox")] == [("me@example.org", "[Test]")]
    assert "empty" in said(office.here("outbox", "list"))

    # Sent by hand: without a terminal it asks for a word, with the word it goes to those who agreed
    asked = office.run("send", slug)
    assert asked.code == 5
    assert "to 2 people now" in asked.err
    assert "sent to 2 people" in said(office.here("send", slug, "--yes"))
    box = subjects(office.folder / "outbox")
    assert [to for to, _ in box] == ["biuro@example.org", "me@example.org", "office@example.org"]
    assert office.run("tick") == Ran(0, "", "")
    assert "went out before" in said(office.here("send", slug, "--yes"), code=4)
    assert subjects(office.folder / "outbox") == box

    # A second meeting is announced by itself, but not unseen
    office.tell("clusters", days=25, title="Clusters and regions")
    assert office.run("tick") == Ran(0, "", "")
    key = "announcement/clusters@events.region.example"
    assert key in said(office.here("editions", "list", "--state", "waiting,held"))
    shown = said(office.here("editions", "show", key))
    assert "Clusters and regions" in shown and "to         2 (en 1, pl 1)" in shown and "not yet" in shown
    assert f"held: {key}: approval: nobody has approved it yet" in said(office.here("status"))
    assert office.here("editions", "approve", key).code == 5
    assert "goes out now to 2" in said(office.here("editions", "approve", key, "--as", "officer", "--yes"))

    # But everything is on hold first, and nothing leaves until it goes on
    said(office.here("hold", "--all", "wrong logo"))
    assert said(office.here("status")).startswith('EVERYTHING IS ON HOLD: "wrong logo')
    assert office.run("tick") == Ran(0, "", "")
    assert subjects(office.folder / "outbox") == box
    assert "wrong logo" in said(office.here("resume"))
    assert office.run("tick") == Ran(0, "", "")
    assert len(subjects(office.folder / "outbox")) == len(box) + 2

    # And everything can be asked for afterwards
    outbox = said(office.here("outbox", "list"))
    assert "4 accepted" in outbox and "b…@example.org" in outbox
    assert "state       accepted" in said(office.here("outbox", "show", f"{key}:1"))
    why = said(office.here("explain", "--to", "biuro@example.org", "--edition", key))
    assert "accepted: " in why and "in pl" in why
    assert "not addressed" in said(office.here("explain", "--to", "new@example.org", "--event", slug))
    assert "not addressed" in said(office.here("explain", "--to", "new@example.org", "--edition", key))
    assert "approved   officer" in said(office.here("editions", "show", key))
    status = said(office.here("status"))
    assert "outbox: 4 accepted" in status
    assert len(said(run(cwd=office.folder)).splitlines()) <= 12


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    assert here("init", "--demo", folder, "--yes", "-q") == Ran(0, "", "")
    return Office(folder)


def previewed(demo: Office, out: Path, language: str) -> dict[str, bytes]:
    """The files of the digest of 1 April 2020."""
    words = ("--at", "2020-04-01 08:00", "preview", "--kind", "digest", "--lang", language)
    said(demo.here(*words, "--out", str(out), "--no-open"))
    return {path.suffix: path.read_bytes() for path in out.iterdir()}


def plain(raw: bytes) -> str:
    return raw.decode().replace("\xa0", " ")


@pytest.mark.parametrize("language", RANGES)
def test_the_demo_s_digest_writes_the_days_as_the_language_does(
    demo: Office, tmp_path: Path, language: str
) -> None:
    files = previewed(demo, tmp_path / "preview", language)
    assert set(files) == {".html", ".txt", ".eml", ".ics"}
    assert RANGES[language] in plain(files[".txt"])
    assert RANGES[language] in plain(re.sub(rb"<[^>]*>", b"", files[".html"]))
    message = message_from_bytes(files[".eml"], policy=policy.default)
    assert not message.defects
    assert message["Content-Language"] in (None, language)
    assert b"DTSTART;VALUE=DATE:20200428\r\n" in files[".ics"]
    assert b"DTEND;VALUE=DATE:20200430\r\n" in files[".ics"]
    assert not demo.state.joinpath("notifier.db").exists(), "looking makes no database"


def test_after_a_tick_of_today_one_may_still_look_at_an_earlier_time(demo: Office, tmp_path: Path) -> None:
    import shutil

    copy = Office(tmp_path / "copy")
    shutil.copytree(demo.folder, copy.folder)
    before = previewed(copy, tmp_path / "before", "pl")
    assert copy.here("tick").code == 0
    after = previewed(copy, tmp_path / "after", "pl")
    assert RANGES["pl"] in after[".txt"].decode()
    assert after[".txt"] == before[".txt"]
