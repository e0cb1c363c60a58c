"""Tell the documents app which questions were asked here, so that two embedding models can be compared on them.

Which of them a person may read is decided here, by the same rule as everywhere.
"""

from collections.abc import Iterable
from uuid import UUID

from answers.models import Citation, Evidence, Question
from answers.states import RELEASED
from documents.reembedding import questions
from documents.reembedding.questions import Asked
from workspaces import access
from workspaces.models import User, Workspace

#: How far back it is looked for wordings that differ.
_LOOKED_THROUGH = 1000


class _Asked:
    """The questions this app keeps, as `questions.AskedHere` wants them told."""

    def recent(self, workspace: Workspace, limit: int) -> list[UUID]:
        answered = Question.objects.filter(workspace=workspace, answers__status__in=RELEASED)
        # Of a question that was erased nothing is left to compare with.
        answered = answered.exclude(text="").order_by("-asked_at")
        by_text: dict[str, UUID] = {}
        for id, text in answered.values_list("pk", "text")[:_LOOKED_THROUGH]:
            by_text.setdefault(" ".join(text.casefold().split()), id)
        return list(by_text.values())[:limit]

    def find(self, ids: Iterable[UUID]) -> dict[UUID, Asked]:
        texts = dict(Question.objects.filter(pk__in=list(ids)).values_list("pk", "text"))
        cited = Evidence.objects.filter(
            answer__question__in=texts, answer__status__in=RELEASED, pk__in=Citation.objects.values("evidence")
        )
        passages: dict[UUID, set[str]] = {}
        for question, passage in cited.order_by().values_list("answer__question_id", "passage_id"):
            passages.setdefault(question, set()).add(str(passage))
        return {id: Asked(id, text, frozenset(passages.get(id, ()))) for id, text in texts.items()}

    def texts(self, user: User, ids: Iterable[UUID]) -> dict[UUID, str]:
        return dict(access.visible(user, Question).filter(pk__in=list(ids)).values_list("pk", "text"))


questions.register(_Asked())
