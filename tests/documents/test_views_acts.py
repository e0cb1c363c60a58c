"""Uploads, downloads and what managers do with documents, through their pages: one answer a file, one entry an act."""

import json
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audit.events import EventType
from audit.models import Event
from documents.access.restriction import restrict
from documents.folders import keeping as folders
from documents.ingestion.originals import MAX_NAME, safe_name
from documents.models import Document, DocumentUserGrant, Folder, Version
from documents.states import VersionState
from tests.documents import factories

pytestmark = pytest.mark.django_db


def files(*names_and_contents):
    return {"files": [SimpleUploadedFile(name, content) for name, content in names_and_contents]}


def act(client, name, document, slug="policies", **data):
    return client.post(reverse(f"documents:{name}", kwargs={"slug": slug, "pk": document.pk}), data, follow=True)


@pytest.fixture
def leave(policies, contributor):
    return factories.document(policies, by=contributor, title="Leave policy")


# --- Uploads ------------------------------------------------------------------------------------------------


def test_each_uploaded_file_gets_its_own_answer(policies, contributor, client_of):
    sent = files(("leave.txt", b"26 weeks."), ("tool.exe", b"MZ"), ("empty.txt", b""))

    response = client_of(contributor).post(
        reverse("documents:upload", args=["policies"]), sent, headers={"accept": "application/json"}
    )

    good, foreign, empty = response.json()["files"]
    assert good["outcome"] == "added"
    assert good["state"] == "received"
    assert Version.objects.get().document_id.hex == good["document_id"].replace("-", "")
    assert good["url"] == f"/w/policies/documents/{good['document_id']}/"
    assert "cannot be read here" in foreign["error"]
    assert empty == {"name": "empty.txt", "outcome": "refused", "error": "The file is empty."}


def test_the_files_of_a_folder_keep_their_path_in_it_and_nothing_else_of_what_is_told(policies, contributor, client_of):
    told = ["handbook/leave/parental.txt", "../../etc/./travel.exe", "/a//.../b/sick.txt"]
    sent = files(("parental.txt", b"26 weeks."), ("travel.txt", b"By train."), ("sick.txt", b"Call.")) | {"paths": told}

    client_of(contributor).post(
        reverse("documents:upload", args=["policies"]), sent, headers={"accept": "application/json"}
    )

    filed = dict(Document.objects.values_list("path", "folder__path"))
    assert filed == {
        "handbook/leave/parental.txt": "handbook/leave",
        "etc/travel.txt": "etc",
        "a/b/sick.txt": "a/b",
    }


def test_what_is_sent_while_a_folder_is_open_goes_there_and_to_the_document_of_that_name(
    policies, leave, manager, contributor, client_of
):
    client, url = client_of(contributor), reverse("documents:upload", args=["policies"])
    folders.move(leave, folders.create(policies, "People", by=manager), by=manager)
    people = Folder.objects.get()
    listed = reverse("documents:list", args=["policies"])
    shown = client.get(listed, {"folder": people.pk}).content.decode()

    def send(name, **told):
        sent = files((name, b"26 weeks.")) | {"folder": people.pk} | told
        return client.post(url, sent, headers={"accept": "application/json"}).json()["files"][0]

    assert "They go into the folder “People”." in shown
    assert f'name="folder" value="{people.pk}"' in shown
    assert "They go into" not in client.get(listed).content.decode()
    assert send("sick.txt", paths="2027/sick.txt")["outcome"] == "added"
    assert send("travel.txt")["outcome"] == "added"
    # It came as leave.md to the top and was moved: what lies under a name is what is meant by it.
    assert [send("leave.md")["outcome"], send("travel.txt")["outcome"]] == ["new_version", "same"]
    assert dict(Document.objects.values_list("path", "folder__path")) == {
        leave.path: "People",
        "People/2027/sick.txt": "People/2027",
        "People/travel.txt": "People",
    }
    plain = client.post(url, files(("call.txt", b"Call.")) | {"folder": people.pk})
    assert plain.url == f"{listed}?folder={people.pk}"


