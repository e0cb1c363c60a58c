"""What is done with rerankers: administrators connect, change and test one, a workspace's managers choose one.

Each verb checks the right of `by`, and leaves its entry in the trail.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.exceptions import RerankError, RerankUnavailable
from documents.models import RerankEndpoint, WorkspaceReranker
from documents.outgoing import Account
from documents.reranking import remote as remote_reranking
from documents.reranking import rerankers as reranking
from workspaces import access
from workspaces.endpoints.base import USABLE_STATES
from workspaces.endpoints.keys import check_reference
from workspaces.endpoints.states import keep, propose
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction

_SETTINGS = (
    "name",
    "protocol",
    "base_url",
    "model",
    "key_reference",
    "seconds",
    "requests_per_minute",
    "ceiling",
    "price",
    "residency",
    "residency_note",
    "purpose",
    "owner",
)
#: What an approval covers beside ceiling and residency.
_COVERED = ("name", "protocol", "base_url", "model")
#: Asked, inside the transaction, before another one (its name as `choose` takes it) puts the finds in order; what they
#: raise refuses it. The apps above add themselves when they load.
before_choice: list[Callable[[Workspace, str, User], None]] = []
#: What the search's own order is called in the trail.
_NONE = "none"
#: A question with one answer: whatever model it is, it has to find it.
_QUESTION = "Until when is the library open?"
_ANSWER = "Readers may use the library until six o'clock."
_APART = "The engine burns two tonnes of oil an hour."


@dataclass(frozen=True, slots=True)
class RerankTest:
    """Whether the reranker gave an order that can be used, in a sentence for the administrator."""

    ok: bool
    sentence: str
    seconds: float


@transaction.atomic
def save_endpoint(endpoint: RerankEndpoint, *, by: User) -> RerankEndpoint:
    """Store a new or changed reranker; the trail keeps before and after.

    Raises RerankError, KeyMissing and RerankUnavailable for settings that cannot work.
    """
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    endpoint.base_url = endpoint.base_url.rstrip("/")
    check_reference(endpoint.key_reference)
    remote_reranking.require_listed(endpoint)
    if endpoint.name in (reranking.CHAT, _NONE):
        raise RerankError(_("This name is taken."))
    stored = RerankEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    try:
        endpoint.full_clean()
    except ValidationError as error:
        raise RerankError(" ".join(error.messages)) from error
    if stored and stored.base_url != endpoint.base_url and stored.key_reference == endpoint.key_reference:
        # The key would go to another server than it was entered for.
        endpoint.key_reference = ""
    propose(endpoint, stored, {name: getattr(stored, name) for name in _COVERED} if stored else {}, by=by)
    keep(endpoint, stored, _SETTINGS, by=by)
    return endpoint


def try_endpoint(endpoint: RerankEndpoint, *, by: User) -> RerankTest:
    """Have two sentences of our own put in order, and say how it went."""
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    started = time.monotonic()
    try:
        account = Account(person=by, is_ours=True)
        apart, answer = remote_reranking.scores(endpoint, _QUESTION, [_APART, _ANSWER], account=account)
    except RerankUnavailable as error:
        ok, said = False, str(error)
    else:
        ok = answer > apart
        said = _("It put the answer first.") if ok else _("It answered, but put what is no answer first.")
    outcome = RerankTest(ok, said, round(time.monotonic() - started, 3))
    with transaction.atomic():
        record(EventType.ENDPOINT_TESTED, on=endpoint, by=by, ok=outcome.ok, outcome=outcome.sentence)
    return outcome


def offered() -> list[str]:
    """Names of what a workspace's manager can choose; "" is the search's own order."""
    chat = [reranking.CHAT] if reranking.by_chat else []
    return ["", *chat, *RerankEndpoint.objects.filter(state__in=USABLE_STATES).values_list("name", flat=True)]


def name_of(chosen: WorkspaceReranker | None) -> str:
    """What was chosen, by the name that `choose` takes."""
    if chosen is None:
        return ""
    return chosen.endpoint.name if chosen.endpoint else reranking.CHAT


@transaction.atomic
def choose(workspace: Workspace, name: str, *, by: User) -> None:
    """Have the workspace's finds put in order by the reranker of this name; see `offered`. Raises RerankError."""
    access.require(by, Action.MANAGE, workspace)
    if name not in offered():
        raise RerankError(_("There is no reranker of this name that can be chosen."))
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = name_of(reranking.chosen_for(workspace))
    if name == before:
        return
    for ask in before_choice:
        ask(workspace, name, by)
    if name:
        endpoint = None if name == reranking.CHAT else RerankEndpoint.objects.get(name=name)
        WorkspaceReranker.objects.update_or_create(workspace=workspace, defaults={"endpoint": endpoint})
    else:
        WorkspaceReranker.objects.filter(workspace=workspace).delete()
    record(
        EventType.WORKSPACE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        before={"reranker": before or _NONE},
        after={"reranker": name or _NONE},
    )
