"""The page of everything an answer stands on and that happened to it; and what its model was sent, for reviewers."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from answers import prompts
from answers.chat.cards import Card
from answers.exceptions import ReplayError
from answers.models import Answer
from answers.provenance.page import MOST_ENTRIES, cost_of, happenings, in_words, steps_of, tokens_of
from answers.provenance.record import record_of
from answers.querysets import answers_explained_to, closed_documents
from answers.rag_templates.task import task_of
from answers.replays.sameness import require_comparable, require_reviewer, sources_of
from answers.steps.state import State
from audit.events import EventType
from audit.models import Event
from audit.record import record
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.ASK)
def provenance(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Everything the answer stands on and everything that happened to it."""
    found = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    shown = Card(found, by=request.user)
    closed = closed_documents(request.user, found)
    reviews = Action.REVIEW in access.reach(request.user, workspace)
    is_theirs = found.asked_by_id == request.user.pk or reviews
    # Who else read it is not for those it was shared with, nor what its reviewers told each other.
    entries = Event.objects.filter(object_id=str(found.pk)).order_by("-seq") if is_theirs else Event.objects.none()
    is_reviewer = reviews and found.asked_by_id != request.user.pk and not closed
    said = record_of(found, closed=closed, with_reasons=is_theirs)
    words = in_words(said)
    may_read = bool(shown.reading.text)
    context = {
        "card": shown,
        "record": said,
        "words": words,
        "passages": list(zip(said["evidence"], words["scores"], strict=True)),
        "reviews": list(zip(said["reviews"], words["decisions"], strict=True)),
        "tokens": tokens_of(said),
        "cost": cost_of(found),
        "steps": steps_of(said, told=may_read or is_reviewer),
        "events": happenings(reversed(entries[:MOST_ENTRIES])),
        "more_events": max(0, entries.count() - MOST_ENTRIES),
        "may_read": may_read,
        "is_told_who": answers_explained_to(request.user).filter(pk=found.pk).exists(),
        "is_reviewer": is_reviewer,
        "may_replay": is_reviewer and _is_comparable(found),
        "replays": found.replays.select_related("asked_by") if is_reviewer else [],
    }
    return render(request, "answers/provenance.html", context)


@require_GET
@in_workspace(Action.REVIEW)
def exchange(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What the model was sent, built again and held against its hash, and what it wrote."""
    found = access.find(request.user, Action.REVIEW, Answer, pk=pk, workspace=workspace)
    require_reviewer(found, request.user)
    try:
        context = _exchanged(found, request)
    except ReplayError as error:
        messages.error(request, str(error))
        return redirect("answers:provenance", slug=workspace.slug, pk=pk)
    return render(request, "answers/exchange.html", context)


@transaction.atomic
def _exchanged(answer: Answer, request: HttpRequest) -> dict[str, Any]:
    """Prompt and output, with the entry that they were read. Raises ReplayError where they cannot be had."""
    require_comparable(answer)
    state = State(answer)
    state.asked_as = answer.asked_as
    prompt = prompts.render(state.question, sources_of(answer, request.user), task_of(answer.template))
    record(
        EventType.EXCHANGE_READ,
        on=answer,
        workspace=answer.workspace_id,
        by=request.user,
        prompt_sha256=prompt.sha256,
    )
    return {"answer": answer, "prompt": prompt, "is_exact": prompt.sha256 == answer.prompt_sha256}


def _is_comparable(answer: Answer) -> bool:
    try:
        require_comparable(answer)
    except ReplayError:
        return False
    return True