@pytest.mark.parametrize("gone", ["hidden", "removed"])
def test_what_is_sent_to_a_folder_that_is_hidden_or_removed_is_refused_alike(
    gone, policies, leave, manager, contributor, client_of
):
    people = folders.create(policies, "People", by=manager)
    if gone == "hidden":
        folders.move(leave, people, by=manager)
        restrict(leave, by=manager)
    else:
        folders.remove(people, by=manager)

    sent = files(("sick.txt", b"Call.")) | {"folder": people.pk}
    answer = client_of(contributor).post(
        reverse("documents:upload", args=["policies"]), sent, headers={"accept": "application/json"}
    )

    assert answer.json()["files"][0]["error"] == "This folder is not there any more."
    assert not Document.objects.filter(path__contains="sick").exists()


def test_the_same_name_is_a_new_version_and_the_same_bytes_are_the_same(policies, contributor, client_of):
    client, url = client_of(contributor), reverse("documents:upload", args=["policies"])

    def outcome(content):
        answer = client.post(url, files(("leave.txt", content)), headers={"accept": "application/json"})
        return answer.json()["files"][0]["outcome"]

    assert [outcome(b"26 weeks."), outcome(b"30 weeks."), outcome(b"30 weeks.")] == ["added", "new_version", "same"]


def test_without_a_script_the_answers_stand_on_the_list(policies, contributor, client_of):
    response = client_of(contributor).post(
        reverse("documents:upload", args=["policies"]),
        files(("leave.txt", b"26 weeks."), ("a.exe", b"MZ")),
        follow=True,
    )

    shown = response.content.decode()
    assert response.redirect_chain == [("/w/policies/documents/", 302)]
    assert "leave.txt: Received." in shown
    assert "a.exe: Files ending in" in shown


def test_an_upload_of_nothing_asks_for_a_file(policies, contributor, client_of):
    response = client_of(contributor).post(reverse("documents:upload", args=["policies"]), follow=True)

    assert "Choose at least one file." in response.content.decode()


def test_a_file_above_the_limit_is_refused_with_the_limit(policies, contributor, client_of, settings):
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    response = client_of(contributor).post(
        reverse("documents:upload", args=["policies"]),
        files(("big.txt", b"x" * (1024 * 1024 + 1))),
        headers={"accept": "application/json"},
    )

    assert "1 MB" in response.json()["files"][0]["error"]
    assert not Document.objects.exists()


def test_a_name_of_a_restricted_document_is_refused_without_taking_the_other_files_along(
    policies, leave, manager, contributor, client_of
):
    restrict(leave, by=manager)
    response = client_of(contributor).post(
        reverse("documents:upload", args=["policies"]),
        files(("leave.md", b"# Mine"), ("travel.txt", b"By train.")),
        headers={"accept": "application/json"},
    )

    assert [answer["outcome"] for answer in response.json()["files"]] == ["refused", "added"]
    assert leave.versions.count() == 1
    assert Event.objects.filter(type=EventType.ACCESS_DENIED, actor_id=str(contributor.pk)).exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "C:\\x\\a.txt", '"><img src=x onerror=alert(1)>.txt', "a\u202etxt.exe.txt"]
)
def test_a_hostile_name_is_text_and_nothing_else(policies, contributor, client_of, name):
    client = client_of(contributor)
    client.post(reverse("documents:upload", args=["policies"]), files((name, b"26 weeks.")))

    version = Version.objects.get()
    assert version.file.name == f"originals/{version.pk.hex[:2]}/{version.pk}"
    assert ".." not in version.document.path
    assert "<img src" not in client.get(reverse("documents:list", args=["policies"])).content.decode()


# --- Originals ----------------------------------------------------------------------------------------------


