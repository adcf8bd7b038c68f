"""Mail addresses: what is taken, what is refused, and which two are one person's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.subscribers.address import is_sample, normalise


@pytest.mark.parametrize(
    ("typed", "normalised", "on_the_wire"),
    [
        ("office@example.org", "office@example.org", "office@example.org"),
        ("  Office@Example.ORG ", "office@example.org", "Office@example.org"),
        ("office+events@example.org", "office+events@example.org", "office+events@example.org"),
        ("o'brien@example.org", "o'brien@example.org", "o'brien@example.org"),
        ("büro@bücher.example", "büro@xn--bcher-kva.example", "büro@xn--bcher-kva.example"),
        ("офис@пример.бг", "офис@xn--e1afmkfd.xn--90ae", "офис@xn--e1afmkfd.xn--90ae"),
        ("straße@example.org", "strasse@example.org", "straße@example.org"),
        ("office@xn--bcher-kva.example", "office@xn--bcher-kva.example", "office@xn--bcher-kva.example"),
        ("office@relay.test", "office@relay.test", "office@relay.test"),
        ("office@relay.invalid", "office@relay.invalid", "office@relay.invalid"),
    ],
)
def test_an_address_is_kept_as_typed_compared_folded_and_sent_in_ascii(
    typed: str, normalised: str, on_the_wire: str
) -> None:
    found = normalise(typed)
    assert (found.typed, found.normalised, found.ascii) == (typed.strip(), normalised, on_the_wire)
    assert found.needs_smtputf8 is (not on_the_wire.isascii())


@pytest.mark.parametrize(
    "text",
    [
        *("", "office", "@example.org", "office@", "a@b@example.org", "office@example", "office@localhost", "office@test", "office@invalid"),
        *("office@[127.0.0.1]", "office@127.0.0.1", '"the office"@example.org', "Office <office@example.org>"),
        *("office@example.org\nBcc: x@example.org", "office\r@example.org", "office @example.org", "a\0b@example.org"),
        *("a..b@example.org", ".a@example.org", "a.@example.org", "office@-example.org", "office@exa_mple.org"),
        *("x" * 65 + "@example.org", "office@" + ".".join(["x" * 60] * 4) + ".example.org", "я" * 33 + "@example.org"),
        *("office@printer.local", "office@1.0.0.127.in-addr.arpa", "office@hidden.onion", "office@example.org."),
        *("office@example.123", "ofﬁce@exam ple.org", "\ud800@example.org"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_to_is_refused_with_words(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        normalise(text)
    assert str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *((f"office@{domain}", True) for domain in ("example.org", "example.com", "example.net", "a.example.org")),
        *((f"office@{domain}", True) for domain in ("region.example", "relay.test", "relay.invalid", "EXAMPLE.ORG")),
        *((f"office@{domain}", False) for domain in ("mazovia.pl", "myexample.org", "example.de", "test.org")),
    ],
)  # fmt: skip
def test_sample_domains_are_known(address: str, expected: bool) -> None:
    assert normalise(address).is_sample is expected
    assert is_sample(address) is expected


@given(st.emails())
def test_normalising_twice_changes_nothing(text: str) -> None:
    try:
        once = normalise(text)
    except ValueError:
        return
    assert normalise(once.normalised).normalised == once.normalised
    assert normalise(text.upper()).normalised == once.normalised


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_an_address_or_refused(local: str, domain: str) -> None:
    try:
        found = normalise(f"{local}@{domain}")
    except ValueError:
        return
    local_part, _, host = found.ascii.rpartition("@")
    assert host.isascii()
    assert "." in host
    assert not set(found.ascii) & set(' <>\r\n\0"()[],;:\\')
    assert len(found.ascii.encode()) <= 254
    assert len(local_part.encode()) <= 64
