"""The feeds of a part of the programme, and the next event: which keys are known, and what they hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
from makers import a_snapshot, a_span, an_event
from visitor import HOST, Visitor, dump

from notifier.app import App
from notifier.config import Subscribers
from notifier.events import calendar
from notifier.events.event import Event, Snapshot, Status
from notifier.mail.links import Scope
from notifier.store.base import Store
from notifier.web.vevents import Vevents

PARTS = {
    "project": "/feed/en/project/smarty.ics",
    "series": "/feed/en/series/smarty-rgi.ics",
    "topic": "/feed/en/topic/sme.ics",
    "region": "/feed/en/region/PL92.ics",
}
NEXT = "/next.en.ics"
NEXT_OF_SERIES = "/next/smarty-rgi.en.ics"


def a_seminar(slug: str = "seminar", **fields: object) -> Event:
    """A meeting of every part; the Calabria meeting in the store is of none of them."""
    defaults = {
        "title": {"en": "Seminar", "pl": "Seminarium"},
        "span": a_span("2020-06-09", at="10:00", until="12:00"),
        "project": "smarty",
        "series": "smarty-rgi",
        "topics": ("sme", "industry-4-0"),
        "regions": ("PL92",),
    }
    return an_event(slug, **(defaults | fields))


def publish(visitor: Visitor, *events: Event, **fields: object) -> None:
    visitor.store.events.publish([a_snapshot(event, **fields) for event in events])


def write(visitor: Visitor, path: str, text: str) -> None:
    file = visitor.app.config.data / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"---\n{text}---\n")
    visitor.reopen()


def read(visitor: Visitor, path: str) -> icalendar.Calendar:
    answer = visitor.get(path)
    assert answer.status_code == 200, path
    found = icalendar.Calendar.from_ical(answer.content)
    assert isinstance(found, icalendar.Calendar)
    return found


def titles(visitor: Visitor, path: str) -> list[str]:
    return sorted(str(entry["SUMMARY"]) for entry in read(visitor, path).walk("VEVENT"))


@pytest.mark.parametrize("path", PARTS.values(), ids=PARTS)
def test_a_part_has_its_own_events_and_nothing_else(visitor: Visitor, path: str) -> None:
    publish(
        visitor, a_seminar(), a_seminar("hidden", visibility="subscribers"), a_seminar("d", is_draft=True)
    )

    assert titles(visitor, path) == ["Seminar"]
    assert titles(visitor, path.replace("/en/", "/pl/")) == ["Seminarium"]
    assert titles(visitor, "/feed/en/all.ics") == ["Calabria meeting", "Seminar"]
    assert titles(visitor, "/feed/en/project/cohes3ion.ics") == ["Calabria meeting"]
    assert titles(visitor, "/feed/en/topic/industry-4-0.ics") == ["Seminar"]


@pytest.mark.parametrize("path", [*PARTS.values(), NEXT_OF_SERIES])
def test_a_key_that_nobody_has_is_not_found(visitor: Visitor, path: str) -> None:
    publish(visitor, an_event("plain", project="", series=""))

    assert visitor.get(path).status_code == 404
    for nothing in ("/feed/en/project/.ics", "/next/.en.ics", "/next/en.ics", "/next/..en.ics"):
        assert visitor.get(nothing).status_code == 404


@pytest.mark.parametrize("path", [*PARTS.values(), NEXT_OF_SERIES])
@pytest.mark.parametrize("hidden", [{"visibility": "group:partners"}, {"is_draft": True}])
def test_a_key_that_only_hidden_events_have_is_answered_like_none(
    visitor: Visitor, path: str, hidden: dict[str, object]
) -> None:
    before = visitor.get(path)
    publish(visitor, a_seminar(**hidden))

    after = visitor.get(path)

    assert after.status_code == 404
    assert after.content == before.content


@pytest.mark.parametrize(("scope", "path"), PARTS.items())
def test_a_known_part_without_events_has_an_empty_feed(
    project: Callable[..., App], store: Store, now: datetime, scope: str, path: str
) -> None:
    # Given a project and a series in the data folder, a topic and a region in the settings, and no event of theirs
    settings = Subscribers(topics={"sme": {"en": "Small firms", "pl": "Małe firmy"}}, regions=("PL92",))
    visitor = Visitor(project(store, subscribers=settings), store, now)
    write(visitor, "projects/smarty.md", "name: {pl: SMARTY po polsku, en: SMARTY}\n")
    write(visitor, "series/smarty-rgi.md", "title: {pl: Grupa, en: Stakeholder group}\nproject: smarty\n")

    # When its feed is asked for
    found = read(visitor, path)

    # Then it is one, and says whose it is
    name = {"project": "SMARTY", "series": "Stakeholder group", "topic": "Small firms", "region": "PL92"}[
        scope
    ]
    assert found.walk("VEVENT") == []
    assert found.walk("VTIMEZONE") != []
    assert str(found["X-WR-CALNAME"]) == f"{visitor_feed_name(visitor)}: {name}"
    assert str(found["SOURCE"]) == HOST + path


def visitor_feed_name(visitor: Visitor) -> str:
    return str(read(visitor, "/feed/en/all.ics")["X-WR-CALNAME"])


def test_a_feed_over_long_ago_is_empty_and_there(visitor: Visitor) -> None:
    publish(visitor, a_seminar(span=a_span("2014-12-18")))

    assert titles(visitor, PARTS["project"]) == []


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("projects/secret.md", "/feed/en/project/secret.ics"),
        ("series/of-secret.md", "/feed/en/series/of-secret.ics"),
        ("series/secret-one.md", "/feed/en/series/secret-one.ics"),
    ],
)
def test_a_project_or_series_for_few_is_not_told_to_all(visitor: Visitor, file: str, path: str) -> None:
    write(visitor, "projects/secret.md", "name: Secret\nvisibility: subscribers\n")
    write(visitor, "series/of-secret.md", "title: Of the secret\nproject: secret\n")
    write(visitor, "series/secret-one.md", "title: Secret too\nvisibility: group:partners\n")
    write(visitor, "series/open.md", "title: Open\nproject: secret\nvisibility: public\n")

    assert (visitor.app.config.data / file).exists()
    assert visitor.get(path).status_code == 404
    assert titles(visitor, "/feed/en/series/open.ics") == []


def test_every_link_to_a_feed_leads_to_one(visitor: Visitor) -> None:
    publish(visitor, a_seminar())
    links = visitor.app.links
    keys: dict[Scope, str] = {"project": "smarty", "series": "smarty-rgi", "topic": "sme", "region": "PL92"}
    found = [links.scoped_feed(scope, key, "de") for scope, key in keys.items()]
    found += [links.atom("de"), links.next_ics("de"), links.next_ics("de", "smarty-rgi"), links.feed("de")]

    assert [visitor.get(link or "").status_code for link in found] == [200] * 8


@pytest.mark.parametrize("path", [*PARTS.values(), NEXT, NEXT_OF_SERIES, "/feed/en/all.atom"])
def test_the_rules_of_the_feed_of_everything_hold_for_every_other(
    visitor: Visitor, tmp_path: Path, path: str
) -> None:
    publish(visitor, a_seminar())
    before = dump(tmp_path / "state")

    plain = visitor.get(path)
    packed = visitor.get(path, accept_encoding="gzip")
    looked = visitor.ask("HEAD", path)
    visitor.reopen()
    restarted = visitor.get(path)

    assert plain.status_code == 200
    assert plain.headers["cache-control"] == "public, max-age=900"
    assert "content-disposition" not in plain.headers and "set-cookie" not in plain.headers
    assert (restarted.content, dict(restarted.headers)) == (plain.content, dict(plain.headers))
    assert (looked.content, dict(looked.headers)) == (b"", dict(plain.headers))
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    for known in (plain, packed):
        coding = known.headers.get("content-encoding", "identity")
        again = visitor.get(path, if_none_match=known.headers["etag"], accept_encoding=coding)
        assert (again.status_code, again.content) == (304, b"")
    assert visitor.get(path, if_none_match='"other"').status_code == 200
    assert visitor.get(path.replace("/en/", "/xx/").replace(".en.", ".xx.")).status_code == 404
    assert visitor.ask("POST", path).status_code == 405
    assert dump(tmp_path / "state") == before


@pytest.mark.parametrize("path", [*PARTS.values(), NEXT_OF_SERIES])
def test_the_files_pass_the_independent_lint(
    visitor: Visitor, shared: Path, tmp_path: Path, path: str
) -> None:
    write(visitor, "projects/smarty.md", 'name: "SM,A;R\\\\TY \\u2028 żółć"\n')
    publish(visitor, a_seminar(), a_seminar("whole-days", span=a_span("2020-07-01", "2020-07-03")))
    file = tmp_path / "found.ics"
    file.write_bytes(visitor.get(path).content)

    for lint in ("bytes_lint.py", "object_lint.py"):
        done = subprocess.run(
            [sys.executable, shared / "tools/ical" / lint, file], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_next_event_is_the_first_that_will_take_place(visitor: Visitor) -> None:
    # Given what is over, called off, without a day, hidden or later, and the Calabria meeting
    later = a_span("2020-05-05")
    publish(
        visitor,
        an_event("over", title={"en": "Over"}, span=a_span("2020-03-31")),
        an_event("off", title={"en": "Off"}, span=a_span("2020-04-02"), status=Status.CANCELLED),
        an_event("waits", title={"en": "Waits"}, span=a_span("2020-04-02"), status=Status.POSTPONED),
        an_event("month", span=replace(a_span("2020-04-01", "2020-04-30"), is_month=True)),
        an_event("hidden", span=a_span("2020-04-03"), visibility="subscribers"),
        an_event("draft", span=a_span("2020-04-03"), is_draft=True),
        a_seminar(title={"en": "Later"}, span=later),
        a_seminar("2nd", title={"en": "Much later"}, span=a_span("2020-05-06")),
    )

    assert titles(visitor, NEXT) == ["Calabria meeting"]
    assert titles(visitor, NEXT_OF_SERIES) == ["Later"]
    assert visitor.get(NEXT).content == visitor.get("/event/2020-04-28-calabria.en.ics").content


def test_the_next_event_is_another_one_when_it_is_over_whatever_a_client_has(visitor: Visitor) -> None:
    # Given a client that has the next event, and one after it that was revised before it
    first = a_seminar(title={"en": "First"}, span=a_span("2020-04-02", at="10:00", until="12:00"))
    publish(visitor, first, revised_at=datetime(2020, 3, 30, tzinfo=UTC))
    visitor.clock[0] = datetime(2020, 4, 2, 9, 59, tzinfo=UTC)  # 11:59 in Warsaw
    had = visitor.get(NEXT)
    assert b"First" in had.content

    # When it ends
    visitor.clock[0] += timedelta(minutes=1)

    # Then neither the tag nor any date keeps the client from the other one
    assert visitor.get(NEXT, if_none_match=had.headers["etag"]).status_code == 200
    assert visitor.get(NEXT, if_modified_since="Thu, 02 Apr 2020 10:00:00 GMT").status_code == 200
    assert titles(visitor, NEXT) == ["Calabria meeting"]


def test_no_next_event_is_said_in_the_language_of_the_address(visitor: Visitor) -> None:
    publish(visitor, a_seminar())
    visitor.clock[0] += timedelta(days=365)

    said = {
        language: visitor.get(f"/next.{language}.ics").text
        for language in ("en", "pl", "de", "bg")
        if visitor.get(f"/next/smarty-rgi.{language}.ics").status_code == 404
    }

    assert said["en"] == "No meeting is planned at the moment.\n"
    assert len(set(said.values())) == 4
    answer = visitor.get(NEXT_OF_SERIES.replace(".en.", ".pl."))
    assert answer.text == said["pl"]
    assert answer.headers["content-language"] == "pl"
    assert answer.headers["cache-control"] == "no-store"


def test_a_publication_costs_one_entry(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given feeds that have been asked for
    publish(visitor, a_seminar(), a_seminar("second"))
    for path in ("/feed/en/all.ics", PARTS["topic"], "/feed/pl/all.ics"):
        visitor.get(path)
    written: list[tuple[str, int, str]] = []
    write_one = calendar.vevent_bytes

    def counted(snapshot: Snapshot, languages: tuple[str, ...], settings: calendar.CalendarSettings) -> bytes:
        written.append((snapshot.event.slug, snapshot.revision, languages[0]))
        return write_one(snapshot, languages, settings)

    monkeypatch.setattr(calendar, "vevent_bytes", counted)

    # When one event is revised
    publish(visitor, a_seminar(title={"en": "New"}), revision=2)
    for path in ("/feed/en/all.ics", PARTS["topic"], PARTS["region"], "/feed/pl/all.ics"):
        visitor.get(path)

    # Then it alone is written again, once a language
    assert written == [("seminar", 2, "en"), ("seminar", 2, "pl")]
    assert titles(visitor, PARTS["topic"]) == ["New", "Seminar"]
    assert len(visitor.site.site.state.hall.vevents) == 2 * 3, "what is no longer current is not kept"


def test_entries_of_old_revisions_are_let_go() -> None:
    old, new = a_snapshot(), a_snapshot(revision=2)
    vevents = Vevents()
    assert vevents.take([old], "en", lambda s: b"old") == [b"old"]

    vevents.keep_only({new.event.uid: new})

    assert vevents.take([old], "en", lambda s: b"again") == [b"again"]
    vevents.keep_only({old.event.uid: old})
    assert vevents.take([old], "en", lambda s: b"never") == [b"again"]
    assert vevents.take([old], "pl", lambda s: b"pl") == [b"pl"]


def test_a_client_that_asks_by_date_alone_hears_that_the_window_let_an_event_go(visitor: Visitor) -> None:
    # Given the last day on which the meeting is in the feed
    visitor.clock[0] = datetime(2020, 7, 28, 12, 0, tzinfo=UTC)
    had = visitor.get("/feed/en/all.ics").headers["last-modified"]
    assert visitor.get("/feed/en/all.ics", if_modified_since=had).status_code == 304

    # When it has left, and even when the client comes a week later
    visitor.clock[0] += timedelta(days=8)
    after = visitor.get("/feed/en/all.ics", if_modified_since=had)

    # Then the client hears of it
    assert after.status_code == 200
    assert after.headers["last-modified"] == "Wed, 29 Jul 2020 00:00:00 GMT"
