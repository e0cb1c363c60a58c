"""What changed between versions, as a reader meets it, and who may look."""

import json

import pytest
from django.urls import reverse

from audit.events import EventType
from audit.models import Event
from documents.access.restriction import restrict
from documents.changes import page as changes
from documents.states import VersionState
from tests.documents import factories

pytestmark = pytest.mark.django_db

NEWER = "# Leave\n\nParental leave lasts 30 weeks.\n\nIt is paid in full.\n\nR&D asks early.\n"


@pytest.fixture
def leave(policies, contributor):
    made = factories.document(policies, by=contributor, title="Leave policy")
    factories.add_version(made, NEWER, by=contributor)
    return made


def versions(document):
    return {version.number: version.pk for version in document.versions.all()}


def changes_url(document, **query):
    url = reverse("documents:changes", kwargs={"slug": document.workspace.slug, "pk": document.pk})
    return url + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


def test_a_reader_sees_what_changed_since_the_version_before(leave, member, client_of):
    page = client_of(member).get(changes_url(leave)).content.decode()

    assert "What changed from version 1 to 2" in page
    assert '<del><span class="visually-hidden">removed: </span>26</del>' in page
    assert '<ins><span class="visually-hidden">added: </span>30</ins>' in page
    assert "R&amp;D asks early." in page
    assert f"version={versions(leave)[1]}&amp;start=" in page


def test_both_directions_can_be_read_and_leave_one_entry_each(leave, member, client_of):
    ids = versions(leave)

    page = client_of(member).get(changes_url(leave, before=ids[2], after=ids[1])).content.decode()

    assert "What changed from version 2 to 1" in page
    entry = Event.objects.get(type=EventType.VERSIONS_COMPARED)
    details = json.loads(entry.body)["details"]
    assert (entry.actor_id, entry.object_id) == (str(member.pk), str(leave.pk))
    assert (details["before"], details["after"]) == (str(ids[2]), str(ids[1]))
    assert "weeks" not in entry.body


def test_an_old_citation_leads_to_what_changed_since(leave, member, client_of):
    old = leave.versions.get(number=1)
    place = factories.range_of(old, "26 weeks")
    address = reverse("documents:detail", args=[leave.workspace.slug, leave.pk])

    page = client_of(member).get(f"{address}?version={old.pk}&start={place['start']}&end={place['end']}")

    assert changes_url(leave, before=old.pk).replace("?", "?") in page.content.decode()


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("single", "only one version with a text"),
        ("same", "Choose two different versions."),
        ("unread", "One of these versions has no text"),
        ("long", "too long to be compared on a page"),
    ],
)
def test_where_nothing_can_be_compared_the_page_says_why(
    policies, contributor, member, client_of, monkeypatch, why, sentence
):
    document = factories.document(policies, by=contributor)
    if why != "single":
        factories.add_version(document, NEWER, by=contributor)
    unread = factories.add_version(document, "new", by=contributor, state=VersionState.RECEIVED)
    ids, query = versions(document), {}
    if why == "same":
        query = {"before": ids[1], "after": ids[1]}
    if why == "unread":
        query = {"before": ids[1], "after": unread.pk}
    if why == "long":
        monkeypatch.setattr(changes, "MOST_CHARACTERS", 10)

    page = client_of(member).get(changes_url(document, **query)).content.decode()

    assert sentence in page
    assert "weeks" not in page
    assert not Event.objects.filter(type=EventType.VERSIONS_COMPARED).exists()


def test_versions_of_other_documents_are_not_compared(leave, policies, contributor, member, client_of):
    other = factories.document(policies, "other.md", "# Other\n\nSecret canary.", by=contributor)
    ids, client = versions(leave), client_of(member)

    for query in ({"before": other.current_version_id}, {"after": other.current_version_id}, {"before": "x"}):
        response = client.get(changes_url(leave, **({"after": ids[2]} | query)))
        assert response.status_code == 404
        assert "canary" not in response.content.decode()


def test_a_restricted_document_is_not_compared_without_a_grant(leave, legal, make_user, member, stranger, client_of):
    from workspaces.members import add_member

    keeper = make_user("keeper")
    add_member(leave.workspace, keeper, "manager", by=None)
    restrict(leave, by=keeper)

    assert client_of(member).get(changes_url(leave)).status_code == 404
    assert client_of(stranger).get(changes_url(leave)).status_code == 404
    assert client_of(keeper).get(changes_url(leave)).status_code == 200
    elsewhere = reverse("documents:changes", kwargs={"slug": "legal", "pk": leave.pk})
    assert client_of(keeper).get(elsewhere).status_code == 404


def test_the_number_of_queries_does_not_grow_with_versions(
    leave, contributor, member, client_of, django_assert_max_num_queries
):
    for number in range(6):
        factories.add_version(leave, f"{NEWER}\n\nAddition {number}.", by=contributor)
    client = client_of(member)
    client.get(changes_url(leave))

    with django_assert_max_num_queries(30):
        client.get(changes_url(leave))
