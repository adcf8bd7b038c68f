"""`notifier config`: the settings in use and where each came from; their schema; the templates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from notifier.app import packaged
from notifier.cli import answer, exits
from notifier.cli.project import opened
from notifier.config import Config

CODES = (exits.NO_PROJECT, exits.CONFIG)
_SECRET = re.compile(r"password|secret_key|ping_url|(^|\.)key$")


@click.group(name="config")
def command() -> None:
    """Settings: show, schema, templates."""


@command.command(
    epilog=exits.epilog(*CODES, examples=("notifier config show", "notifier config show --origin"))
)
@click.option("--origin", is_flag=True, help="Say where each value came from.")
@click.pass_obj
def show(shared: dict[str, Any], origin: bool) -> int:
    """All settings with their values, defaults included. Secrets are masked."""
    with opened(shared) as project:
        rows = list(_leaves(project.config))
        origins = {_dotted(key): where for key, where in project.loaded.origins.items()}
        data = [
            {"key": key, "value": _mask(key, value), "origin": _origin(key, origins)}
            for key, value in rows
            if key != "file"
        ]
        table = [
            (str(r["key"]), "=", _text(r["value"]), *([f"# {r['origin']}"] if origin else [])) for r in data
        ]
        return answer.give(shared, "config", data, answer.table(table))


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), f"{key}.{info.alias or name}".lstrip("."))
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{key}[{index + 1}]")
    else:
        yield key, value


def _dotted(key: tuple[str | int, ...]) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def _origin(key: str, origins: dict[str, str]) -> str:
    while key:
        if key in origins and not key.endswith("]"):
            return origins[key]
        key = key.rpartition(".")[0]
        if key in origins and origins[key].startswith("environment"):
            return origins[key]
        break
    return "default"


def _mask(key: str, value: object) -> object:
    return "***" if _SECRET.search(key) and value and not str(value).startswith("credential:") else value


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=answer.plain)


@command.command(
    epilog=exits.epilog(*CODES, examples=("notifier config schema", "notifier config schema > schema.json"))
)
@click.pass_obj
def schema(shared: dict[str, Any]) -> int:
    """The JSON schema of config.toml, for editors."""
    found = Config.model_json_schema(mode="serialization")
    return answer.give({**shared, "quiet": False}, "schema", found, json.dumps(found, indent=2, default=str))


@command.group()
def templates() -> None:
    """The templates of mails and pages."""


@templates.command(
    "list",
    epilog=exits.epilog(
        *CODES,
        examples=("notifier config templates list", "notifier --output-format json config templates list"),
    ),
)
@click.pass_obj
def list_templates(shared: dict[str, Any]) -> int:
    """Templates by name, and whether yours or the program's is in use."""
    with opened(shared) as project:
        ours = packaged("templates")
        names = sorted(str(p.relative_to(ours)) for p in ours.rglob("*") if p.is_file())
        rows = [
            (
                name,
                "yours"
                if project.config.templates != ours and (project.config.templates / name).is_file()
                else "built in",
            )
            for name in names
        ]
        return answer.give(
            shared, "templates", [{"name": n, "origin": o} for n, o in rows], answer.table(rows)
        )


@templates.command(
    "eject",
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier config templates eject mail/digest.html",
            "notifier config templates eject style.css",
        ),
    ),
)
@click.argument("name")
@click.pass_obj
def eject(shared: dict[str, Any], name: str) -> int:
    """Copy a built-in template into your templates folder, to be changed there."""
    with opened(shared) as project:
        source = packaged("templates") / name
        target = project.config.templates / name
        if not source.resolve().is_relative_to(packaged("templates").resolve()) or not source.is_file():
            raise click.UsageError(f'no template "{name}"; see `notifier config templates list`')
        if target.exists():
            raise click.UsageError(f"{target} is there already; it stays as it is")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return answer.give(
            shared,
            "eject",
            {"file": str(target)},
            f"{_near(target)} is yours now; delete it to go back to the built-in one",
        )


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
