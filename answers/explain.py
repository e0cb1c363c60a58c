"""Why the text of an answer is open to somebody or not, and to whom: the words behind `answers/querysets.py`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from answers.models import Answer, AnswerUserGrant, Declassification, Evidence
from answers.querysets import READ_ANSWER, REVIEW_ANSWER
from answers.states import RELEASED
from audit.events import EventType
from documents import explain as of_documents
from documents.models import Document
from workspaces import explain
from workspaces.explain import Place, Reason, Standing, Thing
from workspaces.giving import Told, told_in
from workspaces.models import User
from workspaces.roles import Action

#: Reasons that make an answer somebody's to read, if its sources are open to them.
_CLAIMS = frozenset({"asker", "shared", "desk", "reviews", "declassified"})


def who_can_read(answer: Answer) -> list[Standing]:
    """Everybody who may read the text once it is released, by user name, with the reasons."""
    return [one for one in _by_name(answer) if one.is_open]


def who_is_kept_from(answer: Answer) -> list[Standing]:
    """Those to whom it was given, or who would review it, and to whom it is closed all the same, with the reasons."""
    claimed = (one for one in _by_name(answer) if not one.is_open)
    return [one for one in claimed if any(reason.kind in _CLAIMS for reason in one.reasons)]


def why(person: User, answer: Answer) -> Standing:
    """Why the text is open to `person` or not. Somebody without any reason is a stranger to its workspace."""
    return _standings(answer, person).get(person.pk, Standing(person, False, []))


def label_of(answer: Answer) -> str:
    """What an answer is called to those who are not to know what was asked. Needs `asked_by` and `question`."""
    words = {"name": answer.asked_by.name, "when": explain.day(answer.question.asked_at)}
    return _("Answer to a question of %(name)s, %(when)s") % words


# --- Inside -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Given:
    """What was given of one answer by hand, to whom, and whether a source is gone."""

    shared: frozenset[UUID]
    desk: frozenset[UUID]
    #: Whether its text was declassified for everybody, and for whom by name.
    everybody: bool
    readers: frozenset[UUID]
    source_is_gone: bool
    told: Told

    def is_declassified_for(self, inside: Standing, sources: list[Standing]) -> bool:
        """It overrides a restriction, never a deletion and no never rule on a document."""
        own = (reason for one in sources for reason in one.reasons if reason not in inside.reasons)
        if self.source_is_gone or any(reason.kind == "never" for reason in own):
            return False
        return self.everybody or inside.person.pk in self.readers


def _by_name(answer: Answer) -> list[Standing]:
    return sorted(_standings(answer, None).values(), key=lambda one: one.person.username)


def _standings(answer: Answer, person: User | None) -> dict[UUID, Standing]:
    documents = list(Document.objects.filter(pk__in=answer.evidence.values("document")).order_by("title", "pk"))
    inside = explain.standings(answer.workspace, Action.ASK, person=person)
    opened = of_documents.standings(answer.workspace, documents, person=person)
    given = _given([answer])[answer.pk]
    return {id: _standing(answer, one, [opened[d.pk][id] for d in documents], given) for id, one in inside.items()}


def _given(answers: Collection[Answer]) -> dict[UUID, _Given]:
    """Answer id → what was given of it. The same few queries for any number of answers and people."""
    ids = [answer.pk for answer in answers]
    released = {answer.pk for answer in answers if answer.status in RELEASED}
    held: dict[tuple[UUID, str], set[UUID]] = {}
    grants = AnswerUserGrant.objects.filter(content_object__in=ids)
    for answer, code, user in grants.values_list("content_object", "permission__codename", "user"):
        held.setdefault((answer, code), set()).add(user)
    in_force = Declassification.objects.filter(
        answer__in=released, ended_at=None, text_sha256=F("answer__released_sha256")
    )
    opened = {one.answer_id: one for one in in_force.prefetch_related("readers")}
    gone = set(
        Evidence.objects.filter(answer__in=ids, document__deleted_at__isnull=False).values_list("answer", flat=True)
    )
    told = told_in({answer.workspace_id for answer in answers}, EventType.ANSWER_SHARED, things=ids)
    return {
        id: _Given(
            shared=frozenset(held.get((id, READ_ANSWER), ())) if id in released else frozenset(),
            desk=frozenset(held.get((id, REVIEW_ANSWER), ())),
            everybody=id in opened and opened[id].for_workspace,
            readers=frozenset(one.pk for one in opened[id].readers.all()) if id in opened else frozenset(),
            source_is_gone=id in gone,
            told=told,
        )
        for id in ids
    }


def _standing(answer: Answer, inside: Standing, sources: list[Standing], given: _Given) -> Standing:
    """The strictest of the sources decides, for the asker as for a reviewer, unless the text was declassified."""
    person = inside.person
    claims = list(_claims(answer, inside, sources, given))
    kinds = {reason.kind for reason in claims}
    closed = [one for one in sources if not one.is_open]
    against = []
    for one in closed:
        # Which document it is stays unsaid, so what was written about it does too.
        against += [reason.unnamed() for reason in one.reasons if not reason.gives and reason not in inside.reasons]
    if closed:
        against.append(Reason("source", False, _("Rests on a document that is closed to them.")))
    if not claims:
        claims = [Reason("other", False, _("Asked by somebody else, and they do not review here."))]
    known = bool(kinds & {"asker", "shared", "reviews"}) and not closed
    is_open = inside.is_open and (known or "declassified" in kinds)
    return Standing(person, is_open, [*inside.reasons, *claims, *against])


def _claims(answer: Answer, inside: Standing, sources: list[Standing], given: _Given) -> Iterable[Reason]:
    """What makes the answer the person's to read, if its sources are open to them."""
    person = inside.person
    if person.pk == answer.asked_by_id:
        yield Reason("asker", True, _("Asked the question."))
    if person.pk in given.shared:
        yield Reason("shared", True, _shared(given.told, answer, person))
    if any(reason.gives and Action.REVIEW in reason.actions for reason in inside.reasons):
        yield Reason("reviews", True, _("Reviews the answers of this workspace."))
    if person.pk in given.desk:
        # A desk is work, not a right: it opens nothing that the role does not.
        yield Reason("desk", True, _("Its draft is on their desk."))
    if given.is_declassified_for(inside, sources):
        yield Reason("declassified", True, _("A reviewer declassified this text for them."))


