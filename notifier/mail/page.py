"""The compiled page and the message: the two values that pass through this folder.

A page is compiled once per variant of an edition: constants and holes. A message is a page filled for one recipient.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

Context = Literal["text", "html", "url"]


@dataclass(frozen=True)
class Hole:
    """A place for a recipient's value, and how it is encoded there.

    Names that `compose.values` knows: address, unsubscribe_url, consent_date, frequency, choices.
    """

    name: str
    context: Context


Piece = str | Hole


@dataclass(frozen=True)
class Attachment:
    """A calendar file beside the text; `method` is both the MIME parameter and METHOD of the object."""

    filename: str  # ASCII, ends in .ics
    content: bytes
    method: Literal["PUBLISH", "REQUEST", "CANCEL"] = "PUBLISH"


@dataclass(frozen=True)
class Page:
    """What one variant of one edition says, but for the recipient's values."""

    edition: str  # key of the edition
    kind: str
    newsletter: str
    variant: str  # key of the variant
    language: str  # of the page: html lang, Content-Language, catalogue
    subject: str
    preheader: str
    html: tuple[Piece, ...]
    text: tuple[Piece, ...]
    attachments: tuple[Attachment, ...] = ()
    date: datetime | None = None  # the edition's stored instant, aware

    def dumps(self) -> bytes:
        """Plain JSON for the store; `loads(dumps(p)) == p`."""
        data = asdict(self)
        data["html"] = [p if isinstance(p, str) else [p.name, p.context] for p in self.html]
        data["text"] = [p if isinstance(p, str) else [p.name, p.context] for p in self.text]
        data["attachments"] = [[a.filename, a.content.decode(), a.method] for a in self.attachments]
        data["date"] = self.date.isoformat() if self.date else None
        return json.dumps(data, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def loads(cls, raw: bytes) -> Page:
        data: dict[str, Any] = json.loads(raw)
        for part in ("html", "text"):
            data[part] = tuple(p if isinstance(p, str) else Hole(*p) for p in data[part])
        data["attachments"] = tuple(Attachment(n, c.encode(), m) for n, c, m in data["attachments"])
        data["date"] = datetime.fromisoformat(data["date"]) if data["date"] else None
        return cls(**data)


@dataclass(frozen=True)
class Message:
    """One message for one recipient, ready for the wire: 7-bit, CRLF, not yet dot-stuffed."""

    sender: str  # envelope, MAIL FROM
    recipient: str  # envelope, RCPT TO, domain in A-labels
    message_id: str  # with angle brackets
    content: bytes
    needs_smtputf8: bool = False
