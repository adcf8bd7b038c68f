"""What is to be done, whoever calls: refresh, plan, address, deliver, tidy; `tick` is all of them in order.

Every job may run twice, anywhere, at any time: unique keys, claims and fencing tokens in the store make it true.
(`collect`, which reads what comes back, joins with the change engine.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
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
from notifier.subscribers.audience import Decision
from notifier.subscribers.subscriber import Recipient, Standing

if TYPE_CHECKING:
    from notifier.press import Press  # it costs half a second to import, and most ticks compile nothing
    from notifier.sending import Sent

Clock = Callable[[], datetime]
#: The first word of an edition's reason says who may let it go on.
BY_CONTENT, BY_APPROVAL, BY_GAP, BY_PERSON = "content: ", "approval: ", "gap: ", "person: "
APPROVAL_FELL = f"{BY_APPROVAL}it changed after it was approved"
BY_HAND = "hand"  # offset of an edition that a person sends outside the plan
#: Planning looks back so far behind where it stands: a clock that was set back a little skips nothing, keys are unique.
OVERLAP = timedelta(hours=1)
CLOCK_SLACK_S = 300
LONG_GAP = timedelta(days=30)
CLAIM = 20  # entries a sender takes at a time: what a crash leaves to be given back


@dataclass
class Outcomes:
    """What one run did, for its exit code and its words."""

    published: int = 0
    planned: int = 0
    waiting: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # edition -> what is wrong with its content
    unsent: dict[str, str] = field(
        default_factory=dict
    )  # edition -> why it waits for a person though it is due
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


def plan(app: App, facts: Facts, now: datetime, *, last_tick: datetime | None = None) -> int:
    """Store all editions that have become due, and those that must be prepared ahead; how many were new.

    What came due while nothing ran is caught up by policy: superseded by a newer one, held until someone approves, or
    expired (spec: delivery, section 6).
    """
    editions = app.store.editions
    since = (editions.planned_until() or now) - (OVERLAP if last_tick else timedelta(0))
    found = planning.plan(list(facts.snapshots.values()), since, now, app.config)
    stored = {e.key: e for e in editions.list({State.PLANNED, State.WAITING, State.HELD})}
    new = [e for e in found if e.key not in stored]
    hold_after = app.config.engines.hold_after
    settled = catch_up([*stored.values(), *new], now, last_tick=last_tick, hold_after=hold_after)
    for edition in settled:
        before = stored.get(edition.key)
        if before and edition.state is not before.state:
            editions.move(edition.key, edition.state, of={before.state}, now=now, reason=edition.reason)
    return editions.plan([e for e in settled if e.key not in stored], now)


def prepare(desk: Desk, now: datetime) -> list[str]:
    """Freeze editions that need approval and ask for it; the keys that wait now.

    All pages are compiled, so that a broken template or event is told now and not when it is due.
    """
    return [
        e.key for e in desk.app.store.editions.list({State.PLANNED, State.HELD}) if _prepare_one(desk, e, now)
    ]


def _prepare_one(desk: Desk, edition: Edition, now: datetime) -> bool:
    """Whether it waits for approval now."""
    is_too_early = edition.prepare_at is None or edition.prepare_at > now
    is_address_s = edition.state is State.HELD and (
        edition.due <= now or not edition.reason.startswith(BY_CONTENT)
    )
    if is_too_early or is_address_s:
        return False
    current = current_edition(desk, edition)
    if current is None or trouble(current, desk.facts) or not _asks(desk, current):
        return False  # `address` says what becomes of it
    try:
        _compiled(desk, replace(current, id=edition.id, date=current.due), audience_of(desk, current))
    except UserError as error:
        _hold_for(desk, edition, error, now)
        return False
    _freeze(desk, current, now)
    return desk.app.store.editions.move(edition.key, State.WAITING, of={edition.state}, now=now)


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
            _hold_for(desk, edition, error, now)


def _hold_for(desk: Desk, edition: Edition, error: UserError, now: datetime) -> None:
    """Hold it for what was found in its content, with the place."""
    desk.outcomes.problems += tuple(error.problems)
    first = error.problems[0]
    place = f"{first.file}:{first.line}: " if first.line else ""
    _hold(desk, edition, f"{BY_CONTENT}{place}{first.text}", now)


def _address_one(desk: Desk, edition: Edition, now: datetime) -> None:
    if edition.state is State.HELD and not edition.reason.startswith((BY_CONTENT, BY_APPROVAL, BY_GAP)):
        return  # a person holds it
    current = current_edition(desk, edition)
    if current is None or current.useful_until <= now:
        return  # nothing to say at present; it ends by its useful_until
    if words := trouble(current, desk.facts):
        _hold(desk, edition, f"{BY_CONTENT}{words}", now)
    elif words := _lacks_approval(desk, edition, current):
        # What was asked about keeps its hash: whoever approves is told that it reads differently now.
        _freeze(desk, current, now, content=edition.content_hash)
        _hold(desk, edition, words, now)
    else:
        _open(desk, edition, current, now)


def _lacks_approval(desk: Desk, edition: Edition, current: Edition) -> str:
    """Why it waits for a person; "" if one has approved just this, or none is needed."""
    is_due_to_gap = edition.reason.startswith(BY_GAP)
    if edition.approved_by:
        if edition.content_hash == desk.press.content_hash(current):
            return ""
        return APPROVAL_FELL
    if is_due_to_gap:
        return edition.reason.partition(f"; {BY_CONTENT}")[0]
    return f"{BY_APPROVAL}nobody has approved it yet" if _asks(desk, current) else ""


def _open(desk: Desk, edition: Edition, current: Edition, now: datetime) -> None:
    """Freeze, compile, and fill the outbox; all pages are looked at before the first entry is made."""
    content = _freeze(desk, current, now)
    recipients = audience_of(desk, current)
    pages = _compiled(desk, replace(current, id=edition.id, date=now), recipients)
    if (
        edition.state is not State.PLANNED and not edition.approved_by
    ):  # the cause is gone, or nobody need be asked
        desk.app.store.editions.move(edition.key, State.PLANNED, of={edition.state}, now=now)
    elif edition.state is State.HELD:
        desk.app.store.editions.move(edition.key, State.WAITING, of={State.HELD}, now=now)
    if desk.app.store.outbox.address(edition.key, recipients, now, pages=pages, content_hash=content):
        desk.outcomes.opened.append(edition.key)


def _compiled(desk: Desk, edition: Edition, recipients: Iterable[Recipient]) -> dict[str, bytes]:
    """variant -> page. Raises TemplateError, ContentError: what must not leave."""
    pages = {}
    for variant in {r.variant.key: r.variant for r in recipients}.values():
        page = desk.press.page(edition, variant)
        desk.press.encoded(edition, page)
        pages[variant.key] = page.dumps()
    return pages


def _freeze(desk: Desk, current: Edition, now: datetime, *, content: str = "") -> str:
    """Store what the edition speaks of now, under the hash of it or the one given; the hash."""
    content = content or desk.press.content_hash(current)
    desk.app.store.editions.freeze(
        current.key, current.mentions, content, now, useful_until=current.useful_until
    )
    return content


def audience_of(desk: Desk, edition: Edition) -> list[Recipient]:
    """Who would get this edition now."""
    return audience.recipients(decisions_of(desk, edition), desk.app.config.organisation.languages)


def decisions_of(desk: Desk, edition: Edition) -> Iterator[Decision]:
    """A decision for each confirmed subscriber."""
    people = desk.app.store.subscribers.all({Standing.CONFIRMED})
    return audience.choose(edition, desk.facts.snapshots, people, desk.app.config)


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
    if outcomes.stopped or sender.sent.accepted:
        app.store.note("relay_trouble", outcomes.stopped or None)


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
    heartbeat: datetime | None = None,
    accept_clock: bool = False,
) -> tuple[Outcomes, Facts | None]:
    """All jobs in order, once; what they did, and the facts they worked on (None: the clock cannot be trusted, nothing was done).

    `boot` is (boot id, seconds since boot), to see a clock that jumped; `heartbeat` when an idle tick last looked.
    """
    now = clock()
    outcomes = Outcomes()
    last_tick = _last_tick(app, heartbeat)
    if words := _clock_trouble(app, now, boot, last_tick, is_accepted=accept_clock):
        outcomes.clock_jumped = words
        app.store.note("clock_trouble", words)
        return outcomes, None
    app.store.note("clock_trouble", None)
    run = app.store.acts.begin_run(now, host=senders.host_id(), pid=os.getpid())
    facts = refresh(app, now)
    desk = Desk(app, facts, outcomes)
    outcomes.published, outcomes.problems = facts.published, facts.problems
    outcomes.planned = plan(app, facts, now, last_tick=last_tick)
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


def _last_tick(app: App, heartbeat: datetime | None) -> datetime | None:
    """When somebody last looked whether there is work; an idle tick counts."""
    noted = app.store.noted("last_tick")
    return max((t for t in (datetime.fromisoformat(noted) if noted else None, heartbeat) if t), default=None)


def next_due(
    app: App, facts: Facts, now: datetime, horizon: timedelta = timedelta(hours=25)
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
    """The edition with what it speaks of now; None: it has nothing to say at present."""
    facts = desk.facts
    if edition.offset == BY_HAND:
        mentions = tuple(
            replace(m, revision=s.revision) for m in edition.mentions if (s := facts.snapshots.get(m.uid))
        )
        return replace(edition, mentions=mentions) if mentions else None
    return planning.again(edition, list(facts.snapshots.values()), desk.app.config)


def _asks(desk: Desk, edition: Edition) -> bool:
    """Whether a person must have approved it before it goes out."""
    if edition.offset == BY_HAND:
        return False  # whoever sends by hand has confirmed it
    if lacks_language(desk, edition):
        return True
    return edition.prepare_at is not None and not is_small_enough(desk, edition)


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
    if over is None:
        return True
    included = (d for d in decisions_of(desk, edition) if d.is_included)
    return next(islice(included, max(0, over), None), None) is None


def _hold(desk: Desk, edition: Edition, reason: str, now: datetime) -> None:
    """Hold it for this reason; after a gap a person is asked all the same once the content is mended."""
    if edition.reason.startswith(BY_GAP) and reason.startswith(BY_CONTENT):
        reason = f"{edition.reason.partition(f'; {BY_CONTENT}')[0]}; {reason}"
    if edition.state is State.HELD and edition.reason == reason:
        return
    if not desk.app.store.editions.move(edition.key, State.HELD, of={edition.state}, now=now, reason=reason):
        return  # somebody else has decided meanwhile
    if BY_CONTENT in reason:
        desk.outcomes.held[edition.key] = reason.partition(BY_CONTENT)[2]
    else:
        desk.outcomes.unsent[edition.key] = reason


def is_anything_due(app: App, now: datetime) -> bool:
    """Whether a tick at this moment would have something to hand over."""
    return app.store.outbox.has_due(now) or _will_repeat(app)


def _will_repeat(app: App) -> bool:
    """Whether something in doubt goes out again with the next tick; what only a person may decide does not count."""
    unknown = app.store.outbox.entries(states={EntryState.UNKNOWN})
    if not unknown:
        return False
    at_least_once = {e.key for e in app.store.editions.list({State.OPEN}) if e.mode == "at-least-once"}
    return any(may_repeat(entry) and entry.edition in at_least_once for entry in unknown)


def _clock_trouble(
    app: App, now: datetime, boot: tuple[str, float] | None, last_tick: datetime | None, *, is_accepted: bool
) -> str:
    """Words, if the clock cannot be trusted: nothing is done then, nothing expires, and planning does not advance.

    It moved by more than 5 minutes against the time since boot, or 30 days have passed since the last tick. A person
    may say that it is right (`is_accepted`); then planning goes on from now.
    """
    offset = now.timestamp() - boot[1] if boot else 0.0
    if is_accepted:
        app.store.editions.turn_back(now)
    else:
        words = _moved(app, offset, boot) or _long_gap(app, now, last_tick)
        if words:
            return f"{words}; everything is held and nothing expires. If the clock is right now: notifier tick --accept-clock"
    if boot:
        app.store.note("clock", f"{boot[0]} {offset}")
    return ""


def _moved(app: App, offset: float, boot: tuple[str, float] | None) -> str:
    before = (app.store.noted("clock") or "").split(" ")
    if boot is None or before[0] != boot[0] or abs(float(before[1]) - offset) <= CLOCK_SLACK_S:
        return ""
    return f"the clock moved by {timedelta(seconds=round(offset - float(before[1])))} since the last run"


def _long_gap(app: App, now: datetime, last_tick: datetime | None) -> str:
    longest = max(LONG_GAP, app.config.engines.hold_after)
    if last_tick is None or now - last_tick <= longest:
        return ""
    return f"the last run was {(now - last_tick).days} days ago"
