"""Reading config.toml: where it is, what it says, and every problem of it with line, column and fix."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from notifier.config import MAX_BYTES, NOT_YET, VERSION, Config, Section
from notifier.errors import ConfigError, Problem

Key = tuple[str | int, ...]
MAX_DEPTH = 12
PLACES = ("config.toml", "/etc/notifier/config.toml")
_SECRET_KEYS = {"password", "secret_key", "key", "ping_url"}
_URL_PASSWORD = re.compile(r"^[a-z+]+://[^/@\s:]*:[^/@\s]+@")


@dataclass(frozen=True)
class Mark:
    """Where a key stands in the file; all count from 1."""

    line: int
    column: int
    length: int
    value_line: int = 0
    value_column: int = 0
    value_length: int = 1


@dataclass(frozen=True)
class Loaded:
    """The settings, and where each given one came from ("config.toml:12", "environment NOTIFIER__…")."""

    config: Config
    origins: Mapping[Key, str] = field(default_factory=dict)


class Secret(str):
    """A value that is never printed by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"


def find(given: str | None, environ: Mapping[str, str], here: Path) -> Path | None:
    """The configuration in use: `--config`, NOTIFIER_CONFIG, ./config.toml, /etc/notifier/config.toml; None: no project here."""
    if named := given or environ.get("NOTIFIER_CONFIG"):
        return here / named
    return next((path for place in PLACES if (path := here / place).is_file()), None)


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """The settings of one file, with overrides from the environment (NOTIFIER__TRANSPORTS__RATE=5/s).

    Raises:
        ConfigError: all problems at once: unreadable (E200), a secret in the file (E201), unknown key (E202), a key
            missing (E203), a wrong value (E204), a mode too open (E206), made for a newer version (E207).
    """
    text = _read(path)
    data = _parse(path, text)
    if _depth(data) > MAX_DEPTH:
        raise ConfigError(Problem(str(path), 0, 0, "E200", f"keys are nested deeper than {MAX_DEPTH}"))
    marks = dict(scan(text))
    lines = text.splitlines()
    origins: dict[Key, str] = {key: f"{path.name}:{mark.line}" for key, mark in marks.items()}
    problems = [*_version(path, data, marks, lines), *_secrets(path, data, marks, lines), *_mode(path)]
    if any(p.code == "E207" for p in problems):
        raise ConfigError(problems)
    origins.update(_override(data, environ))
    try:
        config = Config.model_validate({**data, "file": path})
    except ValidationError as error:
        problems += [_problem(path, dict(detail), marks, lines) for detail in error.errors()]
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return Loaded(config, origins)


def problem_at(path: Path, key: Key, text: str) -> Problem:
    """E204 at the place of a value that only a higher floor can judge, e.g. a schedule."""
    raw = _read(path)
    marks = dict(scan(raw))
    mark = next((marks[key[:n]] for n in range(len(key), 0, -1) if key[:n] in marks), None)
    value = Mark(mark.value_line, mark.value_column, mark.value_length) if mark and mark.value_line else mark
    return _at(path, "E204", text, value, raw.splitlines())


def without_effect(config: Config) -> Iterator[Problem]:
    """W202 for every key that is set to something else than its default and does nothing in this version."""
    usual = Config.model_validate({"organisation": config.organisation})
    for path in NOT_YET:
        names = path.split(".")
        given, default = (_value_at(one, names) for one in (config, usual))
        if given != default and config.file.is_file():
            found = problem_at(
                config.file, tuple(names), f"{path} is understood, but has no effect in this version"
            )
            yield replace(
                found, code="W202", severity="warning", fix="take it out, so that nobody relies on it"
            )


def _value_at(config: Config, names: Sequence[str]) -> object:
    """The value of a key; None in a section that is not given."""
    value: object = config
    for name in names:
        value = getattr(value, name, None)
    return value