def test_an_original_leaves_as_an_attachment_that_can_run_nothing(policies, contributor, member, client_of):
    page = "<script>alert(1)</script><p>26 weeks</p>"
    document = factories.document(policies, "leave.html", page, by=contributor)

    response = client_of(member).get(original_url(document))

    assert b"".join(response.streaming_content).decode() == page
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == 'attachment; filename="leave.html"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    event = Event.objects.get(type=EventType.ORIGINAL_DOWNLOADED)
    assert document.current_version.sha256 in event.body


@pytest.mark.django_db(transaction=True)
def test_an_original_streams_from_the_server_people_use(policies, contributor, member):
    from asgiref.sync import async_to_sync
    from django.test import AsyncClient

    data = b"# Leave\n\n" + b"26 weeks. " * 30_000
    document = factories.document(policies, by=contributor, content=data)
    client = AsyncClient()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")

    async def fetch():
        response = await client.get(original_url(document))
        return response, [chunk async for chunk in response.streaming_content]

    response, chunks = async_to_sync(fetch)()

    assert response.is_async
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= 64 * 1024


def test_an_original_is_not_handed_out_when_the_trail_cannot_be_written(leave, member, client_of):
    client = client_of(member)

    with mock.patch("documents.viewer.views.record", side_effect=RuntimeError("no trail")), pytest.raises(RuntimeError):
        client.get(original_url(leave))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("leave.pdf", "leave.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\folder\\plan.docx", "plan.docx"),
        ('a"; filename="evil.exe', 'a"; filename="evil.exe'),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("", "document"),
        ("///", "document"),
    ],
)
def test_a_download_has_one_short_visible_name(name, safe):
    assert safe_name(name) == safe


def test_a_very_long_name_keeps_its_ending():
    assert len(safe_name("x" * 5000 + ".pdf")) == MAX_NAME
    assert safe_name("x" * 5000 + ".pdf").endswith(".pdf")


def test_line_breaks_in_a_name_do_not_reach_the_header(policies, contributor, member, client_of):
    document = factories.document(policies, by=contributor)
    Version.objects.update(filename='a\r\nX-Evil: 1"\u202e.md')

    response = client_of(member).get(original_url(document))

    assert response.status_code == 200
    assert "X-Evil" not in response.headers
    assert "\n" not in response.headers["Content-Disposition"]


def original_url(document):
    kwargs = {"slug": "policies", "pk": document.pk, "version": document.current_version.pk}
    return reverse("documents:original", kwargs=kwargs)


# --- Acts ---------------------------------------------------------------------------------------------------


def test_a_failed_version_is_retried_from_its_page(leave, contributor, client_of):
    version = factories.add_version(leave, "x", by=contributor, state=VersionState.FAILED, failure_sentence="Damaged.")

    response = act(client_of(contributor), "retry", leave, version=version.pk)

    version.refresh_from_db()
    assert version.state == VersionState.RECEIVED
    assert "is being read again" in response.content.decode()
    assert Event.objects.filter(type=EventType.VERSION_RETRIED).exists()


def test_everything_that_failed_is_retried_from_the_list(policies, leave, contributor, client_of):
    other = factories.document(policies, "other.md", by=contributor)
    for document in (leave, other):
        factories.add_version(document, "x", by=contributor, state=VersionState.FAILED, failure_sentence="Damaged.")
    client = client_of(contributor)

    before = client.get("/w/policies/documents/?state=failed").content.decode()
    after = client.post(reverse("documents:retry_all", args=["policies"]), follow=True).content.decode()
    again = client.post(reverse("documents:retry_all", args=["policies"]), follow=True).content.decode()

    assert 'href="#retry-all"' in before
    assert "Try all failed documents again?" in before
    assert "2 documents are being read again." in after
    assert "there was nothing to try again" in again
    assert Event.objects.filter(type=EventType.VERSION_RETRIED).count() == 2


