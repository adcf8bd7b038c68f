"""Answers from bytes that are kept: a strong validator for each encoding, 304, gzip when asked (RFC 9110)."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True)
class Document:
    """Bytes with all that a client may ask about them."""

    raw: bytes
    packed: bytes  # by gzip
    tag: str
    media_type: str
    cache_control: str
    modified: datetime | None  # UTC, whole seconds; None: nobody knows


def document(
    raw: bytes, media_type: str, cache_control: str, *, modified: datetime | None = None
) -> Document:
    """A document; the same bytes get the same validators in every process."""
    packed = gzip.compress(raw, mtime=0)  # the time would be in the bytes, and another one at every start
    tag = blake2b(raw, digest_size=12).hexdigest()
    whole = modified.astimezone(UTC).replace(microsecond=0) if modified else None
    return Document(raw, packed, tag, media_type, cache_control, whole)


def answer(request: Request, of: Document) -> Response:
    """200 with the bytes as the client takes them, or 304 where it has them."""
    is_packed = accepts_gzip(",".join(request.headers.getlist("accept-encoding")))
    etag = f'"{of.tag}-gz"' if is_packed else f'"{of.tag}"'
    headers = {"etag": etag, "vary": "Accept-Encoding", "cache-control": of.cache_control}
    if of.modified:
        headers["last-modified"] = format_datetime(of.modified, usegmt=True)
    if _is_known(request, etag, of.modified):
        return Response(status_code=304, headers=headers)
    if is_packed:
        headers["content-encoding"] = "gzip"
    return Response(of.packed if is_packed else of.raw, media_type=of.media_type, headers=headers)


def accepts_gzip(field: str) -> bool:
    """Whether an Accept-Encoding asks for gzip; silence means the plain bytes."""
    weights = dict(_weighed(part) for part in field.lower().split(",") if part.strip())
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighed(part: str) -> tuple[str, float]:
    coding, *parameters = (piece.strip() for piece in part.split(";"))
    return coding, weight(parameters)


def weight(parameters: Sequence[str]) -> float:
    """The q of a list member, 1 without one; what cannot be read counts as 0."""
    given = next((p.partition("=")[2] for p in parameters if p.partition("=")[0].strip() == "q"), "1")
    try:
        found = float(given)
    except ValueError:
        return 0.0
    return found if 0 <= found <= 1 else 0.0


def _is_known(request: Request, etag: str, modified: datetime | None) -> bool:
    """Whether the client's copy is this one; a validator wins over a date (RFC 9110 13.2.2)."""
    if given := ",".join(request.headers.getlist("if-none-match")):
        # Proxies that compress on their own weaken the tag they pass on; for GET that is the same copy.
        return given.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))
    if modified is None:
        return False
    try:
        return modified <= parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (TypeError, ValueError):  # no date, no zone, no such day
        return False
