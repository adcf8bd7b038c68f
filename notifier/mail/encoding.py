"""Transfer encodings whose constants are encoded once, with holes that are filled per recipient.

Both give 7-bit lines of at most 76 octets with CRLF, none of which begins with "." or "From ". A text is a tuple of
constants and holes as in `Page.html`; the decoded result equals that of a plain render.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from notifier.mail.page import Hole, Piece

SOFT = b"=\r\n"
_QP_LINE = 72  # 76 less the two octets that an escaped first character may add, and some air
_B64_LINE = 57  # octets that make a line of 76
_ESCAPES = [f"={o:02X}" for o in range(256)]
for _safe in {*range(33, 127)} - {61} | {32, 9}:
    _ESCAPES[_safe] = chr(_safe)
_AT_THE_END = {" ": "=20", "\t": "=09"}
_SHORT = re.compile(r"[!-<>-~]{1,71}")  # stands for itself, but for a leading "."; has no space

Fill = Callable[[Hole], str]


@dataclass(frozen=True)
class QuotedPrintable:
    """Constants and holes in turn, a constant at each end; soft line breaks fence every hole."""

    constants: tuple[bytes, ...]
    holes: tuple[Hole, ...]
    name: Literal["quoted-printable"] = "quoted-printable"

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> QuotedPrintable:
        constants, holes = _alternate(pieces)
        return cls(_fenced(constants), holes)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.constants))

    def fill(self, value: Fill) -> bytes:
        """The encoded text with every hole filled by `value(hole)`, which is encoded alone."""
        encoded = {hole: quoted_printable(value(hole)) for hole in self.distinct}
        filled = [self.constants[0]]
        for hole, constant in zip(self.holes, self.constants[1:], strict=True):
            filled += (encoded[hole], constant)
        return b"".join(filled)

    @cached_property
    def distinct(self) -> frozenset[Hole]:
        return frozenset(self.holes)


@dataclass(frozen=True)
class Aligned:
    """A constant as it is encoded when `lead` of its first bytes were given to the hole before it (0, 1 or 2)."""

    lead: bytes
    body: bytes  # whole lines of base64
    carry: bytes  # 0 to 2 bytes that go to the hole behind it


@dataclass(frozen=True)
class Base64:
    """Constants in three alignments and the holes between them."""

    constants: tuple[tuple[Aligned, Aligned, Aligned] | bytes, ...]  # bytes: too short to be aligned
    holes: tuple[Hole, ...]
    name: Literal["base64"] = "base64"

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Base64:
        constants, holes = _alternate(pieces)
        return cls(tuple(_aligned(crlf(constant).encode()) for constant in constants), holes)

    @property
    def size_bytes(self) -> int:
        return sum(len(c) if isinstance(c, bytes) else len(c[0].body) for c in self.constants)

    def fill(self, value: Fill) -> bytes:
        """The encoded text; what does not fill three bytes is carried on to the next hole."""
        filled: list[bytes] = []
        carry = self._append(filled, self.constants[0], b"")
        for hole, constant in zip(self.holes, self.constants[1:], strict=True):
            carry = self._append(filled, constant, carry + value(hole).encode())
        filled.append(base64_lines(carry))
        return b"".join(filled)

    @staticmethod
    def _append(filled: list[bytes], constant: tuple[Aligned, ...] | bytes, before: bytes) -> bytes:
        if isinstance(constant, bytes):
            return before + constant
        aligned = constant[-len(before) % 3]
        filled += (base64_lines(before + aligned.lead), aligned.body)
        return aligned.carry


Encoded = QuotedPrintable | Base64


def encode(pieces: Sequence[Piece]) -> Encoded:
    """The shorter of the two encodings for what is constant; quoted-printable where they are equal.

    ASCII is quoted-printable however many fences it has: filters take base64 of plain ASCII for hiding.
    """
    quoted = QuotedPrintable.of(pieces)
    if all(piece.isascii() for piece in pieces if isinstance(piece, str)):
        return quoted
    aligned = Base64.of(pieces)
    return aligned if aligned.size_bytes < quoted.size_bytes else quoted


def quoted_printable(text: str) -> bytes:
    """Lines of at most 76 octets (RFC 2045 6.7); no CRLF at the end unless the text has one."""
    if _SHORT.fullmatch(text) and text[0] != ".":
        return text.encode()
    return b"\r\n".join(_quoted_line(line) for line in crlf(text).split("\r\n"))


def base64_lines(content: bytes) -> bytes:
    """Lines of at most 76 octets, each with CRLF (RFC 2045 6.8)."""
    encoded = b64encode(content)
    if len(encoded) <= 76:
        return encoded + b"\r\n" if encoded else b""
    return b"".join(encoded[start : start + 76] + b"\r\n" for start in range(0, len(encoded), 76))


def crlf(text: str) -> str:
    """All line ends as CRLF."""
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def _alternate(pieces: Sequence[Piece]) -> tuple[list[str], tuple[Hole, ...]]:
    """Constants and holes strictly in turn: neighbouring texts joined, an empty one between two holes."""
    constants, holes = [""], []
    for piece in pieces:
        if isinstance(piece, str):
            constants[-1] += piece
        else:
            holes.append(piece)
            constants.append("")
    return constants, tuple(holes)


def _fenced(constants: Sequence[str]) -> tuple[bytes, ...]:
    last = len(constants) - 1
    return tuple(
        (SOFT if place else b"") + quoted_printable(constant) + (SOFT if place < last else b"")
        for place, constant in enumerate(constants)
    )


def _aligned(content: bytes) -> tuple[Aligned, Aligned, Aligned] | bytes:
    if len(content) < 2:
        return content
    one, two, three = (_shifted(content, lead) for lead in range(3))
    return one, two, three


def _shifted(content: bytes, lead: int) -> Aligned:
    end = len(content) - (len(content) - lead) % 3
    return Aligned(content[:lead], base64_lines(content[lead:end]), content[end:])


def _quoted_line(line: str) -> bytes:
    escaped = "".join(map(_ESCAPES.__getitem__, line.encode()))
    if escaped[-1:] in (" ", "\t"):  # relays strip white space at the end of a line
        escaped = escaped[:-1] + _AT_THE_END[escaped[-1]]
    return "=\r\n".join(_safe_start(part) for part in _parts(escaped)).encode()


def _parts(escaped: str) -> list[str]:
    """The line in parts of at most 72 octets with the soft break, never splitting an escape."""
    parts, start = [], 0
    while len(escaped) - start > _QP_LINE - 1:
        end = start + _QP_LINE - 1
        end -= 2 if escaped[end - 2] == "=" else 1 if escaped[end - 1] == "=" else 0
        parts.append(escaped[start:end])
        start = end
    return [*parts, escaped[start:]]


def _safe_start(part: str) -> str:
    """A leading "." would need dot-stuffing, and `From ` gets a ">" from mailbox files on the way."""
    if part[:1] == ".":
        return f"=2E{part[1:]}"
    return f"=46rom {part[5:]}" if part.startswith("From ") else part
