"""The pages and the command of a change of the embedding model, through the browser's door and a terminal's."""

import json
from html import unescape
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from answers.models import Answer, Question
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.embedding import endpoints as embedding_endpoints
from documents.embedding import multilingual
from documents.embedding.spaces import space_of
from documents.models import EmbeddingEndpoint, SpaceMigration
from documents.reembedding import comparing, dropping, steering
from documents.reembedding.page import duration
from documents.reembedding.problems import ReembeddingError
from tests.documents.reembedding.scene import QUESTIONS, to_the_end
from workspaces.endpoints.keys import KeyMissing
from workspaces.exceptions import Refused
from workspaces.members import add_member

pytestmark = pytest.mark.django_db

PAGE = "/w/policies/documents/embedding/"


def shown(client, page=PAGE):
    return unescape(client.get(page).content.decode())


def steered(client, act):
    migration = SpaceMigration.objects.latest("planned_at")
    return unescape(client.post(f"{PAGE}{migration.pk}/steer/", {"act": act}, follow=True).content.decode())


def test_a_manager_goes_all_the_way_on_the_page(client_of, manager, shelved, endpoint, monkeypatch):
    monkeypatch.setattr(dropping, "SETTLE", dropping.SETTLE * 0)
    monkeypatch.setattr(multilingual, "is_installed", lambda: False)
    client = client_of(manager)
    assert "No other embedding model is connected." in shown(client)
    endpoint("wide", price="2.5")
    assert "wide" in shown(client)

    client.post(f"{PAGE}plan/", {"to": "wide"})
    assert "Vectors to make" in shown(client)
    assert "Start" in shown(client)
    assert "every 1500ms" not in shown(client)

    assert "made in the background" in steered(client, "start")
    assert "0 of 10 passages" in shown(client)
    assert "every 1500ms" in shown(client, f"{PAGE}progress/")
    migration = to_the_end(SpaceMigration.objects.get())
    assert client.get(f"{PAGE}progress/").headers["HX-Refresh"] == "true"
    assert "Compare both models on questions" in shown(client)
    assert "sends the words that people here asked with to “wide”" in shown(client)

    wrong = client.post(f"{PAGE}{migration.pk}/compare/", {"questions": ""}, follow=True)
    assert "No question was answered here yet" in wrong.content.decode()
    written = "\n".join(f"{text} | {path}" for text, path in QUESTIONS.items())
    client.post(f"{PAGE}{migration.pk}/compare/", {"questions": written})
    comparing.work(migration.comparisons.get().pk)
    page = shown(client)
    assert "Expected documents among the first ten" in page
    assert "These are only 5 questions" in page
    assert "How long does parental leave last?" in page

    assert "searched with the new model" in steered(client, "switch")
    assert space_of(shelved.pk).name == "wide"
    assert "Each question asked here is sent to that server too." in shown(client)
    assert "sends the words that people here asked with" not in shown(client)
    assert "searched as before" in steered(client, "roll_back")
    steered(client, "switch")
    assert "being removed" in steered(client, "drop")
    to_the_end(migration)
    assert "Earlier changes" in shown(client)
    # And back, where the built-in model is offered now.
    assert "minilm-l6-int8" in shown(client)


def test_an_act_that_the_state_does_not_allow_is_refused_in_words(client_of, manager, building_to):
    building_to()
    client = client_of(manager)

    assert "cannot be done now" in steered(client, "switch")
    assert client.post(f"{PAGE}{SpaceMigration.objects.get().pk}/steer/", {"act": "explode"}).status_code == 400


def test_words_of_a_question_are_shown_to_whoever_may_read_it_alone(
    client_of, manager, make_user, member, built, shelved
):
    other = make_user("other-manager")
    add_member(shelved, other, "manager", by=None)
    for person, text in ((manager, "How long are contracts kept?"), (member, "When is a lost badge reported?")):
        question = Question.objects.create(workspace=shelved, asked_by=person, text=text, language="en")
        Answer.objects.create(
            question=question,
            workspace=shelved,
            asked_by=person,
            policy="open",
            status=AnswerStatus.ANSWERED,
            released_text="So.",
            released_sha256="0" * 64,
            released_at=timezone.now(),
        )
    migration = built()
    comparison = steering.compare(migration, by=manager)
    comparing.work(comparison.pk)

    page = shown(client_of(manager))
    assert "How long are contracts kept?" in page
    assert "lost badge" not in page
    assert "somebody else's question" in page
    assert "contracts" not in shown(client_of(other))


