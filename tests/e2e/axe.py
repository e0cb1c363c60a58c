"""Audit a page in the browser for what people with a screen reader, a keyboard or weak eyes would stumble over."""

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

#: What keeps somebody from using a page. The rest is advice.
GRAVE = ("serious", "critical")


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


def grave_findings(page: Page, within: str = "body") -> list[str]:
    """What axe finds wrong below `within`, each with the rule and the first element; empty is what we want."""
    # Evaluated, not added as a tag: the page's own policy lets no foreign script in, and shall not.
    page.evaluate(_script())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])
    return [_told(one) for one in found["violations"] if one["impact"] in GRAVE]


def _told(finding: dict[str, Any]) -> str:
    nodes = finding["nodes"]
    return f"{finding['id']} ({len(nodes)}): {finding['help']}: {nodes[0]['html'][:160]}"
