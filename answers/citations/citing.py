"""Tell where a document is cited: released answers, and drafts for those who review them."""

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse

from answers.citations import marks
from answers.models import Answer, Citation, Draft
from answers.reading import place_in_words
from answers.states import ANSWER_STATUS_OF, HELD, RELEASED, WORDING, AnswerStatus
from documents import citing
from documents.citing import Citing
from documents.models import Document
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action

#: Rows read for each one that is shown: a reviewer's edit may have taken out the only mark of a citation.
_READ_FOR_ONE = 3


def answers_citing(user: User, document: Document, most: int) -> list[Citing]:
    """Released answers that cite `document` and that `user` may read, newest first."""
    if Action.ASK not in access.reach(user, document.workspace):
        return []
    found = access.visible(user, Answer).filter(_cites(document, "pk"), status__in=RELEASED)
    found = found.select_related("question", "workspace").order_by("-released_at")
    return _rows(found.prefetch_related(_citations_of(document, "citations")), document, most)


def drafts_citing(user: User, document: Document, most: int) -> list[Citing]:
    """Drafts under review that cite `document` and that `user` may review, newest first."""
    found = access.visible(user, Draft).filter(_cites(document, "answer"), answer__status__in=HELD)
    found = found.select_related("answer__question", "workspace").order_by("-created_at")
    return _rows(found.prefetch_related(_citations_of(document, "answer__citations")), document, most)


def _cites(document: Document, answer: str) -> Q:
    return Q(Exists(Citation.objects.filter(answer=OuterRef(answer), document=document)))


def _citations_of(document: Document, path: str) -> Prefetch:
    citations = Citation.objects.filter(document=document).select_related("version")
    return Prefetch(path, citations.defer("version__text", "version__sections", "quote"))


def _rows(found: QuerySet, document: Document, most: int) -> list[Citing]:
    rows = (_row(each) for each in found[: most * _READ_FOR_ONE])
    return [row for row in rows if row is not None][:most]


def _row(found: Answer | Draft) -> Citing | None:
    """What is said of an answer or draft; None where its text as it stands does not cite the document any more."""
    answer = found if isinstance(found, Answer) else found.answer
    text = found.released_text if isinstance(found, Answer) else found.text
    marked = set(marks.numbers(text))
    cited = [citation for citation in answer.citations.all() if citation.number in marked]
    if not cited:
        return None
    status = AnswerStatus(answer.status) if isinstance(found, Answer) else ANSWER_STATUS_OF[found.state]
    if isinstance(found, Answer):
        url = reverse("answers:answer", kwargs={"slug": found.workspace.slug, "pk": found.pk})
    else:
        url = reverse("admin:answers_draft_change", args=[found.pk])
    return Citing(
        title=answer.question.text,
        url=url,
        at=answer.released_at or answer.created_at,
        state=status.label,
        tone=WORDING[status].tone,
        places=list(dict.fromkeys(place_in_words(citation) for citation in cited)),
        version=max(citation.version.number for citation in cited),
    )


citing.listers += [answers_citing, drafts_citing]
