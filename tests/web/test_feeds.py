"""The feed and the files of events: what is in them, and what a client that has them is told."""

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
from visitor import HOST, Visitor

from notifier.app import App
from notifier.events.event import Event, Online, Snapshot, Status
from notifier.store.base import Store
from notifier.web.documents import accepts_gzip, document

FEED = "/feed/en/all.ics"
EVENT = "/event/2020-04-28-calabria.en.ics"


def publish(visitor: Visitor, *events: Event, **fields: object) -> None:
    visitor.store.events.publish([a_snapshot(event, **fields) for event in events])


def titles(visitor: Visitor, path: str = FEED) -> list[str]:
    calendar = icalendar.Calendar.from_ical(visitor.get(path).content)
    return sorted(str(entry["SUMMARY"]) for entry in calendar.walk("VEVENT"))


def test_the_feed_holds_the_events_in_the_language_of_its_address(visitor: Visitor) -> None:
    assert titles(visitor) == ["Calabria meeting"]
    assert titles(visitor, "/feed/pl/all.ics") == ["Spotkanie w Kalabrii"]
    assert titles(visitor, EVENT) == ["Calabria meeting"]
    assert titles(visitor, EVENT.replace(".en.", ".pl.")) == ["Spotkanie w Kalabrii"]


def test_a_feed_is_plain_text_of_a_calendar_and_nothing_is_negotiated(visitor: Visitor) -> None:
    one = visitor.get(FEED, accept="application/json", accept_language="pl")
    other = visitor.get(FEED)

    assert one.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "content-disposition" not in one.headers
    assert one.content == other.content
    assert one.content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert f"{HOST}{FEED}".encode() in one.content.replace(b"\r\n ", b"")


def test_every_language_that_mails_may_come_in_has_its_feed(visitor: Visitor) -> None:
    for language in ("pl", "en", "de", "bg"):
        assert visitor.get(visitor.app.links.feed(language) or "").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/feed/xx/all.ics",
        "/feed/EN/all.ics",
        "/feed/../all.ics",
        "/feed/en/all.ICS",
        "/feed/en/other.ics",
        "/feed/en_GB/all.ics",
    ],
)
def test_a_feed_that_is_not_there_is_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "nothing.en",
        "2020-04-28-calabria.xx",
        "2020-04-28-calabria",
        ".en",
        "2020-04-28-calabria.",
        "%2e%2e%2fx.en",
        "2020-04-28-CALABRIA.en",
    ],
)
def test_an_event_that_is_not_there_is_not_found(visitor: Visitor, name: str) -> None:
    answer = visitor.get(f"/event/{name}.ics")

    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_what_not_everybody_may_see_is_in_no_file(visitor: Visitor) -> None:
    publish(
        visitor,
        an_event("for-readers", visibility="subscribers"),
        an_event("for-a-group", visibility="group:partners"),
        an_event("a-draft", is_draft=True),
    )

    for slug in ("for-readers", "for-a-group", "a-draft"):
        assert visitor.get(f"/event/{slug}.en.ics").status_code == 404
    assert titles(visitor) == ["Calabria meeting"]


def test_an_event_taken_back_from_the_public_goes_at_once_whatever_a_client_has(visitor: Visitor) -> None:
    # Given a client with a copy of two events
    publish(visitor, an_event("the-other"))
    had = visitor.get(FEED)

    # When the event becomes one for subscribers only
    hidden = an_event(visibility="subscribers")
    publish(visitor, hidden, revision=2, revised_at=datetime(2020, 4, 1, 5, 0, tzinfo=UTC))

    # Then neither its date nor its validator holds any more
    assert visitor.get(FEED, if_modified_since=had.headers["last-modified"]).status_code == 200
    assert visitor.get(FEED, if_none_match=had.headers["etag"]).status_code == 200
    assert titles(visitor) == ["Calabria meeting"]
    assert visitor.get(EVENT).status_code == 404


