"""The first sentence of a body, which stands under a title when nobody wrote a summary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import an_event

from notifier.events.event import Event
from notifier.events.summary import MAX_LENGTH, first_sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("Kolejne spotkanie partnerów projektu **SMARTY**. Drugie.", "Kolejne spotkanie partnerów projektu SMARTY."),
        ("# Nagłówek\n\nPierwsze zdanie.", "Pierwsze zdanie."),
        ("- punkt\n- punkt\n\nZdanie po liście.", "Zdanie po liście."),
        ("Spotkanie o godz. 10 w Płocku. Potem obiad.", "Spotkanie o godz. 10 w Płocku."),
        ("Spotkanie II. Grupy z prof. Nowak. Potem obiad.", "Spotkanie II. Grupy z prof. Nowak."),
        ("Am 15. Januar in Essen. Danach Mittag.", "Am 15. Januar in Essen."),
        ("Срещата е на ул. Раковски 1 в гр. София. После обяд.", "Срещата е на ул. Раковски 1 в гр. София."),
        ("See [the page](https://example.org/a_b) for more! Then come.", "See the page for more!"),
        ("Two\nlines of one\nsentence.", "Two lines of one sentence."),
        ("He said “Come.” Then he left.", "He said “Come.”"),
        ("Version 4.0 of snake_case_name is here. Yes.", "Version 4.0 of snake_case_name is here."),
        ("No full stop", "No full stop"),
        ("", ""),
        ("```\ncode\n```", ""),
    ],
)  # fmt: skip
def test_the_first_sentence_is_plain_and_whole(body: str, sentence: str) -> None:
    assert first_sentence(body) == sentence


def test_a_long_sentence_is_cut_between_words() -> None:
    line = first_sentence("word " * 200)
    assert len(line) <= MAX_LENGTH
    assert line.endswith("word…")


@given(st.text(max_size=600))
def test_it_is_always_one_short_line(body: str) -> None:
    line = first_sentence(body)
    assert len(line) <= MAX_LENGTH
    assert "\n" not in line


def test_an_event_fills_in_only_what_nobody_wrote() -> None:
    event = an_event(summary={"pl": "Napisane"}, body={"pl": "Zdanie. Drugie.", "en": "One. Two."})
    assert event.summary == {"pl": "Napisane", "en": "One."}
    assert Event.from_json(event.to_json()) == event
