"""Sections that a draft should have and does not: by a checklist in the guidance, or by its closest document. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from answers.draft_review.clauses import Part
from answers.draft_review.found import Found
from answers.models import FindingCategory, Severity
from answers.steps.state import Source
from documents import analysis

#: What a checklist is called; the words of a search for one.
SEARCH = "checklist required sections must contain obavezni delovi kontrolna lista mora da sadrži"
_CHECKLIST = re.compile(
    r"check ?list|required (?:sections|clauses|content|parts)|must (?:contain|include|have)"
    r"|mandatory (?:sections|clauses)"
    r"|kontroln\w+ list|obavezn\w+ (?:delov|element|klauzul|odredb|sadrž)|mora (?:da )?sadrž"
    r"|контролн\w+ лист|обавезн\w+ (?:делов|елемент|клаузул|одредб|садрж)|мора (?:да )?садрж",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^[ \t]*(?:[-*•–]|\(?\d{1,2}[.)]|\(?[a-z]\)|\[[ x]?\])\s+(?P<item>\S.*?)[ \t;,.]*$", re.MULTILINE)
#: Of the words of an item or heading, so many have to stand in one clause for it to be there.
_THERE = 0.6
#: Of the words of a whole section, which says more than its name.
_TREATED = 0.4
#: Of the sections of the closest document, so many may be missing.
_MOST_MISSING = 0.5
_MOST_WORDS = 14
_MOST_QUOTED, _MOST_PROPOSED = 600, 1_500


@dataclass(frozen=True, slots=True)
class Section:
    """A headed section of an approved document, as a source whose text it is."""

    heading: str
    source: Source


def by_checklist(text: str, parts: Sequence[Part], sources: Sequence[Source], language: str) -> Iterator[Found]:
    """The items of checklists among the passages that no clause of the draft treats."""
    clauses = [_words(text[part.start : part.end] + " " + part.label, language) for part in parts]
    told: set[str] = set()
    for source in sources:
        if not _CHECKLIST.search(source.text) and not _CHECKLIST.search(f"{source.title} {source.locator}"):
            continue
        for item in _ITEM.finditer(source.text):
            said = _words(item["item"], language)
            if not 0 < len(said) <= _MOST_WORDS or item["item"] in told or _is_there(said, clauses, _THERE):
                continue
            told.add(item["item"])
            yield Found(
                Severity.MAJOR,
                FindingCategory.MISSING,
                len(text),
                len(text),
                _("The guidance asks for “%(what)s”, and no clause treats it.") % {"what": item["item"]},
                source=source,
                cited=item.span("item"),
            )


def by_document(text: str, parts: Sequence[Part], sections: Sequence[Section], language: str) -> Iterator[Found]:
    """The sections of the closest approved document that the draft has neither by name nor by content."""
    labels = [_words(part.label, language) for part in parts]
    clauses = [_words(text[part.start : part.end], language) for part in parts]
    missing = [
        section
        for section in sections
        if (named := _words(section.heading, language))
        and not _is_there(named, labels, _THERE)
        and not _is_there(_words(section.source.text, language), clauses, _TREATED)
    ]
    if len(missing) > _MOST_MISSING * len(sections):
        # It is a document of another kind, and not one that leaves something out.
        return
    for section in missing:
        yield Found(
            Severity.MINOR,
            FindingCategory.MISSING,
            len(text),
            len(text),
            _("“%(document)s” has a section “%(heading)s”, and this draft has none like it.")
            % {"document": section.source.title, "heading": section.heading},
            suggestion="\n\n" + section.source.text[:_MOST_PROPOSED].strip(),
            source=section.source,
            cited=(0, min(len(section.source.text), _MOST_QUOTED)),
        )


def _is_there(wanted: set[str], among: Sequence[set[str]], share: float) -> bool:
    return any(len(wanted & held) >= share * len(wanted) for held in among) if wanted else True


def _words(text: str, language: str) -> set[str]:
    return set(analysis.words(text, language))
