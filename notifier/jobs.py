"""What is to be done, whoever calls: refresh, plan, address, deliver, tidy; `tick` is all of them in order.

Every job may run twice, anywhere, at any time: unique keys, claims and fencing tokens in the store make it true.
(`collect`, which reads what comes back, joins with the change engine.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from notifier.app import App
from notifier.editions import planning
from notifier.editions.base import Edition, State
from notifier.editions.catchup import catch_up
from notifier.errors import DeliveryError, Problem, UserError
from notifier.facts import Facts, refresh
from notifier.facts import trouble as trouble  # part of what jobs offer
from notifier.mail.outbox import EntryState, may_repeat
from notifier.store import senders
from notifier.subscribers import audience
from notifier.subscribers.subscriber import Recipient, Standing

if TYPE_CHECKING:
    from notifier.press import Press  # it costs half a second to import, and most ticks compile nothing
    from notifier.sending import Sent

Clock = Callable[[], datetime]
#: The first word of an edition's reason says who may let it go on.
BY_CONTENT, BY_APPROVAL, BY_GAP, BY_PERSON = "content: ", "approval: ", "gap: ", "person: "
BY_HAND = "hand"  # slot of an edition that a person sends outside the plan
CLAIM = 20  # entries a sender takes at a time: what a crash leaves to be given back


@dataclass
class Outcomes:
    """What one run did, for its exit code and its words."""

    published: int = 0
    planned: int = 0
    waiting: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # edition -> what is wrong with its content
    recovered: tuple[int, int] = (0, 0)  # of dead senders: entries given back, entries unknown
    sent: Sent | None = None  # None: there was nothing to send
    problems: tuple[Problem, ...] = ()
    stopped: str = ""  # why the run paused: the relay's or the sender's fault
    clock_jumped: str = ""


@dataclass
class Desk:
    """One tick's view of everything: the app, the facts, and the press, which is set up when something is printed."""

    app: App
    facts: Facts
    outcomes: Outcomes

    @cached_property
    def press(self) -> Press:
        from notifier.press import Press

        return Press(self.app.config, self.app.links, self.facts.reading, self.facts.snapshots)


def plan(app: App, facts: Facts, now: datetime) -> int:
    """Store all editions that have become due, and those that must be prepared ahead; how many were new.

    What came due while nothing ran is caught up by policy: superseded by a newer one, held until someone approves, or
    expired (spec: delivery, section 6).
    """
    editions = app.store.editions
    found = planning.plan(list(facts.snapshots.values()), editions.planned_until() or now, now, app.config)
    stored = {e.key: e for e in editions.list({State.PLANNED, State.WAITING, State.HELD})}
    new = [e for e in found if e.key not in stored]
    last = app.store.noted("last_tick")
    settled = catch_up(
        [*stored.values(), *new],
        now,
        last_tick=datetime.fromisoformat(last) if last else None,
        hold_after=app.config.engines.hold_after,
    )
    for edition in settled:
        before = stored.get(edition.key)
        if before and edition.state is not before.state:
            editions.move(edition.key, edition.state, of={before.state}, now=now, reason=edition.reason)
    return editions.plan([e for e in settled if e.key not in stored], now)


def prepare(desk: Desk, now: datetime) -> list[str]:
    """Freeze editions that need approval and ask for it; the keys that wait now."""
    app, waiting = desk.app, []
    for edition in app.store.editions.list({State.PLANNED}):
        if edition.prepare_at is None or edition.prepare_at > now:
            continue
        current = current_edition(desk, edition)
        if current is None or trouble(current, desk.facts) or is_small_enough(desk, current):
            continue  # `address` says what becomes of it
        app.store.editions.freeze(edition.key, current.mentions, desk.press.content_hash(current), now)
        if app.store.editions.move(edition.key, State.WAITING, of={State.PLANNED}, now=now):
            waiting.append(edition.key)
    return waiting


def address(desk: Desk, now: datetime) -> None:
    """Open what is due: choose the audience, compile a page per variant, fill the outbox. What cannot be said soundly is held."""
    if desk.app.store.hold:
        return
    for edition in desk.app.store.editions.list({State.PLANNED, State.WAITING, State.HELD}):
        if edition.due > now or edition.useful_until <= now:
            continue
        try:
            _address_one(desk, edition, now)
        except UserError as error:
            desk.outcomes.problems += tuple(error.problems)
            _hold(desk, edition, f"{BY_CONTENT}{error.problems[0].text}", now)


