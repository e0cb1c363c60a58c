"""What has to be as it was before an answer can be made once more: its model, and every passage it was given."""

from django.db.models import F
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from answers import chat_models, endpoints
from answers.exceptions import EndpointError, ReplayError
from answers.governing import fallbacks
from answers.models import Answer, ModelEndpoint
from answers.models.evidence import FIRST_INHERITED
from answers.querysets import sources_open
from answers.states import OPEN, AnswerStatus
from answers.steps.state import Source
from audit.chain import digest
from documents import analysis
from documents.models import Passage, Version
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action


def require_reviewer(answer: Answer, by: User) -> None:
    """Return if `by` may see what a model writes for this answer before anybody released it.

    Raises Hidden or Forbidden. Whoever asked may not: in a reviewed workspace it would be an answer nobody approved.
    """
    access.require(by, Action.REVIEW, answer)
    if answer.asked_by_id == by.pk or not sources_open(by, answer):
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.REVIEW, thing=answer)


def require_comparable(answer: Answer) -> None:
    """Raise ReplayError for an answer that is still made, closed, or of which no output is left to compare with."""
    if answer.status in OPEN:
        raise ReplayError(_("This answer is still being made."))
    if answer.status == AnswerStatus.SUSPENDED:
        raise ReplayError(_("This answer is suspended, so it is not made once more."))
    if not answer.raw_output or not answer.prompt_sha256:
        raise ReplayError(_("Of this answer no output of a model is kept, so there is nothing to compare with."))


def endpoint_of(answer: Answer) -> ModelEndpoint:
    """The model that wrote it, if it is asked at the same place with the same settings. Raises ReplayError."""
    if Workspace.objects.filter(pk=answer.workspace_id, archived_at__isnull=False).exists():
        raise ReplayError(_("This workspace is archived, so no model is asked for it any more."))
    endpoint = answer.endpoint
    if endpoint is None:
        raise ReplayError(_("The model that wrote this answer is not connected any more."))
    try:
        endpoints.require_allowed(endpoint, answer.workspace)
    except EndpointError as error:
        # Nobody chooses a stand-in, and it answers all the same.
        if endpoint not in fallbacks.of(answer.workspace):
            raise ReplayError(str(error)) from error
    settings = chat_models.parameters_of(endpoint)
    if endpoints.label_of(endpoint) != answer.endpoint_label or any(
        answer.parameters.get(name) != value for name, value in settings.items()
    ):
        raise ReplayError(_("The model's settings were changed since this answer was written."))
    return endpoint


def sources_of(answer: Answer, by: User) -> list[Source]:
    """The passages the model was given, cut out of the stored versions again and authorised for `by` now.

    Raises ReplayError when one is gone, closed to `by`, or is not the text it was.
    """
    given = answer.evidence.filter(rank__lt=FIRST_INHERITED).order_by("rank")
    open_now = given.filter(access.is_still_open(by), version__in=access.visible(by, Version).order_by().values("pk"))
    cut = Substr("version__text", F("start") + 1, F("end") - F("start"))
    rows = list(open_now.select_related("document").annotate(stored=cut))
    if not rows or len(rows) < given.count():
        raise ReplayError(_("A document this answer rests on is gone, or is not open to you any more."))
    languages = dict(Passage.objects.filter(pk__in=[row.passage_id for row in rows]).values_list("pk", "language"))
    sources = []
    for row in rows:
        text = row.stored
        if digest(text) != row.sha256:
            raise ReplayError(_("A passage is not the text it was when the model was given it."))
        sources.append(
            Source(
                number=row.rank,
                passage_id=row.passage_id,
                document_id=row.document_id,
                version_id=row.version_id,
                title=row.document.title,
                text=text,
                start=row.start,
                end=row.end,
                page=row.page,
                locator=row.locator,
                language=languages.get(row.passage_id) or analysis.detect_language(text),
                sha256=row.sha256,
                scores=row.scores,
            )
        )
    return sources
