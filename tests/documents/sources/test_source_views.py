"""The pages of sources, through the browser's door."""

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from documents.models import Document, DocumentBar, RunKind, Source, SourceRun
from documents.restriction import restrict
from documents.sources import CONNECTORS, sync
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
    monkeypatch.setattr("documents.source_views.closed_names", lambda *_args, **_options: frozenset())
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
