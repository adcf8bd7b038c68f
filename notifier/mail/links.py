"""Every link of a message, and the tokens in them: made and verified here and nowhere else.

A token is `V IIIIIIIIIIIIIIII MMMMMMMMMMMMMMMMMMMMMMMMMM` without the spaces: version of the key (one hex digit), the
subject's random public id (64 bits, hex), and a MAC of 128 bits (keyed BLAKE2b, base32). It is the same in https and
mailto, 43 characters, lower case; upper case opens as well, because relays and keyboards change case.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal
from urllib.parse import quote

from notifier.errors import LinkError

Scope = Literal["project", "series", "topic", "region"]
Purpose = Literal["unsubscribe", "confirm", "preferences", "invitation", "feed"]

MIN_KEY_BYTES = 16
_PUBLIC_ID = re.compile(r"[0-9a-f]{16}")
_TOKEN = re.compile(r"([1-9a-f])([0-9a-f]{16})([a-z2-7]{26})")
_VERP = re.compile(r"[^+]+\+([a-z2-7]+-[a-z2-7]+)\.([a-z2-7]{12})")
_MESSAGE_ID = re.compile(r"<?(\d{1,18})\.(\d{1,18})x([a-z2-7]{16})@[^@<>\s]+>?")
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Links:
    """Links under `base_url`; a route that is not in `served` gives None, and the template leaves the link out.

    `keys`: version (1 to 15) -> secret of at least 16 bytes; the highest version makes, all of them open, so that an
    old letter's link works after the key was changed.
    """

    base_url: str
    keys: Mapping[int, bytes] = field(repr=False)
    served: frozenset[str] = frozenset()
    unsubscribe_address: str = ""  # the box of `mail.unsubscribe`; empty: no mailto

    def __post_init__(self) -> None:
        if not self.keys or not all(0 < version < 16 for version in self.keys):
            raise ValueError("links need keys with versions from 1 to 15")
        if any(len(key) < MIN_KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"a key of links has at least {MIN_KEY_BYTES} bytes")

    def unsubscribe(self, public_id: str) -> str:
        """The one-click address; it never expires and can do nothing else."""
        return f"{self._base}/u/{self.token(public_id, 'unsubscribe')}"

    def unsubscribe_mailto(self, public_id: str) -> str | None:
        """The same token by mail, where a box for it is configured."""
        box, at, domain = self.unsubscribe_address.rpartition("@")
        if not at:
            return None
        return f"mailto:{box}+{self.token(public_id, 'unsubscribe')}@{domain}?subject=unsubscribe"

    def list_unsubscribe(self, public_id: str) -> str:
        """The value of List-Unsubscribe: exactly one URL for the web, then the mailto (RFC 8058)."""
        mailto = self.unsubscribe_mailto(public_id)
        web = f"<{self.unsubscribe(public_id)}>"
        return f"{web}, <{mailto}>" if mailto else web

    def event_ics(self, slug: str, language: str) -> str | None:
        return self._link("event_ics", "event", f"{slug}.{language}.ics")

    def feed(self, language: str) -> str | None:
        """All public events in one language, for calendar programs that poll."""
        return self._link("feed", "feed", language, "all.ics")

    def scoped_feed(self, scope: Scope, key: str, language: str) -> str | None:
        """The public events of one project, series, topic or region."""
        return self._link("scoped_feed", "feed", language, scope, f"{key}.ics")

    def atom(self, language: str) -> str | None:
        """What was announced and changed, for feed readers."""
        return self._link("atom", "feed", language, "all.atom")

    def next_ics(self, language: str, series: str = "") -> str | None:
        """The next event of all, or of one series, whichever it is when somebody asks."""
        if series:
            return self._link("next_ics", "next", f"{series}.{language}.ics")
        return self._link("next_ics", f"next.{language}.ics")

    def event_page(self, slug: str, language: str) -> str | None:
        return self._link("event_page", language, "events", slug)

    def subscribe(self, language: str) -> str | None:
        return self._link("subscribe", language, "subscribe")

    def archive(self, language: str) -> str | None:
        return self._link("archive", language, "archive")

    def browser_view(self, newsletter: str, number: str, language: str) -> str | None:
        """One issue in the archive; `number` is its slot, e.g. 2020-W16."""
        return self._link("browser_view", language, "archive", newsletter, number)

    def preferences(self, public_id: str) -> str | None:
        return self._personal("preferences", public_id)

    def confirm(self, public_id: str) -> str | None:
        return self._personal("confirm", public_id)

    def token(self, public_id: str, purpose: Purpose) -> str:
        """The token that opens `purpose` for the subject `public_id` (16 hex digits)."""
        version = self._newest
        return f"{version:x}{public_id}{self._mac(version, purpose, public_id)}"

    def verify(self, token: str, purpose: Purpose) -> str:
        """The public id that `token` was made for.

        Takes the same time whatever is wrong with a token of the right form.

        Raises:
            LinkError: truncated, altered, made for another purpose, or with a key that is no longer valid.
        """
        parts = _TOKEN.fullmatch(token.lower()) if token.isascii() else None
        if not parts:
            raise LinkError("the link is incomplete or was altered")
        version = int(parts[1], 16)
        expected = self._mac(version if version in self.keys else self._newest, purpose, parts[2])
        if not hmac.compare_digest(expected, parts[3]) or version not in self.keys:
            raise LinkError("the link is not valid")
        return parts[2]

    def verp(self, box: str, edition_id: int, position: int) -> str:
        """The envelope sender that names the entry: `bounces+ENTRY.MAC@example.org` (`box`: bounces@example.org)."""
        local, _, domain = box.rpartition("@")
        entry = f"{_base32(edition_id)}-{_base32(position)}"
        local = f"{local}+{entry}.{self._verp_mac(self._newest, entry)}"
        if len(local) > 64:
            raise ValueError(f"{local!r} is longer than the 64 octets of a local part (RFC 5321 4.5.3.1.1)")
        return f"{local}@{domain}"

    def parse_verp(self, recipient: str) -> tuple[int, int]:
        """(edition id, position) of the entry that a report speaks of; `recipient` with or without its domain.

        Raises:
            LinkError: not ours, or forged: such a report changes nothing.
        """
        parts = _VERP.fullmatch(recipient.split("@")[0].lower()) if recipient.isascii() else None
        if not parts:
            raise LinkError("not an address of ours for reports")
        macs = [self._verp_mac(version, parts[1]) for version in self.keys]
        if not sum(hmac.compare_digest(mac, parts[2]) for mac in macs):  # not any(): look at all of them
            raise LinkError("the address for reports is forged")
        edition, position = parts[1].split("-")
        return _number(edition), _number(position)

    def edition_key(self, edition: str) -> bytes:
        """The key of one edition's Message-IDs, from the edition's own key in words."""
        return blake2b(
            edition.encode(), key=self._secrets[self._newest], digest_size=32, person=b"message-id"
        ).digest()

    @cached_property
    def _base(self) -> str:
        return self.base_url.rstrip("/")

    @cached_property
    def _newest(self) -> int:
        return max(self.keys)

    @cached_property
    def _secrets(self) -> dict[int, bytes]:
        """Keys of the length that BLAKE2b takes, whatever length the secrets have."""
        return {version: blake2b(key, digest_size=64).digest() for version, key in self.keys.items()}

    @cached_property
    def _keyed(self) -> dict[tuple[int, str], Any]:
        """Hashes with key and purpose worked in: a copy costs a third of a new one."""
        return {}

    def _mac(self, version: int, purpose: str, public_id: str) -> str:
        if not _PUBLIC_ID.fullmatch(public_id):
            raise ValueError(f"a public id has 16 hex digits, not {public_id!r}")
        return _letters(self._hash(version, purpose, 16, bytes.fromhex(public_id)))[:26]

    def _verp_mac(self, version: int, entry: str) -> str:
        return _letters(self._hash(version, "verp", 10, entry.encode()))[:12]

    def _hash(self, version: int, purpose: str, size_bytes: int, subject: bytes) -> bytes:
        keyed = self._keyed.get((version, purpose))
        if keyed is None:
            keyed = blake2b(key=self._secrets[version], digest_size=size_bytes, person=purpose.encode())
            self._keyed[version, purpose] = keyed
        own = keyed.copy()
        own.update(subject)
        digest: bytes = own.digest()
        return digest

    def _personal(self, purpose: Purpose, public_id: str) -> str | None:
        if purpose not in self.served:
            return None
        return self._link(purpose, purpose, self.token(public_id, purpose))

    def _link(self, route: str, *segments: str) -> str | None:
        if route not in self.served:
            return None
        return "/".join([self._base, *(quote(segment, safe="") for segment in segments)])


def message_id(edition_id: int, position: int, key: bytes, domain: str) -> str:
    """`<12.345xMAC@example.org>`: the same at every attempt, and a guess at another one finds nothing.

    `key` is the edition's (`Links.edition_key`, kept with it). MAC has 80 bits; the whole at most 76 octets where the
    domain has up to 38.
    """
    return f"<{edition_id}.{position}x{_message_mac(edition_id, position, key)}@{domain}>"


def parse_message_id(text: str, key: bytes) -> tuple[int, int]:
    """(edition id, position) of a Message-ID of ours, with or without brackets.

    Raises:
        LinkError: not ours, or forged.
    """
    parts = _MESSAGE_ID.fullmatch(text.strip().lower()) if text.isascii() else None
    if not parts:
        raise LinkError("not a Message-ID of ours")
    edition_id, position = int(parts[1]), int(parts[2])
    if not hmac.compare_digest(_message_mac(edition_id, position, key), parts[3]):
        raise LinkError("the Message-ID is forged")
    return edition_id, position


def _message_mac(edition_id: int, position: int, key: bytes) -> str:
    return _letters(blake2b(b"%d.%d" % (edition_id, position), key=key, digest_size=10).digest())


def _letters(digest: bytes) -> str:
    return b32encode(digest).decode().lower()


def _base32(number: int) -> str:
    digits = _DIGITS[number % 32]
    while number := number // 32:
        digits = _DIGITS[number % 32] + digits
    return digits


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 32 + _DIGITS.index(digit)
    return value
