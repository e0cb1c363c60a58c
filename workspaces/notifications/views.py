"""One's own notices: the list, opening one, having read them all, and how one is told of what."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import Correspondence, Notification, NotificationChoice
from workspaces.notifications.forms import ChoicesForm
from workspaces.notifications.telling import tell

#: What these pages ask for: a whole session. They show and change only what belongs to whoever asks.
OWN_NOTICES = "own_notices"
_PER_PAGE = 30


def own_notices(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a page about nothing but the notices of whoever asks."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    wrapped.required_action = OWN_NOTICES  # type: ignore[attr-defined]
    return wrapped


@own_notices
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """The newest first; with `?unread=1` those not read yet."""
    rows = request.user.notifications.select_related("by")
    only_unread = request.GET.get("unread") == "1"
    if only_unread:
        rows = rows.filter(read_at=None)
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "told": tell(page.object_list, to=request.user),
        "only_unread": only_unread,
        "query": "unread=1&" if only_unread else "",
        "unread": request.user.notifications.filter(read_at=None).count(),
    }
    return render(request, "workspaces/notifications.html", context)


@own_notices
@require_POST
def open_one(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Mark it as read and go to the thing, where it may still be seen."""
    notice = request.user.notifications.filter(pk=pk).first()
    if notice is None:
        raise access.Hidden(user=request.user, action=OWN_NOTICES, thing=None)
    _read(Notification.objects.filter(pk=notice.pk))
    told = tell([notice], to=request.user)[0]
    if told.address and "stay" not in request.POST:
        return redirect(told.address)
    if not told.address and "stay" not in request.POST:
        messages.info(request, _("There is nothing to open: it is gone, or closed to you by now."))
    return redirect("workspaces:notifications")


@own_notices
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all of one's notices as read."""
    _read(request.user.notifications.all())
    return redirect("workspaces:notifications")


@own_notices
@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """How one is told of each kind of thing, in which language mails are written, and when the daily one comes."""
    form = ChoicesForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        _choose(request, form)
        messages.success(request, _("Saved."))
        return redirect("workspaces:notification_choices")
    context = {"form": form, "mail_is_on": settings.MAIL_IS_ON, "zone": timezone.get_default_timezone_name()}
    return render(request, "workspaces/notification_choices.html", context, status=400 if form.errors else 200)


@transaction.atomic
def _choose(request: HttpRequest, form: ChoicesForm) -> None:
    person = request.user
    Correspondence.objects.update_or_create(person=person, defaults=form.correspondence())
    for kind, channel in form.channels().items():
        NotificationChoice.objects.update_or_create(person=person, kind=kind, defaults={"channel": channel})
    record(EventType.NOTIFICATIONS_CHOSEN, on=person, by=person, channels=form.channels(), **form.correspondence())


def _read(rows: Any) -> None:
    rows.filter(read_at=None).update(read_at=timezone.now())
