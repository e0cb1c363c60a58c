"""All questions a person asked in a workspace, by day and conversation, and what others gave them to read."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from answers.chat import cards, conversations, threads
from answers.models import Answer, Question
from answers.states import WORDING
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action

PAGE = 30


@require_GET
@in_workspace(Action.ASK)
def history(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What this person asked here, searched by its words and by the names of conversations."""
    is_shared = request.GET.get("list") == "shared"
    query = request.GET.get("q", "").replace("\0", "").strip()[:200]
    listed = cards.given_to(request.user, workspace) if is_shared else _asked(request, workspace)
    if query:
        listed = listed.filter(Q(question__text__icontains=query) | _in_title(query, is_shared=is_shared))
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    names = _names(request, workspace, page.object_list) if not is_shared else {}
    for row in page:
        row.tone = WORDING[row.status].tone
        row.day = timezone.localtime(row.question.asked_at).date()
        row.thread = row.question.conversation_id
        row.thread_name = names.get(row.thread, "")
        row.is_named = bool(row.thread_name and row.question.conversation.title)
    chosen = {**({"list": "shared"} if is_shared else {}), **({"q": query} if query else {})}
    context = {
        "page": page,
        "query": query,
        "pages_query": f"{urlencode(chosen)}&" if chosen else "",
        "is_shared": is_shared,
    }
    return render(request, "answers/history.html", context)


def _asked(request: HttpRequest, workspace: Workspace) -> QuerySet[Answer]:
    """The last answer of each question, without earlier forms and without conversations that were put away."""
    # Not by `replaced_by`: of a join the database thinks that hardly a row is left, and looked at all for each of them.
    replaced = Question.objects.filter(replaces=OuterRef("question"))
    asked = cards.asked_by(request.user, workspace).filter(~Exists(replaced))
    return asked.exclude(question__conversation__archived_at__isnull=False).order_by("-question__asked_at")


def _in_title(query: str, *, is_shared: bool) -> Q:
    """How somebody else calls their conversation is not for those they share an answer with."""
    return Q(pk__in=[]) if is_shared else Q(question__conversation__title__icontains=query)


def _names(request: HttpRequest, workspace: Workspace, rows: list[Answer]) -> dict[object, str]:
    ids = {row.question.conversation_id for row in rows}
    listed = threads.named(conversations.shown_to(request.user, workspace).filter(pk__in=ids))
    return {one.pk: threads.name_of(one) for one in listed}
