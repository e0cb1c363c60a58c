"""What the built-in version finds in a draft by itself, and what it leaves alone."""

from uuid import UUID

import pytest

from answers.draft_review import clauses, consistency, guidance, sections, terms
from answers.models import FindingCategory, Severity
from answers.steps.state import Source

_ID = UUID(int=1)


def passage(text: str, language: str = "en") -> Source:
    return Source(1, _ID, _ID, _ID, "Guidance", text, 0, len(text), None, "", language, "0" * 64, {})


@pytest.mark.parametrize(
    ("text", "at", "instead"),
    [
        (
            "The notice period for termination is 30 days. Fees are due monthly.\n\n"
            "For termination the notice period is sixty days in writing.",
            "sixty days",
            "30 days",
        ),
        (
            "The agreement takes effect on 1 March 2027.\n\nThis agreement takes effect on 1 May 2027 for all sites.",
            "1 May 2027",
            "1 March 2027",
        ),
        (
            "Rok plaćanja fakture je 30 dana od prijema.\n\nDospeće: rok plaćanja fakture je 45 dana od prijema.",
            "45 dana",
            "30 dana",
        ),
    ],
)
def test_a_draft_that_contradicts_itself_is_shown_both_places(text, at, instead):
    found = list(consistency.check(text, "sr" if "Rok" in text else "en"))

    assert [text[one.start : one.end] for one in found] == [at]
    assert text[slice(*found[0].other)] == instead == found[0].suggestion
    assert found[0].category == FindingCategory.INCONSISTENT


@pytest.mark.parametrize(
    "text",
    [
        "The notice period is 30 days. The notice period is thirty days.",
        "Invoices are paid within 30 days. Complaints are answered within 10 days.",
        "The deposit is EUR 500. The deposit is refunded after 30 days.",
        "Rates are 10 % and 20 % by year. Rates are 15 % in the first year.",
    ],
)
def test_figures_that_agree_or_speak_of_other_things_are_left_alone(text):
    assert list(consistency.check(text, "en")) == []


def test_a_figure_of_the_guidance_is_proposed_in_place_of_another_one():
    draft = "1. Leave\nThe second parent takes 30 working days of paid parental leave after the birth."
    rule = passage("Parents are told early. The second parent takes 20 working days of paid parental leave.")

    (found,) = guidance.check(draft, 0, len(draft), "en", [rule])

    assert (draft[found.start : found.end], found.suggestion) == ("30", "20")
    assert rule.text[slice(*found.cited)] == "The second parent takes 20 working days of paid parental leave."
    assert found.severity == Severity.BLOCKER


def test_the_opposite_of_the_guidance_is_told_and_nothing_is_proposed():
    draft = "Team leads may not approve purchases of office furniture."
    (found,) = guidance.check(
        draft, 0, len(draft), "en", [passage("Team leads may approve purchases of office furniture.")]
    )

    assert (found.category, found.suggestion) == (FindingCategory.CONFLICT, "")


def test_another_wording_of_an_approved_sentence_is_shown_with_it_and_the_same_one_is_not():
    approved = "Each party keeps the confidential information of the other party secret for five years."
    draft = f"{approved} Each party keeps confidential information of the other party secret for some years."

    # A line of the source's page ends in the middle of it; the wording that is proposed has no such line.
    found = list(guidance.check(draft, 0, len(draft), "en", [passage(approved.replace("other party", "other\nparty"))]))

    assert [draft[one.start : one.end] for one in found] == [draft[len(approved) + 1 :]]
    assert found[0].suggestion == approved
    assert found[0].category == FindingCategory.DEVIATION


def test_a_figure_that_a_lines_end_divides_is_proposed_and_told_without_it():
    draft = "Either party ends this agreement in writing with 30 days of notice."
    guide = passage("Either party ends this agreement in writing with 60\ndays of notice.")

    [found] = guidance.check(draft, 0, len(draft), "en", [guide])

    assert found.suggestion == "60 days"
    assert found.explanation == "The draft says “30 days”, the guidance says “60 days”."


def test_guidance_in_another_language_is_not_held_against_the_words():
    draft = "The second parent takes 30 working days of paid parental leave."
    assert not list(
        guidance.check(draft, 0, len(draft), "en", [passage("Drugi roditelj ima 20 radnih dana odsustva.", "sr")])
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Services” means the work described below. “Fees” means the prices. The Fees are due.", {"Services"}),
        ('Acme (the "Supplier") delivers goods. Goods are paid for.', {"Supplier"}),
        ('Acme (the "Supplier") delivers goods. Suppliers\' goods are paid for.', set()),
        ("„Poverljive informacije“ označava sve podatke. Strana čuva poverljive informacije.", set()),
        ("„Poverljive informacije“ označava sve podatke. Strana ih čuva.", {"Poverljive informacije"}),
        ("Preduzeće Beta (u daljem tekstu: Naručilac) plaća. Obaveze naručioca su dole.", set()),
        ("Предузеће Бета (у даљем тексту: Наручилац) плаћа на време.", {"Наручилац"}),
        (
            "“Fees” means the prices. Fees are due from the Receiving Party, and the Receiving Party pays the Fees.",
            {"Receiving Party"},
        ),
        ("We thank the Receiving Party, and the Receiving Party thanks us.", set()),
        ("“Fees” means the prices. Fees are due under the Companies Act and the Companies Act alone.", set()),
        ("“Fees” means prices. Fees fall due. “Fees” means costs.", {"Fees"}),
    ],
)
def test_terms_without_use_or_definition_are_found(text, expected):
    assert {text[one.start : one.end] for one in terms.check(text)} == expected


def test_what_a_checklist_of_the_guidance_asks_for_and_no_clause_treats_is_missing():
    rules = "Every contract must contain:\n- Term and termination\n- Liability cap\n- Governing law\n"
    draft = "1. Term\nThe term is two years and termination takes notice.\n\n2. Law\nSerbian governing law applies."
    parts = clauses.split(draft)

    (found,) = sections.by_checklist(draft, parts, [passage(rules)], "en")

    assert rules[slice(*found.cited)] == "Liability cap"
    assert (found.start, found.end, found.suggestion) == (len(draft), len(draft), "")
    assert not list(sections.by_checklist(draft, parts, [passage(rules.replace("must contain", "has"))], "en"))


def test_a_section_of_the_closest_document_that_the_draft_lacks_is_proposed_with_its_words():
    draft = "# Confidentiality\nEach party keeps the information of the other party secret for five years."
    kept = sections.Section("Confidentiality", passage("Each party keeps information secret."))
    lacking = sections.Section("Return of documents", passage("Documents are returned or destroyed on request."))

    (found,) = sections.by_document(draft, clauses.split(draft), [kept, lacking], "en")

    assert found.suggestion == "\n\nDocuments are returned or destroyed on request."
    assert found.source == lacking.source
