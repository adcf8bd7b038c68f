"""Markdown becomes safe HTML and a text twin with the same words and links."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import ContentError
from notifier.mail.markdown import MAX_BYTES, MAX_DEPTH, TAGS, to_html, to_text
from notifier.mail.typography import typo

SAMPLE = """# Program

Spotkanie **partnerów** w [Essen](https://example.org/essen) i *rozmowy*.

1. Rynki
2. Mapa
   - jedna
   - druga

> Cytat

`kod` i ![wykres](https://example.org/a.png)
"""


def test_paragraphs_lists_and_links_become_html() -> None:
    html = to_html(SAMPLE)

    assert '<a href="https://example.org/essen">Essen</a>' in html
    assert "<strong>partnerów</strong>" in html
    assert "<ol><li>Rynki</li><li>Mapa<ul><li>jedna</li><li>druga</li></ul></li></ol>" in html
    assert "<blockquote><p>Cytat</p></blockquote>" in html


def test_headings_are_bold_paragraphs_because_levels_belong_to_the_mail() -> None:
    assert to_html("## A\n\nb") == "<p><strong>A</strong></p><p>b</p>"


def test_pictures_become_their_words() -> None:
    html = to_html("![wykres](https://example.org/a.png)")

    assert html == "<p>wykres</p>"


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,hi)",
        '<a href="https://example.org" onclick="x()">x</a>',
        "![x](javascript:alert(1))",
        "<style>p{}</style>",
        "[x](http://example.org)",
    ],
)
def test_markup_and_other_schemes_are_words_only(source: str) -> None:
    html = to_html(source)

    assert not re.search(r"<(?!/?p>)", html.replace("<a>", "").replace("</a>", ""))
    assert "href" not in html.replace("&lt;a href", "")


def test_the_text_twin_has_numbers_bullets_and_urls_on_their_own_lines() -> None:
    assert to_text(SAMPLE).split("\n") == [
        "Program",
        "",
        "Spotkanie partnerów w Essen i rozmowy.",
        "https://example.org/essen",
        "",
        "1. Rynki",
        "2. Mapa",
        "   - jedna",
        "   - druga",
        "",
        "> Cytat",
        "",
        "kod i wykres",
    ]


def test_a_loose_item_keeps_its_second_paragraph_under_it() -> None:
    assert to_text("- one\n\n  more\n\n- two\n\nend").split("\n") == [
        "- one",
        "",
        "  more",
        "",
        "- two",
        "",
        "end",
    ]


def test_lines_have_at_most_72_columns() -> None:
    text = to_text("- " + "słowo " * 60 + "\n\n> " + "inne " * 60)

    assert max(map(len, text.split("\n"))) <= 72
    assert all(line.startswith(("- ", "  ", "> ")) for line in text.split("\n") if line)


def test_a_url_that_is_its_own_words_stands_once() -> None:
    assert to_text("[https://example.org/a](https://example.org/a)") == "https://example.org/a"


def test_words_are_polished_and_addresses_and_code_are_not() -> None:
    html = to_html("w Essen i [tu](https://example.org/w%20a) `w a`", lambda words: typo(words, "pl"))

    assert html == '<p>w&nbsp;Essen i&nbsp;<a href="https://example.org/w%20a">tu</a> <code>w a</code></p>'


def test_a_text_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ContentError, match=str(MAX_BYTES)):
        to_html("a" * (MAX_BYTES + 1))


@pytest.mark.parametrize("sign", [">", "- ", "* "])
def test_what_is_nested_too_deep_is_refused(sign: str) -> None:
    with pytest.raises(ContentError):
        to_html(sign * (MAX_DEPTH * 5) + "x")
    with pytest.raises(ContentError):
        to_text("".join("  " * n + "- a\n" for n in range(MAX_DEPTH * 2)))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab <>&\"'*_[](){}`#-1.\n\\!:/", max_size=120))
def test_only_known_tags_come_out_whatever_goes_in(source: str) -> None:
    try:
        html, text = to_html(source), to_text(source)
    except ContentError:
        return

    tags = re.findall(r"</?([a-z]+)", html)
    assert set(tags) <= TAGS
    assert all(len(line) <= 72 or " " not in line.strip() for line in text.split("\n"))
