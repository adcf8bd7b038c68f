"""The mail address: as typed, as compared, and as it goes on the wire."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

MAX_OCTETS = 254
#: Reserved for examples and tests (RFC 2606, RFC 6761): no person reads mail there.
SAMPLE_DOMAINS = ("example.org", "example.com", "example.net", "example", "test", "invalid")
#: Reserved names at which no mail is ever taken.
_NOWHERE = ("local", "localhost", "onion", "arpa")


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
    try:
        found = validate_email(
            typed,
            strict=True,
            check_deliverability=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            # This switch would refuse .test and .invalid, which samples need; its other rules are kept below.
            globally_deliverable=False,
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    domain = (found.ascii_domain or "").lower()
    _check_domain(domain)
    on_the_wire = f"{found.local_part}@{domain}"
    if len(on_the_wire.encode()) > MAX_OCTETS:
        raise ValueError(f"longer than {MAX_OCTETS} octets once its domain is written in ASCII")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", found.local_part).casefold())
    return Address(
        typed=typed,
        normalised=f"{folded}@{domain}",
        ascii=on_the_wire,
        needs_smtputf8=not found.local_part.isascii(),
    )


def is_sample(address: str) -> bool:
    """Whether a normalised address belongs to a reserved domain: only a folder, memory or a loopback relay takes it."""
    return _is_under(address.rpartition("@")[2].lower(), SAMPLE_DOMAINS)


def _check_domain(domain: str) -> None:
    if "." not in domain:
        raise ValueError("the part after the @ has no dot")
    if not domain[-1].isalpha() or _is_under(domain, _NOWHERE):
        raise ValueError(f"no mail is taken at {domain}")


def _is_under(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)
