"""The vocabulary check of `make lint`: names in notifier/ keep to the words of the house.

A module, class or function whose name holds a word that is not used here is printed as file:line; then the exit code is 1.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: word -> what to write instead
NOT_USED = {
    "campaign": "edition",
    "blast": "edition",
    "contact": "subscriber",
    "mailing": "newsletter, or edition",
    "notification": "announcement, reminder, update",
    "manager": "the noun of what it does",
    "service": "the noun of what it does",
    "handler": "the noun of what it does",
    "util": "the noun of what it does",
    "helper": "the noun of what it does",
    "common": "the noun of what it does",
}
#: Names that others have given: a library calls or inherits them, or a standard says so.
QUOTED = frozenset({"handle_DATA"})
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def main(top: Path) -> int:
    """Print what is wrong below `top`; 1 if there is anything."""
    found = [line for path in sorted(top.rglob("*.py")) for line in faults(path, top)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


def faults(path: Path, top: Path) -> Iterator[str]:
    """Every name of one module, its own included, that holds a word not used."""
    place = path.relative_to(top.parent)
    for word in unused(path.parent.name if path.name == "__init__.py" else path.stem):
        yield _line(place, 1, path.stem, word)
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for word in unused(node.name):
                yield _line(place, node.lineno, node.name, word)


def unused(name: str) -> list[str]:
    """The words of a name, in snake_case or CamelCase, singular or plural, that are not used here."""
    if name in QUOTED:
        return []
    parts = [part.lower() for part in _PARTS.findall(name)]
    return [word for word in NOT_USED if word in parts or f"{word}s" in parts]


def _line(place: Path, line: int, name: str, word: str) -> str:
    return f'{place}:{line}: {name}: "{word}" is not a word of this house; write {NOT_USED[word]}'


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[1] / "notifier"))
