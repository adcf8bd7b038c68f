"""A page for one recipient as the bytes that go over the wire.

`prepare` encodes once per page what all recipients share; `fill` puts in what is personal and does nothing else. The
same entry gives the same bytes at every attempt: nothing here comes from the time or from chance.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import quote

from notifier.editions.base import Kind
from notifier.errors import ContentError, Problem
from notifier.mail import headers
from notifier.mail.encoding import Encoded, base64_lines, encode
from notifier.mail.links import Links, message_id
from notifier.mail.outbox import Entry
from notifier.mail.page import Attachment, Hole, Message, Page, Piece
from notifier.subscribers.subscriber import Subscriber

#: Kinds that carry a calendar file; the others link to it (a list gets no calendar object it did not ask for).
WITH_CALENDAR = frozenset({Kind.ANNOUNCEMENT, Kind.REMINDER, Kind.UPDATE, Kind.CANCELLATION})
PERSONAL = ("To", "Message-ID", "References", "In-Reply-To", "List-Unsubscribe")

T = TypeVar("T")

# C0 and C1 but for tab and line ends: some clients cut a mail at U+0092.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,115}\.ics")
_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


@dataclass(frozen=True)
class Envelope:
    """What the organisation says of itself in every message of one edition."""

    from_name: str
    from_address: str
    newsletter: str  # key; with `domain` it makes the List-Id, which never changes
    title: str  # of the newsletter, in the language of the page
    sender_id: str  # `mail.feedback_id`, 5 to 15 characters
    links: Links = field(repr=False)
    mid_key: bytes = field(repr=False)  # the edition's key of Message-IDs (`Links.edition_key`)
    reply_to: str = ""  # a box somebody reads; empty: From
    bounces: str = ""  # the box of `mail.bounces`; empty: reports go to From
    help_url: str | None = None
    subscribe_url: str | None = None
    owner_url: str | None = None  # usually mailto:
    archive_url: str | None = None

    @property
    def domain(self) -> str:
        return self.from_address.rpartition("@")[2]


@dataclass(frozen=True)
class Values:
    """What is one recipient's own. Everything is plain text; `fill` encodes it for its place."""

    address: str  # the domain in A-labels
    sender: str  # envelope sender
    message_id: str
    unsubscribe_url: str
    list_unsubscribe: tuple[str, ...]  # one https URL, then the mailto if there is one
    references: tuple[str, ...] = ()  # Message-IDs of earlier messages about the same event, oldest first
    texts: Mapping[str, str] = field(default_factory=dict)  # hole -> value: consent_date, frequency, choices


@dataclass(frozen=True)
class Prepared:
    """A page with everything encoded but what is personal."""

    head: tuple[bytes | str, ...]  # encoded fields, and the names of personal ones
    parts: tuple[bytes | Encoded, ...]

    @cached_property
    def holes(self) -> frozenset[Hole]:
        return frozenset(h for part in self.parts if not isinstance(part, bytes) for h in part.holes)


def prepare(page: Page, envelope: Envelope) -> Prepared:
    """Encode once what all recipients of `page` share.

    Raises:
        ContentError: a header or a calendar part that must not leave (M101, M102, M401).
        ValueError: the page has no date, or a hole in an unknown context.
    """
    if page.attachments and page.kind not in WITH_CALENDAR:
        raise _calendar_problem(
            f"mails of the kind {page.kind!r} carry no calendar file", "link to it instead"
        )
    mark = _boundary(page, "alternative")
    content_type, parts = f'multipart/alternative; boundary="{mark}"', _alternative(page, mark)
    if page.attachments:
        outer = _boundary(page, "mixed")
        inner = [_content_type(content_type) + b"\r\n", *parts]
        files = [[_calendar(attachment)] for attachment in page.attachments]
        content_type, parts = f'multipart/mixed; boundary="{outer}"', _joined([inner, *files], outer)
    return Prepared(_head(page, envelope, content_type), tuple(_merged([b"\r\n", *parts])))


