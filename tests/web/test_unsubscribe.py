"""Leaving: the page, the button, and the mail provider's one click."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import pytest
from makers import a_snapshot, a_subscriber, an_edition, an_event
from visitor import NOBODY, READER, Visitor

from notifier.app import App
from notifier.config import Newsletter, Web
from notifier.mail.outbox import EntryState
from notifier.store.base import Store
from notifier.subscribers.subscriber import Recipient, Standing, Variant

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def standing(visitor: Visitor) -> Standing:
    reader = visitor.store.subscribers.by_public_id(READER)
    assert reader is not None
    return reader.standing


def withdrawals(visitor: Visitor) -> list[str]:
    reader = visitor.store.subscribers.by_public_id(READER)
    assert reader is not None
    return [c.source for act, c in visitor.store.subscribers.consents(reader.id) if act == "withdrawn"]


def test_the_page_is_in_the_readers_language_and_shows_whose_link_it_is(visitor: Visitor) -> None:
    found = visitor.get(visitor.leave, accept_language="en")

    assert found.status_code == 200
    assert '<html lang="de"' in found.text
    assert found.headers["content-language"] == "de"
    assert "o…@example.org" in found.text
    assert "office@example.org" not in found.text


def test_the_page_names_the_other_languages_each_in_its_own(visitor: Visitor) -> None:
    found = visitor.get(visitor.leave).text

    for tag, name in {"pl": "Polski", "en": "English", "bg": "Български"}.items():
        assert f'<a href="?lang={tag}" lang="{tag}" hreflang="{tag}">{name}</a>' in found
    assert "Deutsch" not in found


@pytest.mark.parametrize("asked", ["pl", "en", "de", "bg"])
def test_another_language_may_be_chosen(visitor: Visitor, asked: str) -> None:
    assert f'<html lang="{asked}"' in visitor.get(f"{visitor.leave}?lang={asked}").text


@pytest.mark.parametrize("asked", ["xx", "", "de<script>", "../../etc/passwd", "%00", "DE"])
def test_a_language_that_is_not_there_leaves_the_readers_own(visitor: Visitor, asked: str) -> None:
    found = visitor.get(f"{visitor.leave}?lang={asked}")

    assert '<html lang="de"' in found.text
    assert "script" not in found.text


def test_one_click_leaves_in_either_encoding_however_often_it_comes(visitor: Visitor) -> None:
    # Given both forms that mail providers send (RFC 8058 3.2)
    forms = [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}]

    # When each is sent twice
    answers = [visitor.ask("POST", visitor.leave, **form) for form in [*forms, *forms]]

    # Then each is told so in one short line, and one withdrawal is on record
    for answer in answers:
        assert (answer.status_code, answer.text) == (200, "You have been unsubscribed.\n")
        assert "set-cookie" not in answer.headers
        assert "location" not in answer.headers
    assert standing(visitor) is Standing.LEFT
    assert withdrawals(visitor) == ["one-click"]


def test_a_multipart_one_click_alone_leaves(visitor: Visitor) -> None:
    visitor.ask("POST", visitor.leave, files={"List-Unsubscribe": (None, "One-Click")})

    assert withdrawals(visitor) == ["one-click"]


def test_the_button_leads_back_to_the_page_which_says_what_happened(visitor: Visitor) -> None:
    asked = f"{visitor.leave}?lang=pl"

    pressed = visitor.ask("POST", asked, data={"leave": "yes"})

    assert pressed.status_code == 303
    assert pressed.headers["location"] == f"{visitor.token()}?lang=pl"
    assert standing(visitor) is Standing.LEFT
    assert withdrawals(visitor) == ["page"]
    shown = visitor.ask("GET", str(pressed.next_request.url) if pressed.next_request else "")
    assert shown.status_code == 200
    assert '<html lang="pl"' in shown.text
    assert "<form" not in shown.text


def test_the_way_back_repeats_no_language_that_is_none(visitor: Visitor) -> None:
    pressed = visitor.ask("POST", f"{visitor.leave}?lang=//evil.example", data={"leave": "yes"})

    assert pressed.headers["location"] == visitor.token()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/form-data; boundary=x", b"--y\r\nbroken"),
        ("multipart/form-data", b"no boundary"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%zz&&&"),
        ("", b""),
    ],
)
def test_whoever_posts_to_a_valid_link_leaves_whatever_the_body_is(
    visitor: Visitor, kind: str, body: bytes
) -> None:
    answer = visitor.ask("POST", visitor.leave, content=body, headers={"content-type": kind})

    assert answer.status_code == 200
    assert standing(visitor) is Standing.LEFT


def test_leaving_supersedes_what_is_queued_at_once(visitor: Visitor) -> None:
    # Given an entry that waits in the outbox
    reader = visitor.store.subscribers.by_public_id(READER)
    assert reader is not None
    edition = an_edition(due=visitor.now, useful_until=visitor.now + timedelta(days=2))
    visitor.store.editions.plan([edition], visitor.now)
    variant = Variant(("de",), (), "v")
    visitor.store.outbox.address(edition.key, [Recipient(reader, variant, "")], visitor.now)
    assert [e.state for e in visitor.store.outbox.entries()] == [EntryState.PLANNED]

    # When its reader leaves by one click
    visitor.ask("POST", visitor.leave, data=ONE_CLICK)

    # Then it will not be sent
    assert [e.state for e in visitor.store.outbox.entries()] == [EntryState.SUPERSEDED]


def test_a_valid_link_of_an_erased_subscription_is_told_the_same(visitor: Visitor) -> None:
    nobody = f"/u/{visitor.token(NOBODY)}"

    assert visitor.ask("POST", nobody, data=ONE_CLICK).text == "You have been unsubscribed.\n"
    shown = visitor.get(nobody, accept_language="bg;q=0.5, fr, pl;q=0.9")
    assert shown.status_code == 200
    assert '<html lang="pl"' in shown.text
    assert "<form" not in shown.text


def test_who_is_suppressed_sees_the_same_page_as_one_who_left(visitor: Visitor) -> None:
    visitor.store.subscribers.put(
        [a_subscriber(languages=("de",), public_id=READER, standing=Standing.SUPPRESSED)], visitor.now
    )
    suppressed = visitor.get(visitor.leave)

    assert "<form" not in suppressed.text
    assert visitor.ask("POST", visitor.leave, data=ONE_CLICK).status_code == 200
    assert standing(visitor) is Standing.SUPPRESSED


def test_a_link_that_is_not_whole_and_ours_opens_nothing(visitor: Visitor) -> None:
    good = visitor.token()
    other = visitor.app.links.token(READER, "preferences")
    forged = good[:-1] + ("a" if good[-1] != "a" else "b")
    stranger = good[:1] + NOBODY + good[17:]
    old_key = "2" + good[1:]
    for bad in (other, forged, stranger, old_key, good[:-1], good + "a", "x", "%00", "ż", good + "/", "<b>"):
        for method in ("GET", "POST"):
            answer = visitor.ask(method, f"/u/{bad}", data=ONE_CLICK if method == "POST" else None)
            assert answer.status_code == 404, bad
            assert "<b>" not in html.unescape(answer.text), "what was asked for is not repeated"
    assert standing(visitor) is Standing.CONFIRMED


def test_relays_that_change_case_do_not_break_the_link(visitor: Visitor) -> None:
    assert visitor.ask("POST", f"/u/{visitor.token().upper()}", data=ONE_CLICK).status_code == 200
    assert standing(visitor) is Standing.LEFT


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_larger_than_a_form_is_refused_and_does_nothing(
    visitor: Visitor, is_chunked: bool, kind: str
) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b"a" * 1000

    body = in_pieces() if is_chunked else b"a" * 70_000
    answer = visitor.ask("POST", visitor.leave, content=body, headers={"content-type": kind})

    assert answer.status_code == 413
    assert "<h1>" in answer.text
    assert standing(visitor) is Standing.CONFIRMED


def test_a_form_of_too_many_fields_is_read_as_none(visitor: Visitor) -> None:
    answer = visitor.ask("POST", visitor.leave, data={f"f{n}": "x" for n in range(101)} | {"leave": "yes"})

    assert answer.status_code == 200


def test_a_newsletter_in_another_language_than_the_page_says_so(
    project: Callable[..., App], store: Store, now: datetime
) -> None:
    newsletter = Newsletter(name="events", title={"pl": "Przegląd spotkań"})
    visitor = Visitor(project(store, newsletter=(newsletter,)), store, now)

    assert '<dd lang="pl">Przegląd spotkań</dd>' in visitor.get(visitor.leave).text


def test_names_from_the_settings_are_text_not_markup(
    project: Callable[..., App], store: Store, now: datetime
) -> None:
    newsletter = Newsletter(name="events", title={"": "<b>News & more</b>"})
    visitor = Visitor(project(store, newsletter=(newsletter,)), store, now)

    assert "&lt;b&gt;News &amp; more&lt;/b&gt;" in visitor.get(visitor.leave).text


def test_the_site_under_a_path_answers_where_the_mails_point(
    project: Callable[..., App], store: Store, now: datetime
) -> None:
    # Given an organisation whose pages live under /news
    visitor = Visitor(project(store, Web(base_url="https://region.example/news/")), store, now)
    visitor.base = "https://region.example"
    visitor.store.events.publish([a_snapshot(an_event())])

    # When the addresses of a mail are opened
    for url in (visitor.app.links.unsubscribe(READER), visitor.app.links.feed("pl")):
        assert visitor.ask("GET", str(url)).status_code == 200

    # Then the page finds its style there, too
    assert 'href="/news/style.css"' in visitor.get(f"/news{visitor.leave}").text
    assert visitor.get("/news/style.css").status_code == 200
    assert visitor.get("/style.css").status_code == 404
