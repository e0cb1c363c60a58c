"""Read, verify and export the chains of the trail, for those who may; each of it is in the trail itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model, Q
from django.utils.translation import gettext as _

from audit import chain, checkpoints, export, verification
from audit.events import EventType
from audit.models import Checkpoint, Event
from audit.record import record
from workspaces import access
from workspaces.exceptions import Hidden
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction

#: Faults named in the trail's own entry about a verification; the outcome a person sees names all of them.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain: the platform's when there is no workspace."""

    workspace: Workspace | None = None

    @property
    def name(self) -> str:
        return chain.workspace_chain(self.workspace.pk) if self.workspace else chain.PLATFORM

    @property
    def code(self) -> str:
        """How a person names it: the workspace's short name, or `platform`."""
        return self.workspace.slug if self.workspace else chain.PLATFORM

    @property
    def label(self) -> str:
        return self.workspace.name if self.workspace else _("The platform")


def chains_open_to(user: User) -> list[Chain]:
    """The chains `user` may read, the platform's first."""
    workspaces = [Chain(workspace) for workspace in access.workspaces_allowing(user, Action.READ_TRAIL)]
    if PlatformAction.READ_PLATFORM_TRAIL in access.platform_actions(user):
        return [Chain(), *workspaces]
    return workspaces


def find(code: str, *, by: User) -> Chain:
    """The chain called `code`, if `by` may read it. Raises Hidden or Forbidden."""
    if code == chain.PLATFORM:
        access.require(by, PlatformAction.READ_PLATFORM_TRAIL, None)
        return Chain()
    return Chain(access.find(by, Action.READ_TRAIL, Workspace, slug=code))


def find_event(pk: object, *, by: User) -> tuple[Event, Chain]:
    """The entry with this id and its chain, if `by` may read that chain. Raises Hidden."""
    names = {one.name: one for one in chains_open_to(by)}
    event = Event.objects.filter(pk=pk, chain__in=names).first()
    if event is None:
        raise Hidden(user=by, action=Action.READ_TRAIL)
    return event, names[event.chain]


@transaction.atomic
def read(which: Chain, *, by: User, entry: int | None = None) -> None:
    """Record that `by` reads the chain, or one entry of it."""
    require_reading(which, by)
    record(EventType.TRAIL_READ, workspace=which.workspace, by=by, **({} if entry is None else {"entry": entry}))


# --- About one thing ----------------------------------------------------------------------------------------

#: Entries of a timeline; older ones are in the list of the chain.
_SHOWN = 100

#: model → the other things whose entries belong to the timeline of one of them. The apps above add theirs.
told_with: dict[type[Model], Callable[[Any], Iterable[Model]]] = {}


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the trail tells of one thing, newest first, in the chains that the person may read."""

    entries: list[Event]
    is_cut: bool
    #: How the list of a chain is asked for the same.
    about: str
    chains: list[Chain]


@transaction.atomic
def timeline(thing: Model, *, by: User) -> Timeline:
    """What was done to `thing`, and of a person also what they did. That `by` read it is recorded in each chain.

    Whether `by` may see the thing is the caller's question; of chains they may not read, nothing is told.
    """
    found = told_with.get(type(thing), lambda thing: ())(thing)
    about = ",".join(f"{one._meta.concrete_model._meta.label_lower}:{one.pk}" for one in (thing, *found))
    open_to = {one.name: one for one in chains_open_to(by)}
    entries = list(Event.objects.filter(concerning(about), chain__in=open_to).order_by("-at", "-seq")[: _SHOWN + 1])
    chains = [which for name, which in open_to.items() if any(entry.chain == name for entry in entries)]
    for which in sorted(chains, key=lambda which: (which.workspace is None, which.name)):
        # Not `on` the thing: its timeline would be full of those who looked at it.
        record(EventType.TRAIL_READ, workspace=which.workspace, by=by, about=about)
    return Timeline(entries[:_SHOWN], len(entries) > _SHOWN, about, chains)


def concerning(about: str) -> Q:
    """The entries about the things named `type:id,type:id …`; of a person also what they did."""
    wanted = Q(pk=None)
    for name in about.split(",")[:20]:
        kind, _colon, pk = name.partition(":")
        if not kind or not pk or "\x00" in name:
            continue
        wanted |= Q(object_type=kind[:64], object_id=pk[:64])
        if kind == User._meta.label_lower:
            wanted |= Q(actor_id=pk[:64])
    return wanted


# --- A whole chain ------------------------------------------------------------------------------------------


def verify(which: Chain, *, by: User | None) -> verification.Verification:
    """Read the whole chain and say where it does not hold. `by` None is the operator at the command line."""
    require_reading(which, by)
    outcome = checkpoints.verify_chain(which.name)
    with transaction.atomic():
        record(
            EventType.TRAIL_VERIFIED,
            workspace=which.workspace,
            by=by,
            events=outcome.events,
            holds=outcome.holds,
            head_hash=outcome.head_hash,
            checkpoints=outcome.checkpoints,
            faults=len(outcome.faults),
            first_faults=[{"seq": fault.seq, "kind": fault.kind} for fault in outcome.faults[:_NAMED]],
        )
    return outcome


def lines(which: Chain, *, by: User | None, kind: str = "jsonl", after: int = 0) -> Iterator[str]:
    """What stands in the chain after entry `after`, as one of `export.KINDS`, the entry about this export included.

    Raises AuditError for a cursor beyond the chain.
    """
    require_reading(which, by)
    span = export.span_of(which.name, after)
    with transaction.atomic():
        record(EventType.TRAIL_EXPORTED, workspace=which.workspace, by=by, kind=kind, after=after)
    return export.KINDS[kind].lines(export.span_of(span.chain, after))


def sign(which: Chain, *, accept_new_key: bool = False) -> Checkpoint | None:
    """Sign what the chain holds now, for the operator; see `audit.checkpoints.make` for what it raises."""
    return checkpoints.make(which.name, accept_new_key=accept_new_key)


def require_reading(which: Chain, by: User | None) -> None:
    """Return if `by` may read the chain; raises Hidden or Forbidden. `by` None is the operator at the command line."""
    if by is None:
        return
    if which.workspace is None:
        access.require(by, PlatformAction.READ_PLATFORM_TRAIL, None)
    else:
        access.require(by, Action.READ_TRAIL, which.workspace)
