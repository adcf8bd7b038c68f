"""The ledger under every order of steps: nobody is sent anything twice unless a doubt allowed it, and what is final stays.

Two drivers over the same rules: a uniform walk of fixed seeds, and Hypothesis, which shrinks what it finds. The walk
is there because a search that likes small examples rarely builds the long ones in which a stale sender wakes.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from makers import a_subscriber, an_edition

from notifier.editions.base import State
from notifier.mail.outbox import Entry, EntryState
from notifier.store import open_store
from notifier.store.base import Store
from notifier.subscribers.subscriber import Recipient, Standing, Variant

START = datetime(2020, 4, 20, 6, 0, tzinfo=UTC)
PEOPLE = 4
SENDERS = ("s0", "s1", "s2")
MODES = ("at-least-once", "at-most-once")
ALL = Variant(("en",), (), "v")
Place = tuple[str, int]

#: Every rule is called with a number from here, from which it takes all its choices.
NUMBERS = 3 * 5 * 7 * 9


@dataclass(eq=False)
class Held:
    """An entry in the hands of a sender, who may be given up by the ledger and not know it."""

    entry: Entry
    sender: str
    is_handed: bool = False

    @property
    def place(self) -> Place:
        return self.entry.edition, self.entry.position


@dataclass
class World:
    """The ledger, beside it a plain account of who may do what, and senders that stall, die and wake."""

    store: Store
    now: datetime = START
    hands: list[Held] = field(default_factory=list)  # all that senders believe to hold
    owner: dict[Place, Held] = field(default_factory=dict)  # who holds it in truth
    in_doubt: dict[Place, Held] = field(default_factory=dict)  # whose reply would still be a proof
    sent: dict[Place, int] = field(
        default_factory=dict
    )  # contents that left, but for those the server refused
    gone: set[int] = field(default_factory=set)
    seen: dict[Place, Entry] = field(default_factory=dict)
    until: datetime | None = None

    def __post_init__(self) -> None:
        people = [a_subscriber(f"p{n}@example.org", public_id=f"p{n}") for n in range(PEOPLE)]
        self.store.subscribers.put(people, self.now)
        for n in range(3):
            self.plan(n)
            self.address(n)

    # What may happen

    def plan(self, n: int) -> None:
        useful_until = START + timedelta(hours=6 + 6 * (n % 3))
        edition = an_edition(f"announcement/{n % 3}", useful_until=useful_until, mode=MODES[n % 2])
        self.store.editions.plan([edition], self.now - timedelta(minutes=n % 9))

    def address(self, n: int) -> None:
        chosen = [Recipient(s, ALL, "") for s in self.store.subscribers.all([Standing.CONFIRMED])]
        self.store.outbox.address(f"announcement/{n % 3}", chosen, self.now)

    def claim(self, n: int) -> None:
        sender = SENDERS[n % len(SENDERS)]
        for entry in self.store.outbox.claim(sender, self.now, 1 + n % 4):
            held = Held(entry, sender)
            assert held.place not in self.owner, "claimed from its holder"
            self.owner[held.place] = held
            self.hands.append(held)

    def hand(self, n: int) -> None:
        """A sender wants to hand something over, though perhaps it did already, or was given up."""
        if held := self._any_hand(n):
            self._hand(held)

    def settle(self, n: int) -> None:
        if held := self._any_hand(n):
            outcomes = (EntryState.ACCEPTED, EntryState.FAILED, EntryState.DEFERRED, EntryState.UNKNOWN)
            self._settle(held, outcomes[n // 9 % 4])

    def give_back(self, n: int) -> None:
        if held := self._any_hand(n):
            self._settle(held, EntryState.PLANNED)

    def recover(self, n: int) -> None:
        """One sender counts as dead, though it may only be stalled: it goes on believing in what it holds."""
        sender = SENDERS[n % len(SENDERS)]
        self.store.outbox.recover({s: s != sender for s in SENDERS}, self.now)
        for place, held in list(self.owner.items()):
            if held.sender == sender:
                del self.owner[place]
                if held.is_handed:
                    self.in_doubt[place] = held

    def release(self, n: int) -> None:
        sender = SENDERS[n % len(SENDERS)]
        self.store.outbox.release(sender, self.now)
        for place, held in list(self.owner.items()):
            if held.sender == sender and not held.is_handed:
                del self.owner[place]

    def resend(self, n: int) -> None:
        self.store.outbox.resend_unknown(self.now)
        unknown = {(e.edition, e.position) for e in self.store.outbox.entries(states=[EntryState.UNKNOWN])}
        self.in_doubt = {place: held for place, held in self.in_doubt.items() if place in unknown}

    def a_stale_sender_wakes(self, n: int) -> None:
        """Stall, recovery, perhaps another sender gets it, and then the first one goes on as if nothing had been."""
        if held := self._any_hand(n):
            self.recover(SENDERS.index(held.sender))
            self.resend(n)
            if n % 2:
                self.claim(n)
            self._hand(held)
            self._settle(held, EntryState.ACCEPTED)

    def leave(self, n: int) -> None:
        somebody = self.store.subscribers.by_public_id(f"p{n % PEOPLE}")
        if somebody and n % 5 == 0:
            self.store.subscribers.leave(somebody.public_id, self.now, how="one-click")
            self.gone.add(somebody.id)

    def hold(self, n: int) -> None:
        self.store.hold_all("a mistake" if n % 3 == 0 else None, self.now)

    def move(self, n: int) -> None:
        to = (State.PAUSED, State.OPEN, State.OPEN, State.HELD, State.DRAINING, State.CANCELLED)[n // 3 % 6]
        self.store.editions.move(f"announcement/{n % 3}", to, of=State, now=self.now)

    def finish(self, n: int) -> None:
        self.store.outbox.finish(self.now)

    def time_passes(self, n: int) -> None:
        self.now += timedelta(minutes=n % 50)

    # What must hold

    def check(self) -> None:
        entries = {(e.edition, e.position): e for e in self.store.outbox.entries()}
        assert set(self.seen) <= set(entries), "I1: an entry was lost"
        for place, was in self.seen.items():
            assert not was.state.is_final or entries[place].state is was.state, "I10: a final state changed"
        for place, entry in entries.items():
            assert self.sent.get(place, 0) <= 1 + entry.doubt, "I3: sent more often than doubts allow"
            assert entry.doubt <= 3, "sent again without limit"
            in_hands = entry.state in (EntryState.CLAIMED, EntryState.HANDED)
            assert in_hands == (place in self.owner), "the ledger and the account differ on who holds it"
            if MODES[int(entry.edition[-1]) % 2] == "at-most-once":
                assert self.sent.get(place, 0) <= 1, "I9: surplus in an at-most-once edition"
        until = self.store.editions.planned_until()
        assert self.until is None or (until and until >= self.until), "planned_until fell"
        self.seen, self.until = entries, until

    def check_the_end(self) -> None:
        """I1: when every sender is gone and time is over, each entry is final or listed as unknown."""
        for n in range(len(SENDERS)):
            self.recover(n)
        self.now += timedelta(days=30)
        self.store.outbox.finish(self.now)
        self.check()
        assert all(e.state.is_final or e.state is EntryState.UNKNOWN for e in self.seen.values())
        assert all(e.state.is_final for e in self.store.editions.list())
        assert len(self.seen) == PEOPLE * 3

    # How a sender acts

    def _any_hand(self, n: int) -> Held | None:
        return self.hands[n % len(self.hands)] if self.hands else None

    def _hand(self, held: Held) -> None:
        if self.store.outbox.hand(held.entry, self.now):
            assert self.owner.get(held.place) is held and not held.is_handed, "handed over by nobody's right"
            assert held.entry.subscriber not in self.gone, "I6: sent to somebody who left"
            assert self.store.hold is None, "sent while everything was on hold"
            assert not self.seen[held.place].state.is_final, "I8: sent after its end"
            held.is_handed = True
            self.sent[held.place] = self.sent.get(held.place, 0) + 1

    def _settle(self, held: Held, outcome: EntryState) -> None:
        settled = self.store.outbox.settle(
            held.entry, outcome, self.now, not_before=self.now + timedelta(minutes=held.entry.position % 3)
        )
        is_owner = self.owner.get(held.place) is held
        is_proof = self.in_doubt.get(held.place) is held and outcome in (
            EntryState.ACCEPTED,
            EntryState.FAILED,
        )
        if is_owner:
            needs_content = outcome in (EntryState.ACCEPTED, EntryState.UNKNOWN)
            assert settled == (held.is_handed or not needs_content), "its holder could not settle as it was"
        else:
            assert settled == is_proof, "settled by nobody's right, or a proof was thrown away"
        if settled:
            self._is_settled(held, outcome)

    def _is_settled(self, held: Held, outcome: EntryState) -> None:
        self.owner.pop(held.place, None)
        self.in_doubt.pop(held.place, None)
        if outcome is EntryState.UNKNOWN:
            self.in_doubt[held.place] = held
        elif held.is_handed and outcome in (EntryState.DEFERRED, EntryState.PLANNED):
            self.sent[held.place] -= 1  # the server's word that it did not take it


STEPS = [
    "plan",
    "address",
    "claim",
    "claim",
    "claim",
    "hand",
    "hand",
    "hand",
    "settle",
    "settle",
    "give_back",
    "recover",
    "a_stale_sender_wakes",
    "release",
    "resend",
    "leave",
    "hold",
    "hold",
    "move",
    "finish",
    "time_passes",
]


@contextmanager
def a_world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite:///notifier.db", Path(folder))
        try:
            yield World(store)
        finally:
            store.close()


def walk(seed: int, steps: int) -> None:
    chance = random.Random(seed)
    with a_world() as world:
        world.check()
        for _ in range(steps):
            getattr(world, chance.choice(STEPS))(chance.randrange(NUMBERS))
            world.check()
        world.check_the_end()


@pytest.mark.parametrize("seed", range(12))
def test_no_walk_over_the_ledger_breaks_an_invariant(seed: int) -> None:
    walk(seed, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 400))
def test_no_longer_walk_over_the_ledger_breaks_an_invariant(seed: int) -> None:
    walk(seed, 120)


class Ledger(RuleBasedStateMachine):
    """The same rules for Hypothesis."""

    def __init__(self) -> None:
        super().__init__()
        self._context = a_world()
        self.world = self._context.__enter__()

    @rule(step=st.sampled_from(sorted(set(STEPS))), n=st.integers(0, NUMBERS - 1))
    def take(self, step: str, n: int) -> None:
        getattr(self.world, step)(n)

    @invariant()
    def holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.check_the_end()
        finally:
            self._context.__exit__(None, None, None)


TestLedger: Any = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
