"""What holds for every route: nothing changes by looking, the same headers, and words where nothing is."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from lxml import etree
from visitor import HOST, KEY, NOBODY, READER, Visitor, dump

from notifier.app import App
from notifier.config import Web
from notifier.errors import StoreError
from notifier.mail import languages
from notifier.store.base import Store

FEED = "/feed/pl/all.ics"
EVENT = "/event/2020-04-28-calabria.en.ics"
WEB = Path(__file__).parents[2] / "templates/web"
OURS = ("page.html", "unsubscribe.html", "refused.html")
LOOKING = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def addresses(visitor: Visitor) -> list[str]:
    """Every route, with what is there and with what is not."""
    return [
        visitor.leave,
        f"{visitor.leave}?lang=bg&List-Unsubscribe=One-Click&leave=yes",
        f"/u/{visitor.token(NOBODY)}",
        "/u/nothing",
        FEED,
        "/feed/xx/all.ics",
        EVENT,
        "/event/nothing.en.ics",
        "/style.css",
        "/icon.svg",
        "/healthz",
        "/",
        "/nothing/here",
    ]


class Links(HTMLParser):
    """Every address that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action") and value]


def test_looking_changes_nothing_and_every_link_of_a_page_leads_somewhere(
    visitor: Visitor, tmp_path: Path
) -> None:
    before = dump(tmp_path / "state")

    # When everything is asked for twice, and every link that is found on the way
    waiting, seen = addresses(visitor), set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.startswith("/"):
            continue
        seen.add(path)
        for method in LOOKING * 2:
            answer = visitor.ask(method, path)
            assert answer.status_code in (200, 204, 404), (method, path)
        links = Links()
        links.feed(visitor.get(path).text)
        for link in links.found:
            if not link.startswith(("mailto:", "#")):
                found = urljoin(HOST + path, link)
                assert found.startswith(HOST + "/"), "a page loads nothing from elsewhere"
                waiting.append(found.removeprefix(HOST))

    # Then no row is another one
    assert len(seen) > len(addresses(visitor))
    assert dump(tmp_path / "state") == before


@pytest.mark.parametrize("method", LOOKING)
def test_a_scanner_that_sends_the_form_without_posting_it_changes_nothing(
    visitor: Visitor, tmp_path: Path, method: str
) -> None:
    before = dump(tmp_path / "state")

    visitor.ask(method, visitor.leave, data={"List-Unsubscribe": "One-Click", "leave": "yes"})

    assert dump(tmp_path / "state") == before


def test_head_is_get_without_a_body(visitor: Visitor) -> None:
    for path in addresses(visitor):
        got, looked = visitor.get(path), visitor.ask("HEAD", path)
        assert looked.content == b""
        assert looked.status_code == got.status_code
        assert dict(looked.headers) == dict(got.headers)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST", "BREW"])