def fill(prepared: Prepared, values: Values) -> Message:
    """The message for one recipient: 7-bit, CRLF, not yet dot-stuffed.

    Raises:
        ContentError: a value that holds a control character, or does not fit its header (M101, M102).
        KeyError: a hole of the page has no value.
    """
    texts = {"address": values.address, "unsubscribe_url": values.unsubscribe_url, **values.texts}
    told = {hole: _in_context(hole, texts[hole.name]) for hole in prepared.holes}
    personal = _personal(values)
    content = [field if isinstance(field, bytes) else personal[field] for field in prepared.head]
    content += [part if isinstance(part, bytes) else part.fill(told.__getitem__) for part in prepared.parts]
    return Message(
        sender=values.sender,
        recipient=values.address,
        message_id=values.message_id,
        content=b"".join(content),
        needs_smtputf8=not values.address.isascii(),
    )


def values(
    envelope: Envelope,
    entry: Entry,
    subscriber: Subscriber,
    texts: Mapping[str, str],
    references: Sequence[str] = (),
) -> Values:
    """The personal values of an entry: links, ids and the envelope sender are computed from the row alone."""
    links, public_id = envelope.links, subscriber.public_id
    url, mailto = links.unsubscribe(public_id), links.unsubscribe_mailto(public_id)
    box = envelope.bounces
    return Values(
        address=_to_send(subscriber),
        sender=links.verp(box, entry.edition_id, entry.position) if box else envelope.from_address,
        message_id=message_id(entry.edition_id, entry.position, envelope.mid_key, envelope.domain),
        unsubscribe_url=url,
        list_unsubscribe=(url, mailto) if mailto else (url,),
        references=tuple(references)[-3:],
        texts=texts,
    )


def _to_send(subscriber: Subscriber) -> str:
    """The local part as it was typed, because some servers tell case apart; the domain in A-labels."""
    typed = subscriber.email.strip().rpartition("@")[0]
    local, _, domain = subscriber.address.rpartition("@")
    return f"{typed if typed.casefold() == local else local}@{domain}"


def _head(page: Page, envelope: Envelope, content_type: str) -> tuple[bytes | str, ...]:
    fields = _constant_fields(page, envelope, content_type) | dict.fromkeys(PERSONAL, b"")
    named: list[bytes | str] = [
        name if name in PERSONAL else field for name, field in headers.arrange(fields)
    ]
    return tuple(_merged(named))


def _constant_fields(page: Page, envelope: Envelope, content_type: str) -> dict[str, bytes]:
    if page.date is None:
        raise ValueError(f"the page of {page.edition} has no date; it is set when the edition is opened")
    list_id = f"{envelope.newsletter}.{envelope.domain}"
    fields = {
        "Date": headers.date(page.date),
        "From": headers.mailbox("From", envelope.from_name, envelope.from_address),
        "Subject": headers.unstructured("Subject", page.subject),
        "List-Id": headers.list_id(envelope.title, list_id),
        "Feedback-ID": headers.structured("Feedback-ID", _feedback_id(page, envelope)),
        "MIME-Version": b"MIME-Version: 1.0\r\n",
        "Content-Type": _content_type(content_type),
    }
    if envelope.reply_to:
        fields["Reply-To"] = headers.mailbox("Reply-To", "", envelope.reply_to)
    for name, value in _tokens(page).items():
        fields[name] = headers.structured(name, value)
    for name, url in _list_urls(envelope).items():
        fields[name] = headers.urls(name, [url])
    return fields


def _content_type(value: str) -> bytes:
    return b"Content-Type: %b\r\n" % value.replace("; ", ";\r\n ").encode()


def _tokens(page: Page) -> dict[str, str]:
    tokens = {
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Post": "NO",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": page.language,
    }
    return tokens if page.kind == Kind.CONFIRM else tokens | {"Precedence": "bulk"}


def _list_urls(envelope: Envelope) -> dict[str, str]:
    urls = {
        "List-Help": envelope.help_url,
        "List-Subscribe": envelope.subscribe_url,
        "List-Owner": envelope.owner_url,
        "List-Archive": envelope.archive_url,
    }
    return {name: url for name, url in urls.items() if url}


