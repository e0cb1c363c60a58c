"""The pages of sources, through the browser's door."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from documents.access.restriction import restrict
from documents.models import Document, DocumentBar, RunKind, Source, SourceRun
from documents.sources import CONNECTORS, sync
from documents.sources.keeping import Wish, create_source
from workspaces.members import add_member

pytestmark = pytest.mark.django_db


def _latest(source):
    return SourceRun.objects.filter(source=source).latest("asked_at")


def test_a_manager_sets_a_folder_up_looks_at_the_preview_and_starts_it(client_of, manager, policies, root):
    client = client_of(manager)
    assert b"No sources yet" in client.get("/w/policies/documents/sources/").content

    form = client.get("/w/policies/documents/sources/add/?kind=folder")
    assert b'name="option_folder"' in form.content
    wish = {
        "name": "Staff handbook", "option_folder": str(root), "include": "*.md\n", "exclude": "",
        "classification": "confidential", "schedule": "daily", "max_removed_percent": "20",
    }  # fmt: skip
    made = client.post("/w/policies/documents/sources/add/?kind=folder", wish, follow=True)
    source = Source.objects.get(name="Staff handbook")
    assert _latest(source).kind == RunKind.PREVIEW
    assert b"hx-get" in made.content

    sync.work(_latest(source).pk)
    page = client.get(f"/w/policies/documents/sources/{source.pk}/")
    assert "Would add 1, change 0, remove 0." in page.content.decode()
    assert "read-only" not in page.content.decode()

    client.post(f"/w/policies/documents/sources/{source.pk}/run/", {"kind": "sync"})
    sync.work(_latest(source).pk)
    assert "travel.md" not in client.get(f"/w/policies/documents/sources/{source.pk}/progress/").content.decode()
    assert b"Staff handbook" in client.get("/w/policies/documents/sources/").content
    assert policies.documents.get().classification == "confidential"


@pytest.mark.parametrize("kind", CONNECTORS)
def test_every_kind_has_a_form_that_says_what_is_missing(kind, client_of, manager, policies):
    client = client_of(manager)
    address = f"/w/policies/documents/sources/add/?kind={kind}"

    assert f"<h1>{CONNECTORS[kind].label}</h1>" in client.get(address).content.decode()
    assert str(CONNECTORS[kind].purpose) in unescape(client.get("/w/policies/documents/sources/").content.decode())
    refused = client.post(address, {"name": "x"})

    assert refused.status_code == 400
    assert b"This field is required" in refused.content
    assert not Source.objects.exists()


def test_an_address_that_is_not_open_is_refused_on_the_form(client_of, manager, policies):
    wish = {
        "name": "x", "option_url": "http://127.0.0.1:8000/", "option_pages": "5", "option_depth": "1", "include": "",
        "exclude": "", "classification": "internal", "schedule": "manual", "max_removed_percent": "20",
    }  # fmt: skip

    refused = client_of(manager).post("/w/policies/documents/sources/add/?kind=website", wish)

    assert refused.status_code == 400
    assert "has not opened" in refused.content.decode()


def test_problems_and_held_removals_are_on_the_page_and_can_be_confirmed(
    client_of, manager, policies, handbook, root, run
):
    (root / "empty.md").write_bytes(b"")
    run(handbook)
    (root / "travel.md").unlink()
    held = run(handbook)
    client = client_of(manager)

    page = client.get(f"/w/policies/documents/sources/{handbook.pk}/").content.decode()
    assert "empty.md" in page
    assert "The file is empty." in page
    assert "Delete 1 document" in page
    assert "<bdi>travel.md</bdi>" in page
    client.post(f"/w/policies/documents/sources/{handbook.pk}/confirm/", {"run": held.pk})
    sync.work(_latest(handbook).pk)

    assert _latest(handbook).removed == 1


@pytest.mark.parametrize("closing", ["bar", "restriction"])
def test_names_of_documents_that_are_closed_to_a_person_are_counted_and_not_told(
    closing, client_of, manager, policies, handbook, root, run, make_user, monkeypatch
):
    other = make_user("other-manager")
    add_member(policies, other, "manager", by=None)
    run(handbook)
    document = Document.objects.get(path="handbook/leave/parental.txt")
    if closing == "bar":
        DocumentBar.objects.create(document=document, user=other, reason="Not theirs.", created_by=manager)
    else:
        restrict(document, by=manager)
    (root / "leave" / "parental.txt").write_bytes(b"")
    noted = run(handbook)
    preview = run(handbook, RunKind.PREVIEW)
    tested = run(handbook, RunKind.TEST)
    (root / "leave" / "parental.txt").unlink()
    held = run(handbook)
    assert (noted.failed, preview.found["change"], held.held) == (1, 1, 1)

    def told(user, shown):
        SourceRun.objects.exclude(pk=shown.pk).update(asked_at=timezone.now() - timedelta(days=2))
        SourceRun.objects.filter(pk=shown.pk).update(asked_at=timezone.now())
        return "parental" in client_of(user).get(f"/w/policies/documents/sources/{handbook.pk}/").content.decode()

    for shown in (noted, preview, tested, held):
        assert (told(other, shown), shown.kind) == (False, shown.kind)
    monkeypatch.setattr("documents.sources.views.closed_names", lambda *_args, **_options: frozenset())
    assert told(other, noted)


def test_the_secret_is_on_no_page(client_of, manager, make_source, root):
    source = make_source("feed", {"url": "https://feed.example/list"}, secret="marker-token")
    client = client_of(manager)

    for address in (f"{source.pk}/", f"{source.pk}/edit/", f"{source.pk}/progress/", ""):
        page = client.get(f"/w/policies/documents/sources/{address}").content.decode()
        assert "marker-token" not in page
        assert source.sealed_secret not in page


def test_a_source_is_taken_away_and_its_documents_stay(client_of, manager, policies, handbook, run):
    run(handbook)

    client_of(manager).post(f"/w/policies/documents/sources/{handbook.pk}/remove/")

    assert not Source.objects.exists()
    assert policies.documents.filter(deleted_at=None).count() == 2


def test_a_source_of_another_workspace_is_not_found_here(client_of, manager, legal, policies, handbook):
    assert client_of(manager).get(f"/w/legal/documents/sources/{handbook.pk}/").status_code == 404


@pytest.mark.parametrize("who", ["contributor", "member", "reviewer", "auditor"])
def test_others_see_neither_the_pages_nor_the_way_to_them(who, client_of, request, policies, handbook):
    client = client_of(request.getfixturevalue(who))

    assert client.get(f"/w/policies/documents/sources/{handbook.pk}/").status_code == 403
    if who != "auditor":
        assert b"/sources/" not in client.get("/w/policies/documents/").content


# --- The admin ----------------------------------------------------------------------------------------------


def test_the_admin_lists_the_sources_of_all_workspaces_a_person_manages_and_no_other(
    client_of, manager, policies, legal, handbook, root, run, make_user
):
    add_member(legal, manager, "manager", by=None)
    other = make_user("other-manager")
    add_member(legal, other, "manager", by=None)
    create_source(legal, "folder", Wish("Contracts", {"folder": str(root)}), by=manager)
    (root / "empty.md").write_bytes(b"")
    run(handbook)

    page = client_of(manager).get("/admin/documents/source/").content.decode()
    theirs = client_of(other).get("/admin/documents/source/").content.decode()

    assert "Handbook" in page
    assert "Contracts" in page
    assert "Contracts" in theirs
    assert "Handbook" not in theirs
    assert "empty.md" not in page
    assert client_of(other).get(f"/admin/documents/source/{handbook.pk}/change/").status_code == 404


@pytest.mark.parametrize(
    ("asked", "shown"), [("last=problems", True), ("last=none", False), ("paused=yes", False), ("kind=folder", True)]
)
def test_the_admins_list_is_filtered_by_how_sources_fare(asked, shown, client_of, manager, handbook, root, run):
    (root / "empty.md").write_bytes(b"")
    run(handbook)

    page = client_of(manager).get(f"/admin/documents/source/?{asked}").content.decode()

    assert (f"/admin/documents/source/{handbook.pk}/change/" in page) == shown


def test_the_admins_list_asks_the_database_no_more_for_more_sources(
    client_of, manager, policies, handbook, root, run, django_assert_max_num_queries
):
    run(handbook)
    client = client_of(manager)
    client.get("/admin/documents/source/")
    with CaptureQueriesContext(connection) as one:
        client.get("/admin/documents/source/")
    for number in range(5):
        more = create_source(policies, "folder", Wish(f"More {number}", {"folder": str(root)}), by=manager)
        SourceRun.objects.create(source=more, kind="sync", state="failed", problem="robots", ended_at=timezone.now())

    with django_assert_max_num_queries(len(one)):
        client.get("/admin/documents/source/")


def test_a_source_in_the_admin_shows_its_place_and_no_secret_and_why_its_run_failed(
    client_of, manager, make_source, root, run
):
    source = make_source("feed", {"url": "https://127.0.0.1:9/list"}, secret="marker-token")
    run(source)

    page = client_of(manager).get(f"/admin/documents/source/{source.pk}/change/").content.decode()

    assert "https://127.0.0.1:9/list" in page
    assert "could not be reached" in page
    assert "Failed" in page
    assert "&#x27;failed&#x27;" not in page
    assert "marker-token" not in page
    assert source.sealed_secret not in page


def test_a_paused_source_is_never_due_and_runs_when_somebody_asks(client_of, manager, make_source, root, run):
    source = make_source("folder", {"folder": str(root)}, schedule="hourly")
    run(source)
    client = client_of(manager)

    client.post(f"/admin/documents/source/{source.pk}/pause/")
    source.refresh_from_db()
    assert (source.due_at, source.paused_by) == (None, manager)
    assert "Paused by" in client.get(f"/admin/documents/source/{source.pk}/change/").content.decode()
    assert run(source).unchanged == 2
    source.refresh_from_db()
    assert source.due_at is None

    client.post(f"/w/policies/documents/sources/{source.pk}/resume/")
    source.refresh_from_db()
    assert source.due_at is not None
    assert b"is not paused" in client.post(f"/w/policies/documents/sources/{source.pk}/resume/", follow=True).content