def _shared(told: Told, answer: Answer, person: User) -> str:
    how = told.of(answer.pk, person.pk)
    if how is not None:
        return _("Shared with them by %(who)s on %(when)s.") % {"who": how[0], "when": explain.day(how[1])}
    if told.is_damaged(answer.pk):
        return _("Shared with them. An entry in the trail about shares of this answer is damaged.")
    return _("The answer was shared with them.")


# --- What one person can see ---------------------------------------------------------------------------------


def _add_answers(person: User, places: dict[UUID, Place]) -> None:
    """Others' answers the person was given by name: shared, declassified for them, or on their desk."""
    named = Declassification.objects.filter(readers=person, ended_at=None).values("answer")
    given = Q(pk__in=AnswerUserGrant.objects.filter(user=person).values("content_object")) | Q(pk__in=named)
    rows = Answer.objects.filter(given, workspace__in=places).exclude(asked_by=person)
    answers = list(rows.select_related("workspace", "question", "asked_by").order_by("-created_at"))
    if not answers:
        return
    rests_on = _rests_on(answers)
    documents = {document for found in rests_on.values() for document in found}
    opened = of_documents.opened_in(places, list(documents), person)
    of_each = _given(answers)
    for answer in answers:
        place = places[answer.workspace_id]
        inside = Standing(person, Action.ASK in place.actions, place.reasons)
        one = _standing(answer, inside, [opened[document] for document in rests_on[answer.pk]], of_each[answer.pk])
        own = [reason for reason in one.reasons if reason not in place.reasons]
        url = reverse("answers:who", args=[answer.workspace.slug, answer.pk])
        place.things.append(Thing(label_of(answer), one.is_open, own, "answer", Action.ENTER, url))


def _rests_on(answers: Collection[Answer]) -> Mapping[UUID, list[Document]]:
    found: dict[UUID, dict[UUID, Document]] = {answer.pk: {} for answer in answers}
    rows = Evidence.objects.filter(answer__in=found).select_related("document").order_by("document__title")
    for row in rows:
        found[row.answer_id][row.document_id] = row.document
    return {answer: list(documents.values()) for answer, documents in found.items()}


explain.things_of.append(_add_answers)
