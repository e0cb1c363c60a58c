"""The analyser: what counts as the same word."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.analysis import LANGUAGES, detect_language, joined_words, query_words, script, words


@pytest.mark.parametrize("other", ["годишњи одмор", "Godisnji odmor", "GODIŠNJI ODMOR", "godišnjeg odmora"])
def test_serbian_meets_itself_across_scripts_cases_and_missing_diacritics(other):
    assert words(other, "sr") == words("godišnji odmor", "sr")


def test_dj_is_how_people_type_it():
    assert words("nalog za Đorđa", "sr") == words("налог за Ђорђа", "sr") == words("nalog za Djordja", "sr")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("The policies", "a policy"),
        ("café", "cafe\u0301"),
        ("file", "ﬁle"),
        ("software", "soft\u00adware"),
        ("1,234.5", "1234.5"),
        ("FY2022", "fy 2022"),
    ],
)
def test_spellings_of_one_word_are_one_word(text, same):
    assert words(text, "en") == words(same, "en")


def test_letters_and_digits_stay_together():
    assert words("3M's 10-K of 12.5 kg", "en") == ["3m", "10", "k", "12.5", "kg"]


def test_a_serbian_prefix_does_not_meet_an_english_word():
    # "policija" cut to five letters must not find the English "polic…".
    assert not set(words("policija", "sr")) & set(words("police policies", "en"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the notice period for a supplier?", "en"),
        ("Koliko dana odmora imam?", "sr"),
        ("Колико дана годишњег одмора имам?", "sr"),
        ("Wie lange ist die Kündigungsfrist?", "de"),
        ("Quel est le délai de préavis ?", "fr"),
        ("¿Cuál es el plazo de aviso?", "es"),
        ("Qual è il termine di preavviso?", "it"),
        ("parental leave", ""),
        ("Что это такое и зачем мы это делаем?", ""),
        ("2019 2020 2021", ""),
        ("", ""),
    ],
)
def test_language_is_told_by_script_and_stop_words(text, language):
    assert detect_language(text) == language


def test_the_script_of_a_text_is_that_of_most_of_its_letters():
    assert script("Програм Git у другим окружењима") == "cyrl"
    assert script("Program Git u drugim okruženjima") == "latn"
    assert script("42") == "latn"


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("parental leave", "Employees on parental leave keep their seats."),
        ("odobrenje troskova", "Одобрење трошкова потписује руководилац."),
        ("granice odobrenja", "Granica odobrenja za nabavku je 5.000 evra."),
        ("Kündigungsfrist", "Die Kündigungsfristen sind in dem Vertrag geregelt."),
    ],
)
def test_a_question_too_short_to_show_its_language_still_meets_the_passage(question, passage):
    held = set(words(passage))

    assert all(held.intersection(forms) for forms in query_words(question))


def test_a_question_holds_each_word_once_and_no_stop_words():
    asked = query_words("Is the leave the same as the other leave?")

    assert [forms[0] for forms in asked] == ["leav"]


def test_a_name_written_as_one_word_is_met_by_its_two_words():
    assert set(words("BESTBUY 2023", "en")) & joined_words("What did Best Buy acquire?") == {"bestbuy"}


@given(st.text(max_size=300))
def test_any_text_is_analysed_the_same_in_upper_and_lower_case_or_refused_by_nobody(text):
    found = words(text, "en")

    assert all(word and " " not in word for word in found)
    assert found == words(text, "en")


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_what_is_asked_is_among_what_is_stored_when_the_text_is_the_question(text, language):
    stored = {*words(text, language), *words(text)}

    assert stored >= {forms[0] for forms in query_words(text) if detect_language(text)}


def test_the_words_of_a_text_do_not_depend_on_the_process():
    text = "Подаци о запосленима и leave policy"
    code = f"import json; from documents.analysis import words; print(json.dumps(words({text!r})))"

    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(other.stdout) == words(text)
