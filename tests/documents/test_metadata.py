"""Owner, validity, review, tags and folder of a document: who may say what, and what the trail tells of it."""

import json
import threading
import time
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from documents import library
from documents.cards import classifying, metadata, reminders, tagging
from documents.exceptions import DocumentError
from documents.folders import keeping as folders
from documents.models import Document, DocumentBar, Folder, Tag
from tests.documents import factories
from workspaces import access, members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

NEXT_YEAR = date(2027, 11, 23)


def told(event, thing):
    return [json.loads(row.body) for row in Event.objects.filter(type=event, object_id=str(thing.pk))]


@pytest.fixture
def document(policies, contributor):
    return factories.document(policies, "hr/leave.md", by=contributor, owner=contributor, title="Leave")


def everything(document, by, folder):
    """Each verb that says something about a document, with the entry it leaves."""
    return {
        EventType.DOCUMENT_VALIDITY_CHANGED: lambda: metadata.set_validity(document, NEXT_YEAR, by=by),
        EventType.DOCUMENT_REVIEW_SET: lambda: metadata.set_review(document, NEXT_YEAR, note="The law", by=by),
        EventType.DOCUMENT_CONFIRMED: lambda: metadata.confirm(document, NEXT_YEAR + timedelta(1), by=by),
        EventType.DOCUMENT_TAGS_CHANGED: lambda: tagging.tag(document, "Odmor", by=by),
        EventType.DOCUMENT_MOVED: lambda: folders.move(document, folder, by=by),
    }


@pytest.mark.parametrize("role", ["manager", "contributor"])
def test_who_manages_documents_and_who_owns_one_keep_it_current_and_each_change_is_told(
    role, request, policies, manager, document
):
    by = request.getfixturevalue(role)
    folder = folders.create(policies, "Rules", by=manager)

    for event, act in everything(document, by, folder).items():
        act()
        assert [entry["actor_id"] for entry in told(event, document)] == [str(by.pk)], event

    document.refresh_from_db()
    assert (document.valid_until, document.review_note) == (NEXT_YEAR + timedelta(1), "The law")
    assert (document.folder, [tag.name for tag in document.tags.all()]) == (folder, ["Odmor"])
    assert "The law" not in str(told(EventType.DOCUMENT_REVIEW_SET, document))


@pytest.mark.parametrize(("who", "refusal"), [("member", Forbidden), ("contributor", Forbidden), ("stranger", Hidden)])
def test_nobody_else_says_anything_about_it(who, refusal, request, policies, manager, document):
    Document.objects.filter(pk=document.pk).update(owner=manager)
    by, folder = request.getfixturevalue(who), folders.create(policies, "Rules", by=manager)
    before = Document.objects.values().get(pk=document.pk)

    for act in (*everything(document, by, folder).values(), lambda: metadata.set_owner(document, by, by=by)):
        with pytest.raises(refusal):
            act()

    assert Document.objects.values().get(pk=document.pk) == before
    assert not Tag.objects.exists()


def test_without_the_check_anybody_could(monkeypatch, policies, member, document):
    monkeypatch.setattr(access, "require", lambda *args: None)

    metadata.set_validity(document, NEXT_YEAR, by=member)

    document.refresh_from_db()
    assert document.valid_until == NEXT_YEAR


def test_only_a_manager_names_the_owner_and_only_somebody_who_could_keep_it(policies, manager, contributor, document):
    with pytest.raises(Forbidden):
        metadata.set_owner(document, manager, by=contributor)
    with pytest.raises(DocumentError, match="add documents here"):
        metadata.set_owner(document, access.holders(policies, Role.MEMBER).get(), by=manager)

    assert metadata.set_owner(document, manager, by=manager)
    assert not metadata.set_owner(document, manager, by=manager)
    assert told(EventType.DOCUMENT_OWNER_CHANGED, document)[0]["details"] == {
        "before": str(contributor.pk),
        "after": str(manager.pk),
    }


def test_an_arrival_belongs_to_who_brought_it_and_lies_where_its_path_says(policies, contributor, tmp_path):
    (tmp_path / "a.md").write_text("# Text\n\nWords.")
    with (tmp_path / "a.md").open("rb") as file:
        received = library.receive(workspace=policies, path="hr/2027/a.md", file=file, filename="a.md", by=contributor)

    document = Document.objects.get(versions=received.version)
    assert (document.owner, document.folder.path) == (contributor, "hr/2027")
    assert document.folder.parent.path == "hr"
    assert document.latest_version == received.version


