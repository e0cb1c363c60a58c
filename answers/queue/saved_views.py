"""Saved views of the queues of reviewers: a person's own names for choices of filters and order.

What somebody looks at first decides what waits, so the trail has the filters. A view holds codes of the list's
filters and never a search, which may repeat anybody's words.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ORDER_VAR
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from answers.exceptions import DraftError
from answers.models import Draft, SavedView
from answers.queue.filters import FACETS_OF
from answers.queue.order import LINES
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import User
from workspaces.roles import Action

MOST = 20
MAX_NAME = 60
_ORDER = re.compile(r"-?\d{1,2}(\.-?\d{1,2})*")
_CODE = re.compile(r"[\w-]{1,60}")


@transaction.atomic
def save(*, name: str, filters: Mapping[str, Any], is_default: bool, by: User, model: type[Model] = Draft) -> SavedView:
    """Keep the filters under `name`, in the place of a view that has it already; the default replaces another one.

    Raises Forbidden for who reviews nowhere, DraftError without a name, and for more than `MOST` views.
    """
    require_reviewer(by)
    name = " ".join(name.replace("\0", "").split())
    if not name or len(name) > MAX_NAME:
        raise DraftError(_("A view needs a name of at most %(limit)d characters.") % {"limit": MAX_NAME})
    # One at a time for each person, so that neither limit is passed by two tabs.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    queue = LINES[model].name
    mine = SavedView.objects.filter(owner=by, queue=queue)
    if mine.exclude(name=name).count() >= MOST:
        raise DraftError(_("You have %(limit)d views already. Delete one first.") % {"limit": MOST})
    if is_default:
        mine.filter(is_default=True).exclude(name=name).update(is_default=False)
    given = {"filters": kept(filters, model), "is_default": is_default}
    view, _made = SavedView.objects.update_or_create(owner=by, queue=queue, name=name, defaults=given)
    record(EventType.VIEW_SAVED, on=view, by=by, queue=queue, filters=view.filters, is_default=is_default)
    return view


@transaction.atomic
def delete(pk: Any, *, by: User) -> None:
    """Delete a view of `by`. Raises Hidden for any other: whose it is makes no difference."""
    require_reviewer(by)
    view = SavedView.objects.select_for_update(no_key=True).filter(pk=pk, owner=by).first()
    if view is None:
        raise Hidden(user=by, action="delete_view")
    record(EventType.VIEW_DELETED, on=view, by=by)
    view.delete()


def require_reviewer(person: User) -> None:
    """Raise Forbidden for who reviews nowhere: there is no queue for them."""
    if not access.workspaces_allowing(person, Action.REVIEW).exists():
        raise Forbidden(user=person, action=Action.REVIEW)


def of(person: User, model: type[Model] = Draft) -> list[SavedView]:
    """The person's views of the queue of `model` by name."""
    return list(SavedView.objects.filter(owner=person, queue=LINES[model].name))


def kept(filters: Mapping[str, Any], model: type[Model] = Draft) -> dict[str, str]:
    """What of a list's address is kept: codes of its filters and its order."""
    names = {facet.name for facet in FACETS_OF[model]}
    found = {name: str(code) for name, code in filters.items() if name in names and _CODE.fullmatch(str(code))}
    order = str(filters.get(ORDER_VAR, ""))
    return found | ({ORDER_VAR: order} if _ORDER.fullmatch(order) else {})


def query(filters: Mapping[str, str], model: type[Model] = Draft) -> str:
    """Filters as the part of an address after the question mark; never empty, or a default view would stand for it."""
    return urlencode(filters or {"state": FACETS_OF[model][0].default})


def query_of(view: SavedView) -> str:
    """As `query`, of a saved view."""
    model = next(model for model, line in LINES.items() if line.name == view.queue)
    return query(view.filters, model)
