"""The list of documents: what a person sees of them, live, and at a constant price."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from documents.listing import newest, percent
from documents.models import Version
from documents.parse import FORMATS
from documents.states import OPEN, PROGRESS, VersionState
from documents.views import SHOWN_FORMATS
from tests.documents import factories
from workspaces.dispatch import give_sign_of_life, take_leave

pytestmark = pytest.mark.django_db

LIST = "/w/policies/documents/"


def page(client, query=""):
    return client.get(LIST + query).content.decode()


def failed(document, by, sentence="The file is damaged and cannot be opened."):
    return factories.add_version(document, "x", by=by, state=VersionState.FAILED, failure_sentence=sentence)


def test_the_list_says_where_each_document_stands(policies, contributor, member, client_of):
    factories.document(policies, "leave.md", by=contributor, title="Leave")
    broken = factories.document(policies, "broken.md", by=contributor, title="Broken")
    failed(broken, contributor)

    shown = page(client_of(member))

    assert 'All <span class="tabs__count">2' in shown
    assert "The file is damaged and cannot be opened." in shown
    assert "Version 1 answers meanwhile." in shown


def test_the_list_shows_classifications_and_is_filtered_by_them(policies, contributor, member, client_of):
    factories.document(policies, "leave.md", by=contributor, title="Leave")
    factories.document(policies, "pay.md", by=contributor, title="Salaries", classification="confidential")

    everything = page(client_of(member))
    confidential = page(client_of(member), "?level=confidential&state=ready")
    none = page(client_of(member), "?level=restricted")
    nonsense = page(client_of(member), "?level=nonsense")

    assert "Salaries" in everything
    assert '<span title="Classification" class="documents__guarded">Confidential</span>' in everything
    assert '<span title="Classification">Internal</span>' in everything
    assert "Salaries" in confidential
    assert "leave.md" not in confidential
    assert "?state=failed&amp;level=confidential" in confidential
    assert "Nothing matches" in none
    assert "leave.md" in nonsense


def test_only_those_who_add_documents_see_uploads_and_retries(policies, contributor, member, client_of):
    failed(factories.document(policies, by=contributor), contributor)

    for person, sees in ((contributor, True), (member, False)):
        shown = page(client_of(person))
        assert ("data-upload" in shown) is sees
        assert ("/retry/" in shown) is sees


@pytest.fixture
def reader_of_files():
    """A worker that takes from the queue of files, until its name is taken off there."""
    give_sign_of_life("ingest", "reader")
    yield "reader"
    take_leave("ingest", "reader")


@pytest.mark.parametrize("address", ["documents:list", "documents:progress"])
def test_who_brings_files_is_told_that_nobody_reads_them(
    address, reader_of_files, policies, contributor, member, client_of
):
    def shown_to(person):
        return client_of(person).get(reverse(address, args=["policies"])).content.decode()

    read = shown_to(contributor)
    take_leave("ingest", reader_of_files)

    assert "Background work is paused." not in read
    assert "Background work is paused." in shown_to(contributor)
    assert "Background work is paused." not in shown_to(member)


def test_a_broker_that_is_gone_is_told_and_the_list_stands(policies, contributor, client_of, settings):
    factories.document(policies, "leave.md", by=contributor, title="Leave")
    client = client_of(contributor)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    shown = page(client)

    assert "Background work is paused." in shown
    assert "Leave" in shown


def test_that_nobody_reads_files_costs_no_statement(reader_of_files, policies, contributor, client_of):
    client = client_of(contributor)
    page(client)
    with CaptureQueriesContext(connection) as read:
        page(client)
    take_leave("ingest", reader_of_files)
    with CaptureQueriesContext(connection) as paused:
        page(client)

    assert len(paused) == len(read)


def test_the_limits_stand_beside_the_upload(policies, contributor, client_of, settings):
    settings.MAX_UPLOAD_BYTES = 7 * 1024 * 1024
    settings.MAX_PAGES = 1234
    settings.MAX_CHARACTERS = 7_654_321
    settings.MAX_UNPACKED_BYTES = 77 * 1024 * 1024
    settings.PARSE_SECONDS = 45
    settings.RECOGNISE_SECONDS = 1200

    shown = page(client_of(contributor))

    assert "up to 7 MB and 1234 pages each" in shown
    assert SHOWN_FORMATS in shown
    limits = shown.partition('<details class="upload__limits')[2].partition("</details>")[0]
    values = re.findall(r"<dd>(.*?)</dd>", limits)
    assert values == ["7 MB", "1,234", "7,654,321", "77 MB", "45 s", "1,200 s"]


def test_an_empty_workspace_invites_those_who_can_add_and_tells_the_others_who_can(
    policies, contributor, member, client_of
):
    assert "Add the first documents" in page(client_of(contributor))
    assert "A contributor of this workspace adds them." in page(client_of(member))


def test_search_and_filter_work_on_title_path_and_state(policies, contributor, member, client_of):
    factories.document(policies, "a/leave.md", by=contributor, title="Holidays")
    failed(factories.document(policies, "b/travel.md", by=contributor, title="Trips"), contributor)
    client = client_of(member)

    assert "Trips" not in page(client, "?q=LEAVE")
    assert "Holidays" in page(client, "?q=holi")
    assert "Holidays" not in page(client, "?state=failed")
    assert "Trips" in page(client, "?state=failed")
    assert "Nothing matches" in page(client, "?q=nowhere")
    assert "Holidays" in page(client, "?state=nonsense&page=x")


def test_a_file_with_hidden_text_says_so_in_the_list_and_leads_to_what_it_holds(
    policies, contributor, member, client_of
):
    tags = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
    plain = factories.document(policies, "plain.md", by=contributor)
    marked = factories.document(policies, "marked.md", f"Leave is paid.{tags}", by=contributor)
    client = client_of(member)

    shown = page(client)

    address = f"/w/policies/documents/{marked.pk}/?version={marked.current_version_id}"
    assert f'href="{address}#hidden-text" title="6 characters in invisible characters">Hidden text<' in shown
    assert f'id="hidden-{plain.pk}"' not in shown
    assert 'id="hidden-text"' in client.get(address).content.decode()


def test_the_list_is_paged(policies, contributor, member, client_of):
    for number in range(51):
        factories.document(policies, f"{number:03}.md", by=contributor)
    client = client_of(member)

    assert page(client).count('<tr id="document-') == 50
    assert page(client, "?page=2").count('<tr id="document-') == 1
    assert page(client, "?page=99").count('<tr id="document-') == 1


def test_the_list_asks_as_many_queries_for_fifty_documents_as_for_five(policies, contributor, member, client_of):
    client = client_of(member)

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(client)
        return len(captured)

    for number in range(5):
        failed(factories.document(policies, f"{number}.md", by=contributor), contributor)
    few = queries()
    for number in range(5, 50):
        failed(factories.document(policies, f"{number}.md", by=contributor), contributor)
    Version.objects.update(findings={"hidden": {"white": 40}})

    assert queries() == few


def test_the_list_never_reads_a_text(policies, contributor, member, client_of):
    factories.document(policies, by=contributor)

    with CaptureQueriesContext(connection) as captured:
        page(client_of(member))

    assert not [query for query in captured.captured_queries if '"documents_version"."text"' in query["sql"]]


def test_the_list_asks_again_only_while_something_is_in_work(policies, contributor, member, client_of):
    document = factories.document(policies, by=contributor)
    client = client_of(member)
    still = client.get(reverse("documents:progress", args=["policies"])).content.decode()
    factories.add_version(document, "new bytes", by=contributor, state=VersionState.RECEIVED)
    busy = client.get(reverse("documents:progress", args=["policies"])).content.decode()

    assert "every 1500ms" not in still
    assert "every 1500ms" in busy
    assert "1 document is being read." in busy
    assert "<html" not in busy


@pytest.mark.parametrize("state", OPEN)
def test_a_version_in_work_shows_how_far_it_is(state):
    assert 0 < percent(Version(state=state)) < 100


def test_progress_never_goes_back():
    stretch = [percent(Version(state=VersionState.SPLIT, done=done, passage_count=40)) for done in range(0, 60, 10)]
    states = [percent(Version(state=state)) for state in PROGRESS]

    assert states == sorted(states)
    assert stretch == sorted(stretch)
    assert stretch[-1] <= percent(Version(state=VersionState.EMBEDDED))


def test_the_news_of_a_document_is_what_arrived_last(policies, contributor):
    document = factories.document(policies, by=contributor)
    assert newest(document) == document.current_version

    again = failed(document, contributor)

    assert newest(document) == again


def test_a_document_of_another_workspace_is_not_in_the_list(policies, legal, contributor, member, client_of):
    factories.document(legal, "nda.md", by=contributor, title="Mutual agreement")

    assert "Mutual agreement" not in page(client_of(member))


def test_the_page_names_every_format_that_can_be_read():
    spelled_otherwise = {
        "htm": "HTML",
        "jpg": "JPEG",
        "markdown": "Markdown",
        "md": "Markdown",
        "tif": "TIFF",
        "tsv": "CSV",
    }

    assert set(SHOWN_FORMATS.split(", ")) == {spelled_otherwise.get(ending, ending.upper()) for ending in FORMATS}