def _feedback_id(page: Page, envelope: Envelope) -> str:
    """`edition:newsletter:kind:SenderId`; what a key holds beyond letters, digits, ".", "/" and "-" becomes "-"."""
    fields = [re.sub(r"[^A-Za-z0-9./-]", "-", text) for text in (page.edition, page.newsletter, page.kind)]
    return ":".join([fields[0][:120], *fields[1:], envelope.sender_id])


def _personal(values: Values) -> dict[str, bytes]:
    references = values.references
    return {
        "To": headers.recipient(values.address),
        "Message-ID": headers.ids("Message-ID", [values.message_id]),
        "References": headers.ids("References", references) if references else b"",
        "In-Reply-To": headers.ids("In-Reply-To", references[-1:]) if references else b"",
        "List-Unsubscribe": headers.urls("List-Unsubscribe", values.list_unsubscribe),
    }


def _in_context(hole: Hole, value: str) -> str:
    if found := _REFUSED.search(value):
        text = f"the value of {hole.name!r} holds U+{ord(found[0]):04X}, which must not stand in a mail"
        raise ContentError(Problem(hole.name, 0, 0, "M502", text, "delete the character"))
    if hole.context == "html":
        return html.escape(value)
    return quote(value, safe="") if hole.context == "url" else value


def _boundary(page: Page, structure: str) -> str:
    """`=_` stands in neither encoding's text, so the boundary cannot occur in a part (RFC 2045 6.7)."""
    return f"=_{blake2b(page.dumps(), digest_size=15, person=structure.encode()).hexdigest()}"


def _alternative(page: Page, mark: str) -> list[bytes | Encoded]:
    parts = [_text("plain", page.text), _text("html", page.html)]
    return _joined(parts, mark)


def _text(subtype: str, pieces: Sequence[Piece]) -> list[bytes | Encoded]:
    encoded = encode([piece if isinstance(piece, Hole) else _CONTROLS.sub("", piece) for piece in pieces])
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoded.name}\r\n\r\n"
    return [head.encode(), encoded]


def _calendar(attachment: Attachment) -> bytes:
    if not _FILENAME.fullmatch(attachment.filename):
        raise _calendar_problem(
            f"{attachment.filename!r} is no name for a calendar file",
            "ASCII letters, digits, . _ - and .ics at the end",
        )
    if attachment.method != "PUBLISH" or _METHOD.findall(attachment.content) != [b"PUBLISH"]:
        raise _calendar_problem(
            "a calendar file beside the text has METHOD:PUBLISH", "see mails with invitations"
        )
    name = attachment.filename
    head = (
        f'Content-Type: text/calendar; method=PUBLISH; charset=utf-8;\r\n name="{name}"\r\n'
        f'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename="{name}"\r\n\r\n'
    )
    return head.encode() + base64_lines(attachment.content)


def _calendar_problem(text: str, fix: str) -> ContentError:
    return ContentError(Problem("calendar", 0, 0, "M401", text, fix))


def _joined(entities: Sequence[Sequence[bytes | Encoded]], mark: str) -> list[bytes | Encoded]:
    """Entities between boundary lines; the CRLF before a boundary belongs to the boundary (RFC 2046 5.1.1)."""
    joined: list[bytes | Encoded] = []
    for entity in entities:
        joined += [b"\r\n--%b\r\n" % mark.encode() if joined else b"--%b\r\n" % mark.encode(), *entity]
    return [*joined, b"\r\n--%b--\r\n" % mark.encode()]


def _merged(pieces: Sequence[bytes | T]) -> list[bytes | T]:
    """Neighbouring bytes joined, so that `fill` has few pieces to put together."""
    merged: list[bytes | T] = []
    for piece in pieces:
        last = merged.pop() if merged else b""
        if isinstance(piece, bytes) and isinstance(last, bytes):
            merged.append(last + piece)
        else:
            merged += (last, piece)
    return merged
