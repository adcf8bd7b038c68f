"""M603: can everything be read, by day and by night? Colours as the reader's program works them out.

The light scheme stands in style attributes. The dark one stands in the kept style block, whose rules all carry
`!important`; only selectors of types, classes and descent are understood, which is what block B may hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from notifier.mail.finding import Finding
from notifier.mail.seen import Element, Seen, plain

ENOUGH = 4.5  # WCAG 2.2, 1.4.3: text below 24 px
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMPOUND = re.compile(r"([A-Za-z][\w-]*)?((?:\.[\w-]+)*)")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?![0-9a-fA-F])")
#: What a browser takes where nothing is said: text, links, ground.
_LIGHT, _NIGHT = ("#000000", "#0000ee", "#ffffff"), ("#ffffff", "#9e9eff", "#121212")
_BORDERS = ("border", "border-top", "border-right", "border-bottom", "border-left", "border-color")


def findings(seen: Seen) -> Iterator[Finding]:
    """Colours without a dark twin, and text that cannot be told from its ground in either scheme."""
    rules = _rules(seen.css)
    if rules and "[data-ogsc]" not in seen.css:
        yield Finding(
            "M603",
            "the dark colours have no twins for Outlook ([data-ogsc])",
            "keep {{ kept_css }} in base.html",
        )
    shelves = _by_last_step(rules)
    dark = {id(element): _matched(element, shelves) for element in seen.elements}
    yield from _without_twin(seen, dark)
    yield from _too_faint(seen, dark)


def ratio(one: str, other: str) -> float:
    """The contrast of two hex colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@dataclass(frozen=True)
class _Rule:
    steps: tuple[tuple[str, frozenset[str]], ...]  # (type, classes) from the outermost to the element itself
    declared: dict[str, str]
    weight: tuple[int, int, int]  # classes, types, order


def _rules(css: str) -> list[_Rule]:
    found: list[_Rule] = []
    for media in _DARK.findall(css):
        for selectors, declarations in _RULE.findall(media):
            pairs = (d.replace("!important", "").partition(":") for d in declarations.split(";"))
            declared = {name.strip(): value.strip() for name, _, value in pairs if value}
            for selector in selectors.split(","):
                steps = tuple(_step(part) for part in selector.split())
                if steps and all(steps):
                    known = tuple(step for step in steps if step)
                    weight = (sum(len(s[1]) for s in known), sum(bool(s[0]) for s in known), len(found))
                    found.append(_Rule(known, declared, weight))
    return found


def _step(text: str) -> tuple[str, frozenset[str]] | None:
    compound = _COMPOUND.fullmatch(text)
    return (compound[1] or "", frozenset(compound[2].split(".")[1:])) if compound else None


def _by_last_step(rules: list[_Rule]) -> dict[str, list[_Rule]]:
    """The rules by a class, else the type, that an element must have to be meant at all."""
    shelves: dict[str, list[_Rule]] = {}
    for rule in rules:
        tag, classes = rule.steps[-1]
        shelves.setdefault(f".{min(classes)}" if classes else tag, []).append(rule)
    return shelves


def _matched(element: Element, shelves: dict[str, list[_Rule]]) -> dict[str, str]:
    """What the dark rules declare for an element, the strongest of each property."""
    names = [element.tag, *(f".{name}" for name in element.classes)]
    rules = [r for name in names for r in shelves.get(name, ()) if _matches(element, r.steps)]
    told: dict[str, str] = {}
    for rule in sorted(rules, key=lambda rule: rule.weight):
        told |= rule.declared
    return told


def _matches(element: Element, steps: tuple[tuple[str, frozenset[str]], ...]) -> bool:
    if not _fits(element, steps[-1]):
        return False
    outer, above = len(steps) - 2, element.parent
    while outer >= 0 and above is not None:
        if _fits(above, steps[outer]):
            outer -= 1
        above = above.parent
    return outer < 0


def _fits(element: Element, step: tuple[str, frozenset[str]]) -> bool:
    return (not step[0] or step[0] == element.tag) and step[1] <= element.classes


def _without_twin(seen: Seen, dark: dict[int, dict[str, str]]) -> Iterator[Finding]:
    for element in seen.elements:
        at_night = dark[id(element)]
        for name in _coloured(element):
            if name not in at_night:
                yield Finding(
                    "M603",
                    f"{element.name} sets {name} and has no dark twin",
                    f"add a rule for it to @media (prefers-color-scheme: dark) in kept.css, with {name} and !important",
                )


def _coloured(element: Element) -> Iterator[str]:
    yield from (name for name in ("color", "background-color") if name in element.style)
    if any(_COLOUR.search(element.style.get(name, "")) for name in _BORDERS):
        yield "border-color"


def _too_faint(seen: Seen, dark: dict[int, dict[str, str]]) -> Iterator[Finding]:
    colours: dict[int, tuple[tuple[str, str], tuple[str, str]]] = {}
    for element in seen.elements:
        above = (
            colours[id(element.parent)]
            if element.parent
            else ((_LIGHT[0], _LIGHT[2]), (_NIGHT[0], _NIGHT[2]))
        )
        by_day = _painted(element, element.style, above[0], _LIGHT[1])
        night_style = element.style | dark[id(element)]
        colours[id(element)] = (by_day, _painted(element, night_style, above[1], _NIGHT[1]))
    for text, element in seen.runs:
        if not (said := plain(text)):
            continue
        for scheme, (ink, ground) in zip(("light", "dark"), colours[id(element)], strict=True):
            if (found := ratio(ink, ground)) < ENOUGH and not _is_gone(element):
                yield Finding(
                    "M603",
                    f"{element.name} in the {scheme} scheme: {ink} on {ground} has a contrast of {found:.1f}:1"
                    f' ("{said[:30]}")',
                    "text needs 4.5:1; choose a darker or lighter colour",
                )


def _is_gone(element: Element) -> bool:
    """Not shown at all, like the preheader."""
    while element.style.get("display") != "none":
        if element.parent is None:
            return False
        element = element.parent
    return True


def _painted(element: Element, style: dict[str, str], above: tuple[str, str], link: str) -> tuple[str, str]:
    """(ink, ground) of an element."""
    usual = link if element.tag == "a" else above[0]
    ground = style.get("background-color") or element.attributes.get("bgcolor", "")
    return _hex(style.get("color", "")) or usual, _hex(ground) or above[1]


@lru_cache(maxsize=256)
def _hex(colour: str) -> str:
    found = _COLOUR.search(colour)
    if not found:
        return ""
    digits = found[0][1:].lower()
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(2 * digit for digit in digits)


@lru_cache(maxsize=256)
def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
