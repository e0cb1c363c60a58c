"""What a version of a template consists of: checked before it is kept, hashed, and compared with another one."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers import endpoints
from answers.exceptions import TemplateError
from answers.models import ModelEndpoint, Shape, TemplateVersion
from answers.models.rag_template import LONGEST_INSTRUCTIONS, MOST_PASSAGES
from answers.rag_templates import filters as filtering
from answers.rag_templates.shapes import MOST_COLUMNS
from audit.chain import digest
from documents.changes.differences import Piece, Room, difference
from workspaces.models import ReviewPolicy, Workspace

MOST_EXAMPLES = 5
LONGEST_EXAMPLE = 200
_LONGEST_COLUMN = 60
#: What is written in one line, and how long it may be.
_LINES = {"name": 80, "purpose": 300, "use_when": 500, "avoid_when": 500, "note": 300}
#: What changes an answer; the rest is told to people alone.
ANSWERS_BY = ("instructions", "shape", "columns", "passages", "filters", "endpoint", "review")

LABELS = {
    "name": gettext_lazy("Name"),
    "purpose": gettext_lazy("What it is for"),
    "use_when": gettext_lazy("When to use it"),
    "avoid_when": gettext_lazy("When not to use it"),
    "instructions": gettext_lazy("Instructions"),
    "shape": gettext_lazy("Form of the answer"),
    "columns": gettext_lazy("Columns"),
    "passages": gettext_lazy("Passages a model is given"),
    "filters": gettext_lazy("Documents it looks at"),
    "endpoint": gettext_lazy("Model"),
    "review": gettext_lazy("Release"),
    "examples": gettext_lazy("Example questions"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """A version before it is one."""

    name: str
    purpose: str
    use_when: str = ""
    avoid_when: str = ""
    instructions: str = ""
    shape: str = Shape.ANSWER.value
    columns: tuple[str, ...] = ()
    passages: int = 8
    filters: filtering.Filters = field(default_factory=filtering.Filters)
    endpoint: ModelEndpoint | None = None
    review: str = ""
    examples: tuple[str, ...] = ()
    note: str = ""

    def columns_of_row(self) -> dict[str, Any]:
        """As the fields of a `TemplateVersion`, with its hash."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        kept |= {"columns": list(self.columns), "examples": list(self.examples), "filters": self.filters.as_json()}
        return kept | {"sha256": sha256_of(self)}


def of(version: TemplateVersion) -> Content:
    """The content of a stored version. Raises TemplateError where its filters cannot be read."""
    return Content(
        **{name: getattr(version, name) for name in (*_LINES, "instructions", "shape", "passages", "review")},
        endpoint=version.endpoint,
        columns=tuple(version.columns),
        examples=tuple(version.examples),
        filters=filtering.read(version.filters),
    )


def sha256_of(content: Content) -> str:
    """Over everything that changes what is answered; names and explanations do not."""
    said = {name: getattr(content, name) for name in ANSWERS_BY}
    said |= {
        "columns": list(content.columns),
        "filters": asdict(content.filters),
        "endpoint": str(content.endpoint.pk) if content.endpoint else "",
    }
    return digest(json.dumps(said, sort_keys=True, ensure_ascii=False))


def is_whole(version: TemplateVersion) -> bool:
    """Whether the version still says what its hash covers: words that repeated an erased document went with it."""
    return sha256_of(of(version)) == version.sha256


def checked(content: Content, workspace: Workspace) -> Content:
    """`content` as it may be kept in `workspace`. Raises TemplateError with a sentence on the first thing wrong."""
    lines = {name: _line(getattr(content, name), name, most) for name, most in _LINES.items()}
    if not lines["name"] or not lines["purpose"]:
        raise TemplateError(_("A template needs a name and a sentence on what it is for."))
    instructions = content.instructions.replace("\0", "").replace("\r\n", "\n").strip()
    if len(instructions) > LONGEST_INSTRUCTIONS:
        raise TemplateError(_("Instructions have at most %(most)d characters.") % {"most": LONGEST_INSTRUCTIONS})
    if content.shape not in Shape.values:
        raise TemplateError(_("Choose a form for the answer."))
    if content.review and content.review not in ReviewPolicy.values:
        raise TemplateError(_("Choose who releases its answers."))
    if not 1 <= content.passages <= MOST_PASSAGES:
        raise TemplateError(_("A model is given 1 to %(most)d passages.") % {"most": MOST_PASSAGES})
    if content.endpoint is not None and content.endpoint not in endpoints.choices_for(workspace):
        raise TemplateError(_("The model of a template must be one that this workspace offers."))
    filtering.read(content.filters.as_json())
    columns = _several(content.columns, MOST_COLUMNS, _LONGEST_COLUMN) if content.shape == Shape.TABLE else ()
    if any("|" in name for name in columns):
        raise TemplateError(_("The heading of a column holds no bar."))
    return replace(
        content,
        **lines,
        instructions=instructions,
        columns=columns,
        examples=_several(content.examples, MOST_EXAMPLES, LONGEST_EXAMPLE),
    )


def differences(before: Content, after: Content, workspace: Workspace) -> list[tuple[str, list[Piece]]]:
    """What changed from one to the other: the label of each part that did, and the difference of its text."""
    room = Room()
    changed = []
    for name, label in LABELS.items():
        old, new = _told(before, name, workspace), _told(after, name, workspace)
        if old != new:
            changed.append((str(label), difference(old, new, room)))
    return changed


def _told(content: Content, name: str, workspace: Workspace) -> str:
    """A part as a person reads it."""
    value = getattr(content, name)
    if name == "filters":
        return ", ".join(filtering.in_words(value, workspace))
    if name == "endpoint":
        return value.name if value else _("The workspace's default")
    if name == "shape":
        return str(Shape(value).label)
    if name == "review":
        return str(ReviewPolicy(value).label) if value else _("As the workspace")
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _line(text: str, name: str, most: int) -> str:
    line = " ".join(text.replace("\0", "").split())
    if len(line) > most:
        told = _("“%(field)s” has at most %(most)d characters.")
        raise TemplateError(told % {"field": LABELS.get(name, name), "most": most})
    return line


def _several(texts: Iterable[str], most: int, longest: int) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(" ".join(text.replace("\0", "").split()) for text in texts if text.strip()))
    if len(kept) > most or any(len(text) > longest for text in kept):
        told = _("At most %(most)d lines of at most %(longest)d characters each.")
        raise TemplateError(told % {"most": most, "longest": longest})
    return kept


class Strictness(models.IntegerChoices):
    """How much of what is answered a person reads first: a template may be stricter than its workspace."""

    OPEN = 0
    RISK = 1
    REVIEW = 2


def stricter(policy: str, review: str) -> str:
    """The stricter of a workspace's release policy and a template's; "" of a template is none of its own."""
    return max((code for code in (policy, review) if code), key=lambda code: Strictness[code.upper()])
