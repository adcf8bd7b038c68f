"""Every key of config.toml with its default and what it means: the models say which exist, the example says what for."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from notifier.config import NOT_YET, Config, parse_size
from notifier.configfile import scan

#: In the model, and not for the file.
_INTERNAL = {"file"}
_SHARED = re.compile(r"editions\.(\w+)\.(mode|approval|useful_until)")
_COMMENTED = re.compile(r"^# (?=\[\[?[a-z.]+\]|[a-z_]+ = )", re.MULTILINE)
_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class Key:
    """One key of config.toml."""

    section: str  # as it is written: "[organisation]", "[[newsletter]]"; empty: the top of the file
    name: str
    path: str  # dotted, without numbers: newsletter.schedule
    default: str  # as TOML, or in words: "required", "none"
    words: str  # the comment of the example; empty: the example does not have the key
    about: str  # the comment above the section

    @property
    def has_effect(self) -> bool:
        return not any(self.path == path or self.path.startswith(f"{path}.") for path in NOT_YET)


def keys(example: str) -> list[Key]:
    """All keys in the order of the models; `example` is the text of a config.toml that has them all."""
    told = _told(example)
    return [
        Key(section, name, path, default, _words(path, told), _about(path, told))
        for section, name, path, default in _walk(Config, "", "")
    ]


def _words(path: str, told: Mapping[str, str]) -> str:
    """What a key is for; the default has a column of its own. A key that all kinds share is told with the first kind."""
    shared = _SHARED.fullmatch(path)
    words = told.get(f"editions.digest.{shared[2]}" if shared else path, "")
    return re.sub(r"^required; |(?<=.); default: .*$", "", words)


def _about(path: str, told: Mapping[str, str]) -> str:
    """The words above a section, as sentences; what a kind of edition says of a shared key joins them."""
    section = path.rpartition(".")[0]
    names = [told.get(f"[{section}]", "")]
    if _SHARED.fullmatch(f"{section}.mode") and section != "editions.digest":
        names += [told.get(f"{section}.{name}", "") for name in ("mode", "approval", "useful_until")]
    return " ".join(f"{words[0].upper()}{words[1:].rstrip('.')}." for words in names if words)


def given(example: str) -> set[str]:
    """Dotted paths of the keys that the example has, commented out or not."""
    return set(_told(example))


def _walk(model: type[BaseModel], section: str, path: str) -> Iterator[tuple[str, str, str, str]]:
    """(section, name, dotted path, default): first the keys of a section, then the sections below it."""
    fields = {info.alias or name: info for name, info in model.model_fields.items() if name not in _INTERNAL}
    below = {name: found for name, info in fields.items() if (found := _section_of(info))}
    for name, info in fields.items():
        if name not in below:
            yield section, name, f"{path}.{name}".lstrip("."), _default(info)
    for name, (inner, is_repeated) in below.items():
        dotted = f"{path}.{name}".lstrip(".")
        yield from _walk(inner, f"[[{dotted}]]" if is_repeated else f"[{dotted}]", dotted)


def _section_of(info: FieldInfo) -> tuple[type[BaseModel], bool] | None:
    """The model of a section, and whether it may be repeated; None for a plain key."""
    kind = info.annotation
    if get_origin(kind) is tuple and _is_model(get_args(kind)[0]):
        return get_args(kind)[0], True
    kinds = [k for k in get_args(kind) if k is not NoneType] if _is_union(kind) else [kind]
    return (typing.cast(type[BaseModel], kinds[0]), False) if _is_model(kinds[0]) else None


def _is_union(kind: object) -> bool:
    return get_origin(kind) in (typing.Union, UnionType)


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if any(getattr(rule, "func", None) is parse_size for rule in info.metadata):
        return json.dumps(f"{value // 1000}kB")
    return written(value)


def written(value: Any) -> str:
    """A value as one writes it in config.toml."""
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, timedelta):
        return json.dumps(duration(value))
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def duration(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    unit, size = next((u, s) for u, s in _UNITS if seconds % s == 0 and (u != "w" or seconds > 8 * s))
    return f"{seconds // size}{unit}"


def _told(example: str) -> dict[str, str]:
    """Dotted path -> the comment behind it; "[path]" -> the comment above that section. Commented keys count."""
    text = _COMMENTED.sub("", example)
    lines = text.splitlines()
    told: dict[str, str] = {}
    for key, mark in scan(text):
        path = ".".join(part for part in key if isinstance(part, str))
        line = lines[mark.line - 1]
        if mark.value_line:
            told.setdefault(path, _comment(line[mark.value_column + mark.value_length - 1 :]))
        else:
            told.setdefault(path, _comment(line))
            told.setdefault(f"[{path}]", _comment(line) or _above(lines, mark.line - 1))
    return told


def _comment(rest: str) -> str:
    return rest.partition("# ")[2].strip()


def _above(lines: list[str], at: int) -> str:
    """The comment lines directly above a line."""
    found: list[str] = []
    while at > 0 and lines[at - 1].startswith("# "):
        at -= 1
        found.insert(0, lines[at][2:])
    return " ".join(found)