def test_a_method_that_is_not_there_is_told_which_are(visitor: Visitor, method: str, tmp_path: Path) -> None:
    before = dump(tmp_path / "state")
    paths = [
        FEED,
        EVENT,
        "/style.css",
        "/icon.svg",
        "/healthz",
        *([visitor.leave] if method != "POST" else []),
    ]
    for path in paths:
        answer = visitor.ask(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == ("GET, HEAD, POST" if path == visitor.leave else "GET, HEAD")
    assert dump(tmp_path / "state") == before


def test_options_tells_what_there_is(visitor: Visitor) -> None:
    answer = visitor.ask("OPTIONS", visitor.leave)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_every_answer_carries_the_headers_of_the_house(visitor: Visitor) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT"):
        for path in addresses(visitor):
            headers = visitor.ask(method, path).headers
            assert headers["content-security-policy"] == POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["strict-transport-security"] == "max-age=31536000"
            assert "set-cookie" not in headers
            assert "server" not in headers
            assert "x-powered-by" not in headers


def test_without_https_no_browser_is_told_to_insist_on_it(
    project: Callable[..., App], store: Store, now: datetime
) -> None:
    visitor = Visitor(
        project(store, Web(base_url="http://127.0.0.1:8060")), store, now, "http://127.0.0.1:8060"
    )

    assert "strict-transport-security" not in visitor.get("/healthz").headers


def test_what_may_be_kept_is_said_and_nothing_else_is(visitor: Visitor) -> None:
    kept = {FEED: 900, EVENT: 900, "/style.css": 3600, "/icon.svg": 3600}
    for path in addresses(visitor):
        headers = visitor.get(path).headers
        if path in kept:
            assert headers["cache-control"] == f"public, max-age={kept[path]}"
            assert "x-robots-tag" not in headers
        else:
            assert headers["cache-control"] == "no-store"
    for path in (visitor.leave, f"/u/{visitor.token(NOBODY)}", "/u/nothing", "/nothing"):
        assert visitor.get(path).headers["x-robots-tag"] == "noindex"
    answer = visitor.ask("POST", visitor.leave, data={"List-Unsubscribe": "One-Click"})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["events.region.example", "EVENTS.region.example:8443", "localhost:8060", "127.0.0.1", "[::1]:1"]
)
def test_the_site_answers_under_its_own_names(visitor: Visitor, host: str) -> None:
    assert visitor.get("/healthz", host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:443", "events.region.example.evil.example", "[", "a@b"]
)
def test_a_host_of_somebody_elses_is_not_ours_and_not_repeated(visitor: Visitor, host: str) -> None:
    for path in ("/healthz", visitor.leave, "/nothing"):
        answer = visitor.get(path, host=host)
        assert answer.status_code == 421
        assert "evil" not in answer.text + str(answer.headers)


def test_a_slash_too_many_is_no_redirect_to_a_host_of_the_clients_choice(visitor: Visitor) -> None:
    answer = visitor.get(f"{FEED}/", host="localhost")

    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_what_was_asked_for_is_not_repeated_on_a_page(visitor: Visitor) -> None:
    probe = "zq<svg onload=1>zq"
    for path in (
        f"/{probe}",
        f"/u/{probe}",
        f"{visitor.leave}?lang={probe}",
        f"/event/{probe}.en.ics",
        f"/feed/{probe}/all.ics",
    ):
        answer = visitor.ask("GET", path, headers={"accept-language": probe, "referer": probe})
        assert "zq" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("de", "de"),
        ("fr, bg;q=0.8, en;q=0.9", "en"),
        ("xx", "pl"),
        ("", "pl"),
        ("de;q=0, en-GB", "en"),
        (";;,=,;q=z", "pl"),
    ],
)
def test_a_refusal_is_in_the_browsers_language(visitor: Visitor, wanted: str, given: str) -> None:
    answer = visitor.get("/nothing", accept_language=wanted)

    assert f'<html lang="{given}"' in answer.text
    assert answer.headers["vary"] == "Accept-Language"


def test_pages_are_well_formed_with_one_heading_unique_ids_and_small(visitor: Visitor) -> None:
    pages = [visitor.leave, f"/u/{visitor.token(NOBODY)}", "/nothing"]
    for path in (f"{page}?lang={tag}" for page in pages for tag in ("pl", "en", "de", "bg")):
        text = visitor.get(path).text
        root = etree.fromstring(_as_xml(text))
        assert root.get("lang") in path
        assert len(root.findall(".//h1")) == 1
        assert len(root.findall(".//main")) == 1
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        assert "style=" not in text and "<script" not in text, "the policy forbids both"
        assert len(text.encode()) < 30_000
    assert len(visitor.get("/style.css").content) < 10_000


@pytest.mark.parametrize("language", ["pl", "de", "bg"])
def test_no_word_of_a_page_is_left_in_english(visitor: Visitor, language: str) -> None:
    # Given every message that the pages can say
    said = {msgid for name in OURS for msgid in re.findall(r"_\('([^']+)'", (WEB / name).read_text())}
    assert len(said) > 20
    catalogue = languages.catalogue(language, [WEB.parent / "locale"])

    # When each is looked up
    for msgid in said:
        catalogue.text(msgid, number="")

    # Then the catalogue has all of them
    assert catalogue.missing == set()


