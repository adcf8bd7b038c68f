"""One sender's run over the outbox: claim, fill, hand over, settle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from notifier.app import App
from notifier.editions.base import Edition, State
from notifier.errors import DeliveryError, NotifierError
from notifier.mail import outbox
from notifier.mail.outbox import Entry, EntryState, Outcome, Receipt
from notifier.press import Press
from notifier.subscribers.address import normalise
from notifier.transports.base import Wire

Clock = Callable[[], datetime]


class ClaimLostError(NotifierError):
    """The claim was lost, or the reader left, between claiming and handing over: nothing was sent."""


@dataclass
class Sent:
    """What became of the messages of one run."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    #: (edition, the server's words, next try) of every message that was not accepted
    failures: list[tuple[str, str, datetime | None]] = field(default_factory=list)


@dataclass
class Sender:
    """Sends entries one by one over one wire, and settles each before it takes the next."""

    app: App
    press: Press
    clock: Clock
    wires: ExitStack
    sent: Sent = field(default_factory=Sent)
    tried: int = 0
    _wire: Wire | None = None

    def send(self, entry: Entry) -> None:
        """Hand over one entry and settle it.

        Raises:
            DeliveryError: the relay or the sender as a whole is at fault: nothing more goes out in this run.
        """
        subscriber = self.app.store.subscribers.get(entry.subscriber)
        edition = self.app.store.editions.get(entry.edition)
        assert subscriber and edition  # foreign keys
        if normalise(subscriber.email).is_sample and not self.app.transport.takes_samples:
            refused = Receipt(
                Outcome.REFUSED, 550, "5.1.3", "a sample address is written to by no real relay", "mail"
            )
            self._settle(entry, edition, refused, "")
            return
        page = (
            None
            if self.press.is_prepared(entry)
            else self.app.store.editions.page(entry.edition, entry.variant)
        )
        message = self.press.message(edition, entry, subscriber, page)
        try:
            receipt = self._open().send(message, before_content=lambda: self._hand(entry, message.message_id))
        except ClaimLostError:
            self._close()
            return
        self.tried += 1
        if receipt.outcome in (Outcome.UNKNOWN, Outcome.RETURNED):
            self._close()
        self._settle(entry, edition, receipt, message.message_id)

    def _hand(self, entry: Entry, message_id: str) -> None:
        if not self.app.store.outbox.hand(entry, self.clock(), message_id=message_id):
            raise ClaimLostError

    def _open(self) -> Wire:
        if self._wire is None:
            self._wire = self.wires.enter_context(self.app.transport.open())
        return self._wire

    def _close(self) -> None:
        self.wires.close()
        self._wire = None

    def _settle(self, entry: Entry, edition: Edition, receipt: Receipt, message_id: str) -> None:
        now = self.clock()
        verdict = outbox.classify(receipt)
        state = verdict.state
        retry = self.app.config.transports.retry
        not_before = outbox.next_attempt(
            entry, verdict, now, retry, edition.useful_until, outbox.jitter_of(entry)
        )
        if state is EntryState.DEFERRED and not_before is None:
            state = EntryState.EXPIRED
        words = " ".join(filter(None, (str(receipt.code or ""), receipt.enhanced, receipt.text)))
        again = not_before if state is EntryState.DEFERRED else None
        self.app.store.outbox.settle(entry, state, now, reply=words, not_before=again, message_id=message_id)
        self._count(state, entry, words, again)
        self._act(verdict, entry, edition, words, now)

    def _count(self, state: EntryState, entry: Entry, words: str, not_before: datetime | None) -> None:
        match state:
            case EntryState.ACCEPTED:
                self.sent.accepted += 1
                return
            case EntryState.DEFERRED:
                self.sent.deferred += 1
            case EntryState.UNKNOWN:
                self.sent.unknown += 1
            case EntryState.FAILED | EntryState.EXPIRED:
                self.sent.failed += 1
        self.sent.failures.append((entry.edition, words, not_before))

    def _act(
        self, verdict: outbox.Verdict, entry: Entry, edition: Edition, words: str, now: datetime
    ) -> None:
        """What follows for more than this entry. Throttling, soft counters and pauses of a domain come with the delivery engine."""
        match verdict.action:
            case outbox.Action.SUPPRESS:
                self.app.store.subscribers.suppress(entry.subscriber, words, now)
            case outbox.Action.STOP_EDITION:
                self.app.store.editions.move(
                    edition.key, State.PAUSED, of={State.OPEN}, now=now, reason=f"person: {words}"
                )
            case outbox.Action.PAUSE_RUN:
                raise DeliveryError(words, temporary=True)
            case _:
                pass
