"""The pages in a real browser: accessibility, width, keyboard, no script, and pictures for a person to look at."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import witnesses
from serving import free_port, serving
from visitor import NOBODY, READER

from notifier.app import App
from notifier.configfile import load
from notifier.store.base import Store
from notifier.subscribers.subscriber import Standing

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build/web"
LANGUAGES = ("pl", "en", "de", "bg")
SCHEMES = ("light", "dark")
WIDTHS = (320, 375, 1280)

Finding = dict[str, Any]


@pytest.fixture(scope="module")
def modules() -> Path:
    """Where node finds the browser's driver and the judges."""
    witnesses.program("chromium")
    return witnesses.node_modules()


@pytest.fixture
def links(store: Store, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Addresses of a running server, by what they show."""
    base = f"http://127.0.0.1:{free_port()}"
    with serving(tmp_path, base.removeprefix("http://"), base):
        made = App(load(tmp_path / "config.toml", {}).config).links
        yield {
            "leave": made.unsubscribe(READER),
            "left": made.unsubscribe(NOBODY),
            "nothing": f"{base}/u/nothing",
        }


def looked_at(modules: Path, jobs: list[Finding]) -> list[Finding]:
    command = [
        "node",
        str(Path(__file__).with_name("look.mjs")),
        str(modules),
        shutil.which("chromium") or "",
    ]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found: list[Finding] = json.loads(done.stdout)
    return found


def test_the_pages_are_accessible_in_every_language_scheme_and_width(
    modules: Path, links: dict[str, str]
) -> None:
    # Given each page in a language of its own for each scheme and width, pairwise
    PICTURES.mkdir(parents=True, exist_ok=True)
    tongues = itertools.cycle(LANGUAGES)
    grid = [(*cell, next(tongues)) for cell in itertools.product(links, SCHEMES, WIDTHS)]
    jobs = [
        {
            "url": f"{links[name]}?lang={tongue}",
            "scheme": scheme,
            "width": width,
            "picture": str(PICTURES / f"{name}-{tongue}-{width}-{scheme}.png"),
        }
        for name, scheme, width, tongue in grid
    ]

    # When a browser opens them
    findings = looked_at(modules, jobs)

    # Then the judge finds nothing, and nothing is cut, small or from elsewhere
    assert len(findings) == len(jobs)
    for found in findings:
        case = (found["url"], found["scheme"], found["width"])
        assert found["violations"] == [], case
        assert found["passes"] > 10, "the judge has looked"
        assert not found["wide"], case
        assert found["small"] == 0, case
        assert min(found["targets"]) >= (44 if found["width"] < 480 else 24), case
        assert all(url.startswith("http://127.0.0.1:") for url in found["requests"]), case
        # A refused page says 404, which the browser notes; there is nothing else to say.
        assert found["console"] == [] or (found["status"] == 404 and len(found["console"]) == 1), found[
            "console"
        ]


def test_the_pages_stay_whole_in_forced_colours_and_at_a_narrow_reflow(
    modules: Path, links: dict[str, str]
) -> None:
    jobs = [{"url": url, "scheme": "dark", "width": 320, "forced": True} for url in links.values()]
    jobs += [{"url": url, "scheme": "light", "width": 256} for url in links.values()]

    for found in looked_at(modules, jobs):
        assert found["violations"] == [], (found["url"], found["width"])
        assert not found["wide"], (found["url"], found["width"])


@pytest.mark.parametrize("has_script", [True, False])
def test_a_reader_leaves_by_keyboard_alone_with_and_without_script(
    modules: Path, links: dict[str, str], store: Store, has_script: bool
) -> None:
    job = {
        "url": f"{links['leave']}?lang=en",
        "scheme": "light",
        "width": 375,
        "press": True,
        "javascript": has_script,
    }

    (found,) = looked_at(modules, [job])

    assert found["url_after"] == f"{links['leave']}?lang=en"
    assert "You are unsubscribed" in found["text"]
    reader = store.subscribers.by_public_id(READER)
    assert reader is not None
    assert reader.standing is Standing.LEFT


def test_the_pages_are_valid_html(modules: Path, links: dict[str, str], tmp_path: Path) -> None:
    for name, url in links.items():
        page = httpx.get(url, trust_env=False)
        (tmp_path / f"{name}.html").write_text(page.text, encoding="utf-8")
    (tmp_path / ".htmlvalidate.json").write_text(
        json.dumps({"extends": ["html-validate:standard"], "root": True})
    )

    command = [str(modules / ".bin/html-validate"), *(str(tmp_path / f"{name}.html") for name in links)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    assert done.returncode == 0, done.stdout