def test_a_cancelled_event_says_so_and_stays(visitor: Visitor) -> None:
    publish(visitor, an_event(status=Status.CANCELLED), revision=2, sequence=1)

    for path in (FEED, EVENT):
        assert b"STATUS:CANCELLED\r\n" in visitor.get(path).content
        assert b"SEQUENCE:1\r\n" in visitor.get(path).content
        assert titles(visitor, path) == ["Cancelled: Calabria meeting"]


def test_an_event_of_which_only_the_month_is_known_has_no_file(visitor: Visitor) -> None:
    span = replace(a_span("2020-09-01", "2020-09-30"), is_month=True)
    publish(visitor, an_event("in-september", span=span))

    assert visitor.get("/event/in-september.en.ics").status_code == 404


def test_a_link_for_participants_is_in_no_public_file(visitor: Visitor) -> None:
    secret = Online(platform="Jitsi", link="https://meet.example/secret", passcode="4711")
    publish(visitor, an_event("online", online=secret))

    for path in (FEED, "/event/online.en.ics"):
        content = visitor.get(path).content.replace(b"\r\n ", b"")
        assert b"Calabria" in content
        assert b"secret" not in content and b"4711" not in content


def test_an_event_with_dots_in_its_name_has_its_file(visitor: Visitor) -> None:
    publish(visitor, an_event("v1.2-meeting"))

    assert visitor.get("/event/v1.2-meeting.pl.ics").status_code == 200


@pytest.mark.parametrize("path", [FEED, EVENT, "/style.css"])
def test_the_same_bytes_and_validators_at_every_asking_and_after_a_restart(
    visitor: Visitor, path: str
) -> None:
    first = visitor.get(path)
    again = visitor.get(path)
    visitor.reopen()
    restarted = visitor.get(path)

    for other in (again, restarted):
        assert other.content == first.content
        assert dict(other.headers) == dict(first.headers)
    assert first.headers["etag"].startswith('"')


def test_a_feed_keeps_its_validator_from_midnight_to_midnight(visitor: Visitor) -> None:
    # Given the last day on which the meeting is in the window
    visitor.clock[0] = datetime(2020, 7, 28, 0, 0, tzinfo=UTC)
    morning = visitor.get(FEED).headers["etag"]
    visitor.clock[0] = datetime(2020, 7, 28, 23, 59, tzinfo=UTC)
    assert visitor.get(FEED).headers["etag"] == morning

    # When the day is over
    visitor.clock[0] += timedelta(minutes=2)

    # Then the feed is another one
    assert visitor.get(FEED).headers["etag"] != morning
    assert titles(visitor) == []


def test_a_new_revision_is_in_the_feed_at_once(visitor: Visitor) -> None:
    before = visitor.get(FEED)
    moved = an_event(span=a_span("2020-05-05", "2020-05-06", zone="Europe/Rome"))
    revised = datetime(2020, 4, 1, 5, 30, 12, 345, tzinfo=UTC)
    publish(visitor, moved, revision=2, sequence=1, revised_at=revised)

    after = visitor.get(FEED, if_none_match=before.headers["etag"])

    assert after.status_code == 200
    assert b"20200505" in after.content
    assert after.headers["last-modified"] == "Wed, 01 Apr 2020 05:30:12 GMT"
    assert visitor.get(FEED, if_modified_since=after.headers["last-modified"]).status_code == 304
    assert visitor.get(EVENT).headers["last-modified"] == "Wed, 01 Apr 2020 05:30:12 GMT"


