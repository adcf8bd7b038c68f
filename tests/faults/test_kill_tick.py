"""`kill -9` during `tick`, again and again, over a real SMTP server: nobody is missed, and repeats are bounded by the kills.

A relay here takes some milliseconds for a message, so that a kill meets a run at work. Each run has one connection.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from office import Office, an_office, clean

from notifier.mail.outbox import Entry, EntryState
from notifier.transports.catchall import CatchAll

PEOPLE = 150
SLOWNESS_S = 0.004


class SlowRelay(CatchAll):
    """Takes its time before it says that a message was taken."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd calls it so
        reply = await super().handle_DATA(server, session, envelope)
        time.sleep(SLOWNESS_S)
        return reply


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[SlowRelay]:
    with SlowRelay(tmp_path / "caught") as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, relay: SlowRelay) -> Office:
    """An announcement is due for everybody."""
    made = an_office(tmp_path / "office", relay.url)
    made.people(PEOPLE)
    assert made.here("tick").code == 0
    made.tell()
    return made


def killed_at_work(
    start: Callable[[], subprocess.Popen[str]], relay: SlowRelay, chance: random.Random
) -> bool:
    """Start a run, and kill its whole group a random short time after its first message; whether it was still at work."""
    before, run = len(relay.caught), start()
    while len(relay.caught) == before and run.poll() is None:
        time.sleep(0.001)
    time.sleep(chance.random() * 0.12)
    was_alive = run.poll() is None
    if was_alive:
        os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    return was_alive


def entries_of(office: Office) -> list[Entry]:
    app = office.app()
    try:
        return list(app.store.outbox.entries())
    finally:
        app.close()


def message_ids(office: Office) -> dict[int, str]:
    """Subscriber -> the Message-ID that the ledger noted."""
    app = office.app()
    try:
        return {
            entry.subscriber: told.message_id
            for entry in app.store.outbox.entries()
            for told in app.store.outbox.told(entry.subscriber)
        }
    finally:
        app.close()


def settle(office: Office) -> None:
    """Tick undisturbed until nothing is left."""
    for _ in range(3):
        ran = office.run("tick")
        assert ran.code in (0, 3), ran.err


@pytest.mark.parametrize(
    ("seed", "rounds"),
    [(1, 4), *(pytest.param(seed, 10, marks=pytest.mark.slow) for seed in (2, 3))],
)
def test_nobody_is_missed_and_repeats_are_bounded_by_the_kills(
    office: Office, relay: SlowRelay, seed: int, rounds: int
) -> None:
    chance = random.Random(seed)
    kills = sum(killed_at_work(lambda: office.start("tick"), relay, chance) for _ in range(rounds))
    assert kills >= 2, "the runs were too fast to be killed at work"

    settle(office)

    # The ledger equals the server's log, by Message-ID
    entries, noted = entries_of(office), message_ids(office)
    received = Counter(caught.message_id for caught in relay.caught)
    accepted = [e for e in entries if e.state is EntryState.ACCEPTED]
    unknown = [e for e in entries if e.state is EntryState.UNKNOWN]
    assert len(entries) == PEOPLE == len(set(noted.values()))
    assert len(accepted) + len(unknown) == PEOPLE
    assert {noted[e.subscriber] for e in accepted} <= set(received)
    assert set(received) <= set(noted.values())
    # Nobody is missed, and what is not known is listed
    lost = [e for e in entries if noted[e.subscriber] not in received]
    assert all(e.state is EntryState.UNKNOWN for e in lost)
    listed = office.here("--output-format", "json", "outbox", "list", "--state", "unknown").json
    assert len(listed["data"]["entries"]) == len(unknown)
    # Whoever got it twice was in doubt, and there are no more of them than kills x 1 connection
    assert all(received[noted[e.subscriber]] <= 1 + e.doubt for e in entries)
    assert sum(received.values()) - len(received) <= kills
    assert sum(e.doubt for e in entries) <= kills


def test_a_run_that_is_killed_before_its_first_message_costs_nothing(
    office: Office, relay: SlowRelay
) -> None:
    for delay_s in (0.2, 0.5):
        run = office.start("tick")
        time.sleep(delay_s)
        if relay.caught:
            pytest.skip("this machine is too fast to be killed before the first message")
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    settle(office)
    assert len(relay.caught) == PEOPLE
    assert relay.duplicates == 0
    assert {(e.state, e.doubt) for e in entries_of(office)} == {(EntryState.ACCEPTED, 0)}


NAIVE = """\
import smtplib, sqlite3, sys
store = sqlite3.connect(sys.argv[1])
relay = smtplib.SMTP("127.0.0.1", int(sys.argv[2]))
while claimed := [row[0] for row in store.execute("select id from entry where sent = 0 order by id limit 20")]:
    for entry in claimed:
        text = f"Message-ID: <{entry}@naive.example>\\r\\n\\r\\nhello\\r\\n"
        relay.sendmail("events@region.example", [f"r{entry}@example.org"], text)
    store.executemany("update entry set sent = 1 where id = ?", [(entry,) for entry in claimed])
    store.commit()
"""


def test_a_naive_sender_breaks_the_bound_that_ours_keeps(tmp_path: Path, relay: SlowRelay) -> None:
    """Claim twenty, send them, mark them at the end: the same kills show that the test above can fail."""
    import sqlite3

    with sqlite3.connect(tmp_path / "naive.db") as store:
        store.execute("create table entry (id integer primary key, sent integer not null default 0)")
        store.executemany("insert into entry (id) values (?)", [(n,) for n in range(PEOPLE)])
    store.close()
    command = [sys.executable, "-c", NAIVE, str(tmp_path / "naive.db"), relay.url.rpartition(":")[2]]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, env=clean(), text=True, start_new_session=True)

    chance = random.Random(1)
    kills = sum(killed_at_work(start, relay, chance) for _ in range(4))
    assert kills >= 2
    assert subprocess.run(command, env=clean(), check=False).returncode == 0

    assert len({c.message_id for c in relay.caught}) == PEOPLE
    assert relay.duplicates > kills
