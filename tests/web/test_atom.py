"""The Atom feed: what RFC 4287 asks for, as parsers of others read it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from makers import a_snapshot, a_span, an_event
from visitor import HOST, KEY, Visitor

from notifier.events.calendar import CalendarSettings
from notifier.events.event import Event, Online, Place, Status
from notifier.mail.links import Links
from notifier.web import atom

FEED = "/feed/en/all.atom"
NAMES = {"a": "http://www.w3.org/2005/Atom"}
CALABRIA = "20200428calabria@events.region.example"
SETTINGS = CalendarSettings(
    organiser_name="Office", organiser_mail="events@region.example", feed_name={"en": "Meetings"}
)
LINKS = Links(HOST, {1: KEY}, frozenset({"atom", "event_ics"}))


def publish(visitor: Visitor, *events: Event, **fields: Any) -> None:
    visitor.store.events.publish([a_snapshot(event, **fields) for event in events])


def read(visitor: Visitor, path: str = FEED) -> ElementTree.Element:
    return ElementTree.fromstring(visitor.get(path).content)


def entries(feed: ElementTree.Element) -> list[dict[str, str]]:
    """Each entry's texts by name."""
    found = feed.findall("a:entry", NAMES)
    return [{child.tag.split("}")[1]: child.text or "" for child in entry} for entry in found]


def test_an_entry_has_a_lasting_id_and_the_times_of_its_revisions(visitor: Visitor) -> None:
    # Given an event that was published on 2 March and moved on 1 April
    moved = an_event(span=a_span("2020-05-05", "2020-05-06", zone="Europe/Rome"))
    before = entries(read(visitor))[0]
    publish(visitor, moved, revision=2, revised_at=datetime(2020, 4, 1, 5, 30, 12, 999999, tzinfo=UTC))

    after = entries(read(visitor))[0]

    assert before["id"] == after["id"] == f"urn:uuid:{uuid5(NAMESPACE_URL, CALABRIA)}"
    assert before["id"] == entries(read(visitor, "/feed/pl/all.atom"))[0]["id"]
    assert before["published"] == after["published"] == before["updated"] == "2020-03-02T09:00:00Z"
    assert after["updated"] == "2020-04-01T05:30:12Z"
    assert "5–6 May 2020" in after["content"].replace("\u2009", " ").replace("\u00a0", " ")
    assert read(visitor).findtext("a:updated", "", NAMES) == after["updated"]


def test_a_feed_has_what_rfc_4287_demands(visitor: Visitor) -> None:
    publish(visitor, an_event("second"), revised_at=datetime(2020, 3, 9, tzinfo=UTC))
    answer = visitor.get(FEED)
    feed = read(visitor)

    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert answer.headers["last-modified"] == "Mon, 09 Mar 2020 00:00:00 GMT"
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert feed.findtext("a:author/a:name", "", NAMES) == "Cooperation Office"
    assert [link.attrib for link in feed.findall("a:link", NAMES)] == [
        {"rel": "self", "type": "application/atom+xml", "href": HOST + FEED}
    ]
    for element in (feed, *feed.findall("a:entry", NAMES)):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"a:{name}", NAMES)) == 1
            assert element.findtext(f"a:{name}", "", NAMES)
    ids = [entry["id"] for entry in entries(feed)]
    assert len({*ids, feed.findtext("a:id", "", NAMES)}) == 3
    assert [entry["updated"] for entry in entries(feed)] == ["2020-03-09T00:00:00Z", "2020-03-02T09:00:00Z"]


def test_a_feed_reader_reads_it(visitor: Visitor) -> None:
    feedparser = pytest.importorskip("feedparser", reason="feedparser is not installed")
    publish(visitor, an_event("called-off", topics=("sme", "r&d"), status=Status.CANCELLED))

    found = feedparser.parse(visitor.get(FEED).content)

    assert (found.bozo, found.version) == (False, "atom10")
    entry = next(entry for entry in found.entries if entry.title.startswith("Cancelled"))
    assert [tag.term for tag in entry.tags] == ["sme", "r&d"]
    assert [(link.rel, link.type) for link in entry.links] == [("alternate", "text/calendar")]
    assert visitor.get(entry.links[0].href).status_code == 200
    assert entry.published_parsed[:6] == (2020, 3, 2, 9, 0, 0)


