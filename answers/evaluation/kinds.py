"""The kinds of change a gate holds back: what each puts in the place of what is live, and the verb that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext as _

from answers.exceptions import EvaluationError
from answers.models import GateCandidate
from workspaces.models import User, Workspace

if TYPE_CHECKING:
    from answers.evaluation.setup import Setup


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change. `code` is permanent; a target is the id of a thing as text."""

    code: str
    label: Any
    #: The thing of a target, if it is there and belongs to this workspace.
    find: Callable[[Workspace, str], Any]
    #: The thing's name for people.
    name: Callable[[Any], str]
    #: What could be proposed now: things that are neither live nor gone.
    choices: Callable[[Workspace], list[Any]]
    #: The target of a thing.
    target: Callable[[Any], str]
    #: The setup with the thing in its place, and the one that it would replace.
    put_into: Callable[["Setup", Any], "Setup"]
    replaces: Callable[["Setup", Any], "Setup"]
    #: The verb that makes it live; it asks the gate itself, which lets pass what passed.
    go_live: Callable[[Workspace, Any, User], None]
    #: By what names the gate remembers what it let pass, each with its mark; none for what cannot change under its id.
    marks: Callable[[Any], dict[str, str]] = lambda _thing: {}
    #: The name of a target that is no row, in the language that is active; "" where the name is somebody's own.
    spoken: Callable[[str], str] = lambda _target: ""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Have the gate hold back changes of `kind`."""
    _kinds[kind.code] = kind
    return kind


def of(code: str) -> Kind:
    """The kind with this code. Raises EvaluationError."""
    if code not in _kinds:
        raise EvaluationError(_("There is no such kind of change."))
    return _kinds[code]


def every() -> list[Kind]:
    """All kinds, in the order they were registered."""
    return list(_kinds.values())


def label_of(candidate: GateCandidate) -> str:
    """What is proposed, for whoever reads it now: somebody's own name for it as it was then, the portal's in words."""
    kind = _kinds.get(candidate.kind)
    return (kind.spoken(candidate.target) if kind else "") or candidate.label


def is_id(target: str) -> bool:
    """Whether a target, which a person sent, can be the id of a row at all."""
    try:
        UUID(target)
    except ValueError:
        return False
    return True


def gone(label: str) -> str:
    """The sentence for a change whose thing is not there any more."""
    return _("“%(what)s” is not there any more, or cannot be chosen.") % {"what": label}
