"""A person reads what they were told of, and of things closed to them by now nothing but that there was something."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from documents.access import restriction
from tests.documents import shelf
from workspaces.models import Correspondence, Notification
from workspaces.notifications import notify
from workspaces.notifications.registry import MANNERS, Kind

pytestmark = pytest.mark.django_db

PAGE = "/account/notifications/"


@pytest.fixture
def document(policies):
    made = shelf.put(policies, "leave.md", ["Parental leave lasts twenty weeks."], indexed=False)
    made.title = "Leave of parents"
    made.save(update_fields=["title"])
    return made


@pytest.fixture
def told(contributor, document):
    notify(Kind.DOCUMENT_REVIEW, to=[contributor], workspace=document.workspace, about=document)
    return Notification.objects.get(person=contributor)


def test_the_bell_counts_what_is_unread_and_the_list_leads_to_the_thing(contributor, told, document, client_of):
    client = client_of(contributor)
    page = client.get(PAGE).content.decode()
    assert "1 unread" in page
    assert "Leave of parents" in page

    opened = client.post(f"{PAGE}{told.pk}/")

    assert opened["Location"] == f"/w/policies/documents/{document.pk}/"
    page = client.get(PAGE).content.decode()
    assert "1 unread" not in page
    assert "Nothing unread" in client.get(f"{PAGE}?unread=1").content.decode()


def test_of_what_is_closed_by_now_neither_name_nor_link_is_left(contributor, told, document, manager, client_of):
    restriction.restrict(document, by=manager)
    client = client_of(contributor)

    page = client.get(PAGE).content.decode()

    assert str(Kind.DOCUMENT_REVIEW.label) in page
    assert "closed to you by now" in page
    assert "Leave of parents" not in page
    assert str(document.pk) not in page
    assert client.post(f"{PAGE}{told.pk}/")["Location"] == PAGE


def test_nobody_reads_or_marks_the_notices_of_another(told, member, client_of):
    client = client_of(member)

    assert client.post(f"{PAGE}{told.pk}/").status_code == 404
    client.post(f"{PAGE}read/")

    told.refresh_from_db()
    assert told.read_at is None
    assert "Leave of parents" not in client.get(PAGE).content.decode()


def test_what_was_chosen_is_kept_and_what_must_not_be_off_cannot_be(contributor, client_of):
    client = client_of(contributor)
    sent = {"language": "sr", "digest_hour": "9"} | {str(kind.value): MANNERS[kind].default for kind in Kind}

    refused = client.post(f"{PAGE}choices/", sent | {Kind.GAP_ASSIGNED.value: "off"})
    saved = client.post(f"{PAGE}choices/", sent | {Kind.SOURCE_FAILED.value: "off"})

    assert (refused.status_code, saved.status_code) == (400, 302)
    row = Correspondence.objects.get(person=contributor)
    assert (row.language, row.digest_hour) == ("sr", 9)
    assert notify(Kind.SOURCE_FAILED, to=[contributor]) == 0


def test_the_language_of_the_portal_becomes_that_of_mails(contributor, client_of):
    client_of(contributor).post("/i18n/setlang/", {"language": "sr-latn", "next": "/"})

    assert Correspondence.objects.get(person=contributor).last_language == "sr-latn"


def test_a_page_of_notices_takes_as_many_queries_as_one(contributor, document, client_of):
    client = client_of(contributor)
    counts = []
    for _round in range(2):
        for _each in range(10):
            notify(Kind.DOCUMENT_REVIEW, to=[contributor], workspace=document.workspace, about=document)
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        counts.append(len(queries))

    assert counts[0] == counts[1]