def test_spellings_that_fold_alike_are_one_tag(policies, manager, document):
    tagging.set_tags(document, ["Годишњи одмор", "Pay"], by=manager)

    assert not tagging.tag(document, "godisnji ODMOR", by=manager)
    assert tagging.set_tags(document, ["GODIŠNJI odmor"], by=manager)
    assert [tag.name for tag in document.tags.all()] == ["Годишњи одмор"]
    assert told(EventType.DOCUMENT_TAGS_CHANGED, document)[-1]["details"] == {"added": [], "removed": ["Pay"]}


@pytest.mark.parametrize("name", ["", "  ", "a,b", "x" * 61])
def test_what_is_no_tag_is_refused(name, manager, document):
    with pytest.raises(DocumentError, match="A tag has"):
        tagging.tag(document, name, by=manager)


def test_days_that_no_document_has_are_refused(manager, document):
    with pytest.raises(DocumentError, match="between 1900 and 2199"):
        metadata.set_validity(document, date(9999, 1, 1), by=manager)
    with pytest.raises(DocumentError, match="a day to come"):
        metadata.confirm(document, timezone.localdate(), by=manager)


# --- Folders ------------------------------------------------------------------------------------------------


def test_a_folder_is_known_only_through_what_is_open_in_it_or_below(policies, manager, contributor, member):
    closed = factories.document(policies, "x.md", by=contributor, folder=folders.folder_for(policies, "pay/top/x.md"))
    factories.document(policies, "y.md", by=contributor, folder=folders.folder_for(policies, "hr/y.md"))
    Document.objects.filter(pk=closed.pk).update(restricted=True)
    folders.create(policies, "Empty", by=manager)

    def known(user):
        return {branch.folder.path for branch in folders.tree(user, policies).branches.values()}

    assert known(member) == {"hr"}
    assert known(manager) == {"hr", "pay", "pay/top", "Empty"}


def test_a_never_rule_hides_a_folder_from_its_manager(policies, manager, contributor):
    folder = folders.folder_for(policies, "secret/x.md")
    document = factories.document(policies, "secret/x.md", by=contributor, folder=folder)
    DocumentBar.objects.create(document=document, user=manager, reason="Too close.")

    assert folders.tree(manager, policies).branches == {}


def test_renaming_a_folder_moves_what_lies_below(policies, manager):
    below = folders.folder_for(policies, "a/b/c/x.md")
    top = Folder.objects.get(path="a")
    folders.create(policies, "taken", by=manager)

    with pytest.raises(DocumentError, match="already a folder"):
        folders.rename(top, "taken", by=manager)
    assert folders.rename(top, "Правила", by=manager)

    below.refresh_from_db()
    assert below.path == "Правила/b/c"
    assert told(EventType.FOLDER_RENAMED, top)[0]["details"] == {"before": "a", "after": "Правила"}


def test_removing_a_folder_lifts_its_documents_and_tells_nothing_of_hidden_ones(policies, manager, contributor):
    folder = folders.folder_for(policies, "a/b/x.md")
    document = factories.document(policies, "a/b/x.md", by=contributor, folder=folder, restricted=True)

    with pytest.raises(DocumentError, match="folders in it"):
        folders.remove(folder.parent, by=manager)
    folders.remove(folder, by=manager)

    document.refresh_from_db()
    assert document.folder.path == "a"


def test_a_tag_that_folds_to_more_than_fits_is_refused(manager, document):
    with pytest.raises(DocumentError, match="A tag has"):
        tagging.tag(document, "\ufdfa" * 60, by=manager)


