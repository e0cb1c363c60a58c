"""Selectors of styles: which elements of a page a rule is about.

Known are names, classes, ids and attributes, `:not`, `:is` and `:where` around those, the pseudo-classes of the first
and the last child, and the four ways to join them. A rule with anything else, as `:hover`, says nothing here.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml import html as lxml_html

Node = lxml_html.HtmlElement
Test = Callable[[Node], bool]

_NAME = r"(?:[\w-]|[^\x00-\x7f]|\\[0-9a-f]{1,6}\s?|\\.)+"
_JOINT = re.compile(r"\s*([>+~])\s*|(\s+)")
_PART = re.compile(
    rf"(?P<name>{_NAME}|\*)|\#(?P<id>{_NAME})|\.(?P<class>{_NAME})"
    rf"|\[\s*(?P<attribute>{_NAME})\s*(?:(?P<test>[~|^$*]?=)\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|"
    rf"(?P<bare>{_NAME}))\s*(?:i\s*)?)?\]"
    r"|:(?P<group>not|is|where)\((?P<inner>[^()]*)\)"
    r"|:(?P<place>first-child|last-child|only-child|root)",
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.DOTALL)
_MAX_JOINTS = 12


@dataclass(frozen=True, slots=True)
class Selector:
    """`steps` from the element itself outwards: tests, and how what stands before is joined to it."""

    steps: tuple[tuple[tuple[Test, ...], str], ...]
    #: Ids, then classes and their like, then names: the stronger selector wins.
    weight: tuple[int, int, int]
    #: What each element that it is about has: "#id", ".class" or a name; "*" where that is not known.
    key: str

    def matches(self, node: Node, step: int = 0) -> bool:
        """Whether the rule is about `node`."""
        tests, joint = self.steps[step]
        if not all(test(node) for test in tests):
            return False
        if not joint:
            return True
        return any(self.matches(other, step + 1) for other in _joined(node, joint))


def parsed(text: str) -> Selector | None:
    """One selector in lower case, without the commas; None for what is not known."""
    compounds: list[_Compound] = [_Compound()]
    joints: list[str] = []
    place = 0
    text = text.strip()
    while place < len(text):
        if joint := _JOINT.match(text, place):
            compounds.append(_Compound())
            joints.append(joint[1] or " ")
            place = joint.end()
        part = _PART.match(text, place)
        if part is None or not compounds[-1].take(part):
            return None
        place = part.end()
    if not compounds[-1].tests or len(joints) > _MAX_JOINTS:
        return None
    steps = zip(reversed(compounds), [*reversed(joints), ""], strict=True)
    weights = [compound.weight for compound in compounds]
    return Selector(
        tuple((tuple(compound.tests), joint) for compound, joint in steps),
        (sum(each[0] for each in weights), sum(each[1] for each in weights), sum(each[2] for each in weights)),
        compounds[-1].key,
    )


def keys(node: Node) -> Iterator[str]:
    """Under which selectors about `node` are found."""
    yield "*"
    yield node.tag
    yield from (f".{name}" for name in set(node.get("class", "").lower().split()))
    if name := node.get("id"):
        yield f"#{name.lower()}"


@dataclass(slots=True)
class _Compound:
    """What is asked of one element."""

    tests: list[Test] = field(default_factory=list)
    weight: tuple[int, int, int] = (0, 0, 0)
    key: str = "*"

    def take(self, part: re.Match[str]) -> bool:
        """Add a part; False when it is not known."""
        ids, classes, names = self.weight
        if part["name"] is not None:
            name = _plain(part["name"])
            self.tests.append(lambda node: name in ("*", node.tag))
            self.weight = ids, classes, names + (name != "*")
            self.key = name if self.key == "*" else self.key
        elif part["id"]:
            id = _plain(part["id"])
            self.tests.append(lambda node: node.get("id", "").lower() == id)
            self.weight, self.key = (ids + 1, classes, names), f"#{id}"
        elif part["class"]:
            name = _plain(part["class"])
            self.tests.append(lambda node: name in node.get("class", "").lower().split())
            self.weight = ids, classes + 1, names
            self.key = self.key if self.key.startswith("#") else f".{name}"
        elif part["group"]:
            return self._take_group(part["group"], part["inner"])
        else:
            self.tests.append(_of_place(part["place"]) if part["place"] else _of_attribute(part))
            self.weight = ids, classes + 1, names
        return True

    def _take_group(self, group: str, inner: str) -> bool:
        found = [parsed(each) for each in inner.split(",")]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return False
        wanted = group != "not"
        self.tests.append(lambda node: any(each.matches(node) for each in known) is wanted)
        if group != "where":
            heaviest = max(each.weight for each in known)
            self.weight = tuple(map(sum, zip(self.weight, heaviest, strict=True)))  # type: ignore[assignment]
        return True


def _joined(node: Node, joint: str) -> Iterator[Node]:
    if joint == ">":
        around = node.getparent()
        return iter(() if around is None else (around,))
    if joint == " ":
        return node.iterancestors()
    before = _elements(node, preceding=True)
    return before if joint == "~" else islice(before, 1)


def _of_place(place: str) -> Test:
    def test(node: Node) -> bool:
        if place == "root":
            return node.getparent() is None
        sides = {"first-child": (True,), "last-child": (False,), "only-child": (True, False)}[place]
        return all(next(_elements(node, preceding=side), None) is None for side in sides)

    return test


def _elements(node: Node, *, preceding: bool) -> Iterator[Node]:
    return (each for each in node.itersiblings(preceding=preceding) if isinstance(each.tag, str))


def _of_attribute(part: re.Match[str]) -> Test:
    name, test = _plain(part["attribute"]), part["test"]
    wanted = next((each for each in (part["double"], part["single"], part["bare"]) if each is not None), "")
    holds: dict[str | None, Callable[[str], bool]] = {
        None: lambda value: True,
        "=": lambda value: value == wanted,
        "~=": lambda value: wanted in value.split(),
        "|=": lambda value: value == wanted or value.startswith(f"{wanted}-"),
        "^=": lambda value: bool(wanted) and value.startswith(wanted),
        "$=": lambda value: bool(wanted) and value.endswith(wanted),
        "*=": lambda value: bool(wanted) and wanted in value,
    }
    return lambda node: (value := node.get(name)) is not None and holds[test](value.lower())


def _plain(name: str) -> str:
    return _ESCAPE.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)) if found[1] else found[2], name).strip()
