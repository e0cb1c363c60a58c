"""One act on many documents: each is checked by itself, done once, and told."""

import json
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import DataError, IntegrityError
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from documents.bulk import orders as bulk
from documents.bulk.orders import Order
from documents.cards import metadata, tagging
from documents.exceptions import DocumentError
from documents.folders import keeping as folders
from documents.models import BulkAct, BulkItem, BulkRun, Document, ItemOutcome, Version
from documents.states import VersionState
from tests.documents import factories
from workspaces import access, members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

LIST, CHOOSE, ORDER = "/w/policies/documents/", "/w/policies/documents/bulk/", "/w/policies/documents/bulk/order/"


@pytest.fixture
def shelf(policies, contributor):
    return [
        factories.document(policies, f"{name}.md", by=contributor, title=name.capitalize(), owner=contributor)
        for name in ("leave", "pay", "travel")
    ]


def run(workspace, order, documents, *, by):
    """The counts of an order that is carried out at once."""
    asked = bulk.ask(workspace, order, [document.pk for document in documents], by=by)
    bulk.start(asked)
    return bulk.outcome_of(asked).counts + Counter()


def entries(event):
    return [json.loads(row.body) for row in Event.objects.filter(type=event).order_by("seq")]


def values(manager, folder):
    """What each act is asked with, and the entry it leaves on each document."""
    return {
        BulkAct.CLASSIFY: ("confidential", EventType.DOCUMENT_CLASSIFIED),
        BulkAct.TAG: ("Old", EventType.DOCUMENT_TAGS_CHANGED),
        BulkAct.UNTAG: ("OLD", EventType.DOCUMENT_TAGS_CHANGED),
        BulkAct.OWNER: (manager.username, EventType.DOCUMENT_OWNER_CHANGED),
        BulkAct.VALID_UNTIL: ("2030-01-01", EventType.DOCUMENT_VALIDITY_CHANGED),
        BulkAct.REVIEW: ("2030-01-01", EventType.DOCUMENT_REVIEW_SET),
        BulkAct.MOVE: (str(folder.pk), EventType.DOCUMENT_MOVED),
        BulkAct.RETRY: ("", EventType.VERSION_RETRIED),
        BulkAct.DELETE: ("", EventType.DOCUMENT_DELETED),
    }


def test_every_act_changes_each_document_once_and_leaves_its_entry(policies, manager, contributor, shelf):
    folder = folders.create(policies, "Rules", by=manager)
    for document in shelf:
        factories.add_version(
            document, "x", by=contributor, state=VersionState.FAILED, failure_sentence="It is damaged."
        )

    for act, (value, event) in values(manager, folder).items():
        seen = len(entries(event))
        assert run(policies, Order(act, value), shelf, by=manager) == {ItemOutcome.DONE: 3}, act
        told = entries(event)[seen:]
        assert len({entry["object_id"] for entry in told}) == 3, act
        assert {entry["actor_id"] for entry in told} == {str(manager.pk)}
    assert not access.visible(manager, Document).filter(workspace=policies).exists()


def test_each_document_is_checked_by_itself(policies, manager, contributor, shelf):
    owned, foreign, gone = shelf
    metadata.set_owner(foreign, manager, by=manager)
    asked = bulk.ask(policies, Order(BulkAct.TAG, "Old"), [document.pk for document in shelf], by=contributor)
    Document.objects.filter(pk=gone.pk).update(restricted=True)

    bulk.start(asked)

    outcome = bulk.outcome_of(asked)
    assert (outcome.changed, dict.fromkeys(code for code, _label, _n in outcome.others)) == (
        1,
        {"forbidden": None, "gone": None},
    )
    assert {tag.document_id for tag in owned.tagging.model.objects.all()} == {owned.pk}
    assert [item.document for item in bulk.unchanged(asked, to=contributor)] == [foreign]
    assert entries(EventType.BULK_ENDED)[0]["details"]["documents"] == {"done": 1, "forbidden": 1, "gone": 1}