def test_a_cancelled_event_stays_however_long_ago_it_was(visitor: Visitor) -> None:
    publish(visitor, an_event(status=Status.CANCELLED), revision=2, sequence=1)
    visitor.clock[0] += timedelta(days=900)

    assert [entry["title"] for entry in entries(read(visitor))] == ["Cancelled: Calabria meeting"]


def test_what_not_everybody_may_see_is_not_in_it(visitor: Visitor) -> None:
    secret = Online(platform="Jitsi", link="https://meet.example/secret", passcode="4711")
    publish(
        visitor,
        an_event("for-readers", title={"en": "Hidden"}, visibility="subscribers"),
        an_event("for-a-group", title={"en": "Hidden"}, visibility="group:partners"),
        an_event("a-draft", title={"en": "Hidden"}, is_draft=True),
        an_event("online", online=secret),
        revised_at=datetime(2020, 3, 20, tzinfo=UTC),
    )

    text = visitor.get(FEED).text

    assert len(entries(read(visitor))) == 2
    assert "Hidden" not in text and "secret" not in text and "4711" not in text


def test_a_month_without_a_day_is_told_but_has_no_file(visitor: Visitor) -> None:
    span = replace(a_span("2020-09-01", "2020-09-30"), is_month=True)
    publish(visitor, an_event("in-september", span=span, link="https://partner.example/september"))

    told = {entry["content"].splitlines()[0] for entry in entries(read(visitor))}
    links = [(link.get("type"), link.get("href")) for link in read(visitor).findall("a:entry/a:link", NAMES)]

    assert "September 2020" in told
    assert sorted(links) == [
        ("text/calendar", f"{HOST}/event/2020-04-28-calabria.en.ics"),
        ("text/html", "https://partner.example/september"),
    ]


def test_hours_are_told_with_their_place(visitor: Visitor) -> None:
    publish(visitor, an_event("timed", span=a_span("2020-07-14", at="10:00", until="12:00")))

    content = next(e["content"] for e in entries(read(visitor)) if "10:00" in e["content"])

    assert content.splitlines()[0].endswith("10:00–12:00 (Warsaw)")


def test_an_empty_feed_is_a_feed(visitor: Visitor) -> None:
    publish(visitor, an_event(visibility="subscribers"), revision=2)

    feed = read(visitor)

    assert entries(feed) == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", feed.findtext("a:updated", "", NAMES))


def test_a_long_programme_keeps_what_was_revised_last() -> None:
    day = datetime(2020, 3, 2, tzinfo=UTC)
    snapshots = [a_snapshot(an_event(f"e{n}"), revised_at=day + timedelta(hours=n)) for n in range(250)]

    found = written(*snapshots)

    assert len(entries(found)) == atom.MAX_ENTRIES == 200
    assert entries(found)[0]["updated"] == "2020-03-12T09:00:00Z"


def written(*snapshots: Any, author: str = "Office") -> ElementTree.Element:
    raw = atom.feed(snapshots, ["en"], settings=SETTINGS, links=LINKS, author=author)
    assert raw == atom.feed(reversed(snapshots), ["en"], settings=SETTINGS, links=LINKS, author=author)
    return ElementTree.fromstring(raw)


HOSTILE = "</title>]]>&amp;<!--\x00\x08\x0b\x1f\ufffe\uffff\ud800\r\n\u2028\"'><![CDATA[\x7f\x85"


@settings(deadline=None)
@given(st.text(st.characters()), st.text(st.characters()))
@example(HOSTILE, HOSTILE)
@example("", "")
def test_whatever_an_event_says_the_feed_has_the_same_elements(title: str, word: str) -> None:
    # Given an event with this text wherever a text may stand
    event = an_event(
        title={"en": title},
        summary={"en": word},
        topics=(f"a{word}",),
        place=Place(name={"en": word}, city=title),
        link=f"https://x.example/{word}",
    )

    # When a strict parser reads the feed
    found = written(a_snapshot(event), author=word)

    # Then no text has become markup
    names = [child.tag.split("}")[1] for child in found.iter() if child.tag.split("}")[1] != "link"]
    feed = ["feed", "id", "title", "updated", "author", "name"]
    assert names == [*feed, "entry", "id", "title", "updated", "published", "category", "content"]
    told = "".join(text for child in found.iter() for text in (child.text or "", *child.attrib.values()))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", told)


def test_text_arrives_as_it_was_written() -> None:
    found = written(a_snapshot(an_event(title={"en": 'R&D <today> "it\'s" ]]> żółć 日'})))

    assert entries(found)[0]["title"] == 'R&D <today> "it\'s" ]]> żółć 日'
