"""Pages about approved answers that are given again: the workspace's choice, and the answers with their expiry."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers import separation
from answers.models import ApprovedAnswer, Reuse, ReuseRules
from answers.reuse import offering, rules
from answers.states import AnswerStatus
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

PAGE = 30


class ReuseForm(forms.ModelForm):
    """Whether approved answers are given again, and for how long."""

    class Meta:
        model = ReuseRules
        fields = ("enabled", "days", "remind_days")


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def settings(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Whether and for how long approved answers are given again."""
    form = ReuseForm(request.POST or None, instance=rules.rules_of(workspace))
    if request.method == "POST" and form.is_valid():
        try:
            rules.change(workspace, by=request.user, **form.cleaned_data)
        except PortalError as error:
            form.add_error("remind_days", str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("answers:reuse", slug=workspace.slug)
    standing = ApprovedAnswer.objects.filter(workspace=workspace, stopped_at=None, expires_at__gt=timezone.now())
    count = standing.filter(answer__status=AnswerStatus.ANSWERED_APPROVED).count()
    return render(request, "answers/reuse.html", {"form": form, "count": count}, status=400 if form.errors else 200)


@require_GET
@in_workspace(Action.REVIEW)
def approved(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The approved answers that are given again, those that expire first on top, as far as the person may read them."""
    rows = access.visible(request.user, ApprovedAnswer).filter(workspace=workspace, stopped_at=None)
    rows = rows.filter(answer__status=AnswerStatus.ANSWERED_APPROVED).order_by("expires_at")
    rows = rows.select_related("answer__question", "verified_by")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    in_force, now = rules.rules_of(workspace), timezone.now()
    given = Reuse.objects.filter(approved__in=[row.answer_id for row in page]).order_by().values("approved")
    times = dict(given.annotate(times=Count("pk")).values_list("approved", "times"))
    refused = separation.refusals_to_confirm(request.user, [row.answer for row in page])
    for row in page:
        row.refusal = refused[row.answer_id]
        row.given = times.get(row.answer_id, 0)
        row.is_over = row.expires_at <= now
        row.is_due = not row.is_over and row.expires_at <= now + timedelta(days=in_force.remind_days)
    return render(request, "answers/approved.html", {"page": page, "rules": in_force})


@require_POST
@in_workspace(Action.REVIEW)
def verify(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Stand by the answer once more."""
    seen = request.POST.get("seen_sha256", "")
    verified = _("Checked. It is given again as long as after its approval.")
    return _after(request, workspace, pk, partial(offering.verify, seen_sha256=seen), verified)


@require_POST
@in_workspace(Action.REVIEW)
def stop(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Never give the answer again."""
    return _after(request, workspace, pk, offering.stop, _("It is not given again. Those who have it keep it."))


def _after(request: HttpRequest, workspace: Workspace, pk: UUID, act: Callable[..., object], said: str) -> HttpResponse:
    found = access.find(request.user, Action.REVIEW, ApprovedAnswer, pk=pk, workspace=workspace)
    try:
        act(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("answers:approved", slug=workspace.slug)