def test_a_right_that_is_lost_meanwhile_is_lost_for_the_rest(policies, manager, contributor, shelf):
    asked = bulk.ask(policies, Order(BulkAct.TAG, "Old"), [document.pk for document in shelf], by=contributor)
    assert bulk._next(asked, bulk._verb(asked))
    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)

    bulk.work(asked.pk)

    assert bulk.outcome_of(asked).counts == {ItemOutcome.DONE: 1, ItemOutcome.GONE: 2}


def test_without_the_check_of_each_document_the_rest_would_be_changed(
    policies, manager, contributor, shelf, monkeypatch
):
    metadata.set_owner(shelf[0], manager, by=manager)
    monkeypatch.setattr(access, "require", lambda *args: None)

    assert run(policies, Order(BulkAct.TAG, "Old"), shelf, by=contributor) == {ItemOutcome.DONE: 3}


@pytest.mark.parametrize("fault", [DataError, IntegrityError])
def test_what_the_database_refuses_of_one_document_ends_that_one_alone(fault, policies, manager, shelf, monkeypatch):
    real, bad = tagging.tag, shelf[1]

    def tag(document, name, *, by):
        changed = real(document, name, by=by)
        if document.pk == bad.pk:
            if fault is DataError:
                Document.objects.filter(pk=document.pk).update(title="x" * 301)
            # Looked at when a transaction ends, and no sooner.
            Document.objects.filter(pk=document.pk).update(owner_id=uuid.uuid4())
        return changed

    monkeypatch.setattr(tagging, "tag", tag)

    counts = run(policies, Order(BulkAct.TAG, "Old"), shelf, by=manager)

    assert counts == {ItemOutcome.DONE: 2, ItemOutcome.FAILED: 1}
    assert not bad.tags.exists()
    assert BulkRun.objects.get().ended_at is not None


def test_what_its_state_does_not_allow_is_told_apart(policies, manager, shelf):
    counts = run(policies, Order(BulkAct.RETRY), shelf, by=manager)
    assert counts == {ItemOutcome.SAME: 3}

    long = Order(BulkAct.TAG, "Old")
    for number in range(30):
        shelf[0].tags.create(workspace=policies, name=f"t{number}", folded=f"t{number}")
    assert run(policies, long, shelf, by=manager) == {ItemOutcome.DONE: 2, ItemOutcome.UNFIT: 1}


@pytest.mark.parametrize(
    ("act", "value"),
    [
        (BulkAct.CLASSIFY, "secret"),
        (BulkAct.TAG, ","),
        (BulkAct.TAG, "\ufdfa" * 60),
        (BulkAct.OWNER, "stranger"),
        (BulkAct.OWNER, "member"),
        (BulkAct.VALID_UNTIL, "soon"),
        (BulkAct.MOVE, "00000000-0000-4000-8000-000000000000"),
    ],
)
def test_a_value_nothing_can_be_set_to_is_refused_before_anything_is(policies, manager, shelf, act, value):
    with pytest.raises(DocumentError):
        bulk.ask(policies, Order(act, value), [shelf[0].pk], by=manager)

    assert not BulkRun.objects.exists()


def test_ids_of_others_are_as_if_they_had_never_been(policies, legal, manager, contributor, shelf):
    elsewhere = factories.document(legal, "nda.md", by=contributor)

    with pytest.raises(Hidden):
        bulk.ask(policies, Order(BulkAct.DELETE), [elsewhere.pk], by=manager)
    counts = run(policies, Order(BulkAct.DELETE), [shelf[0], elsewhere], by=manager)

    assert counts == {ItemOutcome.DONE: 1, ItemOutcome.GONE: 1}
    elsewhere.refresh_from_db()
    assert elsewhere.deleted_at is None


@pytest.mark.parametrize(
    ("who", "act", "refusal"),
    [
        ("member", BulkAct.TAG, Forbidden),
        ("stranger", BulkAct.TAG, Hidden),
        ("contributor", BulkAct.DELETE, Forbidden),
        ("contributor", BulkAct.CLASSIFY, Forbidden),
    ],
)
def test_who_may_not_ask_is_refused(who, act, refusal, request, policies, shelf):
    with pytest.raises(refusal):
        bulk.ask(policies, Order(act, "public"), [shelf[0].pk], by=request.getfixturevalue(who))


