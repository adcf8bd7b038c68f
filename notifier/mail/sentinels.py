"""Stand-ins for a recipient's values while a page is compiled.

A sentinel prints as `@@NONCE.NAME.CONTEXT@@` and can do nothing else: a template that asks it anything (is it empty,
how long, is it equal) would give every recipient the answer of the first one, so each question is an error with its line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, NoReturn, cast

from jinja2 import TemplateRuntimeError

from notifier.mail.page import Context, Hole, Piece

PERSONAL = ("address", "unsubscribe_url", "consent_date", "frequency", "choices")


class AskedSentinelError(TemplateRuntimeError):
    """A template asked a recipient's value something."""

    def __init__(self, name: str, question: str) -> None:
        super().__init__(
            f"the template {question} the recipient's {name}, which is only known when the page is filled"
        )
        self.name = name


class Sentinel:
    """One stand-in. It may be printed, joined with `~`, and put into a message of the catalogue."""

    __slots__ = ("_name", "_print")

    def __init__(self, name: str, printed: str) -> None:
        self._name, self._print = name, printed

    def __str__(self) -> str:
        return self._print

    def __html__(self) -> str:
        return self._print

    def refuse(self, question: str) -> NoReturn:
        raise AskedSentinelError(self._name, question)

    def __bool__(self) -> NoReturn:
        self.refuse("tests")

    def __eq__(self, other: object) -> NoReturn:
        self.refuse("compares")

    def __ne__(self, other: object) -> NoReturn:
        self.refuse("compares")

    def __lt__(self, other: object) -> NoReturn:
        self.refuse("compares")

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self) -> NoReturn:
        self.refuse("compares")

    def __len__(self) -> NoReturn:
        self.refuse("counts the letters of")

    def __iter__(self) -> NoReturn:
        self.refuse("walks through")

    def __contains__(self, other: object) -> NoReturn:
        self.refuse("searches in")

    def __getitem__(self, key: object) -> NoReturn:
        self.refuse("takes a part of")

    def __add__(self, other: object) -> NoReturn:
        self.refuse("calculates with")

    __radd__ = __mul__ = __rmul__ = __mod__ = __sub__ = __add__


class Sentinels:
    """All stand-ins of one part of a page, under one nonce."""

    def __init__(self, nonce: str, context: Context) -> None:
        self.nonce, self.context = nonce, context
        self._pattern = re.compile(rf"@@{nonce}\.([a-z_]+)\.(text|html|url)@@")

    def one(self, name: str) -> Sentinel:
        return Sentinel(name, f"@@{self.nonce}.{name}.{self.context}@@")

    def personal(self) -> dict[str, Sentinel]:
        return {name: self.one(name) for name in PERSONAL}

    def count(self, text: str) -> Counter[str]:
        """How often each stand-in stands in `text`, and how often a damaged one does (under the empty name)."""
        found = Counter(match[0] for match in self._pattern.finditer(text))
        if (damaged := text.count(self.nonce) - found.total()) > 0:
            found[""] = damaged
        return found

    def split(self, text: str) -> tuple[Piece, ...]:
        """Constants and holes, in order; no empty constants."""
        pieces: list[Piece] = []
        end = 0
        for match in self._pattern.finditer(text):
            if match.start() > end:
                pieces.append(text[end : match.start()])
            pieces.append(Hole(match[1], cast(Context, match[2])))
            end = match.end()
        return (*pieces, text[end:]) if end < len(text) else tuple(pieces)


def draw_nonce(content: str) -> str:
    """Twelve hex digits that do not occur in `content`, the same for the same content."""
    attempt = 0
    while True:
        nonce = blake2b(f"{attempt}:{content}".encode(), digest_size=6).hexdigest()
        if nonce not in content:
            return nonce
        attempt += 1


def guarded(function: Callable[..., Any], kind: str) -> Callable[..., Any]:
    """A filter or test of the template language that refuses sentinels."""

    def guard(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            _refuse_in(value, kind)
        return function(*args, **kwargs)

    # Jinja marks functions that want its context by attributes of these.
    guard.__dict__.update(getattr(function, "__dict__", {}))
    return guard


def _refuse_in(value: object, kind: str) -> None:
    if isinstance(value, Sentinel):
        value.refuse(f"puts a {kind} to")
    if isinstance(value, list | tuple):
        _refuse_all(value, kind)


def _refuse_all(values: Iterable[object], kind: str) -> None:
    for value in values:
        _refuse_in(value, kind)
