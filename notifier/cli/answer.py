"""What a command says: text for people on stdout, or exactly one JSON document; problems on stderr."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import click

from notifier import __version__
from notifier.cli import exits, frames
from notifier.errors import Problem


def give(
    shared: Mapping[str, Any],
    schema: str,
    data: object,
    text: str | Iterable[str] = "",
    *,
    problems: Sequence[Problem] = (),
    code: int = exits.DONE,
) -> int:
    """Print the answer in the form asked for; the exit code, for the command to return."""
    if shared["output_format"] == "json":
        click.echo(document(schema, data, problems, code))
        return code
    show(shared, problems)
    lines = [text] if isinstance(text, str) else list(text)
    if any(lines) and not shared["quiet"]:
        click.echo("\n".join(lines))
    return code


def document(schema: str, data: object, problems: Sequence[Problem] = (), code: int = exits.DONE) -> str:
    """The one JSON document: schema, version, exit, data, problems."""
    whole = {
        "schema": f"notifier/{schema}/1",
        "version": __version__,
        "exit": code,
        "data": data,
        "problems": [problem(p) for p in problems],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2, default=plain)


def problem(found: Problem) -> dict[str, object]:
    """A problem as JSON carries it."""
    names = ("code", "severity", "file", "line", "column", "length", "text", "fix")
    return {name: getattr(found, name) for name in names}


def show(shared: Mapping[str, Any], problems: Sequence[Problem]) -> None:
    """Problems on stderr, framed, with caret and fix; with -q only errors."""
    for found in problems:
        if found.is_error or not shared["quiet"]:
            click.echo(frames.frame(found, color=wants_color(shared)), err=True)
            click.echo(err=True)


def wants_color(shared: Mapping[str, Any]) -> bool:
    if shared["color"] != "auto":
        return bool(shared["color"] == "always")
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(rows: Sequence[Sequence[object]], head: Sequence[str] = ()) -> list[str]:
    """Rows in aligned columns; the last column is free."""
    texts = [[str(c) for c in row] for row in ([head, *rows] if head else rows)]
    if not texts:
        return []
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row[:-1], widths[:-1], strict=True))
        + ("  " if len(row) > 1 else "")
        + row[-1]
        for row in texts
    ]


def plain(value: object) -> object:
    """What JSON has no word for."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        from notifier.cli.config_keys import duration

        return duration(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"no plain form of {type(value).__name__}")
