"""An asker is told how it went in the language and script of the question."""

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

from answers import pipeline
from answers.language import language_of, speaking
from answers.states import WORDING, AnswerStatus
from documents.analysis import script

CATALOGS = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many days of leave do I have?", "en"),
        ("Koliko dana odmora imam i kada mogu da ga uzmem?", "sr-latn"),
        ("Колико дана одмора имам и када могу да га узмем?", "sr"),
        ("Xyzzy", ""),
    ],
)
def test_the_language_of_a_question_is_known(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize("status", AnswerStatus.values)
def test_every_ending_is_told_in_both_scripts(status):
    told = {}
    for language in ("en", "sr", "sr-latn"):
        with speaking(language):
            told[language] = str(WORDING[status].sentence)

    english, cyrillic, latin = told.values()
    assert script(cyrillic) == "cyrl"
    assert script(latin) == "latn"
    assert latin != english


def test_every_step_and_status_is_labelled_in_serbian():
    texts = [*pipeline.LABELS.values(), *(status.label for status in AnswerStatus)]

    with speaking("sr"):
        untranslated = [str(text) for text in texts if script(str(text)) != "cyrl"]

    assert untranslated == []


@pytest.mark.parametrize("po", CATALOGS, ids=[po.parent.parent.name for po in CATALOGS])
def test_a_compiled_catalog_is_the_one_that_is_written(po):
    with po.open("rb") as file:
        written = read_po(file)
    with po.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)

    assert _told(compiled) == _told(written)
    assert len(CATALOGS) == 2


def _told(catalog):
    """What is translated, by context and id; a plural has several of both."""
    rows = {(_text(m.context), _several(m.id)): _several(m.string) for m in catalog if m.id and not m.fuzzy}
    return {key: strings for key, strings in rows.items() if all(strings)}


def _text(context):
    """A compiled catalog gives its contexts as bytes."""
    return context.decode() if isinstance(context, bytes) else context


def _several(texts):
    return (texts,) if isinstance(texts, str) else tuple(texts)
