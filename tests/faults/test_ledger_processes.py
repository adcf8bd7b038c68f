"""The ledger under real processes: many at once, and killed where it hurts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers import a_subscriber, an_edition

from notifier.editions.base import State
from notifier.mail.outbox import EntryState
from notifier.store import open_store, senders
from notifier.store.base import Store
from notifier.subscribers.subscriber import Recipient, Variant

NOW = datetime(2020, 4, 21, 6, 0, tzinfo=UTC)
KEY = an_edition().key
ROOT = Path(__file__).parents[2]

BEGIN = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, "tests")
from makers import an_edition
from notifier.mail.outbox import EntryState
from notifier.store import open_store, senders
from notifier.subscribers.subscriber import Recipient, Variant
NOW = datetime(2020, 4, 21, 6, 0, tzinfo=UTC)
state = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store = open_store("sqlite:///notifier.db", state)
"""


def child(program: str, state: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs `program` with an open `store`, once its stdin says so."""
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + program, str(state), *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def let_go(children: list[subprocess.Popen[str]]) -> None:
    """All at the same moment, after all have done their imports."""
    for one in children:
        assert one.stdout and one.stdout.readline() == "ready\n"
    for one in children:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()


def all_at_once(program: str, state: Path, count: int = 4) -> list[str]:
    """What each of `count` processes says."""
    children = [child(program, state, str(n)) for n in range(count)]
    let_go(children)
    said = [one.communicate(timeout=60)[0] for one in children]
    assert [one.returncode for one in children] == [0] * count
    return said


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    """With forty subscribers and one planned edition."""
    opened = open_store("sqlite:///notifier.db", state)
    people = [a_subscriber(f"p{n}@example.org", public_id=f"p{n}") for n in range(40)]
    opened.subscribers.put(people, NOW)
    opened.editions.plan([an_edition()], NOW)
    yield opened
    opened.close()


def address(store: Store) -> None:
    everybody = Variant(("en",), (), "v")
    store.outbox.address(KEY, [Recipient(s, everybody, "") for s in store.subscribers.all()], NOW)


def test_processes_that_create_the_store_at_once_share_one(state: Path) -> None:
    said = all_at_once("print(store.instance_id); store.note('n' + sys.argv[2], 'here')", state)

    assert len(set(said)) == 1
    store = open_store("sqlite:///notifier.db", state)
    assert [store.noted(f"n{n}") for n in range(4)] == ["here"] * 4
    store.close()


def test_an_edition_planned_and_addressed_by_many_at_once_is_addressed_once(
    store: Store, state: Path
) -> None:
    said = all_at_once(
        """
print(store.editions.plan([an_edition(), an_edition("announcement/x")], NOW))
chosen = [Recipient(s, Variant(("en",), (), "v"), "") for s in store.subscribers.all()]
print(store.outbox.address(an_edition().key, chosen, NOW))
""",
        state,
    )

    planned, addressed = zip(*(s.split() for s in said), strict=True)
    assert sorted(planned) == ["0", "0", "0", "1"]
    assert sorted(addressed) == ["0", "0", "0", "40"]
    assert [e.position for e in store.outbox.entries(edition=KEY)] == list(range(1, 41))
    assert len({e.subscriber for e in store.outbox.entries(edition=KEY)}) == 40


def test_senders_that_claim_at_once_get_each_entry_once(store: Store, state: Path) -> None:
    address(store)

    said = all_at_once(
        """
while claimed := store.outbox.claim("s" + sys.argv[2], NOW, 3):
    print(*(e.position for e in claimed))
""",
        state,
    )

    positions = Counter(int(p) for s in said for p in s.split())
    assert positions == Counter(range(1, 41))


HANDS_ONE = """
with senders.Sender(state, NOW) as sender:
    first, *_ = store.outbox.claim(sender.token, NOW, 3)
    assert store.outbox.hand(first, NOW, message_id="<1@region.example>")
    print("handed", flush=True)
    time.sleep(60)
"""


def test_kill_between_hand_and_settle_leaves_one_entry_in_doubt(store: Store, state: Path) -> None:
    # Given a sender that has three entries and has handed over the first
    address(store)
    sender = child(HANDS_ONE, state)
    let_go([sender])
    assert sender.stdout and sender.stdout.readline() == "handed\n"
    holders = store.outbox.senders()

    # When others look while it lives, nothing happens
    living = senders.alive(state, NOW, of=holders)
    assert list(living.values()) == [True]
    assert store.outbox.recover(living, NOW) == (0, 0)

    # When it is killed
    sender.send_signal(signal.SIGKILL)
    sender.communicate()
    dead = senders.alive(state, NOW, of=holders)

    # Then what it had not handed over is free again, and what it had is listed as unknown, with its Message-ID
    assert store.outbox.recover(dead, NOW) == (2, 1)
    assert store.outbox.recover(dead, NOW) == (0, 0)
    (unknown,) = store.outbox.entries(states=[EntryState.UNKNOWN])
    assert (unknown.position, unknown.doubt) == (1, 1)
    assert [t.message_id for t in store.outbox.told(unknown.subscriber)] == ["<1@region.example>"]
    senders.bury(state, dead)
    assert senders.alive(state, NOW) == {}


SENDS = """
log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
with senders.Sender(state, NOW) as sender:
    known = senders.alive(state, NOW, of=store.outbox.senders())
    store.outbox.recover(known, NOW)
    senders.bury(state, [token for token, lives in known.items() if not lives])
    store.outbox.resend_unknown(NOW)
    while claimed := store.outbox.claim(sender.token, NOW, 5):
        for entry in claimed:
            if store.outbox.hand(entry, NOW):
                os.write(log, f"{entry.position}\\n".encode())  # the server has it
                store.outbox.settle(entry, EntryState.ACCEPTED, NOW)
    store.outbox.release(sender.token, NOW)
    store.outbox.finish(NOW)
"""


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_killed_again_and_again_nobody_is_missed_and_repeats_are_bounded(
    store: Store, state: Path, tmp_path: Path, seed: int
) -> None:
    # Given two senders at a time, each with one connection, killed at random moments
    address(store)
    log, chance, kills = tmp_path / "server.log", random.Random(seed), 0
    log.touch()
    for _ in range(5):
        pair = [child(SENDS, state, str(log)) for _ in range(2)]
        let_go(pair)
        for one in pair:
            before = log.stat().st_size
            deadline = time.monotonic() + 1
            while log.stat().st_size == before and time.monotonic() < deadline:
                time.sleep(0.001)  # so that it dies at work, not at its imports
            time.sleep(chance.random() * 0.01)
            kills += one.poll() is None
            one.kill()
            one.communicate()

    # When nobody disturbs any more
    for _ in range(3):
        last = child(SENDS, state, str(log))
        let_go([last])
        assert last.wait(timeout=60) == 0
        last.communicate()

    # Then everybody has it, and no oftener than the doubts allow
    received = Counter(int(line) for line in log.read_text().split())
    entries = store.outbox.entries(edition=KEY)
    assert kills >= 3, "the senders were too fast to be killed"
    assert {e.state for e in entries} <= {EntryState.ACCEPTED, EntryState.UNKNOWN}
    assert all(e.state is EntryState.ACCEPTED or e.doubt > 2 for e in entries)
    assert all(received[e.position] >= 1 for e in entries if e.state is EntryState.ACCEPTED)
    assert all(received[e.position] <= 1 + e.doubt for e in entries)
    assert sum(received.values()) - len(received) <= kills
    edition = store.editions.get(KEY)
    assert edition and edition.state is State.DONE


def test_a_commit_that_was_answered_survives_a_kill(store: Store, state: Path) -> None:
    writer = child("store.note('x', 'y'); print('done', flush=True); time.sleep(60)", state)
    let_go([writer])
    assert writer.stdout and writer.stdout.readline() == "done\n"

    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()

    assert store.noted("x") == "y"
