"""The demo: the real meetings of 2014 to 2020, rehearsed once, and every message of it opened and looked into.

Who must get what is worked out here from the CSV file and the event files alone, not asked of the audience's own rules.
"""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import json
import re
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from office import Office, Ran, here, run

from notifier.app import App, read
from notifier.cli import rehearsal_pages
from notifier.configfile import load
from notifier.events import calendar_rules
from notifier.events.event import Event
from notifier.web import site

ROOT = Path(__file__).parents[2]
WARSAW = ZoneInfo("Europe/Warsaw")
BASE = "https://events.region.example"
LEFT = ("industry@example.org", datetime(2020, 8, 5, 7, 30, tzinfo=UTC))
PENDING = "frontdesk@example.com"
TIMELY = [
    "2020-01-15-cohes3ion-essen",
    "2020-04-28-cohes3ion-calabria",
    "2020-07-14-smarty-rgi-2",
    "2020-09-08-smarty-seminar-2",
]


@dataclass(frozen=True)
class Mail:
    """One message of the rehearsal."""

    raw: bytes

    @cached_property
    def parsed(self) -> Any:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def to(self) -> str:
        return str(self.parsed["To"])

    @property
    def kind(self) -> str:
        return str(self.parsed["Feedback-ID"]).split(":")[2]

    @property
    def date(self) -> datetime:
        return self.parsed["Date"].datetime

    @cached_property
    def bodies(self) -> tuple[str, str]:
        """Text and HTML."""
        return tuple(self.parsed.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[return-value]

    @cached_property
    def calendars(self) -> list[bytes]:
        parts = self.parsed.walk()
        return [p.get_payload(decode=True) for p in parts if p.get_content_type() == "text/calendar"]

    @cached_property
    def links(self) -> set[str]:
        text, html = self.bodies
        found = re.findall(r'(?:href|src)="([^"]+)"', html) + re.findall(r"https?://[^\s<>]+", text)
        return {link.replace("&amp;", "&") for link in found if link.startswith("http")}

    def tells_of(self, event: Event) -> bool:
        if self.calendars:
            return any(event.uid.encode() in raw.replace(b"\r\n ", b"") for raw in self.calendars)
        return any(f"/event/{event.slug}." in link for link in self.links)


@dataclass(frozen=True)
class Demo:
    """What the rehearsal left behind."""

    office: Office
    out: Path
    printed: Ran
    app: App  # over a copy of the store that the rehearsal threw away
    mails: list[Mail]
    events: dict[str, Event]
    people: list[dict[str, str]]

    def of(self, kind: str, event: Event) -> list[Mail]:
        return [m for m in self.mails if m.kind == kind and m.tells_of(event)]

    def readers(self, kind: str, event: Event, until: datetime) -> set[str]:
        """Addresses that want this kind about this event and are still there."""
        return {
            row["email"]
            for row in self.people
            if row["consent_at"]
            and kind in row["kinds"].split()
            and row["projects"] in ("*", event.project)
            and row["series"] in ("*", event.series)
            and (row["topics"] == "*" or set(row["topics"].split()) & set(event.topics))
            and not (row["email"] == LEFT[0] and until > LEFT[1])
        }


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    office, out = Office(folder / "demo"), folder / "out"
    assert here("init", "--demo", office.folder, "--yes", "-q") == Ran(0, "", "")
    kept: list[App] = []
    write = rehearsal_pages.write

    def keep(out: Path, app: App, *seen: Any) -> None:
        """The store vanishes with the rehearsal; a copy of it stays for the links."""
        state = folder / "state"
        shutil.copytree(app.config.state, state, ignore=shutil.ignore_patterns("notifier.db*"))
        source, copy = (sqlite3.connect(place / "notifier.db") for place in (app.config.state, state))
        source.backup(copy)
        source.close(), copy.close()
        paths = app.config.paths.model_copy(update={"state": str(state)})
        config = app.config.model_copy(update={"paths": paths})
        kept.append(App(config, read=app.read, made_keys=app.keys))
        write(out, app, *seen)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal_pages, "write", keep)
        printed = office.here(*rehearsal(office, out, "2014-12-01", "2020-12-31"))
    config = load(office.config, {}).config
    yield Demo(
        office,
        out,
        printed,
        kept[0],
        [Mail(path.read_bytes()) for path in sorted((out / "maildir/new").iterdir())],
        {event.slug: event for event in read(config).events},
        list(csv.DictReader((office.folder / "data/samples/subscribers.csv").open(), delimiter=";")),
    )
    kept[0].close()


def rehearsal(office: Office, out: Path, first: str, last: str) -> list[str]:
    data = office.folder / "data"
    given = [
        "--history",
        str(data / "demo/history.toml"),
        "--subscribers",
        str(data / "samples/subscribers.csv"),
    ]
    return ["rehearse", "--from", first, "--to", last, *given, "--out", str(out)]


@pytest.fixture(params=["2014-12-18-wallonia-visit", "2017-11-08-grow-your-region", *TIMELY])
def event(demo: Demo, request: pytest.FixtureRequest) -> Event:
    return demo.events[request.param]


