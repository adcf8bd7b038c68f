"""The mail address: as typed, as compared, and as it goes on the wire."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

MAX_OCTETS = 254
MAX_LOCAL_OCTETS = 64
#: Reserved for examples and tests (RFC 2606, RFC 6761): no person reads mail there.
SAMPLE_DOMAINS = ("example.org", "example.com", "example.net", "example", "test", "invalid")
_INVALID = ".invalid"


@dataclass(frozen=True)
class Address:
    """One mailbox."""

    typed: str  # without surrounding spaces
    normalised: str  # the unique key: folded local part @ domain in A-labels
    ascii: str  # for the wire: domain in A-labels; the local part may still need SMTPUTF8
    needs_smtputf8: bool

    @property
    def is_sample(self) -> bool:
        return is_sample(self.normalised)


def normalise(text: str) -> Address:
    """The address that `text` writes.

    Two addresses are one person's if their `normalised` are equal: local part NFKC and case-folded, domain in
    A-labels (IDNA 2008). Nothing is looked up.

    Raises:
        ValueError: no address, or of a form that is not written to: quoted local part, IP literal, a domain without
            a dot or of a reserved name, more than 254 octets (64 before the @). The message says which.
    """
    typed = text.strip()
    if len(typed.encode("utf-8", "replace")) > MAX_OCTETS:
        raise ValueError(f"longer than {MAX_OCTETS} octets")
    local, domain = _checked(typed)
    on_the_wire = f"{local}@{domain}"
    if len(local.encode()) > MAX_LOCAL_OCTETS or len(on_the_wire.encode()) > MAX_OCTETS:
        raise ValueError(f"longer than {MAX_LOCAL_OCTETS} octets before the @, or {MAX_OCTETS} in all")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", local).casefold())
    return Address(
        typed=typed,
        normalised=f"{folded}@{domain}",
        ascii=on_the_wire,
        needs_smtputf8=not local.isascii(),
    )


def is_sample(address: str) -> bool:
    """Whether a normalised address belongs to a reserved domain: only a folder, memory or a loopback relay takes it."""
    return _is_under(address.rpartition("@")[2].lower(), SAMPLE_DOMAINS)


def masked(email: str) -> str:
    """o…@example.org: enough for those who know it, too little for whoever finds it; "" where there is no address."""
    local, _, domain = email.rpartition("@")
    return f"{local[0]}…@{domain}" if local else ""


def _checked(typed: str) -> tuple[str, str]:
    """Local part in NFC, and domain in A-labels."""
    # The library takes .test when asked to, but never .invalid, which samples may use as well.
    is_invalid = typed.lower().endswith(_INVALID)
    try:
        found = validate_email(
            typed[: -len(_INVALID)] + ".test" if is_invalid else typed,
            strict=True,
            check_deliverability=False,
            test_environment=True,
            allow_quoted_local=False,
            allow_domain_literal=False,
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    domain = (found.ascii_domain or "").lower()
    if "." not in domain:
        raise ValueError("the part after the @ has no dot")
    return found.local_part, domain.removesuffix(".test") + _INVALID if is_invalid else domain


def _is_under(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)
