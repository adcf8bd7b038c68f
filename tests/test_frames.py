"""How a problem looks: the caret under what is meant, whatever characters stand before it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.cli.frames import MAX_WIDTH, frame, summary, width
from notifier.errors import Problem


def a_problem(
    source: str = "when: 8.09.2020 10:00", column: int = 7, length: int = 15, **fields: object
) -> Problem:
    values = {
        "file": "data/events/2020/2020-09-08-smarty-seminar-2.md",
        "line": 4,
        "column": column,
        "code": "E010",
        "text": "not a date: write year-month-day",
        "fix": "when: 2020-09-08 10:00",
        "length": length,
        "source": source,
        "before": "title: Drugie Międzyregionalne Seminarium Tematyczne",
    }
    return Problem(**(values | fields))  # type: ignore[arg-type]


def test_a_problem_shows_its_place_its_line_and_its_fix() -> None:
    assert frame(a_problem(), color=False) == (
        "error[E010]: not a date: write year-month-day\n"
        " --> data/events/2020/2020-09-08-smarty-seminar-2.md:4:7\n"
        "  |\n"
        "3 | title: Drugie Międzyregionalne Seminarium Tematyczne\n"
        "4 | when: 8.09.2020 10:00\n"
        "  |       ^^^^^^^^^^^^^^^\n"
        "  = fix: when: 2020-09-08 10:00\n"
        "  = more: notifier explain E010"
    )


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    lines = frame(a_problem(line=10), color=False).split("\n")
    assert [line[:5] for line in lines[1:6]] == ["  -->", "   |", " 9 | ", "10 | ", "   | "]


def test_alternatives_stand_on_lines_of_their_own() -> None:
    text = frame(a_problem(fix="when: 2020-08-09\nwhen: 2020-09-08"), color=False)
    assert "  = fix: when: 2020-08-09\n  = or:  when: 2020-09-08\n" in text


def test_a_problem_of_a_whole_file_has_no_line() -> None:
    assert frame(a_problem(line=0, column=0, source="", before="", fix=""), color=False).split("\n") == [
        "error[E010]: not a date: write year-month-day",
        "--> data/events/2020/2020-09-08-smarty-seminar-2.md",
        " = more: notifier explain E010",
    ]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("title: 東京 会議: x", "x"),
        ("title: ＡＢ: x", "x"),
        ("title:\tSeminarium: x", "x"),
        ("title: Z\u0301ro\u0301dło: x", "x"),
        ("title: Втори семинар: x", "x"),
        ("title: 👩\u200d🏫 : x", "x"),
    ],
)
def test_the_caret_stands_below_the_word_it_means(source: str, word: str) -> None:
    # Given a word behind wide, combining or invisible characters and tabs
    column = source.rindex(word) + 1
    # When it is framed
    lines = frame(a_problem(source, column, 1, before=""), color=False).split("\n")
    # Then as many columns stand before the caret as before the word
    shown, caret = lines[3].removeprefix("4 | "), lines[4].removeprefix("  | ")
    assert caret.count("^") == 1
    assert width(shown[: shown.rindex(word)]) == caret.index("^")
    assert "\t" not in shown


def test_wide_letters_take_two_columns_and_combining_ones_none() -> None:
    assert [width(text) for text in ("ab", "東京", "ＡＢ", "e\u0301", "\u200dx")] == [2, 4, 4, 1, 1]


def test_a_wide_word_is_underlined_as_wide_as_it_is() -> None:
    assert "\n  |        ^^^^\n" in frame(a_problem("title: 東京", 8, 2), color=False)


def test_a_long_line_is_shown_around_the_caret() -> None:
    text = frame(a_problem("link: " + "a" * 500 + " here " + "b" * 500, 508, 4), color=False)
    shown, caret = text.split("\n")[4:6]
    assert len(shown) < MAX_WIDTH
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "here"


def test_colour_changes_nothing_but_colour() -> None:
    coloured = frame(a_problem(severity="warning"), color=True)
    assert coloured.startswith("\x1b[1;33mwarning[E010]\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == frame(a_problem(severity="warning"), color=False)


@given(st.text(max_size=80), st.integers(0, 90), st.integers(0, 90))
def test_no_file_can_steer_the_terminal(source: str, column: int, length: int) -> None:
    text = frame(a_problem(source, column, length, text=source, before=source, fix=source), color=False)
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]


def test_the_summary_counts_and_names_what_waits() -> None:
    problems = [a_problem(), a_problem(severity="warning")]
    assert summary(problems, 6, ["digest/events/2020-W36"]) == (
        "1 error, 1 warning in 6 events. 1 edition is held back: digest/events/2020-W36."
    )
    assert summary([a_problem(), a_problem()], 1, ["a", "b"]) == (
        "2 errors in 1 event. 2 editions are held back: a, b."
    )
    assert summary([], 6, []) == "no problem in 6 events."