def test_retrying_everything_is_for_those_who_add_documents(leave, contributor, member, auditor, stranger, client_of):
    factories.add_version(leave, "x", by=contributor, state=VersionState.FAILED, failure_sentence="Damaged.")
    url = reverse("documents:retry_all", args=["policies"])

    refused = [client_of(person).post(url).status_code for person in (member, auditor, stranger)]

    assert refused == [403, 403, 404]
    assert 'href="#retry-all"' not in client_of(member).get("/w/policies/documents/?state=failed").content.decode()
    assert not Event.objects.filter(type=EventType.VERSION_RETRIED).exists()


def test_a_manager_says_how_far_a_document_may_travel(leave, manager, client_of):
    client = client_of(manager)

    shown = act(client, "classify", leave, level="confidential").content.decode()

    leave.refresh_from_db()
    assert leave.classification == "confidential"
    assert "The classification is “Confidential” now." in shown
    event = json.loads(Event.objects.get(type=EventType.DOCUMENT_CLASSIFIED).body)
    assert (event["details"]["before"], event["details"]["after"]) == ("internal", "confidential")


def test_the_same_classification_again_is_no_change(leave, manager, client_of):
    act(client_of(manager), "classify", leave, level="internal")

    assert not Event.objects.filter(type=EventType.DOCUMENT_CLASSIFIED).exists()


def test_a_classification_that_does_not_exist_is_refused_in_words(leave, manager, client_of):
    shown = act(client_of(manager), "classify", leave, level="top secret").content.decode()

    leave.refresh_from_db()
    assert leave.classification == "internal"
    assert "There is no classification “top secret”." in shown


def test_a_manager_chooses_the_classification_of_what_is_uploaded(policies, leave, manager, contributor, client_of):
    def upload(person, **data):
        sent = files(("leave.md", b"# Newer"), ("plan.txt", b"By train.")) | data
        url = reverse("documents:upload", args=["policies"])
        return client_of(person).post(url, sent, headers={"accept": "application/json"}).json()["files"]

    by_manager = upload(manager, classification="confidential")
    by_contributor = upload(contributor, classification="public")

    assert [each["outcome"] for each in by_manager] == ["new_version", "added"]
    assert [each["outcome"] for each in by_contributor] == ["refused", "refused"]
    assert dict(Document.objects.values_list("path", "classification")) == {
        "leave.md": "internal",
        "plan.txt": "confidential",
    }
    assert '"classification":"confidential"' in Event.objects.get(type=EventType.DOCUMENT_ADDED).body


def test_only_those_who_manage_documents_are_offered_a_classification(leave, manager, contributor, client_of):
    for person, offered in ((manager, True), (contributor, False)):
        client = client_of(person)
        assert ('name="classification"' in client.get("/w/policies/documents/").content.decode()) is offered
        detail = client.get(reverse("documents:detail", args=["policies", leave.pk])).content.decode()
        assert ("/classify/" in detail) is offered


def test_what_cannot_be_retried_says_why(leave, contributor, client_of):
    response = act(client_of(contributor), "retry", leave, version=leave.current_version.pk)

    assert "Only a version that failed or was set aside" in response.content.decode()


def test_a_version_of_another_document_is_not_retried(policies, leave, contributor, client_of):
    other = factories.document(policies, "other.md", by=contributor)
    version = factories.add_version(other, "x", by=contributor, state=VersionState.FAILED, failure_sentence="Damaged.")

    assert act(client_of(contributor), "retry", leave, version=version.pk).status_code == 404
    assert act(client_of(contributor), "retry", leave, version="nonsense").status_code == 404
    version.refresh_from_db()
    assert version.state == VersionState.FAILED


def test_deleting_says_what_goes_before_and_after(leave, manager, client_of):
    client = client_of(manager)
    before = client.get(reverse("documents:delete", args=["policies", leave.pk])).content.decode()
    assert Document.objects.get(pk=leave.pk).deleted_at is None

    after = act(client, "delete", leave, reason="Out of date").content.decode()

    assert "1 passage leaves the index with its vector." in before
    assert "It is erased right away. This cannot be undone." in before
    assert "“Leave policy” was deleted. 1 passage leaves the index now." in after
    assert '"reason":"Out of date"' in Event.objects.get(type=EventType.DOCUMENT_DELETED).body


