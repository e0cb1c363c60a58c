"""Read what a server sent about what it holds: the links of a page, the rows of an XML listing."""

from pathlib import Path
from typing import Any

from lxml import etree

from . import html, xml
from .failures import ParseFailed

MAX_LINKS = 5000
MAX_ROWS = 60_000


def page(path: Path) -> dict[str, Any]:
    """The main text of a web page, its title, where it says it is, what it links to, and what it asks of robots."""
    source = html.decoded(path.read_bytes())
    tree = html.tree_of(source)
    if tree is None:
        return {"text": "", "title": "", "canonical": "", "base": "", "links": [], "robots": ""}
    try:
        text = html.parse(path).text
    except ParseFailed:
        text = ""
    links = [node.get("href", "") for node in tree.iter("a") if "nofollow" not in node.get("rel", "").lower()]
    told = (node.get("href", "") for node in tree.iter("link") if node.get("rel", "").lower() == "canonical")
    robots = [node.get("content", "") for node in tree.iter("meta") if node.get("name", "").lower() == "robots"]
    return {
        "text": text,
        "title": " ".join((tree.findtext(".//head/title") or "").split())[:300],
        "canonical": next(told, ""),
        "base": next((node.get("href", "") for node in tree.iter("base")), ""),
        "links": [link for link in links if link][:MAX_LINKS],
        "robots": ",".join(robots).lower(),
    }


def rows(path: Path, row: str, names: list[str]) -> dict[str, Any]:
    """The elements called `row`, each as a dictionary of the text below its descendants called one of `names`.

    Namespaces are left out. `root` is the name of the whole; `about` holds those of `names` that stand outside a row.
    """
    tree = xml.tree(path.read_bytes())
    found: list[dict[str, str]] = []
    about: dict[str, str] = {}
    wanted = set(names)
    inside: dict[str, str] | None = None
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        if not isinstance(node.tag, str):
            continue
        name = etree.QName(node).localname
        if name == row:
            if event == "start":
                inside = {}
            elif inside is not None:
                found.append(inside)
                inside = None
            if len(found) > MAX_ROWS:
                raise ParseFailed("too_large", detail="rows")
        elif event == "end" and name in wanted:
            # An element without text says something too: a folder of WebDAV is an empty `collection`.
            (about if inside is None else inside).setdefault(name, (node.text or "").strip())
    return {"root": etree.QName(tree).localname, "rows": found, "about": about}