def credential(value: str, environ: Mapping[str, str]) -> Secret:
    """The secret that `credential:NAME` stands for, from the first place that has it; "" stays "".

    Places: $CREDENTIALS_DIRECTORY/NAME (systemd), the file named by NOTIFIER_NAME_FILE, NOTIFIER_NAME,
    /etc/notifier/credentials/NAME.

    Raises:
        ConfigError: no place has it (E205), or the file can be read by others (E206).
    """
    if not value:
        return Secret("")
    name = value.removeprefix("credential:")
    upper = name.upper()
    candidates = []
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        candidates.append(Path(folder) / name)
    if file := environ.get(f"NOTIFIER_{upper}_FILE"):
        candidates.append(Path(file))
    for path in candidates:
        if path.is_file():
            return Secret(path.read_text().strip())
    if inline := environ.get(f"NOTIFIER_{upper}"):
        return Secret(inline)
    path = Path("/etc/notifier/credentials") / name
    if path.is_file():
        if found := list(_mode(path, 0o077)):
            raise ConfigError(found)
        return Secret(path.read_text().strip())
    raise ConfigError(
        Problem(
            "config.toml",
            0,
            0,
            "E205",
            f'credential "{name}" not found',
            f"put it into /etc/notifier/credentials/{name} (mode 0600), or set NOTIFIER_{upper}",
        )
    )


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            Problem(str(path), 0, 0, "E200", f"cannot be read: {error.strerror}", "notifier init")
        ) from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(
            Problem(str(path), 0, 0, "E200", f"is {len(raw)} bytes long, the limit is {MAX_BYTES}")
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(Problem(str(path), line, 1, "E200", "is not UTF-8", "save it as UTF-8")) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (len(text.splitlines()), 1)
        words = str(error).split(" (at ")[0]
        raise ConfigError(
            _at(path, "E200", f"not TOML: {words}", Mark(line, column, 1), text.splitlines())
        ) from None
    except RecursionError:
        raise ConfigError(Problem(str(path), 0, 0, "E200", "is nested too deeply to be read")) from None


def _depth(data: object) -> int:
    """How deep tables and lists stand in each other; without recursion, because a hostile file nests thousands."""
    deepest, level = 0, [data]
    while level and deepest <= MAX_DEPTH:
        level = [inner for one in level for inner in _inside(one)]
        deepest += 1
    return deepest


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _override(data: dict[str, Any], environ: Mapping[str, str]) -> dict[Key, str]:
    origins: dict[Key, str] = {}
    for name, value in sorted(environ.items()):
        if not name.startswith("NOTIFIER__"):
            continue
        keys = name.removeprefix("NOTIFIER__").lower().split("__")
        here = data
        for key in keys[:-1]:
            here = here.setdefault(key, {})
            if not isinstance(here, dict):
                raise ConfigError(Problem(name, 0, 0, "E202", f'"{key}" holds no other keys'))
        here[keys[-1]] = _value(value)
        origins[tuple(keys)] = f"environment {name}"
    return origins


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _version(
    path: Path, data: Mapping[str, Any], marks: Mapping[Key, Mark], lines: list[str]
) -> Iterator[Problem]:
    given = data.get("config_version", VERSION)
    if isinstance(given, int) and given > VERSION:
        words = f"made for a newer notifier (config_version {given}, this one reads {VERSION})"
        yield _at(path, "E207", words, marks.get(("config_version",)), lines, "upgrade notifier")


def _secrets(
    path: Path, data: object, marks: Mapping[Key, Mark], lines: list[str], key: Key = ()
) -> Iterator[Problem]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _secrets(path, value, marks, lines, (*key, name))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _secrets(path, value, marks, lines, (*key, index))
    elif isinstance(data, str) and data:
        named = key[-1] in _SECRET_KEYS and not data.startswith("credential:")
        if named or _URL_PASSWORD.match(data):
            name = f"{key[0]}_{key[-1]}" if not _URL_PASSWORD.match(data) else f"{key[0]}_password"
            mark = marks.get(key)
            masked = [re.sub(re.escape(data), "***", line) for line in lines]
            fix = (
                f'{key[-1]} = "credential:{name}"'
                if named
                else f'take the password out of the URL; password = "credential:{name}"'
            )
            yield _at(path, "E201", "a secret does not belong into this file", mark, masked, fix)


def _mode(path: Path, forbidden: int = 0o002) -> Iterator[Problem]:
    """config.toml holds no secret, so it may be read; but who can write it decides what is sent in our name."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & forbidden:
        wanted = 0o600 if forbidden == 0o077 else 0o640
        yield Problem(
            str(path), 0, 0, "E206", f"mode {mode:04o} is open to others", f"chmod {wanted:04o} {path}"
        )


def _problem(path: Path, detail: Mapping[str, Any], marks: Mapping[Key, Mark], lines: list[str]) -> Problem:
    key: Key = tuple(detail["loc"])
    while key and key not in marks and detail["type"] not in ("missing", "extra_forbidden"):
        key = key[:-1]
    words = str(detail["msg"]).removeprefix("Value error, ")
    named, _, rest = words.partition(": ")
    if (*key, named) in marks:  # a whole section was judged, and the words say by which key
        key, words = (*key, named), rest
    mark = marks.get(key)
    shown = _shown(key)
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(key[-1]), _names(key[:-1]), n=1)
        return _at(
            path,
            "E202",
            f'unknown key "{shown}"',
            mark,
            lines,
            f'did you mean "{near[0]}"?' if near else "remove it",
        )
    if detail["type"] == "missing":
        section = ".".join(str(k) for k in key[:-1])
        return _at(
            path,
            "E203",
            f'"{shown}" is missing',
            marks.get(key[:-1]),
            lines,
            f"add to [{section}]: {key[-1]} = …" if section else f"add [{key[-1]}]",
        )
    value = Mark(mark.value_line, mark.value_column, mark.value_length) if mark and mark.value_line else mark
    return _at(
        path,
        "E204",
        f"{shown}: {words[:1].lower()}{words[1:]}" if shown else words,
        value,
        lines,
        _choices(words),
    )


def _choices(words: str) -> str:
    found = re.search(r"[Ii]nput should be (.+)", words)
    return f"one of: {found[1]}" if found and "'" in found[1] else ""


def _shown(key: Key) -> str:
    out = ""
    for part in key:
        out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def _names(key: Key) -> list[str]:
    """The keys that exist in a section."""
    model: Any = Config
    for part in key:
        if isinstance(part, int):
            continue
        info = (
            model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        )
        model = next((m for m in _models(info.annotation)), None) if info else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [f.alias or n for n, f in model.model_fields.items() if n != "file"]


def _models(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation  # type: ignore[misc]
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _at(path: Path, code: str, text: str, mark: Mark | None, lines: list[str], fix: str = "") -> Problem:
    if mark is None:
        return Problem(str(path), 0, 0, code, text, fix)
    source = lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""
    return Problem(str(path), mark.line, mark.column, code, text, fix, max(1, mark.length), source=source)


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)"""
    r"""|(?P<string>\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}.*?'{3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
    r"""|(?P<mark>[\[\]{}=,.])|(?P<bare>[^\s\[\]{}=,.#"']+)""",
    re.DOTALL,
)


def scan(text: str) -> Iterator[tuple[Key, Mark]]:
    """(key, mark) of every key of a TOML text that parses; positions only, values are tomllib's business."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.tokens: list[tuple[str, str, int, int, int]] = []
        line = 0
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup or ""
            if kind in ("space", "comment"):
                continue
            while line + 1 < len(starts) and starts[line + 1] <= found.start():
                line += 1
            self.tokens.append(
                (kind, found.group(), line + 1, found.start() - starts[line] + 1, found.end() - found.start())
            )
        self.at = 0
        self.found: list[tuple[Key, Mark]] = []
        self.counts: dict[Key, int] = {}

    def run(self) -> Iterator[tuple[Key, Mark]]:
        prefix: Key = ()
        while self.at < len(self.tokens):
            if self._is("\n"):
                self.at += 1
            elif self._is("["):
                prefix = self._header()
            else:
                self._pair(prefix)
        return iter(self.found)

    def _is(self, text: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][1] == text

    def _header(self) -> Key:
        is_array = self.at + 1 < len(self.tokens) and self.tokens[self.at + 1][1] == "["
        self.at += 2 if is_array else 1
        keys, mark = self._name()
        prefix = self._resolve(keys[:-1])
        whole: Key = (*prefix, keys[-1])
        if is_array:
            self.found.append((whole, mark))
            self.counts[whole] = self.counts.get(whole, -1) + 1
            whole = (*whole, self.counts[whole])
        else:
            whole = self._resolve(keys)
        self.found.append((whole, mark))
        while self._is("]"):
            self.at += 1
        return whole

    def _resolve(self, keys: list[str]) -> Key:
        whole: Key = ()
        for key in keys:
            whole = (*whole, key)
            if whole in self.counts:
                whole = (*whole, self.counts[whole])
        return whole

    def _name(self) -> tuple[list[str], Mark]:
        keys: list[str] = []
        _, _, line, column, _ = self.tokens[self.at]
        end = column
        while self.at < len(self.tokens) and self.tokens[self.at][0] in ("bare", "string", "mark"):
            kind, text, _, start, length = self.tokens[self.at]
            if kind == "mark" and text != ".":
                break
            if kind != "mark":
                keys.append(text.strip("\"'") if kind == "string" else text)
            end = start + length
            self.at += 1
        return keys or [""], Mark(line, column, end - column)

    def _pair(self, prefix: Key) -> None:
        before = self.at
        keys, mark = self._name()
        if not self._is("="):
            self.at = max(self.at, before + 1)
            return
        self.at += 1
        whole: Key = (*prefix, *keys)
        for depth in range(1, len(keys)):
            self.found.append(((*prefix, *keys[:depth]), mark))
        first = self.tokens[self.at] if self.at < len(self.tokens) else ("", "", mark.line, mark.column, 1)
        index = len(self.found)
        self.found.append((whole, mark))
        self._values(whole)
        last = self.tokens[self.at - 1]
        length = last[3] + last[4] - first[3] if last[2] == first[2] else first[4]
        self.found[index] = (whole, Mark(mark.line, mark.column, mark.length, first[2], first[3], length))

    def _values(self, key: Key) -> None:
        if self._is("{"):
            self.at += 1
            while self.at < len(self.tokens) and not self._is("}"):
                if self._is(",") or self._is("\n"):
                    self.at += 1
                else:
                    self._pair(key)
            self.at += 1
        elif self._is("["):
            self._items(key)
        else:
            while self.at < len(self.tokens) and self.tokens[self.at][1] not in (",", "}", "]", "\n"):
                self.at += 1

    def _items(self, key: Key) -> None:
        self.at += 1
        index = 0
        while self.at < len(self.tokens) and not self._is("]"):
            if self._is(",") or self._is("\n"):
                self.at += 1
                continue
            _, _, line, column, length = self.tokens[self.at]
            self.found.append(((*key, index), Mark(line, column, length, line, column, length)))
            self._values((*key, index))
            index += 1
        self.at += 1


def environment() -> Mapping[str, str]:
    """The process's environment; the one place that looks."""
    return os.environ
