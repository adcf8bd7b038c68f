"""The wheel carries all that the program needs, and nothing of anybody's state: it works where no checkout is."""

from __future__ import annotations

import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from office import clean

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel; it comes with the extra dev")
    folder, checkout = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("checkout")
    for name in ("notifier", "templates", "data"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "state"))
    for name in ("pyproject.toml", "config.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copyfile(ROOT / name, checkout / name)
    # Somebody has worked in this checkout
    (checkout / "data/state").mkdir()
    (checkout / "data/state/secret_key").write_text("00" * 32)
    (checkout / "data/subscribers.csv").write_text("email\nsomebody@example.org\n")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*pip, "--no-build-isolation", "--wheel-dir", str(folder), str(checkout)], check=True, env=clean()
    )
    return next(folder.glob("notifier-*.whl"))


@pytest.fixture(scope="module")
def notifier(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, in an environment of its own that borrows the packages of this one, but not the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python3*/site-packages"))
    python = ["--python", str(folder / "bin/python")]
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *python, *install], check=True, env=clean())
    # Only the folders: what they say of editable installs, such as of the checkout, is not followed from here
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder / "bin/notifier"


def ran(notifier: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in clean().items() if k != "PYTHONPATH"}
    return subprocess.run(
        [str(notifier), *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_templates_data_and_the_example(wheel: Path) -> None:
    names = names_in(wheel)
    files = {name.removeprefix("notifier/_files/") for name in names if name.startswith("notifier/_files/")}
    assert {"config.toml", "templates/base.html", "templates/style.css", "data/demo/history.toml"} <= files
    assert {"data/samples/subscribers.csv", "templates/locale/pl.po"} <= files
    assert any(name.startswith("data/events/2020/") for name in files)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".db")]
    assert not [name for name in names if name.startswith(("tests/", "bench/", "docs/"))]


def test_the_wheel_holds_nobody_s_state(wheel: Path) -> None:
    assert names_in(wheel)
    assert not [
        name for name in names_in(wheel) if "/data/state" in name or name.endswith("data/subscribers.csv")
    ]


def test_outside_the_checkout_init_and_check_work(notifier: Path, tmp_path: Path) -> None:
    where = ran(notifier.with_name("python"), "-c", "import notifier; print(notifier.__file__)", cwd=tmp_path)
    assert str(notifier.parents[1]) in where.stdout, "it is the installed one that is tried"
    made = ran(notifier, "init", "project", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    checked = ran(notifier, "check", cwd=tmp_path / "project")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_outside_the_checkout_the_demo_can_be_made_and_looked_at(notifier: Path, tmp_path: Path) -> None:
    assert ran(notifier, "init", "--demo", "demo", "--yes", "-q", cwd=tmp_path).returncode == 0
    look = ("--at", "2020-04-01 08:00", "preview", "--lang", "pl", "--out", "look", "--no-open")
    shown = ran(notifier, *look, cwd=tmp_path / "demo")
    assert shown.returncode == 0, shown.stderr
    assert {path.suffix for path in (tmp_path / "demo/look").iterdir()} == {".html", ".txt", ".eml", ".ics"}
