"""What the list of documents is narrowed and ordered by, and that it tells nobody of what is closed to them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from documents.cards import tagging
from documents.filters import COLUMNS, Asked
from documents.folders import keeping as folders
from documents.listing import listing, matching
from documents.models import Document, DocumentBar, Source, SourceItem
from documents.states import VersionState
from tests.documents import factories

pytestmark = pytest.mark.django_db

LIST = "/w/policies/documents/"


@pytest.fixture
def shelf(policies, manager, contributor):
    """Four documents that differ in everything a list is narrowed by."""
    today = timezone.localdate()
    folder = folders.folder_for(policies, "кадрови/правила/x.md")
    leave = factories.document(
        policies,
        "кадрови/правила/odmor.md",
        by=contributor,
        title="Правилник о годишњем одмору",
        owner=contributor,
        folder=folder,
        valid_until=today - timedelta(days=1),
        review_on=today,
    )
    pay = factories.document(
        policies,
        "pay.csv",
        "name,pay\nA,1\n",
        by=contributor,
        title="Pay",
        classification="confidential",
        owner=manager,
    )
    trip = factories.document(
        policies, "trip.md", by=contributor, title="Čekić trips", valid_until=today + timedelta(days=30)
    )
    closed = factories.document(policies, "board.md", by=contributor, title="Board", folder=folder, restricted=True)
    tagging.tag(leave, "Hitno", by=manager)
    factories.add_version(
        trip, "x", by=contributor, state=VersionState.FAILED, failure_code="encrypted", failure_sentence="Locked."
    )
    return {"leave": leave, "pay": pay, "trip": trip, "closed": closed}


def found(user, workspace, **asked):
    return [row.document.title.split()[0] for row in listing(user, workspace, Asked(**asked)).rows]


NARROWED = [
    ({"q": "pravilnik"}, {"Правилник"}),
    ({"q": "ОДМОРУ годисњем"}, {"Правилник"}),
    ({"q": "cekic"}, {"Čekić"}),
    ({"q": "Чекић trip.md"}, {"Čekić"}),
    ({"q": "100%"}, set()),
    ({"state": "failed"}, {"Čekić"}),
    ({"state": "ready"}, {"Правилник", "Pay"}),
    ({"reason": "encrypted"}, {"Čekić"}),
    ({"level": "confidential"}, {"Pay"}),
    ({"format": "csv"}, {"Pay"}),
    ({"tag": "ХИТНО"}, {"Правилник"}),
    ({"owner": "me"}, set()),
    ({"owner": "none"}, {"Čekić"}),
    ({"due": "expired"}, {"Правилник"}),
    ({"due": "review"}, {"Правилник"}),
    ({"due": "expiring"}, {"Čekić"}),
    ({"due": "undated"}, {"Pay"}),
    ({"open_to": "named"}, set()),
    ({"owner": "nonsense", "q": "pay"}, set()),
]


def test_a_filter_shows_what_it_says_and_all_that_match_are_the_same(policies, member, shelf):
    # One shelf for all of them: making it takes longer than any look at it.
    for asked, expected in NARROWED:
        assert set(found(member, policies, **asked)) == expected, asked
        assert {one.title.split()[0] for one in matching(member, policies, Asked(**asked))} == expected, asked


def test_a_folder_shows_what_lies_in_it_and_below(policies, member, contributor, shelf):
    top = str(shelf["leave"].folder.parent_id)
    shown = listing(member, policies, Asked(folder=top))

    assert [row.document for row in shown.rows] == [shelf["leave"]]
    assert [branch.documents for branch in shown.tree.inside(shown.tree.get(top))] == [1]
    assert found(member, policies, folder="00000000-0000-4000-8000-000000000000") == []


def test_only_managers_filter_by_source(policies, manager, member, shelf):
    source = Source.objects.create(
        workspace=policies, name="Feed", kind="feed", folder="Feed", owner=manager, created_by=manager
    )
    for number in range(2):
        SourceItem.objects.create(
            source=source, key=str(number), key_sha256=str(number), path="a", document=shelf["pay"]
        )

    assert found(manager, policies, source=str(source.pk)) == ["Pay"]
    assert found(member, policies, source=str(source.pk)) == []


def test_every_column_orders_the_list_both_ways_with_unknown_last(policies, member, shelf):
    ways = {
        column: (found(member, policies, sort=column), found(member, policies, sort=f"-{column}")) for column in COLUMNS
    }

    for column, (up, down) in ways.items():
        assert set(up) == set(down) == {"Правилник", "Pay", "Čekić"}, column
    assert ways["valid"] == (["Правилник", "Čekić", "Pay"], ["Čekić", "Правилник", "Pay"])
    assert ways["title"][0] == ways["title"][1][::-1]


def test_counts_folders_tags_and_owners_tell_nothing_of_closed_documents(policies, manager, member, admin, shelf):
    hidden = folders.folder_for(policies, "secret/x.md")
    Document.objects.filter(pk=shelf["closed"].pk).update(folder=hidden, owner=manager, classification="restricted")
    Document.objects.filter(pk=shelf["pay"].pk).update(owner=None)
    shelf["closed"].tags.create(workspace=policies, name="Board", folded="board")

    shown = listing(member, policies, Asked())

    assert (shown.total, shown.counts) == (3, {"ready": 2, "working": 0, "failed": 1})
    assert "secret" not in {branch.folder.path for branch in shown.tree.branches.values()}
    assert [tag.name for tag in shown.tags] == ["Hitno"]
    assert manager.pk not in shown.owners
    assert found(member, policies, folder=str(hidden.pk)) == []


def test_a_never_rule_hides_a_document_from_every_filter(policies, manager, member, shelf):
    DocumentBar.objects.create(document=shelf["leave"], user=member, reason="Too close.")

    shown = listing(member, policies, Asked(due="expired"))

    assert (shown.rows, shown.expired, shown.to_review, shown.tags) == ([], 0, 0, [])


def test_the_address_holds_what_is_asked_for(policies, manager, shelf, client_of):
    client = client_of(manager)
    page = client.get(f"{LIST}?level=internal&due=expired&sort=-updated").content.decode()

    assert 'aria-sort="descending"' in page
    assert f'<a class="chip" href="{LIST}?due=expired&amp;sort=-updated">' in page
    assert f'href="{LIST}?level=internal&amp;due=expired&amp;sort=updated"' in page
    assert "expired" in page
    assert "Pay" not in re.sub(r"<select.*?</select>", "", page, flags=re.DOTALL)
    assert client.get(f"{LIST}?sort=owner__password&page=0&due=x&folder=x&format=exe").status_code == 200


def test_foreign_lookups_in_the_address_are_not_given(policies, member, shelf, client_of):
    page = client_of(member).get(f"{LIST}?owner__password__startswith=a&order=path&deleted_at=1").content.decode()

    assert 'All <span class="tabs__count">3' in page
    assert 'class="narrowings"' not in page
