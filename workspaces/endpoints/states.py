"""The life of an endpoint: entered by one person, approved by another, made the default, retired.

Each verb checks the right of `by`, and leaves its entry in the trail.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.classification import Classification
from workspaces.endpoints.base import EndpointState, GovernedEndpoint
from workspaces.exceptions import PortalError
from workspaces.models import User
from workspaces.roles import PLATFORM_ADMINISTRATOR, PlatformAction

#: Why an endpoint may not be approved, as a sentence, or ""; the apps above add themselves when they load.
objections: list[Callable[[GovernedEndpoint], str]] = []


class EndpointStateError(PortalError):
    """An endpoint cannot go where it was sent from where it stands."""


#: From where each state is reached.
_FROM: dict[str, tuple[str, ...]] = {
    EndpointState.CANDIDATE: (EndpointState.RETIRED,),
    EndpointState.APPROVED: (EndpointState.CANDIDATE,),
    EndpointState.DEFAULT: (EndpointState.APPROVED,),
    EndpointState.RETIRED: (EndpointState.CANDIDATE, EndpointState.APPROVED, EndpointState.DEFAULT),
}


def is_open(endpoint: GovernedEndpoint, to: EndpointState) -> bool:
    """Whether the endpoint can be brought to that state from where it stands."""
    return endpoint.state in _FROM[to]


def may_approve(user: User, endpoint: GovernedEndpoint) -> bool:
    """Whether `user` may be the other pair of eyes: neither who entered it or had it trained, nor who changed it last.

    Where every administrator is one of these, who entered it approves what another one changed; where there is no other
    administrator at all, the only one approves alone.
    """
    tied = _tied(endpoint)
    if user.pk not in tied:
        return True
    if _others({*tied, user.pk}):
        return False
    return user.pk != endpoint.proposed_by_id or not _others({user.pk})


def fingerprint(endpoint: GovernedEndpoint) -> str:
    """The hash of everything that is set about the endpoint: what whoever approves it has read."""
    read = sorted((field.attname, str(getattr(endpoint, field.attname))) for field in endpoint._meta.concrete_fields)
    return hashlib.sha256(repr(read).encode()).hexdigest()


@transaction.atomic
def approve(endpoint: GovernedEndpoint, *, seen: str, by: User) -> None:
    """Put the endpoint into use, as the person read it: `seen` is its `fingerprint`.

    Raises EndpointStateError where it is another by now, where `by` entered or changed it though somebody else could
    approve, and where something in it is in doubt.
    """
    stored = _locked(endpoint, EndpointState.APPROVED, by=by)
    if not may_approve(by, stored):
        said = _("You entered this endpoint, had it trained or changed it last: somebody else approves it.")
        raise EndpointStateError(said)
    if seen != fingerprint(stored):
        raise EndpointStateError(_("The endpoint was changed since you read it. Read it again."))
    for objection in objections:
        if refused := objection(stored):
            raise EndpointStateError(refused)
    stored.approved_at, stored.approved_by = timezone.now(), by
    told = {"alone": by.pk in _tied(stored) and not _others({by.pk}), "entered_by": stored.entered_by_id}
    _move(endpoint, stored, EndpointState.APPROVED, EventType.ENDPOINT_APPROVED, by=by, seen=seen, **told)


@transaction.atomic
def retire(endpoint: GovernedEndpoint, *, by: User) -> None:
    """Send it nothing any more, from this moment. Answers that it wrote keep its name."""
    stored = _locked(endpoint, EndpointState.RETIRED, by=by)
    _move(endpoint, stored, EndpointState.RETIRED, EventType.ENDPOINT_RETIRED, by=by)


@transaction.atomic
def reopen(endpoint: GovernedEndpoint, *, by: User) -> None:
    """Make a retired endpoint a candidate again; its approval is needed anew, and not from who entered what it says.

    The built-in model was entered by nobody, so that `by` proposes it.
    """
    stored = _locked(endpoint, EndpointState.CANDIDATE, by=by)
    _unapproved(stored, by=stored.proposed_by or by)
    _move(endpoint, stored, EndpointState.CANDIDATE, EventType.ENDPOINT_REOPENED, by=by)


@transaction.atomic
def make_default(endpoint: GovernedEndpoint, *, by: User) -> None:
    """Have every workspace that chose no model use this one; the one before it stays approved."""
    stored = _locked(endpoint, EndpointState.DEFAULT, by=by)
    for before in type(stored)._base_manager.select_for_update(no_key=True).filter(state=EndpointState.DEFAULT):
        _move(before, before, EndpointState.APPROVED, EventType.ENDPOINT_NO_DEFAULT, by=by)
    _move(endpoint, stored, EndpointState.DEFAULT, EventType.ENDPOINT_MADE_DEFAULT, by=by)


def propose(
    endpoint: GovernedEndpoint, stored: GovernedEndpoint | None, covered: Mapping[str, Any], *, by: User
) -> None:
    """Set who proposed what is about to be saved; what changes an approved endpoint takes its approval away.

    `covered` names, with the stored values, the settings that an approval covers beside residency and ceiling.
    """
    endpoint.state = stored.state if stored else EndpointState.CANDIDATE
    endpoint.approved_at = stored.approved_at if stored else None
    endpoint.approved_by = stored.approved_by if stored else None
    endpoint.entered_by = stored.entered_by if stored else by
    endpoint.proposed_by = stored.proposed_by if stored else by
    if stored and (
        any(getattr(endpoint, name) != value for name, value in covered.items())
        or endpoint.residency != stored.residency
        or Classification(endpoint.ceiling).rank > Classification(stored.ceiling).rank
    ):
        endpoint.proposed_by = by
        if stored.usable:
            _unapproved(endpoint, by=by)
            endpoint.state = EndpointState.CANDIDATE


def keep(endpoint: GovernedEndpoint, stored: GovernedEndpoint | None, settings: Sequence[str], *, by: User) -> None:
    """Save a new or changed endpoint, and record of its `settings` those that differ from `stored`."""
    before = {name: _told(stored, name) for name in settings} if stored else {}
    after = {name: _told(endpoint, name) for name in settings}
    endpoint.save()
    record(
        EventType.ENDPOINT_CHANGED,
        on=endpoint,
        by=by,
        before={name: value for name, value in before.items() if value != after[name]},
        after={name: value for name, value in after.items() if not stored or value != before[name]},
    )


def _told(endpoint: GovernedEndpoint, name: str) -> Any:
    """A setting as the trail keeps it."""
    value = getattr(endpoint, name)
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def _unapproved(endpoint: GovernedEndpoint, *, by: User) -> None:
    endpoint.approved_at = endpoint.approved_by = None
    endpoint.proposed_by = by


def _tied(endpoint: GovernedEndpoint) -> set[UUID]:
    """Who entered it, and who changed it last."""
    return {pk for pk in (endpoint.entered_by_id, endpoint.proposed_by_id) if pk is not None}


def _others(people: Collection[UUID]) -> bool:
    """Whether there is an administrator beside `people`."""
    administrators = User.objects.filter(is_active=True, memberships__group__name=PLATFORM_ADMINISTRATOR)
    return administrators.exclude(pk__in=people).exists()


def _locked(endpoint: GovernedEndpoint, to: EndpointState, *, by: User) -> GovernedEndpoint:
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    stored: GovernedEndpoint = type(endpoint)._base_manager.select_for_update(no_key=True).get(pk=endpoint.pk)
    if not is_open(stored, to):
        raise EndpointStateError(
            _("This endpoint stands at “%(state)s”; that is no step from there.")
            % {"state": stored.get_state_display()}
        )
    return stored


def _move(
    endpoint: GovernedEndpoint,
    stored: GovernedEndpoint,
    to: EndpointState,
    event: EventType,
    *,
    by: User,
    **details: Any,
) -> None:
    before, stored.state = stored.state, to
    stored.save()
    for name in ("state", "proposed_by", "approved_at", "approved_by"):
        setattr(endpoint, name, getattr(stored, name))
    record(event, on=stored, by=by, before={"state": str(before)}, after={"state": str(to)}, **details)
