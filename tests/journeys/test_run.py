"""`notifier run`, the clock in a process of its own, and the limits of one tick."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from office import Office, Ran, an_office

from notifier.transports.catchall import CatchAll


def with_news(folder: Path, server: CatchAll, people: int = 5) -> Office:
    office = an_office(folder, server.url, config='[engines]\ntick = "1s"\n')
    office.people(people)
    assert office.here("tick").code == 0
    office.tell()
    return office


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def test_run_ticks_until_it_is_told_to_end_and_holds_the_lock_meanwhile(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)
        running = office.start("run")
        wait_for(lambda: len(server.caught) == 5)
        assert office.here("tick").code == 11
        # What is written while it runs goes out with one of its next ticks
        office.tell("second", title="Second meeting")
        wait_for(lambda: len(server.caught) == 10)
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=60)
        assert (running.returncode, out, err) == (0, "", "")
        assert server.duplicates == 0
    assert office.here("tick").code == 0


def test_run_ends_by_itself_after_the_time_given(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)
        assert office.here("run", "--max-time", "1s") == Ran(0, "", "")
        assert len(server.caught) == 5


def test_a_tick_with_a_limit_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)
        assert office.here("tick", "--limit", "2") == Ran(0, "", "")
        assert len(server.caught) == 2
        assert office.here("tick", "--limit", "2") == Ran(0, "", "")
        assert office.here("tick") == Ran(0, "", "")
        assert len(server.caught) == 5
        assert server.duplicates == 0


@pytest.mark.parametrize("words", [("tick", "--dry-run"), ("send", "{slug}", "--dry-run")])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)
        slug = next((office.folder / "data/events").rglob("*.md")).stem
        ran = office.here(*(word.format(slug=slug) for word in words))
        assert ran.code == 0
        assert "would" in ran.out
        assert server.caught == []
        assert "no editions yet" in office.here("editions", "list").out
