"""The last look at a message before it leaves: what passes here cannot be read as a second message or command.

Every transport asks; the SMTP client asks again nobody (source: "SMTP smuggling", RFC 5321 2.3.8 and 4.5.2).
"""

from __future__ import annotations

import re

from notifier.errors import DeliveryError
from notifier.mail.page import Message

MAX_LINE = 998  # octets without CRLF (RFC 5321 4.5.3.1.6)
MAX_ADDRESS = 254  # octets (RFC 5321 4.5.3.1.3, less the brackets)

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0<>\"\[\]\\,;:\u2028\u2029]")


class GateError(DeliveryError, ValueError):
    """The message itself is at fault and nothing of it was sent; the edition has to stop (M502)."""

    def __init__(self, text: str) -> None:
        super().__init__(f"M502 {text}", temporary=False)


def check(message: Message) -> None:
    """Nothing, if the message may leave.

    Raises:
        GateError: the first fault in the envelope or the content.
    """
    for role, address in (("sender", message.sender), ("recipient", message.recipient)):
        if fault := envelope_fault(address, may_be_utf8=message.needs_smtputf8):
            raise GateError(f"{role}: {fault}")
    if fault := content_fault(message.content):
        raise GateError(f"content of {message.message_id}: {fault}")


def envelope_fault(address: str, *, may_be_utf8: bool = False) -> str:
    """What is wrong with an envelope address, or the empty text."""
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or "@" in local:
        return "not one local part and one domain"
    if _FORBIDDEN.search(address) or not address.isprintable():
        return "a character that has a meaning on the wire"
    if not domain.isascii():
        return "the domain is not in A-labels"
    if not local.isascii() and not may_be_utf8:
        return "a local part beyond ASCII without SMTPUTF8"
    if len(address.encode()) > MAX_ADDRESS:
        return f"more than {MAX_ADDRESS} octets"
    return ""


def content_fault(content: bytes) -> str:
    """What is wrong with message bytes, or the empty text."""
    if not content.isascii():
        return "an 8-bit byte"
    if b"\0" in content:
        return "a NUL"
    if not content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n"):
        return "a bare CR or LF"
    if not content.endswith(b"\r\n"):
        return "no CRLF at the end"
    if max(map(len, content.split(b"\r\n"))) > MAX_LINE:
        return f"a line of more than {MAX_LINE} octets"
    return ""


def stuffed(content: bytes) -> bytes:
    """Content as it stands on the wire: a second dot before a leading one (RFC 5321 4.5.2)."""
    return (b"." if content.startswith(b".") else b"") + content.replace(b"\r\n.", b"\r\n..")