@pytest.mark.parametrize("who", ["member", "contributor", "reviewer", "auditor"])
def test_others_of_the_workspace_reach_none_of_it(client_of, request, building_to, who):
    migration = building_to()
    client = client_of(request.getfixturevalue(who))

    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}{migration.pk}/steer/", {"act": "pause"}).status_code == 403
    assert SpaceMigration.objects.get().state == "building"


def test_a_stranger_finds_nothing_there(client_of, stranger, building_to):
    migration = building_to()

    assert client_of(stranger).get(PAGE).status_code == 404
    with pytest.raises(Refused):
        steering.cancel(migration, by=stranger)


# --- The command --------------------------------------------------------------------------------------------


def typed(*words):
    out = StringIO()
    code = 0
    try:
        call_command("embedding", "policies", *words, "--as", "manager", "--json", stdout=out)
    except SystemExit as stop:
        code = stop.code
    return json.loads(out.getvalue()), code


def test_a_terminal_goes_the_same_way(manager, shelved, endpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(dropping, "SETTLE", dropping.SETTLE * 0)
    monkeypatch.setattr(multilingual, "is_installed", lambda: False)
    endpoint("wide")
    assert typed()[0]["choices"] == ["wide"]
    assert typed("plan", "--to", "wide")[0]["migration"]["state"] == "planned"
    told, code = typed("start", "--wait")
    assert (told["migration"]["state"], told["migration"]["done"], code) == ("comparing", 10, 0)
    (tmp_path / "set.txt").write_text("\n".join(f"{text} | {path}" for text, path in QUESTIONS.items()))
    told, _code = typed("compare", "--questions", str(tmp_path / "set.txt"), "--wait")
    assert told["comparison"]["summary"]["recall"] == [100, 100]
    assert typed("switch")[0]["searched"] == "wide"
    out = StringIO()
    call_command("index", "verify", "policies", "--json", stdout=out)
    [verified] = json.loads(out.getvalue())["workspaces"]
    beside = {"space": "minilm-l6-int8", "missing": 0, "foreign": 0, "unembedded": 0}
    assert (verified["ok"], verified["beside"]) == (True, beside)
    assert typed("roll-back")[0]["searched"] == "minilm-l6-int8"
    assert typed("drop", "--wait")[0]["migration"]["state"] == "done"


# --- Endpoints in the administration ------------------------------------------------------------------------


def form(server, **changed):
    given = {
        "name": "house", "base_url": server.url, "model": "rotated", "dimension": "384", "query_prefix": "",
        "passage_prefix": "", "languages": "*", "key_reference": "", "ceiling": "internal", "price": "",
        "currency": "EUR",
        "batch": "16", "seconds": "5", "floor": "0.3", "residency": "unknown",
    }  # fmt: skip
    return given | changed


def at(act, endpoint=None):
    return reverse(f"admin:documents_embeddingendpoint_{act}", args=[endpoint.pk] if endpoint else [])


def test_an_administrator_connects_changes_and_tests_an_endpoint(client_of, admin, manager, policies, server):
    client = client_of(admin)
    client.post(at("add"), form(server))
    endpoint = EmbeddingEndpoint.objects.get()
    client.post(at("change", endpoint), form(server, ceiling="confidential", model="another"))
    endpoint.refresh_from_db()
    assert (endpoint.ceiling, endpoint.model) == ("confidential", "rotated")

    tested = unescape(client.post(at("test", endpoint), follow=True).content.decode())

    assert "alike" in tested
    assert Event.objects.filter(type=EventType.ENDPOINT_CHANGED).count() == 2
    assert Event.objects.filter(type=EventType.ENDPOINT_TESTED, actor_id=str(admin.pk)).count() == 1
    assert client_of(manager).post(at("test", endpoint)).status_code == 403
    assert client_of(manager).get(at("change", endpoint)).status_code == 403
    server.refusals[:] = [(401, "")]
    assert "refused access" in client.post(at("test", endpoint), follow=True).content.decode()


def test_what_says_which_space_it_is_stays_and_a_key_goes_nowhere_else(admin, endpoint, server, settings):
    made = endpoint(key_reference="INLOCK_KEY_HOUSE")
    made.model = "wide"
    with pytest.raises(ReembeddingError, match="stay as they are"):
        embedding_endpoints.save_endpoint(made, by=admin)

    made.model, made.base_url = "rotated", "http://127.0.0.2:80/v1"
    assert embedding_endpoints.save_endpoint(made, by=admin).key_reference == ""

    made.key_reference = "SECRET_KEY"
    with pytest.raises(KeyMissing, match="INLOCK_KEY_"):
        embedding_endpoints.save_endpoint(made, by=admin)


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "less than a minute"), (300, "about 5 minutes"), (9000, "about 2 hours")]
)
def test_a_duration_is_told_as_a_person_tells_it(seconds, said):
    assert duration(seconds) == said