def test_a_run_goes_on_where_it_was_killed_and_does_nothing_twice(policies, manager, shelf):
    asked = bulk.ask(policies, Order(BulkAct.TAG, "Old"), [document.pk for document in shelf], by=manager)
    bulk.work(asked.pk, seconds=-1)
    assert bulk.outcome_of(asked).counts == {ItemOutcome.PENDING: 3}
    assert bulk._next(asked, bulk._verb(asked))

    for _again in range(2):
        bulk.work(asked.pk)

    assert bulk.outcome_of(asked).counts == {ItemOutcome.DONE: 3}
    assert len(entries(EventType.DOCUMENT_TAGS_CHANGED)) == 3
    assert len(entries(EventType.BULK_ENDED)) == 1


def test_the_sweep_rings_for_what_nobody_works_on_and_forgets_what_ended_long_ago(
    policies, manager, shelf, monkeypatch
):
    rung = []
    monkeypatch.setattr(bulk, "_ring", rung.append)
    fresh, stalled, old = (
        bulk.ask(policies, Order(BulkAct.TAG, "Old"), [shelf[0].pk], by=manager) for _each in range(3)
    )
    long_ago = timezone.now() - timedelta(days=31)
    BulkRun.objects.filter(pk=stalled.pk).update(moved_at=long_ago)
    BulkRun.objects.filter(pk=old.pk).update(ended_at=long_ago)

    bulk.sweep()

    assert rung == [stalled.pk]
    assert set(BulkRun.objects.all()) == {fresh, stalled}
    assert BulkItem.objects.count() == 2


# --- The pages ----------------------------------------------------------------------------------------------


def test_a_choice_is_confirmed_with_its_count_and_its_result_is_told(policies, manager, shelf, client_of):
    client = client_of(manager)
    ids = [str(document.pk) for document in shelf[:2]]

    asked = client.get(CHOOSE, {"act": "tag", "document": ids}).content.decode()
    told = client.post(ORDER, {"act": "tag", "document": ids, "value": "Old"}, follow=True)

    assert "2 documents are chosen." in asked
    assert "Leave" in asked
    assert "2 changed" in told.content.decode()
    assert "Old" in client.get(LIST).content.decode()


@pytest.mark.parametrize("act", ["classify", "usage", "owner", "move"])
def test_a_value_is_set_on_many_documents_only_once_somebody_chose_it(act, policies, manager, shelf, client_of):
    # The first of them was preset: whoever pressed too early made everything they had chosen public.
    client = client_of(manager)
    sent = {"act": act, "document": [str(document.pk) for document in shelf]}

    field = client.get(CHOOSE, sent).context["form"]["value"]
    told = client.post(ORDER, sent | {"value": field.initial or field.field.choices[0][0]}, follow=True)

    assert "required" in str(field)
    assert "Nothing was changed" in told.content.decode()
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize(
    ("act", "event"), [("owner", EventType.DOCUMENT_OWNER_CHANGED), ("move", EventType.DOCUMENT_MOVED)]
)
def test_no_owner_and_no_folder_are_choices_to_be_made(act, event, policies, manager, shelf, client_of):
    folders.move(shelf[0], folders.create(policies, "Rules", by=manager), by=manager)
    before = Event.objects.filter(type=event).count()
    sent = {"act": act, "document": [str(shelf[0].pk)]}
    client = client_of(manager)

    none, _label = client.get(CHOOSE, sent).context["form"]["value"].field.choices[1]
    client.post(ORDER, sent | {"value": none})

    document = Document.objects.get(pk=shelf[0].pk)
    assert (document.owner if act == "owner" else document.folder) is None
    assert Event.objects.filter(type=event).count() == before + 1


