"""The vocabulary check of `make lint`."""

from __future__ import annotations

from pathlib import Path

import pytest
import words


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("SendManager", ["manager"]),
        ("mail_helpers", ["helper"]),
        ("HTTPService", ["service"]),
        ("contact", ["contact"]),
        ("common", ["common"]),
        ("contactless", []),
        ("commonly_read", []),
        ("Subscriber", []),
        ("handle_DATA", []),
    ],
)
def test_a_word_is_found_in_every_form_of_a_name(name: str, found: list[str]) -> None:
    assert words.unused(name) == found


def test_modules_classes_and_functions_are_named_with_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    top = tmp_path / "notifier"
    (top / "services").mkdir(parents=True)
    (top / "services/__init__.py").write_text("")
    (top / "mail_utils.py").write_text(
        "'''campaign in words is no name'''\n\nclass Blast:\n    def a_handler(self): ...\n"
    )

    assert words.main(top) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "notifier/mail_utils.py:1",
        "notifier/mail_utils.py:3",
        "notifier/mail_utils.py:4",
        "notifier/services/__init__.py:1",
    ]


def test_the_house_keeps_to_its_words() -> None:
    assert words.main(Path(__file__).parents[1] / "notifier") == 0
