"""From a relay's address to a session in which it takes mail: greeting, EHLO, TLS, login."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
from dataclasses import dataclass, field

from notifier.errors import DeliveryError
from notifier.mail import outbox
from notifier.transports.dialogue import Dialogue, OutOfStepError, Reply
from notifier.transports.relay import Relay, Tls

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait; what RFC 5321 4.5.3.2 asks of a client."""

    connect: float = 30
    greeting: float = 300  # also EHLO, STARTTLS, AUTH
    envelope: float = 300  # MAIL, RCPT, RSET
    data: float = 120
    block: float = 180  # one block of content
    final: float = 600  # the reply after the dot: to give up early makes duplicates
    goodbye: float = 5  # QUIT, and what a server said before it cut


@dataclass
class Session:
    """A relay that has greeted us, under TLS and with our login where they are asked for."""

    relay: Relay
    dialogue: Dialogue
    timeouts: Timeouts
    offers: dict[str, str] = field(default_factory=dict)  # of the last EHLO: keyword -> parameters

    @classmethod
    def start(
        cls, relay: Relay, password: str, tls: Tls, context: ssl.SSLContext, timeouts: Timeouts
    ) -> Session:
        """Raises DeliveryError: no connection, no greeting, no TLS, no login."""
        sock = relay.connect(timeouts.connect, must_be_local=tls == "none" and relay.scheme != "smtps")
        session = cls(relay, Dialogue(sock, relay.name), timeouts)
        try:
            session._begin(_our_name(sock), password, tls, context)
        except BaseException:
            session.dialogue.close()
            raise
        return session

    def _begin(self, our_name: str, password: str, tls: Tls, context: ssl.SSLContext) -> None:
        if self.relay.scheme == "smtps":
            self.dialogue.encrypt(context, self.relay.host, self.timeouts.greeting)
        self._expect(220, self.dialogue.reply(self.timeouts.greeting), "to greet")
        self._hello(our_name)
        if tls == "required" and not self.dialogue.is_encrypted:
            self._start_tls(context)
            self._hello(our_name)  # what was offered in the clear may be anybody's
        if self.relay.user:
            self._login(password)

    def _hello(self, our_name: str) -> None:
        self.offers = {}
        command = "LHLO" if self.relay.scheme == "lmtp" else "EHLO"
        reply = self.dialogue.say(f"{command} {our_name}", self.timeouts.greeting)
        self._expect(250, reply, command)
        for line in reply.lines[1:]:
            keyword, _, parameters = line.strip().replace("=", " ", 1).partition(" ")
            self.offers[keyword.upper()] = f"{self.offers.get(keyword.upper(), '')} {parameters}".strip()

    def _start_tls(self, context: ssl.SSLContext) -> None:
        if "STARTTLS" not in self.offers:
            raise self._failed("offers no STARTTLS, and nothing is sent in the clear")
        self._expect(220, self.dialogue.say("STARTTLS", self.timeouts.greeting), "STARTTLS")
        self.dialogue.encrypt(context, self.relay.host, self.timeouts.greeting)

    def _login(self, password: str) -> None:
        if not self.dialogue.is_encrypted:
            raise self._failed("no login without TLS")
        offered = self.offers.get("AUTH", "").upper().split()
        user = self.relay.user
        if "PLAIN" in offered:
            reply = self._secretly("AUTH PLAIN ", f"\0{user}\0{password}", password)
        elif "LOGIN" in offered:
            self._expect(334, self._secretly("AUTH LOGIN", "", password), "the login")
            self._expect(334, self._secretly("", user, password), "the login")
            reply = self._secretly("", password, password)
        else:
            raise self._failed("offers no login that we know (PLAIN, LOGIN)")
        self._expect(235, reply, "the login")

    def _secretly(self, command: str, argument: str, password: str) -> Reply:
        encoded = _base64(argument)
        return self.dialogue.say(command + encoded, self.timeouts.greeting, secrets=(encoded, password))

    def _expect(self, code: int, reply: Reply, what: str) -> None:
        if reply.code == code:
            return
        if reply.code < 400:
            raise OutOfStepError(f"answered {what} with {reply.code} {reply.text}", self.relay.name)
        raise refusal(self.relay.name, what, reply)

    def _failed(self, text: str) -> DeliveryError:
        return DeliveryError(f"{self.relay.name}: {text}", temporary=False, server=self.relay.name)

    def end(self) -> None:
        """QUIT, if anybody still listens; what the server makes of it changes nothing."""
        if not self.dialogue.is_open:
            return
        try:
            self.dialogue.say("QUIT", self.timeouts.goodbye)
        except DeliveryError as error:
            log.debug("after QUIT: %s", error)
        self.dialogue.close()


def refusal(server: str, what: str, reply: Reply) -> DeliveryError:
    """The error that says what the relay refused, in its own words."""
    status = f"{reply.code} {reply.enhanced}".strip()
    return DeliveryError(
        f"{server} refuses {what}: {status} {reply.text}",
        temporary=outbox.is_temporary(reply.code, reply.enhanced),
        code=reply.code,
        enhanced=reply.enhanced,
        server=server,
    )


def _our_name(sock: socket.socket) -> str:
    """What EHLO says: our full name, or the address literal where there is none (RFC 5321 4.1.3)."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    if sock.family == getattr(socket, "AF_UNIX", None):
        return "localhost"
    address = sock.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
