"""Sentences against the passages they cite: what stands, what only seems to, and why."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers import grounding
from answers.chat.doubts import doubts
from answers.grounding import figures, polarity, sentence
from answers.grounding.sentence import Place, weigh_sentence
from answers.models import Grounding
from documents import analysis

ENGLISH = (
    "Employees of Nordvik Logistics receive 25 days of paid leave a year. Leave is requested from the team lead at "
    "least four weeks ahead. Unused leave is not paid out. Up to 5 days are carried over until 31 March 2025. "
    "The travel budget is EUR 1,250.50 for each person and 12.5 % of it may be spent on meals. "
    "Purchases above 10,000 euros are approved by Helena Brandt, the head of finance."
)
SERBIAN = (
    "Запослени имају право на 25 дана плаћеног одмора годишње. Захтев се подноси најкасније четири недеље унапред. "
    "Неискоришћени дани се не исплаћују. Највише 5 дана преноси се до 31. марта 2025. године. "
    "Буџет за путовања је 1.250,50 евра по особи. Набавке преко 10.000 евра одобрава Јелена Петровић у Београду."
)

STANDS = [
    (ENGLISH, "Employees receive twenty-five days of paid leave each year."),
    (ENGLISH, "Purchases above €10 000 are approved by Helena Brandt."),
    (ENGLISH, "Up to five days are carried over until March 31, 2025."),
    (ENGLISH, "Unused leave isn't paid out."),
    (ENGLISH, "The travel budget is 1.250,50 euros for each person."),
    (ENGLISH, "12.5 percent of the travel budget may be spent on meals."),
    (SERBIAN, "Zaposleni imaju pravo na dvadeset pet dana plaćenog odmora godišnje."),
    (SERBIAN, "Neiskorišćeni dani se ne isplaćuju."),
    (SERBIAN, "Највише пет дана преноси се до 31.3.2025. године."),
    (SERBIAN, "Budžet za putovanja je 1,250.50 EUR po osobi."),
    (SERBIAN, "Nabavke preko 10 000 evra odobrava Jelena Petrović iz Beograda."),
]
CONTRADICTS = [
    (ENGLISH, "Employees of Nordvik Logistics receive 28 days of paid leave a year.", "number", "28"),
    (ENGLISH, "Leave is requested from the team lead at least six weeks ahead.", "number", "six"),
    (ENGLISH, "Unused leave is paid out.", "negation", ""),
    (ENGLISH, "Leave is not requested from the team lead at least four weeks ahead.", "negation", ""),
    (ENGLISH, "Up to 5 days are carried over until 30 April 2025.", "date", "30 April 2025"),
    (ENGLISH, "Up to 5 weeks are carried over until 31 March 2025.", "unit", "5"),
    (ENGLISH, "Purchases above 10,000 euros are approved by Martin Brandt, the head of finance.", "name", "Martin"),
    (ENGLISH, "Employees of Sudwald Logistics receive 25 days of paid leave a year.", "name", "Sudwald"),
    (ENGLISH, "The travel budget is EUR 12,505.00 for each person.", "number", "12,505.00"),
    (ENGLISH, "Leave is requested from the team lead at most four weeks ahead.", "opposite", "most"),
    (SERBIAN, "Запослени имају право на 30 дана плаћеног одмора годишње.", "number", "30"),
    (SERBIAN, "Neiskorišćeni dani se isplaćuju.", "negation", ""),
    (SERBIAN, "Nabavke preko 10.000 evra odobrava Jelena Petrović u Novom Sadu.", "name", "Novom"),
    (SERBIAN, "Највише 5 дана преноси се до 31. маја 2025. године.", "date", "31. маја 2025"),
    (SERBIAN, "Nabavke ispod 10.000 evra odobrava Jelena Petrović u Beogradu.", "opposite", "ispod"),
]


def place(text: str, *, language: str | None = None) -> Place:
    return Place(text, text, "", analysis.detect_language(text) if language is None else language)


def codes(weighed: sentence.Weighed) -> list[str]:
    return [reason["code"] for reason in weighed.reasons]


@pytest.mark.parametrize(("source", "claim"), STANDS)
def test_a_sentence_that_says_the_same_in_another_form_stands(source, claim):
    weighed = weigh_sentence(claim, [place(source)])

    assert (weighed.verdict, codes(weighed)) == (Grounding.SUPPORTED, [])


@pytest.mark.parametrize(("source", "claim", "code", "what"), CONTRADICTS)
def test_a_sentence_that_differs_in_one_thing_does_not_stand_and_says_which(source, claim, code, what):
    weighed = weigh_sentence(claim, [place(source)])

    assert weighed.verdict in {Grounding.UNSUPPORTED, Grounding.PARTLY}
    assert (code, what) in [(reason["code"], reason["what"]) for reason in weighed.reasons]
    assert grounding.in_words(weighed.reasons[0]) != weighed.reasons[0]["code"]


def test_each_kind_of_contradiction_would_pass_without_its_check(monkeypatch):
    monkeypatch.setattr(sentence, "_wrong_figures", lambda *_: [])
    monkeypatch.setattr(sentence, "_wrong_names", lambda *_: [])
    monkeypatch.setattr(sentence, "_wrong_sense", lambda *_: [])

    believed = [weigh_sentence(claim, [place(source)]).verdict for source, claim, *_ in CONTRADICTS]

    assert believed.count(Grounding.SUPPORTED) >= len(CONTRADICTS) - 2


def test_a_sentence_with_the_mark_of_another_passage_does_not_stand():
    weighed = weigh_sentence("Employees receive 25 days of paid leave.", [place("The canteen serves lunch until two.")])

    assert weighed.verdict == Grounding.UNSUPPORTED


def test_a_number_from_elsewhere_in_the_passage_is_doubted():
    quote = "Employees of Nordvik Logistics receive 25 days of paid leave a year."
    cited = Place(quote, ENGLISH, "", "en")

    weighed = weigh_sentence("Employees of Nordvik Logistics receive 5 days of paid leave a year.", [cited])

    assert (weighed.verdict, codes(weighed)) == (Grounding.PARTLY, ["number_elsewhere"])


def test_a_name_of_the_documents_title_is_no_invention():
    cited = Place(
        "Leave is requested four weeks ahead.", "Leave is requested four weeks ahead.", "Handbook Nordvik", "en"
    )

    weighed = weigh_sentence("At Nordvik leave is requested four weeks ahead.", [cited])

    assert weighed.verdict == Grounding.SUPPORTED


def test_across_languages_figures_are_compared_and_words_are_not():
    claim = "Zaposleni imaju 25 dana odmora do 31. marta 2025."
    right = weigh_sentence(claim, [place(ENGLISH)], spoken="sr")
    wrong = weigh_sentence(claim.replace("25 ", "28 "), [place(ENGLISH)], spoken="sr")
    near = weigh_sentence(claim, [place(ENGLISH)], lambda *_: 0.9, spoken="sr")

    assert (right.share, right.verdict, codes(right)) == (None, Grounding.PARTLY, ["language"])
    assert (wrong.verdict, codes(wrong)) == (Grounding.UNSUPPORTED, ["number"])
    assert (near.verdict, codes(near)) == (Grounding.SUPPORTED, ["near"])


def test_nearness_helps_a_paraphrase_and_never_a_wrong_number():
    paraphrase = "Staff of Nordvik Logistics get 25 days of paid leave every year."
    wrong = paraphrase.replace("25", "35")

    assert weigh_sentence(paraphrase, [place(ENGLISH)], lambda *_: 0.9).verdict == Grounding.SUPPORTED
    assert weigh_sentence(wrong, [place(ENGLISH)], lambda *_: 0.99).verdict == Grounding.UNSUPPORTED


def test_an_uncited_sentence_does_not_stand_but_the_lead_in_of_a_list_rests_on_its_first_item():
    first, second, third = grounding.weigh(
        "For purchases above 10,000 euros:\n\nHelena Brandt approves purchases. [1]\n\nDogs bark loudly.",
        {1: place(ENGLISH)},
    )

    assert first.verdict == Grounding.SUPPORTED
    assert second.verdict == Grounding.SUPPORTED
    assert (third.verdict, third.reasons) == (Grounding.UNSUPPORTED, [{"code": "uncited", "what": ""}])


def test_the_summary_counts_verdicts_and_takes_the_lowest_figure():
    summary = grounding.summarise(
        grounding.weigh("Unused leave is not paid out. [1] Dogs bark loudly.", {1: place(ENGLISH)})
    )

    assert (summary.sentences, summary.unsupported, summary.partly, summary.lowest) == (2, 1, 0, 0.0)
    assert (summary.share_unsupported, summary.verdict) == (0.5, Grounding.UNSUPPORTED)


def test_a_contradicted_sentence_is_the_lowest_however_many_of_its_words_stand():
    (checked,) = grounding.weigh("Employees receive 28 days of paid leave. [1]", {1: place(ENGLISH)})

    assert checked.grounding == 1.0
    assert grounding.summarise([checked]).lowest == 0.0


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234.5", {"1234.5"}), ("1.234,5", {"1234.5"}), ("1.234", {"1.234", "1234"}), ("0,125", {"0.125"}),
        ("1 234 567", {"1234567"}), ("1.5 million", {"1500000"}), ("1,5 милиона", {"1500000"}),
        ("twenty-one", {"21"}), ("двадесет и један", {"21"}), ("section 3.2.1", {"3.2.1"}), ("-4", {"-4"}),
    ],
)  # fmt: skip
def test_numbers_mean_what_both_languages_write(text, values):
    (number,) = figures.read(text, only_claimed=True).numbers

    assert number.values == values


@pytest.mark.parametrize(
    "text", ["March 12, 2024", "12 March 2024", "12th of March 2024", "12. marta 2024.", "12. март 2024", "2024-03-12",
             "12.3.2024.", "03/12/2024", "12/03/2024"]
)  # fmt: skip
def test_a_date_is_the_same_in_every_spelling(text):
    (date,) = figures.read(f"It ends on {text}", only_claimed=True).dates

    assert (2024, 3, 12) in date.meanings
    assert figures.read(f"It ends on {text}", only_claimed=True).numbers == ()


def test_may_is_a_verb_and_an_article_has_no_first_of_march():
    assert figures.read("You may 5 times march 3 miles.").dates == ()


@given(st.text(alphabet="0123456789.,'- /%€aбmMaršпет\n", max_size=60))
def test_any_text_can_be_read_for_figures_and_agrees_with_itself(text):
    read = figures.read(text)

    assert all(number.agrees(read.numbers) for number in read.numbers)
    assert all(date.agrees(read.dates, read.numbers) for date in read.dates)


_ANYTHING = st.text(alphabet="AaБбčN not.,:!? 0123456789%€-'\n[]()„“", max_size=80)


@given(_ANYTHING, _ANYTHING)
def test_any_sentence_gets_a_verdict_from_any_source(text, source):
    weighed = weigh_sentence(text, [place(source, language="en")], spoken="en")

    assert weighed.verdict in Grounding.values
    assert all(grounding.in_words(reason) for reason in weighed.reasons)


@given(st.sampled_from(re.split(r"(?<=[.]) (?=[A-ZЗНБ])", f"{ENGLISH} {SERBIAN}")))
def test_nothing_denies_itself(text):
    language = analysis.detect_language(text)

    assert not polarity.denial_differs(text, text, language)
    assert polarity.opposite(text, text) is None


def test_a_reader_is_told_each_doubted_sentence_with_its_verdict_and_reasons():
    sentences = grounding.weigh(
        "Unused leave is not paid out. [1] Employees of Nordvik Logistics receive 28 days of paid leave a year. [1]",
        {1: place(ENGLISH)},
    )

    (doubt,) = doubts(sentences)

    assert doubt.text == "Employees of Nordvik Logistics receive 28 days of paid leave a year."
    assert (doubt.label, doubt.tone) == ("Unsupported", "fail")
    assert doubt.reasons == ("The number 28 is not in the cited passage.",)
