"""Why the text of an answer is open to somebody or not, and to whom: the words behind `answers/querysets.py`."""

from uuid import UUID

from django.utils.translation import gettext as _

from answers.models import Answer
from documents import explain as of_documents
from documents.models import Document
from workspaces import explain
from workspaces.explain import Reason, Standing
from workspaces.models import User
from workspaces.roles import Action


def who_can_read(answer: Answer) -> list[Standing]:
    """Everybody who may read the text once it is released, by user name, with the reasons."""
    found = _standings(answer, None).values()
    return sorted((one for one in found if one.is_open), key=lambda one: one.person.username)


def why(person: User, answer: Answer) -> Standing:
    """Why the text is open to `person` or not. Somebody without any reason is a stranger to its workspace."""
    return _standings(answer, person).get(person.pk, Standing(person, False, []))


def _standings(answer: Answer, person: User | None) -> dict[UUID, Standing]:
    documents = list(Document.objects.filter(pk__in=answer.evidence.values("document")).order_by("title", "pk"))
    inside = explain.standings(answer.workspace, Action.ASK, person=person)
    opened = of_documents.standings(answer.workspace, documents, person=person)
    return {id: _standing(answer, one, [opened[d.pk][id] for d in documents]) for id, one in inside.items()}


def _standing(answer: Answer, inside: Standing, sources: list[Standing]) -> Standing:
    """The strictest of the sources decides, for the asker as for a reviewer."""
    reviews = any(reason.gives and Action.REVIEW in reason.actions for reason in inside.reasons)
    asked = inside.person.pk == answer.asked_by_id
    links = []
    if asked:
        links.append(Reason("asker", True, _("Asked the question.")))
    elif not reviews:
        links.append(Reason("other", False, _("Asked by somebody else, and they do not review here.")))
    closed = [one for one in sources if not one.is_open]
    for one in closed:
        links += [reason for reason in one.reasons if not reason.gives and reason not in inside.reasons]
    if closed:
        links.append(Reason("source", False, _("Rests on a document that is closed to them.")))
    return Standing(inside.person, inside.is_open and (asked or reviews) and not closed, [*inside.reasons, *links])