def _address_one(desk: Desk, edition: Edition, now: datetime) -> None:
    editions = desk.app.store.editions
    current = current_edition(desk, edition)
    if current is None:
        reason = "the events changed: there is nothing to say"
        editions.move(edition.key, State.SUPERSEDED, of={edition.state}, now=now, reason=reason)
        return
    if edition.state is State.HELD and not edition.reason.startswith((BY_CONTENT, BY_APPROVAL, BY_GAP)):
        return  # a person holds it
    if words := trouble(current, desk.facts):
        _hold(desk, edition, f"{BY_CONTENT}{words}", now)
        return
    content = desk.press.content_hash(current)
    if _needs_approval(desk, edition, current) and not (
        edition.approved_by and edition.content_hash == content
    ):
        editions.freeze(edition.key, current.mentions, content, now)
        gap = edition.reason if edition.reason.startswith(BY_GAP) else ""
        words = "it changed after it was approved" if edition.approved_by else "nobody has approved it yet"
        _hold(desk, edition, gap or f"{BY_APPROVAL}{words}", now)
        return
    editions.freeze(edition.key, current.mentions, content, now)
    recipients = audience_of(desk, current)
    dated = replace(current, id=edition.id, date=now)
    for variant in {r.variant.key: r.variant for r in recipients}.values():
        editions.save_page(edition.key, variant.key, desk.press.page(dated, variant).dumps())
    if edition.state is State.HELD:  # the cause is gone
        as_before = State.WAITING if edition.approved_by else State.PLANNED
        editions.move(edition.key, as_before, of={State.HELD}, now=now)
    if desk.app.store.outbox.address(edition.key, recipients, now):
        desk.outcomes.opened.append(edition.key)


def audience_of(desk: Desk, edition: Edition) -> list[Recipient]:
    """Who would get this edition now."""
    people = desk.app.store.subscribers.all({Standing.CONFIRMED})
    decisions = audience.choose(edition, desk.facts.snapshots, people, desk.app.config)
    return audience.recipients(decisions, desk.app.config.organisation.languages)


def deliver(desk: Desk, clock: Clock, *, limit: int | None = None, until: datetime | None = None) -> None:
    """Send what is open: each entry is claimed, filled, handed over, settled. One sender, one connection.

    A sender that dies leaves at most one message in doubt; the next run finds it as unknown and, by the edition's
    mode, sends it again with the same Message-ID or lists it.
    """
    app, outcomes = desk.app, desk.outcomes
    living = senders.alive(app.config.state, clock(), of=app.store.outbox.senders())
    outcomes.recovered = app.store.outbox.recover(living, clock())
    senders.bury(app.config.state, [token for token, lives in living.items() if not lives])
    app.store.outbox.resend_unknown(clock())
    if not is_anything_due(app, clock()):
        return
    from notifier.sending import Sender

    with senders.Sender(app.config.state, clock()) as own, ExitStack() as wires:
        sender = Sender(app, desk.press, clock, wires)
        outcomes.sent = sender.sent
        try:
            while (limit is None or sender.tried < limit) and (until is None or clock() < until):
                left = CLAIM if limit is None else min(CLAIM, limit - sender.tried)
                batch = app.store.outbox.claim(own.token, clock(), left)
                if not batch:
                    break
                for entry in batch:
                    own.beat(clock())
                    sender.send(entry)
        except DeliveryError as error:
            outcomes.stopped = str(error)
        finally:
            app.store.outbox.release(own.token, clock())


def tidy(app: App, now: datetime) -> list[str]:
    """Expire what is stale, close what is finished; the keys that changed."""
    return app.store.outbox.finish(now)


def tick(
    app: App,
    clock: Clock,
    *,
    limit: int | None = None,
    until: datetime | None = None,
    boot: tuple[str, float] | None = None,
) -> tuple[Outcomes, Facts | None]:
    """All jobs in order, once; what they did, and the facts they worked on (None: the clock jumped, nothing was done).

    `boot` is (boot id, seconds since boot), to see a clock that jumped.
    """
    now = clock()
    outcomes = Outcomes()
    if words := _clock_jump(app, now, boot):
        outcomes.clock_jumped = words
        return outcomes, None
    run = app.store.acts.begin_run(now, host=senders.host_id(), pid=os.getpid())
    facts = refresh(app, now)
    desk = Desk(app, facts, outcomes)
    outcomes.published, outcomes.problems = facts.published, facts.problems
    outcomes.planned = plan(app, facts, now)
    tidy(app, now)
    outcomes.waiting = prepare(desk, now)
    address(desk, now)
    deliver(desk, clock, limit=limit, until=until)
    tidy(app, clock())
    app.store.note("last_tick", clock().isoformat())
    app.store.acts.end_run(
        run, clock(), {"opened": outcomes.opened, "accepted": outcomes.sent.accepted if outcomes.sent else 0}
    )
    return outcomes, facts