def test_a_reason_that_is_too_long_deletes_nothing(leave, manager, client_of):
    response = act(client_of(manager), "delete", leave, reason="x" * 501)

    leave.refresh_from_db()
    assert leave.deleted_at is None
    assert "longer than 500 characters" in response.content.decode()


def test_a_manager_restricts_grants_revokes_and_opens_again(leave, manager, member, client_of):
    client = client_of(manager)
    url = reverse("documents:detail", args=["policies", leave.pk])

    act(client, "restrict", leave)
    assert client_of(member).get(url).status_code == 404
    act(client, "grant", leave, person=member.pk)
    assert client_of(member).get(url).status_code == 200
    act(client, "revoke", leave, person=member.pk)
    assert client_of(member).get(url).status_code == 404
    act(client, "unrestrict", leave)
    assert client_of(member).get(url).status_code == 200


def test_the_grant_form_offers_only_people_who_could_use_it(leave, manager, member, auditor, stranger, client_of):
    client = client_of(manager)
    restrict(leave, by=manager)
    shown = client.get(reverse("documents:detail", args=["policies", leave.pk])).content.decode()

    assert f'value="{member.pk}"' in shown
    for person in (auditor, stranger):
        assert f'value="{person.pk}"' not in shown
        response = act(client, "grant", leave, person=person.pk)
        assert "Choose somebody of this workspace" in response.content.decode()
    assert DocumentUserGrant.objects.count() == 1


def test_a_grant_that_is_not_there_is_not_taken_back(leave, manager, member, client_of):
    restrict(leave, by=manager)

    assert act(client_of(manager), "revoke", leave, person=member.pk).status_code == 404
    assert act(client_of(manager), "revoke", leave).status_code == 404


def test_who_takes_their_own_grant_loses_sight_of_the_document(leave, manager, member, client_of):
    client = client_of(manager)
    restrict(leave, by=manager)
    act(client, "grant", leave, person=member.pk)

    response = act(client, "revoke", leave, person=manager.pk)

    assert response.redirect_chain[-1][0] == "/w/policies/documents/"
    assert client.get(reverse("documents:detail", args=["policies", leave.pk])).status_code == 404


@pytest.mark.parametrize("name", ["delete", "restrict", "unrestrict", "grant", "revoke", "classify"])
def test_acts_of_managers_are_refused_to_everybody_else(leave, name, contributor, member, auditor, stranger, client_of):
    for person, status in ((contributor, 403), (member, 403), (auditor, 403), (stranger, 404)):
        assert act(client_of(person), name, leave).status_code == status

    leave.refresh_from_db()
    assert not leave.restricted
    assert leave.deleted_at is None


@pytest.mark.parametrize("name", ["retry", "delete", "restrict", "unrestrict", "grant", "revoke", "classify"])
def test_acts_do_not_reach_into_another_workspace(leave, legal, manager, name, client_of):
    response = act(client_of(manager), name, leave, slug="legal", version=leave.current_version.pk)

    leave.refresh_from_db()
    assert response.status_code == 404
    assert not leave.restricted
    assert leave.deleted_at is None


#: Deleting is asked for on a page of its own, which is read.
OF_A_DOCUMENT = ["retry", "restrict", "unrestrict", "grant", "revoke", "classify"]
OF_A_WORKSPACE = ["upload", "retry_all"]


@pytest.mark.parametrize("name", OF_A_DOCUMENT + OF_A_WORKSPACE)
def test_acts_happen_by_post_only(leave, manager, name, client_of):
    kwargs = {"slug": "policies"} | ({} if name in OF_A_WORKSPACE else {"pk": leave.pk})

    assert client_of(manager).get(reverse(f"documents:{name}", kwargs=kwargs)).status_code == 405
