"""Links and tokens: what opens what, and what does not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.errors import LinkError
from notifier.mail.links import Links, message_id, parse_message_id

OLD, NEW = b"an old secret of the house", b"a newer secret of the house"
SUBJECT = "00112233aabbccdd"
ROUTES = frozenset({"unsubscribe", "event_ics", "feed"})
ALL_ROUTES = ROUTES | {"event_page", "subscribe", "archive", "browser_view", "preferences", "confirm"}
PURPOSES = ("unsubscribe", "confirm", "preferences", "invitation", "feed")
subjects = st.binary(min_size=8, max_size=8).map(bytes.hex)


def some_links(
    keys: dict[int, bytes] | None = None, served: frozenset[str] = ROUTES, box: str = "unsub@example.org"
) -> Links:
    return Links("https://news.example.org/", keys or {1: NEW}, served, box)


@given(subjects, st.sampled_from(PURPOSES), st.integers(1, 15))
def test_a_token_opens_what_it_was_made_for(subject: str, purpose: str, version: int) -> None:
    links = some_links({version: NEW})
    token = links.token(subject, purpose)
    assert re.fullmatch(r"[0-9a-z]{43}", token)
    assert links.verify(token, purpose) == subject


def test_a_token_opens_again_and_in_any_case() -> None:
    links = some_links()
    token = links.token(SUBJECT, "unsubscribe")
    assert links.verify(token, "unsubscribe") == links.verify(token.upper(), "unsubscribe") == SUBJECT


def test_a_token_of_one_purpose_opens_no_other() -> None:
    links = some_links()
    for made in PURPOSES:
        for shown in set(PURPOSES) - {made}:
            with pytest.raises(LinkError):
                links.verify(links.token(SUBJECT, made), shown)


def test_a_token_of_one_person_does_not_open_for_another() -> None:
    links = some_links()
    token = links.token(SUBJECT, "unsubscribe")
    with pytest.raises(LinkError):
        links.verify(token.replace(SUBJECT, "00112233aabbccde"), "unsubscribe")


@given(st.data())
def test_no_altered_token_opens(data: st.DataObject) -> None:
    links = some_links()
    token = links.token(SUBJECT, "unsubscribe")
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c.lower() != token[place]))
    for altered in (
        token[:place] + other + token[place + 1 :],
        token[:place],
        token[:place] + token[place + 1 :],
        token[:place] + other + token[place:],
    ):
        with pytest.raises(LinkError):
            links.verify(altered, "unsubscribe")


def test_letters_that_only_fold_to_ascii_do_not_open() -> None:
    links = some_links()
    token = next(t for n in range(99) if "k" in (t := links.token(f"{n:016x}", "unsubscribe")))
    with pytest.raises(LinkError):
        links.verify(token.replace("k", "\N{KELVIN SIGN}"), "unsubscribe")


def test_an_old_key_opens_while_it_is_kept_and_no_longer() -> None:
    token = some_links({1: OLD}).token(SUBJECT, "unsubscribe")
    both = some_links({1: OLD, 2: NEW})
    assert both.verify(token, "unsubscribe") == SUBJECT
    assert both.token(SUBJECT, "unsubscribe").startswith("2")
    for without in (some_links({2: NEW}), some_links({1: NEW})):
        with pytest.raises(LinkError):
            without.verify(token, "unsubscribe")


def test_a_token_does_not_open_under_a_version_that_never_was() -> None:
    links = some_links({1: NEW})
    with pytest.raises(LinkError):
        links.verify("9" + links.token(SUBJECT, "unsubscribe")[1:], "unsubscribe")


def test_the_token_is_the_same_in_https_and_mailto() -> None:
    links = some_links()
    token = links.token(SUBJECT, "unsubscribe")
    assert links.unsubscribe(SUBJECT) == f"https://news.example.org/u/{token}"
    assert links.unsubscribe_mailto(SUBJECT) == f"mailto:unsub+{token}@example.org?subject=unsubscribe"
    assert links.list_unsubscribe(SUBJECT).count("https://") == 1
    without = some_links(box="")
    assert without.unsubscribe_mailto(SUBJECT) is None
    assert without.list_unsubscribe(SUBJECT) == f"<{links.unsubscribe(SUBJECT)}>"


def test_a_route_that_is_not_served_has_no_link() -> None:
    links = some_links()
    assert (
        links.event_ics("2020-04-28-calabria", "pl")
        == "https://news.example.org/event/2020-04-28-calabria.pl.ics"
    )
    assert links.feed("de") == "https://news.example.org/feed/de/all.ics"
    assert links.event_page("2020-04-28-calabria", "pl") is None
    assert (
        links.subscribe("pl") is links.archive("pl") is links.browser_view("events", "2020-W16", "pl") is None
    )
    assert links.preferences(SUBJECT) is links.confirm(SUBJECT) is None


def test_a_route_that_is_served_has_one() -> None:
    links = some_links(served=ALL_ROUTES)
    assert links.event_page("a b/ż", "pl") == "https://news.example.org/pl/events/a%20b%2F%C5%BC"
    assert (
        links.browser_view("events", "2020-W16", "pl")
        == "https://news.example.org/pl/archive/events/2020-W16"
    )
    token = (links.preferences(SUBJECT) or "").removeprefix("https://news.example.org/preferences/")
    assert links.verify(token, "preferences") == SUBJECT


@given(st.integers(0, 10**12), st.integers(0, 10**7))
def test_a_report_names_its_entry_whatever_case_it_comes_back_in(edition: int, position: int) -> None:
    links = some_links()
    sender = links.verp("bounces@example.org", edition, position)
    assert re.fullmatch(r"bounces\+[a-z2-7]+-[a-z2-7]+\.[a-z2-7]{12}@example\.org", sender)
    assert len(sender.split("@")[0]) <= 64
    assert links.parse_verp(sender.upper()) == links.parse_verp(sender.split("@")[0]) == (edition, position)
    rotated = some_links({1: NEW, 2: OLD})
    assert rotated.parse_verp(sender) == (edition, position)


@pytest.mark.parametrize(
    "altered", ["bounces@example.org", "bounces+q-b.aaaaaaaaaaaa@example.org", "", "bounces+", "ż"]
)
def test_a_forged_report_names_nobody(altered: str) -> None:
    with pytest.raises(LinkError):
        some_links().parse_verp(altered)


def test_a_report_for_one_entry_does_not_serve_for_another() -> None:
    links = some_links()
    mine, other = (links.verp("bounces@example.org", 1, n).split("@")[0] for n in (2, 3))
    with pytest.raises(LinkError):
        links.parse_verp(mine.split(".")[0] + "." + other.split(".")[1])


@given(st.integers(0, 10**12), st.integers(1, 10**7))
def test_a_message_id_is_computed_from_the_row(edition: int, position: int) -> None:
    key = some_links().edition_key("digest/events/2020-W16")
    made = message_id(edition, position, key, "example.org")
    assert made == message_id(edition, position, key, "example.org")
    assert re.fullmatch(r"<[a-z0-9]+\.[a-z0-9]+@example\.org>", made)
    assert len(made) <= 76
    assert parse_message_id(made.upper(), key) == (edition, position)


def test_a_message_id_of_another_edition_or_house_is_forged() -> None:
    links = some_links()
    made = message_id(1, 2, links.edition_key("digest/events/2020-W16"), "example.org")
    for key in (
        links.edition_key("digest/events/2020-W18"),
        some_links({1: OLD}).edition_key("digest/events/2020-W16"),
    ):
        with pytest.raises(LinkError):
            parse_message_id(made, key)
    with pytest.raises(LinkError):
        parse_message_id(made.replace("<1.", "<3."), links.edition_key("digest/events/2020-W16"))


@pytest.mark.parametrize("keys", [{}, {0: NEW}, {16: NEW}, {1: b"short"}])
def test_keys_that_could_not_protect_are_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Links("https://news.example.org", keys)


def test_a_subject_that_is_no_public_id_is_refused() -> None:
    with pytest.raises(ValueError, match="16 hex digits"):
        some_links().unsubscribe("../../etc")


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(some_links())
