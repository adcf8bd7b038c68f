"""CSS into style attributes: premailer behind one function, with its traps closed.

premailer is unmaintained; everything that knows it is here. Should a new Python break it, css-inline takes its place.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import cssutils
from premailer import Premailer
from premailer.cache import cache, cache_access_lock

from notifier.errors import Problem, TemplateError

MAX_STYLE_BYTES = 64_000
MAX_RULES = 1_000
#: Sound in mail programs, unknown to cssutils.
KNOWN_PROPERTIES = frozenset(
    {
        "mso-hide",
        "mso-line-height-rule",
        "-webkit-text-size-adjust",
        "overflow-wrap",
        "border-radius",
        "hyphens",
    }
)
#: Attributes that premailer copies from styles; on other elements than these they are not HTML.
_CELLS = frozenset({"table", "tr", "td", "th", "body"})
_COPIED = re.compile(r'\s(?:bgcolor|align|valign)="[^"]*"')
_DATA = re.compile(r'\sdata-[\w-]+(?:="[^"]*")?')
_TAG = re.compile(r'<(\w+)((?:\s+[\w:-]+(?:="[^"]*")?)+)\s*>')
_BLANK = re.compile(r"[ \t\r\n]+")
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_OUTSIDE = re.compile(r"<link\b[^>]*>|@import[^;]*;?", re.I)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.S | re.I)
_DARK = re.compile(r"@media \(prefers-color-scheme:\s*dark\)\s*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")


def inline(html: str) -> str:
    """`html` with the rules of its `<style>` blocks in style attributes; blocks marked `data-premailer="ignore"` stay.

    Nothing is fetched: `<link>` and `@import` are taken out first, and the network is forbidden besides.

    Raises:
        TemplateError: the style sheet is over 64 kB or 1,000 rules, or cssutils does not understand a rule (M202).
    """
    html = _OUTSIDE.sub("", html)
    _refuse_large(html)
    collector = _Collector()
    # premailer keeps one cache for three functions, keyed by arguments only: the selector `p` would be answered with
    # the parsed style of `style="p"`. And cssutils has one log for the whole process.
    with cache_access_lock:
        _forget_selectors()
        cssutils.log.setLog(_LOG)
        try:
            inlined: str = _Premailer(
                html,
                base_url=None,
                allow_network=False,
                allow_loading_external_files=False,
                strip_important=False,
                keep_style_tags=False,
                remove_classes=False,
                include_star_selectors=False,
                disable_basic_attributes=["width", "height"],
                cssutils_logging_handler=collector,
                cssutils_logging_level=logging.WARNING,
            ).transform()
        except TypeError as error:  # within one run the cache still mixes up a selector and an equal style
            text = f"an element's own style is no style but a selector: {error}"
            raise TemplateError(
                Problem("style.css", 0, 0, "M202", text, 'write style="name: value"')
            ) from error
        finally:
            _LOG.removeHandler(collector)
    if collector.findings:
        _SHEETS.clear()  # what has findings must tell them every time
        cache.clear()
        raise TemplateError(collector.findings)
    return _TAG.sub(_tidy, _BLANK.sub(" ", inlined))


def _forget_selectors() -> None:
    """Take out of premailer's cache what could answer for something else: the keys of a single argument.

    A selector `p` and the text of `style="p"` have the same key; parsed declarations carry a second argument and stay,
    which makes a page three times cheaper.
    """
    for key in [key for key in cache if len(key) == 1]:
        del cache[key]


def minify(css: str) -> str:
    """A style sheet without comments and without blanks that say nothing."""
    css = _BLANK.sub(" ", _COMMENT.sub("", css)).strip()
    return re.sub(r" ?([{};,]) ?", r"\1", re.sub(r": (?=[^{}]*\})", ":", css)).replace(";}", "}")


def with_outlook_twins(css: str) -> str:
    """`css` (block B, minified) followed by the dark rules again for Outlook's own dark mode.

    Outlook on the web and on phones ignores prefers-color-scheme and marks the wrapper with data-ogsc instead.
    """
    twins = []
    for media in _DARK.findall(css):
        for selectors, declarations in re.findall(r"([^{}]+)\{([^{}]*)\}", media):
            marked = ",".join(f"[data-ogsc] {s.strip()}" for s in selectors.split(",") if s.strip() != "body")
            if marked:
                twins.append(f"{marked}{{{declarations}}}")
    return css + "".join(twins)


#: Parsed style sheets; parsing one costs three times what inlining it does, and a run knows only a few.
_SHEETS: dict[tuple[str, int], Any] = {}
MAX_SHEETS = 8


class _Premailer(Premailer):  # type: ignore[misc]
    """premailer, which parses a style sheet once and not for every page. Held under the lock of `inline`."""

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
        known = _SHEETS.get((css_body, ruleset_index))
        if known is None:
            known = super()._parse_style_rules(css_body, ruleset_index)
            if len(_SHEETS) >= MAX_SHEETS:
                _SHEETS.clear()
            _SHEETS[css_body, ruleset_index] = known
        rules, leftover = known
        return list(rules), list(leftover)


class _Collector(logging.Handler):
    """What cssutils would have written to stderr; each line is a finding."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Problem] = []
        self._seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if any(f": {name}]" in text for name in KNOWN_PROPERTIES):
            return
        place = re.search(r"\[(\d+):(\d+):", text)
        # premailer parses each rule again where it applies; its place in the sheet is the one to show.
        if (what := re.sub(r"\[\d+:\d+:", "[", text)) in self._seen:
            return
        self._seen.add(what)
        line, column = (int(place[1]), int(place[2])) if place else (0, 0)
        self.findings.append(
            Problem(
                "style.css",
                line,
                column,
                "M202",
                text,
                "use plain properties, hex colours and simple selectors",
            )
        )


_LOG = logging.getLogger("notifier.mail.inline.cssutils")
_LOG.propagate = False
_LOG.addHandler(logging.NullHandler())


def _refuse_large(html: str) -> None:
    for style in _STYLE.findall(html):
        size, rules = len(style.encode()), style.count("{")
        if size > MAX_STYLE_BYTES or rules > MAX_RULES:
            text = f"the style sheet has {size} bytes and {rules} rules; the limits are {MAX_STYLE_BYTES} and {MAX_RULES}"
            raise TemplateError(
                Problem("style.css", 0, 0, "M202", text, "take out rules that no template uses")
            )


def _tidy(tag: re.Match[str]) -> str:
    name, attributes = tag[1], _DATA.sub("", tag[2])
    if name not in _CELLS:
        attributes = _COPIED.sub("", attributes)
    return f"<{name}{attributes}>"
