"""One sender's run over the outbox: claim, fill, hand over, settle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from notifier.app import App
from notifier.editions.base import Edition, Kind, State
from notifier.errors import DeliveryError, NotifierError, UserError
from notifier.mail import outbox
from notifier.mail.outbox import Entry, EntryState, Outcome, Receipt
from notifier.subscribers.address import is_sample
from notifier.transports.base import Wire
from notifier.transports.gate import GateError

if TYPE_CHECKING:
    from notifier.press import Press  # half a second to import; whoever has something to send has it already

Clock = Callable[[], datetime]
#: So many entries in succession that come back end the run.
MAX_RETURNED = 3
#: Kinds that answer what was said before about the same event (spec: mail, section 2).
THREADED = frozenset({Kind.REMINDER, Kind.UPDATE, Kind.CANCELLATION, Kind.FOLLOWUP})


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
    returned: int = 0  # entries in succession that came back untried
    _wire: Wire | None = None

    def send(self, entry: Entry) -> None:
        """Hand over one entry and settle it.

        Raises:
            DeliveryError: the relay or the sender as a whole is at fault: nothing more goes out in this run.
        """
        subscriber = self.app.store.subscribers.get(entry.subscriber)
        edition = self.app.store.editions.get(entry.edition)
        assert subscriber and edition  # foreign keys
        if is_sample(subscriber.address) and not self.app.transport.takes_samples:
            self._note(entry, EntryState.FAILED, "a sample address is written to by no real relay")
            return
        if not self._prepare(entry, edition):
            return
        try:
            message = self.press.message(edition, entry, subscriber, self._references(entry, edition))
        except UserError as error:  # one odd address stops nobody else's mail
            self._note(entry, EntryState.FAILED, error.problems[0].text)
            return
        try:
            receipt = self._open().send(message, before_content=lambda: self._hand(entry, message.message_id))
        except ClaimLostError:
            self._close()
            return
        except GateError as error:
            self._stop(edition, str(error))
            return
        self.tried += 1
        if receipt.outcome in (Outcome.UNKNOWN, Outcome.RETURNED):
            self._close()
        self._settle(entry, edition, receipt, message.message_id)

    def _prepare(self, entry: Entry, edition: Edition) -> bool:
        """Whether the entry's page is ready; a page that is missing or must not leave stops its edition and no other."""
        if self.press.is_prepared(entry):
            return True
        page = self.app.store.editions.page(entry.edition, entry.variant)
        if page is None:
            self._stop(edition, "a page of it is missing in the store")
            return False
        try:
            self.press.prepare(edition, entry, page)
        except UserError as error:
            self._stop(edition, error.problems[0].text)
            return False
        return True

    def _references(self, entry: Entry, edition: Edition) -> list[str]:
        """What this person was sent before about the same event, so that mail programs show it as one thread."""
        if edition.kind not in THREADED or edition.date is None:
            return []
        told = self.app.store.outbox.told(entry.subscriber, {m.uid for m in edition.mentions})
        earlier = [
            t.message_id
            for t in told
            if t.kind != Kind.DIGEST and t.edition != edition.key and t.at <= edition.date
        ]
        return list(dict.fromkeys(filter(None, earlier)))[-3:]

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
        retry = self.app.config.transports.retry
        again = outbox.next_attempt(entry, verdict, now, retry, edition.useful_until, outbox.jitter_of(entry))
        state = verdict.state
        if state is EntryState.DEFERRED and again is None:
            state = EntryState.EXPIRED
        words = " ".join(filter(None, (str(receipt.code or ""), receipt.enhanced, receipt.text)))
        self._note(entry, state, words, again if state is EntryState.DEFERRED else None, message_id)
        self._act(verdict, entry, edition, words, now)

    def _note(
        self, entry: Entry, state: EntryState, words: str, again: datetime | None = None, message_id: str = ""
    ) -> None:
        """Settle the entry in the ledger and count it."""
        self.app.store.outbox.settle(
            entry, state, self.clock(), reply=words, not_before=again, message_id=message_id
        )
        self.returned = self.returned + 1 if state is EntryState.PLANNED else 0
        if state is EntryState.ACCEPTED:
            self.sent.accepted += 1
            return
        match state:
            case EntryState.DEFERRED:
                self.sent.deferred += 1
            case EntryState.UNKNOWN:
                self.sent.unknown += 1
            case EntryState.FAILED | EntryState.EXPIRED:
                self.sent.failed += 1
        self.sent.failures.append((entry.edition, words, again))

    def _stop(self, edition: Edition, words: str) -> None:
        """Nobody gets any more of this edition until a person decides; what was claimed of it is given back."""
        self.app.store.editions.move(
            edition.key, State.PAUSED, of={State.OPEN}, now=self.clock(), reason=words
        )
        self.sent.failures.append((edition.key, words, None))

    def _act(
        self, verdict: outbox.Verdict, entry: Entry, edition: Edition, words: str, now: datetime
    ) -> None:
        """What follows for more than this entry. Throttling, soft counters and pauses of a domain come with the delivery engine."""
        match verdict.action:
            case outbox.Action.SUPPRESS:
                self.app.store.subscribers.suppress(entry.subscriber, words, now)
            case outbox.Action.STOP_EDITION:
                self._stop(edition, words)
            case outbox.Action.PAUSE_RUN:
                raise DeliveryError(words, temporary=True)
            case _ if self.returned >= MAX_RETURNED:
                # A relay that takes nothing would be fed the same entry for ever.
                raise DeliveryError(words or "the relay takes nothing", temporary=True)
            case _:
                pass
