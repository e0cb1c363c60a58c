"""The pages of an access review: begin one, work through its lines, sign, and read and print what was signed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from workspaces import access
from workspaces.access_review import reviewing as access_review
from workspaces.access_review.kinds import kinds
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import AccessReview, AccessReviewLine, Verdict, Workspace
from workspaces.roles import Action

#: Lines on a page of a review: fewer fields than Django takes in one form.
_LINES = 100


@require_GET
@in_workspace(Action.MANAGE_PEOPLE)
def reviews(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What is under way, and what was signed before."""
    found = AccessReview.objects.filter(workspace=workspace).select_related("started_by", "signed_by")
    past = [review for review in found if review.signed_at]
    under_way = next((review for review in found if not review.signed_at), None)
    context = {"past": past, "under_way": under_way, "due": access_review.is_due(workspace)}
    if under_way:
        context["standing"] = access_review.standing(under_way)
    return render(request, "workspaces/access_reviews.html", context)


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def start(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    try:
        review = access_review.start(workspace, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("workspaces:access_reviews", slug=workspace.slug)
    return _to(review)


@require_GET
@in_workspace(Action.MANAGE_PEOPLE)
def review(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """A review to work through, or, once it is signed, to read and print."""
    return _page(request, _find(request, workspace, pk))


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def decide(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take the verdicts of one page of lines; with `keep_rest`, keep everything that is undecided after that."""
    found = _find(request, workspace, pk)
    try:
        saved = access_review.decide(found, _verdicts(request.POST), by=request.user)
        if "keep_rest" in request.POST:
            saved += access_review.keep_the_rest(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, ngettext("Saved %(n)d verdict.", "Saved %(n)d verdicts.", saved) % {"n": saved})
    return _to(found, request.POST.get("page", ""))


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def catch_up(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take in what was given since the review began."""
    found = _find(request, workspace, pk)
    try:
        added = access_review.catch_up(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, ngettext("Took in %(n)d right.", "Took in %(n)d rights.", added) % {"n": added})
    return _to(found)


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def sign(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Carry the removals out and keep the outcome, or say on the page why not."""
    found = _find(request, workspace, pk)
    statement = request.POST.get("statement", "")
    try:
        access_review.sign(found, statement=statement, by=request.user)
    except PortalError as error:
        return _page(request, found, status=409, refusal=str(error), statement=statement)
    if Action.MANAGE_PEOPLE not in access.actions(request.user, workspace):
        messages.success(request, _("Signed. You no longer manage the people of this workspace."))
        return redirect("home")
    messages.success(request, _("Signed. What was to be removed is removed."))
    return _to(found)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> AccessReview:
    """An id from the address counts only if that review is of this workspace."""
    rows = AccessReview.objects.select_related("workspace", "started_by", "signed_by")
    try:
        return rows.get(workspace=workspace, pk=pk)
    except (AccessReview.DoesNotExist, ValidationError) as error:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE) from error


def _page(request: HttpRequest, found: AccessReview, *, status: int = 200, **context: Any) -> HttpResponse:
    # Somebody else may have signed since it was asked for.
    found.refresh_from_db(fields=["signed_at", "signed_by", "statement", "outcome_sha256"])
    rows = found.lines.select_related("user", "decided_by")
    if found.signed_at:
        lines = _shown(request, found, list(rows))
        context |= {"review": found, "lines": lines, "as_signed": access_review.is_as_signed(found)}
        return render(request, "workspaces/access_review_signed.html", context, status=status)
    page = Paginator(rows, _LINES).get_page(request.GET.get("page"))
    stands = access_review.standing(found)
    context |= {
        "review": found,
        "page": page,
        "lines": _shown(request, found, list(page.object_list), stands),
        "standing": stands,
        "verdicts": Verdict.choices,
    }
    return render(request, "workspaces/access_review.html", context, status=status)


def _shown(
    request: HttpRequest,
    found: AccessReview,
    lines: list[AccessReviewLine],
    standing: access_review.Standing | None = None,
) -> list[AccessReviewLine]:
    """The lines with what the page says of each: its kind, its name for this reader, whether the right is gone."""
    held = access.actions(request.user, found.workspace)
    before = None
    for line in lines:
        kind = kinds[line.kind]
        line.kind_label = kind.label  # type: ignore[attr-defined]
        line.shown_as = kind.name_of(line.label, held)  # type: ignore[attr-defined]
        line.is_first_of_person = line.user_id != before  # type: ignore[attr-defined]
        line.gone = standing is not None and access_review.key_of(line) not in standing.held  # type: ignore[attr-defined]
        before = line.user_id
    return lines


def _verdicts(sent: QueryDict) -> dict[UUID, tuple[str, str]]:
    """Line id → verdict and note, of every line whose note field was sent with the page."""
    found = {}
    for name in sent:
        if name.startswith("note-"):
            pk = _uuid(name.removeprefix("note-"))
            found[pk] = (sent.get(f"verdict-{pk}", ""), sent[name].strip())
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise PortalError(_("These verdicts do not belong to this review. Reload the page.")) from error


def _to(found: AccessReview, page: str = "") -> HttpResponse:
    response = redirect("workspaces:access_review", slug=found.workspace.slug, pk=found.pk)
    if page.isascii() and page.isdecimal():
        response["Location"] += f"?page={page}"
    return response