@pytest.mark.parametrize("path", [FEED, EVENT])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_bytes_is_told_so_without_them(visitor: Visitor, path: str, method: str) -> None:
    had = visitor.get(path).headers
    etag, date = had["etag"], had["last-modified"]
    for condition in (
        {"if-none-match": etag},
        {"if-none-match": f'"other", W/{etag}'},
        {"if-none-match": "*"},
        {"if-modified-since": date},
        {"if-modified-since": "Thu, 02 Apr 2020 00:00:00 GMT"},
        {"if-none-match": etag, "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):
        answer = visitor.ask(method, path, headers=condition)
        assert (answer.status_code, answer.content) == (304, b""), condition
        for name in ("etag", "last-modified", "cache-control", "vary"):
            assert answer.headers[name] == had[name]


@pytest.mark.parametrize(
    "condition",
    [
        {"if-none-match": '"other"', "if-modified-since": "Thu, 02 Apr 2020 00:00:00 GMT"},  # the tag wins
        {"if-modified-since": "Sun, 01 Mar 2020 00:00:00 GMT"},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": "Thu, 02 Apr 2020 00:00:00"},  # no zone
        {"if-modified-since": "Thu, 99 Apr 2020 00:00:00 GMT"},
        {"if-none-match": ""},
        {"cache-control": "no-cache"},  # what Thunderbird sends
    ],
)
def test_who_has_something_else_gets_the_bytes(visitor: Visitor, condition: dict[str, str]) -> None:
    answer = visitor.ask("GET", FEED, headers=condition)

    assert answer.status_code == 200
    assert answer.content.startswith(b"BEGIN:VCALENDAR")


@pytest.mark.parametrize("path", [FEED, EVENT, "/style.css"])
def test_gzip_is_given_to_who_asks_under_a_validator_of_its_own(visitor: Visitor, path: str) -> None:
    plain = visitor.get(path)
    packed = visitor.get(path, accept_encoding="gzip, deflate")

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content  # httpx unpacks
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.headers["etag"] != plain.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    known = visitor.get(path, accept_encoding="gzip", if_none_match=packed.headers["etag"])
    assert known.status_code == 304
    assert known.headers["vary"] == "Accept-Encoding"
    assert visitor.get(path, if_none_match=packed.headers["etag"]).status_code == 200


@pytest.mark.parametrize(
    ("field", "is_asked"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("br, *;q=0.1", True),
        ("identity", False),
        ("gzip;q=much", False),
        ("gzip;q=7", False),
        ("notgzip", False),
    ],
)
def test_what_asks_for_gzip(field: str, is_asked: bool) -> None:
    assert accepts_gzip(field) is is_asked


def test_packed_bytes_hold_no_time_of_their_making() -> None:
    assert document(b"x", "text/plain", "no-store").packed[4:8] == bytes(4)  # MTIME (RFC 1952 2.3.1)


def test_a_feed_asked_for_again_is_not_rendered_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = visitor.get(FEED)

    def fails() -> dict[str, Snapshot]:
        raise AssertionError("rendered again")

    monkeypatch.setattr(visitor.store.events, "current", fails)

    assert visitor.get(FEED).content == first.content
    assert visitor.get(FEED, if_none_match=first.headers["etag"]).status_code == 304


@pytest.mark.parametrize("path", [FEED, "/feed/bg/all.ics", EVENT, "/event/timed.de.ics"])
def test_the_files_pass_the_independent_lint(
    visitor: Visitor, shared: Path, tmp_path: Path, path: str
) -> None:
    publish(
        visitor,
        an_event(
            "timed",
            span=a_span("2020-07-14", at="10:00", until="12:00"),
            title={"pl": "Spotkanie „grupy”, żółć; \\"},
        ),
        an_event("called-off", status=Status.CANCELLED),
    )
    file = tmp_path / "found.ics"
    file.write_bytes(visitor.get(path).content)

    for lint in ("bytes_lint.py", "object_lint.py"):
        done = subprocess.run(
            [sys.executable, shared / "tools/ical" / lint, file], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_empty_store_has_an_empty_feed(project: Callable[..., App], store: Store, now: datetime) -> None:
    visitor = Visitor(project(store), store, now + timedelta(days=2000))

    assert titles(visitor) == []
    assert b"BEGIN:VTIMEZONE" in visitor.get(FEED).content, "a calendar holds at least one part"