# Who got what


def test_each_meeting_is_announced_once_to_each_who_wants_it_and_before_it_begins(
    demo: Demo, event: Event
) -> None:
    mails = demo.of("announcement", event)
    assert Counter(m.to for m in mails) == dict.fromkeys(
        demo.readers("announcement", event, mails[0].date), 1
    )
    assert all(m.date < event.span.starts_at for m in mails)


def test_each_meeting_is_reminded_of_seven_days_and_one_day_before(demo: Demo, event: Event) -> None:
    by_days = defaultdict(list)
    for mail in demo.of("reminder", event):
        assert mail.date < event.span.starts_at
        by_days[(event.span.first - mail.date.astimezone(WARSAW).date()).days].append(mail)
    assert set(by_days) == {7, 1}
    for mails in by_days.values():
        assert Counter(m.to for m in mails) == dict.fromkeys(
            demo.readers("reminder", event, mails[0].date), 1
        )
        if event.span.begins is None:
            assert {m.date.astimezone(WARSAW).strftime("%H:%M") for m in mails} == {"07:30"}


def test_each_meeting_is_digested_for_whoever_has_a_digest_often_enough(demo: Demo, event: Event) -> None:
    got = {m.to for m in demo.of("digest", event) if m.date < event.span.starts_at}
    weekly = {row["email"] for row in demo.people if row["frequency"] in ("weekly", "biweekly")}
    assert demo.readers("digest", event, datetime(2014, 12, 1, tzinfo=UTC)) & weekly <= got
    assert {row["email"] for row in demo.people if row["frequency"] == "each"} & got == set()


def test_no_digest_goes_out_without_a_meeting_ahead(demo: Demo) -> None:
    for mail in (m for m in demo.mails if m.kind == "digest"):
        ahead = [e for e in demo.events.values() if mail.tells_of(e) and e.span.starts_at > mail.date]
        assert ahead, (mail.date, mail.to)


def test_digests_of_whole_days_are_due_at_half_past_seven_in_summer_and_in_winter(demo: Demo) -> None:
    digests = [m.date for m in demo.mails if m.kind == "digest"]
    assert {d.astimezone(WARSAW).strftime("%a %H:%M") for d in digests} == {"Tue 07:30"}
    assert {d.astimezone(UTC).strftime("%H:%M") for d in digests} == {"05:30", "06:30"}


def test_nothing_reaches_who_is_pending_or_has_left(demo: Demo) -> None:
    assert not [m for m in demo.mails if m.to == PENDING]
    gone = [m for m in demo.mails if m.to == LEFT[0]]
    assert gone, "this one had something to leave"
    assert max(m.date for m in gone) < LEFT[1]
    assert {m.to for m in demo.mails} <= {row["email"] for row in demo.people}


def test_a_reader_of_one_project_or_series_gets_only_that(demo: Demo) -> None:
    for row in demo.people:
        for mail in (m for m in demo.mails if m.to == row["email"]):
            told = [e for e in demo.events.values() if mail.tells_of(e)]
            assert told
            assert all(row["projects"] in ("*", e.project) for e in told), (row["email"], mail.date)
            assert all(row["series"] in ("*", e.series) for e in told), (row["email"], mail.date)


def test_a_reader_of_one_language_gets_it_where_there_is_a_page_in_it(demo: Demo) -> None:
    for row in demo.people:
        first = row["languages"].split()[0]
        got = {str(m.parsed["Content-Language"]) for m in demo.mails if m.to == row["email"]}
        assert got <= {first}, row["email"]


def test_nobody_gets_anything_twice(demo: Demo) -> None:
    assert len({m.parsed["Message-ID"] for m in demo.mails}) == len(demo.mails)
    assert max(Counter((m.to, str(m.parsed["Subject"]), m.date) for m in demo.mails).values()) == 1


# What is in them


def test_every_message_is_whole_and_carries_a_calendar_where_it_should(demo: Demo) -> None:
    for mail in demo.mails:
        assert not mail.parsed.defects
        assert bool(mail.calendars) == (mail.kind != "digest")
        text, html = mail.bodies
        assert text.strip() and html.strip()
        assert "{{" not in text + html


