"""Mail to a relay by SMTP submission, SMTPS or LMTP: one command, one reply, one message at a time.

Nothing is pipelined, so that `before_content` is called exactly between the 354 and the first byte of content.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from notifier.errors import DeliveryError
from notifier.mail import outbox
from notifier.mail.outbox import Action, Fault, Outcome, Receipt
from notifier.mail.page import Message
from notifier.transports import gate
from notifier.transports.dialogue import LostError, OutOfStepError, Reply
from notifier.transports.relay import Relay, Tls
from notifier.transports.session import Session, Timeouts, refusal

log = logging.getLogger(__name__)

#: Some relays count, and cut without a word.
MESSAGES_PER_CONNECTION = 100


class SmtpTransport:
    """A configured way to one or more relays; the next one is tried where one does not open."""

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        password: str = "",
        tls: Tls = "required",
        timeouts: Timeouts | None = None,
        messages_per_connection: int = MESSAGES_PER_CONNECTION,
        ca_file: Path | None = None,
    ) -> None:
        """`ca_file` stands instead of the system's authorities, for a relay with a certificate of its own.

        Raises:
            ValueError: these settings cannot or must not be used together; nothing was connected.
        """
        _refuse_unsafe(relays, password, tls)
        self._relays, self._password, self._tls = tuple(relays), password, tls
        self._timeouts = timeouts or Timeouts()
        self._limit = messages_per_connection
        self._context = _tls_context(ca_file)
        self.takes_samples = all(relay.is_local for relay in relays)

    def open(self) -> SmtpWire:
        return SmtpWire(self._connect, self._timeouts, self._limit)

    def _connect(self) -> Session:
        """A session with the first relay that takes us; if none does, the refusal that may pass, else the first."""
        refusals: list[DeliveryError] = []
        for relay in self._relays:
            try:
                return Session.start(relay, self._password, self._tls, self._context, self._timeouts)
            except DeliveryError as error:
                log.warning("relay not used: %s", error)
                refusals.append(error)
        raise next((r for r in refusals if r.temporary), refusals[0])


def from_url(
    url: str | Sequence[str],
    *,
    password: str = "",
    tls: Tls = "required",
    root: Path = Path(),
    timeouts: Timeouts | None = None,
    ca_file: Path | None = None,
) -> SmtpTransport:
    """The transport of one relay, or of several in the order of fail-over; `root` is not used.

    Raises:
        ValueError: not a relay, a password in the URL, no TLS to another machine, a login without TLS or password.
    """
    urls = [url] if isinstance(url, str) else list(url)
    if not urls:
        raise ValueError("name at least one relay")
    relays = [Relay.parse(one) for one in urls]
    return SmtpTransport(relays, password=password, tls=tls, timeouts=timeouts, ca_file=ca_file)


def _refuse_unsafe(relays: Sequence[Relay], password: str, tls: Tls) -> None:
    for relay in relays:
        if tls == "none" and relay.scheme != "smtps" and not relay.is_local:
            raise ValueError(f'{relay.name}: tls = "none" is for a relay on this machine only')
        if tls == "none" and relay.scheme != "smtps" and relay.user:
            raise ValueError(f'{relay.name}: a login without TLS shows the password; write tls = "required"')
        if tls == "required" and relay.path:
            raise ValueError(f'{relay.name}: a socket of this machine speaks no TLS; write tls = "none"')
        if relay.user and not password:
            raise ValueError(f"{relay.name}: a login needs a password")


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class SmtpWire:
    """An open session with a relay; begun anew when it was lost or has carried its share of messages."""

    def __init__(self, connect: Callable[[], Session], timeouts: Timeouts, limit: int) -> None:
        self._connect, self._timeouts, self._limit = connect, timeouts, limit
        self._session = connect()
        self._sent = 0

    def send(self, message: Message, before_content: Callable[[], None]) -> Receipt:
        """One message's receipt; see `base.Wire`.

        Raises:
            GateError: the message could be read as something else; nothing of it was sent.
            DeliveryError: the relay refuses our sender or us, or there is no relay any more.
        """
        gate.check(message)
        self._renew()
        if message.needs_smtputf8 and "SMTPUTF8" not in self._session.offers:
            return self._receipt(Outcome.REFUSED, "rcpt", "5.6.7", "the relay does not offer SMTPUTF8")
        self._sent += 1
        for stage, expected, command in self._commands(message):
            receipt = self._ask(stage, expected, command)
            if receipt is not None:
                return receipt
        try:
            before_content()
        except BaseException:
            self._session.dialogue.close()  # without the final dot there is no message
            raise
        return self._give(gate.stuffed(message.content) + b".\r\n")

    def _renew(self) -> None:
        if self._session.dialogue.is_open and self._sent < self._limit:
            return
        self._session.end()
        self._session, self._sent = self._connect(), 0

    def _commands(self, message: Message) -> Iterator[tuple[str, int, str]]:
        size = f" SIZE={len(message.content)}" if "SIZE" in self._session.offers else ""
        utf8 = " SMTPUTF8" if message.needs_smtputf8 else ""
        yield "mail", 250, f"MAIL FROM:<{message.sender}>{size}{utf8}"
        yield "rcpt", 250, f"RCPT TO:<{message.recipient}>"
        yield "data", 354, "DATA"

    def _ask(self, stage: str, expected: int, command: str) -> Receipt | None:
        """None if the relay agrees to go on, else the receipt."""
        timeout = self._timeouts.data if stage == "data" else self._timeouts.envelope
        try:
            reply = self._session.dialogue.say(command, timeout)
            if reply.code < 400 and reply.code // 100 != expected // 100:
                raise OutOfStepError(f"answered {stage.upper()} with {reply.code} {reply.text}", self._server)
        except (LostError, OutOfStepError) as error:
            return self._broken(Outcome.RETURNED, stage, error)
        if reply.code < 400:
            return None
        receipt = self._refused(stage, reply)
        if stage == "mail":
            _raise_if_all_are_refused(receipt, reply)
        elif self._session.dialogue.is_open:
            self._reset()
        return receipt

    def _give(self, wire_content: bytes) -> Receipt:
        """The receipt for content; from the first byte on, silence is doubt."""
        dialogue = self._session.dialogue
        try:
            try:
                dialogue.write(wire_content, self._timeouts.block)
            except LostError:
                return self._last_words()
            reply = dialogue.reply(self._timeouts.final)
            if 300 <= reply.code < 400:
                raise OutOfStepError(f"answered content with {reply.code} {reply.text}", self._server)
        except (LostError, OutOfStepError) as error:
            return self._broken(Outcome.UNKNOWN, "content", error)
        if reply.code >= 400:
            return self._refused("content", reply)
        return Receipt(Outcome.ACCEPTED, reply.code, reply.enhanced, reply.text, "content", self._server)

    def _last_words(self) -> Receipt:
        """What a server said before it cut inside the content: only a refusal counts, the dot never left. Raises LostError."""
        reply = self._session.dialogue.reply(self._timeouts.goodbye)
        self._session.dialogue.close()
        if reply.code < 400:
            raise OutOfStepError(f"answered half a message with {reply.code} {reply.text}", self._server)
        return self._refused("content", reply)

    def _refused(self, stage: str, reply: Reply) -> Receipt:
        if reply.code == 421:  # it closes, whatever we say (RFC 5321 3.8)
            self._session.dialogue.close()
        outcome = Outcome.DEFERRED if outbox.is_temporary(reply.code, reply.enhanced) else Outcome.REFUSED
        return Receipt(outcome, reply.code, reply.enhanced, reply.text, stage, self._server)

    def _broken(self, outcome: Outcome, stage: str, error: DeliveryError) -> Receipt:
        self._session.dialogue.close()
        text = str(error).removeprefix(f"{self._server}: ")[:200]
        return Receipt(outcome, 0, error.enhanced, text, stage, self._server)

    def _receipt(self, outcome: Outcome, stage: str, enhanced: str, text: str) -> Receipt:
        return Receipt(outcome, 0, enhanced, text, stage, self._server)

    def _reset(self) -> None:
        """Forget the open transaction; a relay that cannot is left."""
        try:
            reply = self._session.dialogue.say("RSET", self._timeouts.envelope)
        except DeliveryError:
            return
        if reply.code != 250:
            self._session.dialogue.close()

    @property
    def _server(self) -> str:
        return self._session.relay.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.end()


def _raise_if_all_are_refused(receipt: Receipt, reply: Reply) -> None:
    """At MAIL nobody was named yet: what is neither this message's fault nor a wait concerns everybody."""
    verdict = outbox.classify(receipt)
    if verdict.action in (Action.PAUSE_RUN, Action.PAUSE_DOMAIN) and verdict.fault in (
        Fault.RELAY,
        Fault.SENDER,
    ):
        raise refusal(receipt.server, "our sender", reply)
