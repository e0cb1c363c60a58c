"""The workspace's own chat model as a reranker, for those who have no other: registers itself with the search."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from answers import endpoints, governing
from answers.exceptions import EndpointError, ModelFailed
from answers.governing import Purpose
from answers.models import EndpointKind, ModelEndpoint
from answers.prompts import reranking as prompts
from documents.exceptions import RerankUnavailable
from documents.models import Passage
from documents.reranking import rerankers as reranking
from workspaces.models import User, Workspace


def ceiling(workspace: Workspace) -> str:
    """How high passages may be classified that the workspace's model is given to put in order.

    Raises RerankUnavailable, also where the built-in model answers: it quotes and judges nothing.
    """
    return _endpoint(workspace).ceiling


def scores(
    workspace: Workspace,
    by: User,
    question: str,
    passages: Sequence[Passage],
    texts: Sequence[str],
    sending: reranking.Sending,
) -> list[float]:
    """A score for each of `texts`, which show `passages`, by its place in the model's list.

    `sending` is told to whom they go. What it left out keeps its order below. Raises RerankUnavailable.
    """
    prompt = prompts.render(question, texts)
    try:
        pieces = governing.ask(
            _endpoint(workspace),
            prompt,
            purpose=Purpose.RERANK,
            workspace=workspace,
            by=by,
            documents={passage.version.document_id for passage in passages},
            question=question,
            sending=lambda endpoint: sending(endpoint.label),
        )
        reply = "".join(pieces)
    except EndpointError as error:
        raise RerankUnavailable(str(error)) from error
    except ModelFailed as error:
        raise RerankUnavailable(_("The model failed: %(detail)s") % {"detail": error.detail}) from error
    listed = prompts.taken(reply, len(texts))
    if not listed:
        raise RerankUnavailable(_("The model replied with something that is not a list of passages."))
    order = [*listed, *(number for number in range(1, len(texts) + 1) if number not in listed)]
    place = {number: rank for rank, number in enumerate(order)}
    return [1.0 - place[number] / len(texts) for number in range(1, len(texts) + 1)]


def _endpoint(workspace: Workspace) -> ModelEndpoint:
    try:
        endpoint = endpoints.default_for(workspace)
    except EndpointError as error:
        raise RerankUnavailable(str(error)) from error
    if endpoint.kind == EndpointKind.EXTRACTIVE:
        raise RerankUnavailable(_("The built-in model cannot put passages in order. Choose another model."))
    return endpoint


reranking.by_chat.append(reranking.ChatReranker(ceiling, scores))
