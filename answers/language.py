"""Speak to the asker in the language of the question: English, or Serbian in the script it was asked in."""

from contextlib import AbstractContextManager

from django.utils import translation

from documents import analysis

ENGLISH, SERBIAN, SERBIAN_LATIN = "en", "sr", "sr-latn"


def language_of(text: str) -> str:
    """The code of the language `text` is written in; Serbian in Latin script is "sr-latn"; "" when unknown."""
    return in_script(analysis.detect_language(text), text)


def in_script(language: str, text: str) -> str:
    """The code of `language` as `text` is written in it: "sr-latn" for Serbian in Latin script."""
    if language == SERBIAN and analysis.script(text) == "latn":
        return SERBIAN_LATIN
    return language


def spoken_as(language: str) -> str:
    """The locale a turn asked in `language` is spoken in: that one where the portal speaks it, else the page's."""
    if language in {SERBIAN, SERBIAN_LATIN, ENGLISH}:
        return language
    return translation.get_language() or ENGLISH


def speaking(language: str) -> AbstractContextManager[None]:
    """Translate what is said inside for a person who asked in `language`; English where we do not speak it."""
    return translation.override(language if language in {SERBIAN, SERBIAN_LATIN} else ENGLISH)
