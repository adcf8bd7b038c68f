"""The room in which templates run: plain data in, text out, and no way out.

Templates may come from the organisation's own folder, so they are treated as content: a sandbox, two folders, no
objects with methods that act, bounded multiplication, and errors that name file, line and the names that exist.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier.errors import Problem, TemplateError
from notifier.mail.sentinels import guarded

MAX_HTML_BYTES = 1_000_000
MAX_TEXT_BYTES = 200_000
MAX_REPEATED = 1_000_000
MAX_EXPONENT = 64
_NAME = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)*\.(?:html|txt|css)")
#: Filters that repeat or widen without a bound of their own.
_UNBOUNDED_METHODS = frozenset(
    {"center", "ljust", "rjust", "zfill", "expandtabs", "replace", "join", "translate"}
)
_UNBOUNDED = ("center", "indent", "xmlattr", "pprint", "format", "attr", "map", "tojson")


class Folders(BaseLoader):
    """Templates from a few folders, the first that has one winning; nothing else can be named."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        file = self.find(template)
        if file is None:
            raise TemplateNotFound(template)
        changed = file.stat().st_mtime_ns
        return file.read_text(encoding="utf-8"), str(file), lambda: file.stat().st_mtime_ns == changed

    def find(self, template: str) -> Path | None:
        """The file behind a name; None for names that are no template's, and for links."""
        if not _NAME.fullmatch(template):
            return None
        for folder in self.folders:
            steps = [folder.joinpath(*template.split("/")[: n + 1]) for n in range(template.count("/") + 1)]
            if steps[-1].is_file() and not any(step.is_symlink() for step in steps):
                return steps[-1]
        return None

    def list_templates(self) -> list[str]:
        names = {
            file.relative_to(folder).as_posix() for folder in self.folders for file in folder.rglob("*.*")
        }
        return sorted(name for name in names if self.find(name))


class Room(ImmutableSandboxedEnvironment):
    """A sandboxed environment that bounds `*` and `**`, and refuses the methods of texts that make long ones."""

    intercepted_binops = frozenset({"*", "**"})

    def is_safe_callable(self, obj: Any) -> bool:
        is_of_text = isinstance(getattr(obj, "__self__", None), str)
        return not (is_of_text and obj.__name__ in _UNBOUNDED_METHODS) and super().is_safe_callable(obj)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and (not isinstance(right, int) or abs(right) > MAX_EXPONENT):
            raise SecurityError(f"a power over {MAX_EXPONENT} is not allowed in a template")
        if operator == "*":
            for many, times in ((left, right), (right, left)):
                if hasattr(many, "__len__") and isinstance(times, int) and len(many) * times > MAX_REPEATED:
                    raise SecurityError(f"a text of more than {MAX_REPEATED} characters is not allowed")
        return super().call_binop(context, operator, left, right)


def room(folders: Sequence[Path], *, is_html: bool) -> Room:
    """An environment for one part of a mail.

    Text keeps its line ends as written: `trim_blocks` would eat the blank lines between paragraphs.
    """
    made = Room(
        loader=Folders(folders),
        undefined=StrictUndefined,
        autoescape=_escapes,
        trim_blocks=is_html,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=200,
    )
    for name in _UNBOUNDED:
        made.filters.pop(name, None)
    made.filters = {name: guarded(function, "filter") for name, function in made.filters.items()}
    tests: Mapping[str, Any] = made.tests
    made.tests = {name: guarded(function, "test") for name, function in tests.items()}
    made.globals = {"range": made.globals["range"]}  # the sandbox's own, which is bounded
    return made


def render(made: Room, name: str, values: Mapping[str, Any]) -> str:
    """The template `name` filled with plain `values`.

    Raises:
        TemplateError: E301 for a template that cannot be read, E302 for a name that does not exist (with those that
            do), E303 for a part that is missing, a forbidden step, or output beyond the limits.
    """
    try:
        text = made.get_template(name).render(values)
    except TemplateSyntaxError as error:
        file, line = error.filename or error.name or name, error.lineno
        raise TemplateError(
            _at(file, line, "E301", error.message or "syntax error", "mend the line")
        ) from error
    except TemplateNotFound as error:
        text = f"there is no template {error.name!r}"
        raise TemplateError(_placed(made, error, name, "E303", text, _known(made))) from error
    except UndefinedError as error:
        raise TemplateError(_placed(made, error, name, "E302", str(error), _names(values))) from error
    except Exception as error:  # whatever a template makes Python do is the template's error, with its line
        if isinstance(error, TemplateError):
            raise
        fix = "templates print values and choose by facts of the edition; nothing else"
        raise TemplateError(_placed(made, error, name, "E303", str(error), fix)) from error
    limit = MAX_HTML_BYTES if name.endswith(".html") else MAX_TEXT_BYTES
    if (size := len(text.encode())) > limit:
        problem = f"the template wrote {size} bytes; the limit is {limit}"
        raise TemplateError(_at(name, 0, "E303", problem, "shorten what it repeats"))
    return text


def frozen(value: Any) -> Any:
    """`value` with dicts as read-only mappings and lists as tuples, all the way down.

    Raises:
        TypeError: something in it is not plain data; templates get no objects that act.
    """
    if isinstance(value, Mapping):
        return MappingProxyType({str(key): frozen(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen(inner) for inner in value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"templates get plain data only, not {type(value).__name__}")


def _escapes(name: str | None) -> bool:
    """Everything is HTML but .txt and .css; a template without a name is HTML too."""
    return name is None or not name.removesuffix(".j2").endswith((".txt", ".css"))


def _placed(made: Room, error: Exception, name: str, code: str, text: str, fix: str) -> Problem:
    """Where in the templates the error arose: the innermost frame that Jinja mapped back to a template."""
    folders = made.loader.folders if isinstance(made.loader, Folders) else ()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(Path(frame.filename).is_relative_to(folder) for folder in folders):
            return _at(frame.filename, frame.lineno or 0, code, text, fix)
    return _at(name, 0, code, text, fix)


def _at(file: str, line: int, code: str, text: str, fix: str) -> Problem:
    """The problem with its line and the one above, where the file can be read."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines() if line else []
    except (OSError, UnicodeDecodeError):
        lines = []
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    before = lines[line - 2] if 1 < line <= len(lines) else ""
    length = len(source.strip()) or 1
    column = len(source) - len(source.lstrip()) + 1 if source else 0
    text = text.replace("'mappingproxy object' has", "what stands here has")
    return Problem(file, line, column, code, text, fix, length, source=source, before=before)


def _names(values: Mapping[str, Any]) -> str:
    return f"names that exist here: {', '.join(sorted(_paths(values)))}"


def _paths(values: Mapping[str, Any], depth: int = 1) -> Iterable[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and depth:
            yield from (f"{name}.{inner}" for inner in _paths(value, depth - 1))
        else:
            yield name


def _known(made: Room) -> str:
    return f"templates that exist: {', '.join(made.list_templates())}"
