"""Whether what was found can carry an answer: the signs, the chance, and how sure a workspace wants to be."""

from types import SimpleNamespace

import pytest

from answers.checks import answerability
from answers.checks import settings as checks
from answers.checks.answerability import LEAST_CHANCE, Signs, signs_of
from answers.exceptions import EndpointError
from answers.models import Answer, ModelEndpoint, Strictness, WorkspaceChecks
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.retrieval.evidence import Evidence
from documents.search import search
from tests.answers import library
from workspaces.exceptions import Forbidden, Hidden

QUESTION = "How many weeks of paid parental leave does the first parent take?"
MISSES = [
    "How many weeks of parental leave does the third grandparent of Zorblatt Industries take in 1987?",
    "What is the boiling point of liquid helium?",
    "Ко је освојио светско првенство у фудбалу 1998. године?",
]


def chance(workspace, person, question):
    return signs_of(workspace, search(person, workspace, question, k=8)).chance


def test_a_question_whose_words_names_and_figures_stand_has_the_better_chance(policies, handbook, member):
    good = chance(policies, member, QUESTION)

    assert good >= LEAST_CHANCE[Strictness.STRICT]
    assert all(chance(policies, member, question) < good for question in MISSES)
    assert all(chance(policies, member, question) < LEAST_CHANCE[Strictness.BALANCED] for question in MISSES[1:])


@pytest.mark.parametrize(
    "worse",
    [{"nearness": 0.1}, {"covered": 0.2}, {"nowhere": 0.6}, {"unnamed": 1.0}, {"uncounted": 0.5}, {"denied": 1.0},
     {"opposed": 1.0}],
)  # fmt: skip
def test_every_sign_weighs_in_its_own_direction(worse):
    good = {"nearness": 0.4, "covered": 0.8}

    assert Signs(**(good | worse)).chance < Signs(**good).chance


def test_meaning_alone_decides_across_languages_and_words_alone_where_vectors_say_nothing():
    assert Signs(0.45, None).are_enough(Strictness.BALANCED)
    assert not Signs(-0.1, None).are_enough(Strictness.BALANCED)
    assert Signs(None, 0.9).are_enough(Strictness.BALANCED)
    assert not Signs(None, 0.1, nowhere=0.8).are_enough(Strictness.BALANCED)
    assert Signs(None, None).chance == 0


def test_a_strict_workspace_refuses_what_a_lenient_one_answers(
    policies, handbook, member, manager, answered, monkeypatch
):
    monkeypatch.setattr(answerability.Signs, "chance", LEAST_CHANCE[Strictness.STRICT] - 1)
    endings = {}
    for strictness in Strictness.values:
        checks.choose(policies, strictness=strictness, judge=None, by=manager)
        endings[strictness] = answered(policies, QUESTION, member)

    assert {name: answer.status for name, answer in endings.items()} == {
        Strictness.LENIENT: AnswerStatus.ANSWERED,
        Strictness.BALANCED: AnswerStatus.ANSWERED,
        Strictness.STRICT: AnswerStatus.REFUSED_NO_EVIDENCE,
    }
    step = endings[Strictness.STRICT].steps.get(step="retrieve").detail
    assert (step["strictness"], step["least_chance"], step["chance"]) == ("strict", 40, 39)


def test_the_choice_is_kept_with_before_and_after(policies, manager):
    checks.choose(policies, strictness="strict", judge=None, by=manager)
    checks.choose(policies, strictness="strict", judge=None, by=manager)

    (event,) = Event.objects.filter(type=EventType.WORKSPACE_CHANGED, body__contains="strictness")
    assert '"after":{"judge":"","strictness":"strict"},"before":{"judge":"","strictness":"balanced"}' in event.body
    assert checks.of(policies).strictness == Strictness.STRICT


def test_only_a_manager_chooses(policies, member, stranger):
    with pytest.raises(Forbidden):
        checks.choose(policies, strictness="strict", judge=None, by=member)
    with pytest.raises(Hidden):
        checks.choose(policies, strictness="strict", judge=None, by=stranger)

    assert not WorkspaceChecks.objects.exists()


def test_the_built_in_model_is_no_judge(policies, manager):
    with pytest.raises(EndpointError):
        checks.choose(policies, strictness="strict", judge=ModelEndpoint.objects.get(name="built-in"), by=manager)

    assert not Answer.objects.exists()
    assert checks.of(policies).judge is None


def test_a_serbian_question_is_decided_by_its_words_in_both_scripts(policies, member):
    library.add_document(
        policies,
        "pravilnik.md",
        "# Правилник о раду\n\nЗапослени имају право на 25 дана плаћеног годишњег одмора. "
        "Захтев за одмор подноси се непосредном руководиоцу најкасније четири недеље унапред.",
    )

    for question in ("Колико дана годишњег одмора имају запослени?", "Kome se podnosi zahtev za odmor?"):
        assert chance(policies, member, question) >= LEAST_CHANCE[Strictness.BALANCED], question
    for question in ("Ко је изабран за председника општине?", "Koliko košta karta za autobus do Niša?"):
        assert chance(policies, member, question) < LEAST_CHANCE[Strictness.BALANCED], question


def found(question, evidence, *texts):
    """A search in English that came back with these passages, each (language, text), and this evidence."""
    hits = [
        SimpleNamespace(
            passage=SimpleNamespace(language=language, text=text), document=SimpleNamespace(title="Rules"), locator="1"
        )
        for language, text in texts
    ]
    return SimpleNamespace(query=question, language="en", hits=hits, evidence=evidence)


def test_an_answer_in_another_language_is_not_refused_for_what_stands_beside_it(policies, handbook, member):
    """One passage in the asker's own language, about something else, made its words decide."""
    foreign, beside = ("sr", "Превоз до посла надокнађује се у целости."), ("en", "Guests park behind the house.")
    search(member, policies, QUESTION)
    near = Evidence(0.55, 0.0, 0.35, across=0.55)

    alone, mixed = (
        signs_of(policies, found("Who pays for the commute of employees?", near, *texts))
        for texts in ([foreign], [foreign, beside])
    )
    far = signs_of(policies, found("Who pays for the commute?", Evidence(0.2, 0.0, 0.35, across=0.2), foreign, beside))

    assert mixed.are_enough(Strictness.BALANCED)
    assert mixed.chance == alone.chance
    assert not far.are_enough(Strictness.BALANCED)


def test_between_languages_nearness_alone_makes_finds_usable():
    assert Evidence(0.45, 0.0, 0.35, across=0.45).usable
    assert not Evidence(0.45, 0.0, 0.35).usable
    assert not Evidence(0.2, 0.0, 0.35, across=0.2).usable