@pytest.mark.parametrize("name", OURS)
def test_no_word_of_a_template_stands_outside_the_catalogue(name: str) -> None:
    source = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", (WEB / name).read_text(), flags=re.S)
    between_tags = re.sub(r"<[^>]*>", " ", source)

    assert re.findall(r"[^\W\d_]+", between_tags) == []


def _as_xml(page: str) -> str:
    """Our pages close what they open, but for the void elements."""
    return re.sub(r"<(meta|link|br)\b([^>]*)>", r"<\1\2/>", page.removeprefix("<!doctype html>"))


def test_without_a_database_looking_makes_none_and_says_that_it_will_pass(
    project: Callable[..., App], tmp_path: Path, now: datetime
) -> None:
    # Given a project that has never had a tick
    app = project()
    visitor = Visitor(app, None, now)

    # When everything is asked for
    for path in (visitor.leave, FEED, EVENT):
        for method in ("GET", "HEAD"):
            answer = visitor.ask(method, path)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "300"
            assert answer.headers["cache-control"] == "no-store"
    assert "<h1>" in visitor.get(FEED).text
    assert visitor.ask("POST", visitor.leave, data={"List-Unsubscribe": "One-Click"}).status_code == 503

    # Then there is still none
    assert not (tmp_path / "state").exists()


def test_a_database_that_comes_later_is_found_without_a_restart(
    project: Callable[..., App], tmp_path: Path, now: datetime, request: pytest.FixtureRequest
) -> None:
    visitor = Visitor(project(), None, now)
    assert visitor.get(FEED).status_code == 503

    request.getfixturevalue("store")

    assert visitor.get(FEED).status_code == 200


def test_a_store_that_fails_is_answered_in_words_without_its_own(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StoreError("/var/lib/secret/notifier.db: disk I/O error")

    monkeypatch.setattr(visitor.store.subscribers, "by_public_id", fails)
    answer = visitor.get(visitor.leave)

    assert answer.status_code == 503
    assert "secret" not in answer.text


def test_a_bug_is_a_number_on_the_page_and_the_whole_story_in_the_log(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("the inside of it")

    monkeypatch.setattr(visitor.store.subscribers, "by_public_id", fails)
    answer = visitor.get(visitor.leave)

    assert answer.status_code == 500
    assert "the inside" not in answer.text
    number = re.search(r"\b[0-9a-f]{8}\b", answer.text)
    assert number is not None
    assert f"report {number[0]}" in caplog.text
    assert "the inside of it" in caplog.text


def test_a_broken_template_of_the_organisation_is_answered_all_the_same(
    project: Callable[..., App], store: Store, now: datetime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = tmp_path / "templates/web"
    own.mkdir(parents=True)
    (own / "page.html").write_text("{{ nothing_of_this_name }}")
    visitor = Visitor(project(store), store, now)

    answer = visitor.get(visitor.leave)

    assert answer.status_code == 500
    assert "page.html:1" in caplog.text


def test_the_log_holds_no_token_no_address_and_no_name(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for path in (
        visitor.leave,
        visitor.leave[:-1],
        f"/wrong{visitor.leave}",
        f"{visitor.leave}?x={visitor.token()}",
    ):
        for method in ("GET", "POST", "BREW"):
            visitor.ask(method, path, headers={"x-forwarded-for": "203.0.113.9", "referer": HOST + path})

    assert re.search(r"GET /u/\{token\} 200 \d+ ms", caplog.text)
    assert re.search(r"\? - 404 \d+ ms", caplog.text)
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("notifier", "uvicorn"))
    )
    for secret in (visitor.token()[:10], READER, "office", "203.0.113.9", "127.0.0.1", KEY.decode()):
        assert secret not in ours
