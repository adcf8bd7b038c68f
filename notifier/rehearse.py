"""The schedule in virtual time: every edition of a period, over real SMTP into a server of our own, nothing else touched.

Time jumps from one due instant to the next. The store is a scratch one, keys are derived from the project's, and one
connection sends, so that a second rehearsal of the same files is byte for byte the same.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from notifier import jobs
from notifier.app import App
from notifier.config import Config
from notifier.editions.base import Edition, State
from notifier.errors import ContentError, Problem
from notifier.facts import Facts, look
from notifier.mail.outbox import EntryState
from notifier.mail.page import Page
from notifier.press import Press
from notifier.sources.base import Reading
from notifier.subscribers.subscriber import Subscriber
from notifier.transports import smtp
from notifier.transports.catchall import CatchAll, Caught

WHO = "rehearsal"
FOR_EVER = timedelta(days=36500)


@dataclass(frozen=True)
class History:
    """When each event became known, and who left when."""

    known: Mapping[str, datetime] = field(default_factory=dict)  # slug -> instant, UTC
    leaves: tuple[tuple[datetime, str], ...] = ()  # (instant, address)


@dataclass(frozen=True)
class Sent:
    """One edition as it was rehearsed."""

    edition: Edition
    titles: tuple[str, ...]
    languages: Mapping[str, int]  # language of the page -> recipients
    recipients: int
    accepted: int
    size_bytes: int  # of its largest message


@dataclass
class Story:
    """What a rehearsal gave; `caught` is what came in over SMTP."""

    sent: list[Sent] = field(default_factory=list)
    caught: list[Caught] = field(default_factory=list)
    duplicates: int = 0
    unknown: int = 0
    approvals: int = 0
    left: list[tuple[datetime, str]] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)  # state of editions that nobody got


def read_history(raw: bytes, zone: str, file: str = "history.toml") -> History:
    """`[[known]] at slug` and `[[leave]] at address`; times without an offset are local times of `zone`.

    Raises:
        ContentError: not TOML, or an entry without its keys.
    """
    try:
        data = tomllib.loads(raw.decode())
        known = {str(row["slug"]): _instant(row["at"], zone) for row in data.get("known", [])}
        leaves = tuple((_instant(row["at"], zone), str(row["address"])) for row in data.get("leave", []))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentError(Problem(file, 0, 0, "E001", f"not TOML: {error}")) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ContentError(
            Problem(file, 0, 0, "E003", f"an entry lacks {error}", 'at = 2020-01-27T10:00:00, slug = "…"')
        ) from error
    return History(known, leaves)


def _instant(value: datetime, zone: str) -> datetime:
    aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(ZoneInfo("UTC"))


def rehearse(
    config: Config,
    reading: Reading,
    subscribers: Sequence[Subscriber],
    key: bytes,
    *,
    start: datetime,
    end: datetime,
    history: History,
    maildir: Path,
    leave: Callable[[App, bytes], None],
    inspect: Callable[[App, Facts, Press, Story], None] = lambda *_: None,
) -> Story:
    """Play [start, end] and tell what went out. `leave` plays a mail program's one-click POST on a caught message.

    `inspect` sees the store before it vanishes. Approvals are given here, by "rehearsal".
    """
    with tempfile.TemporaryDirectory(prefix="notifier-rehearsal-") as scratch, CatchAll(maildir) as catch:
        stage = Stage(_scratch(config, Path(scratch)), reading, history, key, catch, start)
        try:
            stage.store_subscribers(subscribers, start)
            return stage.play(start, end, leave, inspect)
        finally:
            stage.app.close()


class Stage:
    """The app in a rehearsal: its clock stands still until it is moved."""

    def __init__(
        self, config: Config, reading: Reading, history: History, key: bytes, catch: CatchAll, start: datetime
    ) -> None:
        self.now = start
        self.history, self.reading, self.catch = history, reading, catch
        self.key = blake2b(b"rehearsal", key=key[:64], digest_size=32).digest()
        self.app = App(
            config,
            read=self.read,
            made_transport=smtp.from_url(catch.url, tls="none"),
            made_keys={1: self.key},
        )
        self.story = Story()

    def read(self) -> Reading:
        """What the files would have told at this time. An event without a history was always there."""
        known = tuple(e for e in self.reading.events if self.history.known.get(e.slug, self.now) <= self.now)
        return replace(self.reading, events=known)

    def clock(self) -> datetime:
        return self.now

    def store_subscribers(self, subscribers: Sequence[Subscriber], now: datetime) -> None:
        """With ids that follow from the address, so that links are the same in every rehearsal."""
        named = [
            replace(s, public_id=blake2b(s.address.encode(), key=self.key, digest_size=8).hexdigest())
            for s in subscribers
        ]
        self.app.store.subscribers.put(named, now)

    def play(
        self,
        start: datetime,
        end: datetime,
        leave: Callable[[App, bytes], None],
        inspect: Callable[[App, Facts, Press, Story], None],
    ) -> Story:
        """From instant to instant, until nothing is left to happen."""
        self.now = start
        while self.now <= end:
            self._leave_due(leave)
            facts = self._tick()
            following = self._following(facts)
            if following is None or following > end:
                break
            self.now = following
        facts = look(self.app, self.now)
        press = Press(self.app.config, self.app.links, facts.reading, facts.snapshots)
        self._tell(facts, press)
        inspect(self.app, facts, press, self.story)
        return self.story

    def _tick(self) -> Facts:
        outcomes, facts = jobs.tick(self.app, self.clock)
        if self._approve():
            outcomes, facts = jobs.tick(self.app, self.clock)
        self.story.problems = outcomes.problems or self.story.problems
        assert facts  # this clock does not jump
        return facts

    def _approve(self) -> bool:
        """Approve what waits; whether there was anything."""
        waiting = self.app.store.editions.list({State.WAITING, State.HELD})
        asked = [
            e
            for e in waiting
            if not e.approved_by and (e.state is State.WAITING or e.reason.startswith(jobs.BY_APPROVAL))
        ]
        for edition in asked:
            if self.app.store.editions.approve(edition.key, edition.content_hash, WHO, self.now):
                self.story.approvals += 1
        return bool(asked)

    def _following(self, facts: Facts) -> datetime | None:
        instants = [jobs.next_due(self.app, facts, self.now, timedelta(days=62))]
        instants += [at for at in self.history.known.values() if at > self.now]
        instants += [at for at, _ in self.history.leaves if at > self.now]
        return min((t for t in instants if t is not None), default=None)

    def _leave_due(self, leave: Callable[[App, bytes], None]) -> None:
        """Whoever leaves now does it with the last message he got."""
        for at, address in self.history.leaves:
            received = [c for c in self.catch.caught if c.recipient == address]
            if at == self.now and received:
                leave(self.app, received[-1].path.read_bytes())
                self.story.left.append((at, address))

    def _tell(self, facts: Facts, press: Press) -> None:
        self.story.caught = list(self.catch.caught)
        self.story.duplicates = self.catch.duplicates
        self.story.unknown = self.app.store.outbox.counts().get(EntryState.UNKNOWN, 0)
        sizes = {c.message_id: c.path.stat().st_size for c in self.story.caught}
        for edition in self.app.store.editions.list():
            entries = self.app.store.outbox.entries(edition=edition.key)
            if not entries:
                self.story.skipped[edition.state.value] += 1
                continue
            ids = {c.message_id for c in self.story.caught}
            pages = {
                variant: Page.loads(raw)
                for variant, raw in self.app.store.editions.pages(edition.key).items()
            }
            self.story.sent.append(
                Sent(
                    edition,
                    tuple(dict.fromkeys(press.title(m.uid) for m in edition.mentions)),
                    dict(Counter(pages[e.variant].language for e in entries)),
                    len(entries),
                    sum(e.state is EntryState.ACCEPTED for e in entries),
                    max((sizes[i] for e in entries if (i := press.message_id(edition, e)) in ids), default=0),
                )
            )
        self.story.sent.sort(key=lambda sent: (sent.edition.due, sent.edition.key))


def _scratch(config: Config, folder: Path) -> Config:
    """The same settings with a store of its own; nothing of the rehearsal waits for a person or a rate."""
    return config.model_copy(
        update={
            "paths": config.paths.model_copy(
                update={
                    "data": str(config.data),
                    "templates": str(config.templates),
                    "state": str(folder / "state"),
                }
            ),
            "store": config.store.model_copy(update={"url": "sqlite:///notifier.db"}),
            "transports": config.transports.model_copy(update={"rate": None, "per_domain": {}}),
            "engines": config.engines.model_copy(update={"hold_after": FOR_EVER}),
        }
    )


def check(caught: Sequence[Caught]) -> Iterator[str]:
    """What is wrong with the messages that came: each is opened and looked into; nothing, if all is well."""
    from email import message_from_bytes, policy

    for one in caught:
        message: Any = message_from_bytes(one.path.read_bytes(), policy=policy.default)
        if message.defects or [str(message["To"])] != [one.recipient]:
            yield f"{one.message_id}: {message.defects or 'is not addressed to its recipient'}"
        kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
        if kinds[:2] != ["text/plain", "text/html"]:
            yield f"{one.message_id}: its parts are {kinds}"
        for part in message.walk():
            if not part.is_multipart() and not part.get_content().strip():
                yield f"{one.message_id}: an empty {part.get_content_type()}"