def test_all_that_match_are_meant_as_long_as_they_are_those_that_were_confirmed(
    policies, manager, contributor, shelf, client_of
):
    client = client_of(manager)
    asked = client.get(CHOOSE, {"act": "delete", "everything": "1", "q": "le"})
    sent = {"act": "delete", "everything": "1", "filters": "q=le"}
    sent["confirmed"] = asked.context["form"].initial["confirmed"]
    learn = factories.document(policies, "learn.md", by=contributor)
    Document.objects.filter(pk=shelf[0].pk).update(restricted=True)

    early = client.post(ORDER, sent, follow=True).content.decode()
    again = client.get(CHOOSE, {"act": "delete", "everything": "1", "q": "le"})
    later = client.post(ORDER, sent | {"confirmed": again.context["form"].initial["confirmed"]}, follow=True)

    assert "1 document is chosen." in asked.content.decode()
    assert "1 document is chosen." in again.content.decode()
    assert "meanwhile other documents match" in early
    assert "1 changed" in later.content.decode()
    assert list(Document.objects.filter(deleted_at__isnull=False)) == [learn]


def test_a_filter_that_cannot_be_read_does_not_widen_the_choice(policies, manager, shelf, client_of):
    client = client_of(manager)
    every = bulk.fingerprint(document.pk for document in shelf)
    sent = {"act": "delete", "everything": "1", "filters": "level=none-such", "confirmed": every}

    asked = client.get(CHOOSE, {"act": "delete", "everything": "1", "level": "none-such"}, follow=True)
    told = client.post(ORDER, sent, follow=True)

    for page in (asked, told):
        assert "what narrows the list cannot be read" in page.content.decode()
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize("act", [BulkAct.MOVE, BulkAct.OWNER])
def test_what_an_act_sets_is_looked_up_once_for_many_documents(act, policies, manager, shelf, monkeypatch):
    looked, folder = [], folders.create(policies, "Rules", by=manager)
    for name in ("_folder", "_person"):
        real = getattr(bulk, name)
        monkeypatch.setattr(bulk, name, lambda *args, real=real: looked.append(args) or real(*args))
    value = str(folder.pk) if act == BulkAct.MOVE else manager.username
    asked = bulk.ask(policies, Order(act, value), [document.pk for document in shelf], by=manager)
    looked.clear()

    bulk.start(asked)

    assert bulk.outcome_of(asked).counts == {ItemOutcome.DONE: 3}
    assert len(looked) == 1


def test_a_folder_removed_meanwhile_ends_each_document_of_the_act(policies, manager, shelf):
    folder = folders.create(policies, "Rules", by=manager)
    asked = bulk.ask(policies, Order(BulkAct.MOVE, str(folder.pk)), [document.pk for document in shelf], by=manager)
    act = bulk._verb(asked)
    folders.remove(folder, by=manager)

    assert bulk._next(asked, act)
    bulk.work(asked.pk)

    assert bulk.outcome_of(asked).counts == {ItemOutcome.UNFIT: 3}


def test_members_get_no_boxes_and_contributors_only_the_acts_they_have(policies, contributor, member, shelf, client_of):
    shown = {who: client_of(who).get(LIST).content.decode() for who in (contributor, member)}

    assert 'value="tag"' in shown[contributor]
    assert 'value="delete"' not in shown[contributor]
    assert 'name="document"' not in shown[member]


def test_a_run_is_shown_to_who_asked_for_it(policies, manager, contributor, shelf, client_of):
    asked = bulk.ask(policies, Order(BulkAct.TAG, "Old"), [shelf[0].pk], by=manager)
    address = f"{CHOOSE}{asked.pk}/"

    assert "0 of 1 done." in client_of(manager).get(address).content.decode()
    assert client_of(contributor).get(address).status_code == 404


def test_a_large_choice_is_left_to_the_workers(policies, manager, shelf, monkeypatch, client_of):
    rung = []
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "_ring", rung.append)
    ids = [str(document.pk) for document in shelf]

    told = client_of(manager).post(ORDER, {"act": "retry", "document": ids}, follow=True)

    assert len(rung) == 1
    assert "every 1500ms" in told.content.decode()
    assert Version.objects.filter(state=VersionState.READY).count() == 3
