"""Why the text of an answer is open to somebody or not, and to whom: the words behind `answers/querysets.py`."""

from uuid import UUID

from django.utils.translation import gettext as _

from answers.declassification import in_force
from answers.models import Answer, AnswerUserGrant
from answers.querysets import READ_ANSWER
from answers.states import RELEASED
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
    given = _Given(answer)
    return {id: _standing(answer, one, [opened[d.pk][id] for d in documents], given) for id, one in inside.items()}


class _Given:
    """To whom the answer was shared, and for whom its text was declassified. Three queries for everybody."""

    def __init__(self, answer: Answer) -> None:
        released = answer.status in RELEASED
        shared = AnswerUserGrant.objects.filter(content_object=answer, permission__codename=READ_ANSWER)
        self._shared = frozenset(shared.values_list("user", flat=True)) if released else frozenset()
        found = in_force(answer) if released else None
        self._everybody = found is not None and found.for_workspace
        self._readers = frozenset(found.readers.values_list("pk", flat=True)) if found else frozenset()
        gone = Document.objects.filter(pk__in=answer.evidence.values("document"), deleted_at__isnull=False)
        self._source_is_gone = gone.exists()

    def is_shared_with(self, person: User) -> bool:
        return person.pk in self._shared

    def is_declassified_for(self, inside: Standing, sources: list[Standing]) -> bool:
        """It overrides a restriction, never a deletion and no never rule on a document."""
        own = (reason for one in sources for reason in one.reasons if reason not in inside.reasons)
        if self._source_is_gone or any(reason.kind == "never" for reason in own):
            return False
        return self._everybody or inside.person.pk in self._readers


def _standing(answer: Answer, inside: Standing, sources: list[Standing], given: _Given) -> Standing:
    """The strictest of the sources decides, for the asker as for a reviewer, unless the text was declassified."""
    person = inside.person
    reviews = any(reason.gives and Action.REVIEW in reason.actions for reason in inside.reasons)
    asked, shared = person.pk == answer.asked_by_id, given.is_shared_with(person)
    declassified = given.is_declassified_for(inside, sources)
    links = []
    if asked:
        links.append(Reason("asker", True, _("Asked the question.")))
    if shared:
        links.append(Reason("shared", True, _("The answer was shared with them.")))
    if not (asked or shared or reviews or declassified):
        links.append(Reason("other", False, _("Asked by somebody else, and they do not review here.")))
    closed = [one for one in sources if not one.is_open]
    for one in closed:
        links += [reason for reason in one.reasons if not reason.gives and reason not in inside.reasons]
    if closed:
        links.append(Reason("source", False, _("Rests on a document that is closed to them.")))
    if declassified:
        links.append(Reason("declassified", True, _("A reviewer declassified this text for them.")))
    known = (asked or shared or reviews) and not closed
    return Standing(person, inside.is_open and (known or declassified), [*inside.reasons, *links])