def test_removing_a_folder_lifts_hidden_folders_too_and_does_not_tell_of_them(policies, manager, contributor):
    below = folders.folder_for(policies, "hr/dismissals/2027/x.md")
    factories.document(policies, "z.md", by=contributor, folder=folders.folder_for(policies, "dismissals/z.md"))
    hidden = factories.document(policies, "hr/dismissals/2027/x.md", by=contributor, folder=below)
    DocumentBar.objects.create(document=hidden, user=manager, reason="Too close.")
    top = Folder.objects.get(path="hr")
    factories.document(policies, "hr/x.md", by=contributor, folder=top)

    folders.remove(top, by=manager)

    assert [(each.path, each.parent and each.parent.path) for each in Folder.objects.all()] == [
        ("dismissals", None),
        ("dismissals 2", None),
        ("dismissals 2/2027", "dismissals 2"),
    ]


def test_a_folder_that_went_meanwhile_is_told_in_a_sentence(policies, manager, document):
    folder = folders.create(policies, "Rules", by=manager)
    folders.remove(folder, by=manager)

    for act in (
        lambda: folders.move(document, folder, by=manager),
        lambda: folders.rename(folder, "Other", by=manager),
        lambda: folders.remove(folder, by=manager),
        lambda: folders.create(policies, "In it", folder, by=manager),
    ):
        with pytest.raises(DocumentError, match="not there any more"):
            act()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["rename", "remove"])
def test_a_folder_is_not_renamed_or_removed_under_an_arrival(act, policies, manager):
    top = folders.create(policies, "hr", by=manager)
    inside, done, faults = threading.Event(), threading.Event(), []

    def run(work):
        try:
            work()
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    @transaction.atomic
    def arrive():
        folder = folders.folder_for(policies, "hr/2027/x.md" if act == "rename" else "hr/x.md")
        Document.objects.create(workspace=policies, path="hr/x.md", title="x", folder=folder)
        inside.set()
        done.wait(20)

    def change():
        if act == "rename":
            folders.rename(top, "people", by=manager)
        else:
            folders.remove(top, by=manager)

    arriving, changing = (threading.Thread(target=run, args=[work]) for work in (arrive, change))
    arriving.start()
    assert inside.wait(20)
    changing.start()
    until = time.monotonic() + 20
    while changing.is_alive() and not _waits_for_a_lock() and time.monotonic() < until:
        changing.join(0.02)
    done.set()
    arriving.join()
    changing.join()

    tree = {each.path: each.parent and each.parent.path for each in Folder.objects.all()}
    assert not faults
    assert tree == ({"people": None, "people/2027": "people"} if act == "rename" else {})


def _waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database ON database = pg_database.oid"
            " WHERE NOT granted AND datname = current_database()"
        )
        return cursor.fetchone() is not None


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 201])
def test_what_is_no_folder_is_refused(name, policies, manager):
    with pytest.raises(DocumentError, match="name of a folder"):
        folders.create(policies, name, by=manager)


def test_only_managers_make_folders_and_documents_stay_in_their_workspace(
    policies, legal, manager, contributor, document
):
    with pytest.raises(Forbidden):
        folders.create(policies, "Mine", by=contributor)
    with pytest.raises(DocumentError, match="another workspace"):
        folders.move(document, folders.create(legal, "There", by=manager), by=manager)


def test_who_may_review_a_document_finds_how_many_wait_on_the_documents_page(
    policies, manager, contributor, member, document, client_of
):
    today = timezone.localdate()
    metadata.set_review(document, today, by=manager)
    factories.document(policies, "other.md", by=manager, owner=manager, review_on=today)
    factories.document(policies, "later.md", by=manager, owner=contributor, review_on=today + timedelta(days=1))

    shown = {who: client_of(who).get("/w/policies/documents/") for who in (manager, contributor, member)}
    theirs = client_of(contributor).get("/w/policies/documents/?due=review&owner=me").context["listing"].rows

    assert "2 documents wait for you to review them." in shown[manager].content.decode()
    assert "1 document waits for you to review it." in shown[contributor].content.decode()
    assert 'id="to-review"' not in shown[member].content.decode()
    assert [row.document for row in theirs] == [document]


# --- The form -----------------------------------------------------------------------------------------------


def filled(page):
    """What a browser sends of a form nobody typed into."""
    sent = {}
    for field in page.context["form"]:
        sent[field.html_name] = sent[field.html_initial_name] = str(field.value() or "")
        assert f'name="{field.html_initial_name}"' in str(field)
    return sent