@pytest.fixture(scope="module")
def lints(request: pytest.FixtureRequest) -> list[ModuleType]:
    folder = ROOT.parent / "shared/tools/ical"
    if not folder.is_dir():
        pytest.skip("the independent checks are not beside the checkout")
    found = []
    for name in ("bytes_lint", "object_lint"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec and spec.loader
        found.append(importlib.util.module_from_spec(spec))
        spec.loader.exec_module(found[-1])
    return found


def every_calendar(demo: Demo) -> dict[bytes, str]:
    """Content -> where it was found, each once."""
    attached = {raw: f"{m.kind} to {m.to}" for m in demo.mails for raw in m.calendars}
    return attached | {p.read_bytes(): str(p) for p in (demo.out / "calendar").rglob("*.ics")}


def test_every_calendar_passes_our_own_rules(demo: Demo) -> None:
    files = every_calendar(demo)
    assert len(files) > 20
    assert [
        f"{where}: {words}" for raw, where in files.items() for words in calendar_rules.validate(raw)
    ] == []


def test_every_calendar_passes_the_lints_that_know_nothing_of_us(demo: Demo, lints: list[ModuleType]) -> None:
    bytes_lint, object_lint = lints
    for raw, where in every_calendar(demo).items():
        assert [*bytes_lint.lint(raw)] == [], where
        assert [*object_lint.lint(object_lint.read(raw))] == [], where


def test_looking_at_every_link_of_every_mail_answers_and_changes_nothing(demo: Demo) -> None:
    links = {link for mail in demo.mails for link in mail.links if link.startswith(BASE)}
    links |= {
        match
        for mail in demo.mails
        for match in re.findall(rf"<({BASE}[^>]+)>", str(mail.parsed["List-Unsubscribe"]))
    }
    assert len({urlsplit(link).path.split("/")[1] for link in links}) >= 3, "leaving, event files, feeds"
    database = demo.app.config.state / "notifier.db"
    before = dump(database)

    answers = asyncio.run(looked_at(demo, sorted(links)))

    assert {(method, link): status for method, link, status in answers if status != 200} == {}
    assert dump(database) == before


async def looked_at(demo: Demo, links: list[str]) -> list[tuple[str, str, int]]:
    transport = httpx.ASGITransport(app=site.make(demo.app, lambda: datetime(2020, 12, 31, tzinfo=UTC)))
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        return [
            (method, link, (await client.request(method, link)).status_code)
            for link in links
            for method in ("GET", "HEAD")
        ]


def dump(database: Path) -> str:
    with sqlite3.connect(database) as connection:
        return "\n".join(connection.iterdump())


# What is left behind


def test_the_story_is_printed_in_at_most_forty_lines(demo: Demo) -> None:
    assert (demo.printed.code, demo.printed.err) == (0, "")
    lines = demo.printed.out.splitlines()
    assert 10 < len(lines) <= 40
    assert "is ours" in lines[0]
    assert re.search(
        rf"6 events, \d+ editions, {len(demo.mails)} messages, 0 unknown, 0 duplicates", demo.printed.out
    )
    assert "one-click" in demo.printed.out
    assert "industry@example.org" not in demo.printed.out
    assert str(demo.out / "index.html") in demo.printed.out


def test_the_summary_has_a_row_for_every_edition_that_somebody_got(demo: Demo) -> None:
    rows = json.loads((demo.out / "summary.json").read_text())
    assert all(set(row) == {"key", "kind", "planned", "languages", "recipients", "accepted"} for row in rows)
    assert sum(row["accepted"] for row in rows) == len(demo.mails)
    assert all(row["accepted"] == row["recipients"] == sum(row["languages"].values()) for row in rows)
    assert Counter(row["kind"] for row in rows) >= Counter(announcement=6, reminder=12)
    assert len({row["key"] for row in rows}) == len(rows)


def test_pages_and_index_lead_to_each_other(demo: Demo) -> None:
    index = (demo.out / "index.html").read_text()
    places = [urlsplit(link) for link in re.findall(r'(?:href|src)="([^"]+)"', index)]
    inside = [place.path for place in places if not place.scheme and place.path]
    assert len(inside) > 100
    assert [path for path in inside if not (demo.out / path).exists()] == []
    assert (demo.out / "calendar/pl/all.ics").exists()


def test_the_real_store_and_the_real_relay_are_not_touched(demo: Demo) -> None:
    assert {path.name for path in demo.office.state.iterdir()} == {"secret_key"}
    assert not (demo.office.folder / "outbox").exists()


# Once more


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2014-12-01", "2014-12-31"),
        pytest.param("2014-12-01", "2020-12-31", marks=pytest.mark.slow),
    ],
)
def test_a_second_rehearsal_is_the_same_byte_for_byte(
    demo: Demo, tmp_path: Path, first: str, last: str
) -> None:
    outs = [tmp_path / "one/out", tmp_path / "two/out"]
    for out in outs:
        # In processes of their own: neither hash seeds nor what was imported before may matter
        ran = run(
            "--config", str(demo.office.config), *rehearsal(demo.office, out, first, last), cwd=tmp_path
        )
        assert ran.code == 0, ran.err
    one, two = ({p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} for out in outs)
    assert len(one) > 20
    assert set(one) == set(two)
    assert [str(path) for path in one if one[path] != two[path]] == []


def test_a_folder_of_somebody_else_is_not_emptied(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    ran = demo.office.here(*rehearsal(demo.office, tmp_path, "2014-12-01", "2014-12-02"))
    assert ran.code == 2
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_the_days_asked_for_are_the_days_played(demo: Demo, tmp_path: Path) -> None:
    ran = demo.office.here(*rehearsal(demo.office, tmp_path / "out", "2014-12-17", "2014-12-16"))
    assert ran.code == 2
    assert "ends before it begins" in ran.err
