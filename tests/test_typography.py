"""No-break spaces (shown as ~, narrow ones as ^) as each language wants them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from notifier.mail.typography import NARROW, NBSP, typo


def shown(text: str) -> str:
    return text.replace(NBSP, "~").replace(NARROW, "^")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("pl", "Wizyta w Essen i u partnerów z UMWM", "Wizyta w~Essen i~u~partnerów z~UMWM"),
        ("pl", "W Essen, za 27 dni", "W~Essen, za 27~dni"),
        ("pl", "15 stycznia 2020 r. w Essen", "15~stycznia 2020~r. w~Essen"),
        ("pl", "do 2020 i 2 kolejne", "do 2020 i~2~kolejne"),
        ("pl", "plan b c", "plan b c"),
        ("cs", "v Praze a k 5 hodinám", "v~Praze a~k~5~hodinám"),
        ("bg", "28 април 2020 г.", "28 април 2020~г."),
        ("bg", "след 27 дни и в София", "след 27 дни и в София"),
        ("fr", "« Oui » : non ! 10:00 ?", "«^Oui^»^: non^! 10:00^?"),
        ("de", "5 km, 27 Tage, um 10 Uhr, 2020 in Essen", "5~km, 27~Tage, um 10~Uhr, 2020 in Essen"),
        ("en", "5 km in 27 days, 80 % of 3 kmh", "5~km in 27~days, 80~% of 3 kmh"),
        ("en-GB", "2 a dozen", "2 a dozen"),
        ("xx", "w Essen", "w Essen"),
    ],
)
def test_small_words_do_not_dangle(language: str, text: str, expected: str) -> None:
    assert shown(typo(text, language)) == expected


def test_addresses_stay_as_they_are() -> None:
    text = "z https://example.org/a%20i?x=1 i z office@example.org"
    assert shown(typo(text, "pl")) == "z~https://example.org/a%20i?x=1 i~z~office@example.org"


def test_an_address_does_not_swallow_the_word_behind_it() -> None:
    text = "https://example.org/w i office@example.org/5 days"
    assert shown(typo(text, "pl")) == "https://example.org/w i~office@example.org/5 days"


def test_only_text_nodes_of_markup_change() -> None:
    html = Markup(
        '<a title="w Essen" href="/a">w Essen</a> <code>w Essen</code><!-- w Essen --> i <b>Rzym</b> &amp; z UMWM'
    )
    changed = typo(html, "pl")
    assert shown(changed) == (
        '<a title="w Essen" href="/a">w~Essen</a> <code>w Essen</code><!-- w Essen --> i~<b>Rzym</b> &amp; z~UMWM'
    )
    assert isinstance(changed, Markup)


@given(st.text(), st.sampled_from(["pl", "cs", "bg", "fr", "de", "en"]))
def test_only_spaces_change_and_twice_is_once(text: str, language: str) -> None:
    once = typo(text, language)
    assert typo(once, language) == once
    if language != "fr":  # French joins two spaces before a colon
        assert once.replace(NBSP, " ") == text.replace(NBSP, " ")


@pytest.mark.parametrize(
    "text", ["x" * 400_000, "a@" * 100_000, "a." * 100_000, "[" * 200_000, "www." * 50_000]
)
def test_an_endless_word_is_read_once(text: str) -> None:
    # A quadratic pattern needs hours here, and a limit of seconds tells it from a linear one on any machine.
    begin = time.process_time()
    assert typo(text, "pl").replace("\u00a0", " ") == text
    assert time.process_time() - begin < 5