def test_saving_the_card_sets_what_was_changed_in_it_and_leaves_what_others_set_meanwhile(
    policies, manager, contributor, document, client_of
):
    client, address = client_of(manager), f"/w/policies/documents/{document.pk}/card/"
    tagging.set_tags(document, ["Old", "Stays"], by=manager)
    metadata.set_review(document, NEXT_YEAR, note="The law", by=manager)
    sent = filled(client.get(address))
    folder = folders.create(policies, "Rules", by=manager)
    metadata.set_validity(document, NEXT_YEAR, by=contributor)
    metadata.set_review(document, NEXT_YEAR + timedelta(1), note="The law", by=contributor)
    tagging.tag(document, "Hot", by=contributor)
    folders.move(document, folder, by=contributor)
    metadata.set_owner(document, manager, by=manager)

    changed = client.post(address, sent | {"tags": "Stays, Mine", "review_note": "The new law"})

    document.refresh_from_db()
    assert changed.status_code == 302
    assert (document.valid_until, document.folder, document.owner) == (NEXT_YEAR, folder, manager)
    assert (document.review_on, document.review_note) == (NEXT_YEAR + timedelta(1), "The new law")
    assert {tag.name for tag in document.tags.all()} == {"Hot", "Mine", "Stays"}


def test_the_card_takes_away_what_was_emptied_and_refuses_an_unusable_tag(policies, manager, document, client_of):
    client, address = client_of(manager), f"/w/policies/documents/{document.pk}/card/"
    metadata.set_validity(document, NEXT_YEAR, by=manager)
    sent = filled(client.get(address))

    refused = client.post(address, sent | {"tags": "\ufdfa" * 60})
    client.post(address, sent | {"valid_until": "", "owner": ""})

    document.refresh_from_db()
    assert refused.status_code == 422
    assert (document.valid_until, document.owner) == (None, None)


def test_an_owner_who_lost_the_role_stays_until_another_is_named(policies, manager, contributor, document, client_of):
    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)
    client, address = client_of(manager), f"/w/policies/documents/{document.pk}/card/"

    saved = client.post(address, filled(client.get(address)) | {"tags": "Mine"})

    document.refresh_from_db()
    assert (saved.status_code, document.owner) == (302, contributor)


# --- By the calendar ----------------------------------------------------------------------------------------


def test_the_trail_is_told_once_when_a_document_expires_or_is_to_be_reviewed(policies, manager, document, monkeypatch):
    followed = []
    monkeypatch.setattr(reminders, "when_expired", [followed.append])
    yesterday = timezone.localdate() - timedelta(days=1)
    metadata.set_validity(document, yesterday, by=manager)
    metadata.set_review(document, yesterday, by=manager)

    assert [reminders.tell_of_days(), reminders.tell_of_days()] == [2, 0]

    assert followed == [document]
    assert len(told(EventType.DOCUMENT_EXPIRED, document)) == len(told(EventType.DOCUMENT_REVIEW_DUE, document)) == 1
    metadata.confirm(document, NEXT_YEAR, by=manager)
    document.refresh_from_db()
    assert reminders.tell_of_days() == 0
    assert not document.is_expired
    assert document.review_on == NEXT_YEAR - timedelta(days=30)


def test_a_document_the_database_refuses_does_not_stop_those_behind_it(policies, manager, contributor, monkeypatch):
    documents = [
        factories.document(policies, f"{name}.md", by=contributor, valid_until=timezone.localdate() - timedelta(days=1))
        for name in "abc"
    ]
    bad = min(documents, key=lambda document: document.pk)

    def follow(document):
        if document.pk == bad.pk:
            Document.objects.filter(pk=document.pk).update(title="x" * 301)

    monkeypatch.setattr(reminders, "when_expired", [follow])

    assert reminders.tell_of_days() == 2
    assert not told(EventType.DOCUMENT_EXPIRED, bad)


def test_the_last_valid_day_is_still_valid(policies, document):
    document.valid_until = timezone.localdate()
    assert not document.is_expired

    document.valid_until -= timedelta(days=1)
    assert document.is_expired


def test_a_confirmation_by_an_owner_who_lost_the_role_is_refused(policies, manager, contributor, document):
    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)

    with pytest.raises(Hidden):
        metadata.confirm(document, NEXT_YEAR, by=contributor)
    assert classifying.classify(document, "confidential", by=manager)