def next_due(
    app: App, facts: Facts, now: datetime, horizon: timedelta = timedelta(days=62)
) -> datetime | None:
    """The next instant at which a tick would have work, if nothing changes; None: nothing within the horizon."""
    instants = [
        planning.next_due(list(facts.snapshots.values()), now, horizon, app.config),
        app.store.outbox.next_retry(),
    ]
    for edition in app.store.editions.list({State.PLANNED, State.WAITING, State.HELD, State.OPEN}):
        instants += [t for t in (edition.prepare_at, edition.due, edition.useful_until) if t and t > now]
    instants += [e.publish_after for e in facts.reading.events if e.publish_after and e.publish_after > now]
    return min((t for t in instants if t is not None), default=None)


def current_edition(desk: Desk, edition: Edition) -> Edition | None:
    """The edition as it would be planned now, with what it speaks of now; None: it has nothing to say any more."""
    facts = desk.facts
    if edition.slot == BY_HAND:
        mentions = tuple(
            replace(m, revision=s.revision) for m in edition.mentions if (s := facts.snapshots.get(m.uid))
        )
        return replace(edition, mentions=mentions) if mentions else None
    again = planning.plan(
        list(facts.snapshots.values()), edition.due - timedelta(seconds=1), edition.due, desk.app.config
    )
    return next((replace(e, id=edition.id, state=edition.state) for e in again if e.key == edition.key), None)


def _needs_approval(desk: Desk, edition: Edition, current: Edition) -> bool:
    if edition.slot == BY_HAND:
        return False  # whoever sends by hand has confirmed it
    if edition.reason.startswith(BY_GAP):
        return True
    if lacks_language(desk, current):
        return True
    return current.prepare_at is not None and not is_small_enough(desk, current)


def lacks_language(desk: Desk, edition: Edition) -> bool:
    """Whether `completeness = "block"` and an event of it has no title or summary in a language of the organisation."""
    if desk.app.config.mail.completeness != "block":
        return False
    events = [desk.facts.snapshots[m.uid].event for m in edition.mentions]
    languages = desk.app.config.organisation.languages
    return any(not (e.title.get(code) and e.summary.get(code)) for e in events for code in languages)


def is_small_enough(desk: Desk, edition: Edition) -> bool:
    """Whether it goes unasked: nobody would get it, or `approval = "over:N"` says so."""
    over: int | None = getattr(desk.app.config.editions, edition.kind.value).approval_over
    return over is None or len(audience_of(desk, edition)) <= max(0, over)


def _hold(desk: Desk, edition: Edition, reason: str, now: datetime) -> None:
    if edition.state is not State.HELD or edition.reason != reason:
        unsent = {State.PLANNED, State.WAITING, State.HELD}
        desk.app.store.editions.move(edition.key, State.HELD, of=unsent, now=now, reason=reason)
        if reason.startswith(BY_CONTENT):
            desk.outcomes.held[edition.key] = reason.removeprefix(BY_CONTENT)


def is_anything_due(app: App, now: datetime) -> bool:
    """Whether a tick at this moment would have something to hand over."""
    counts = app.store.outbox.counts()
    retry = app.store.outbox.next_retry()
    is_retry_due = retry is not None and retry <= now
    return bool(counts.get(EntryState.PLANNED)) or is_retry_due or _will_repeat(app, counts)


def _will_repeat(app: App, counts: Mapping[EntryState, int]) -> bool:
    """Whether something in doubt goes out again with the next tick; what only a person may decide does not count."""
    if not counts.get(EntryState.UNKNOWN):
        return False
    at_least_once = {e.key for e in app.store.editions.list({State.OPEN}) if e.mode == "at-least-once"}
    unknown = app.store.outbox.entries(states={EntryState.UNKNOWN})
    return any(may_repeat(entry) and entry.edition in at_least_once for entry in unknown)


def _clock_jump(app: App, now: datetime, boot: tuple[str, float] | None) -> str:
    """Words, if the wall clock moved by more than 5 minutes against the time since boot; nothing is done then."""
    if boot is None:
        return ""
    offset = now.timestamp() - boot[1]
    before = app.store.noted("clock")
    if before and before.split(" ")[0] == boot[0] and abs(float(before.split(" ")[1]) - offset) > 300:
        moved = timedelta(seconds=round(offset - float(before.split(" ")[1])))
        return f"the clock moved by {moved} within one boot; everything is held, nothing expires: set it right, or run `notifier tick --accept-clock` if it is right now"
    app.store.note("clock", f"{boot[0]} {offset}")
    return ""
