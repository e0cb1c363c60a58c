"""What a file of an answer says: question, text, who let it out, and every source it cites, in the reader's language.

Plain text throughout. The writers escape it; none of them turns anything in it into markup, a picture or a link.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from answers.models import Answer, Citation, EndpointKind, Reuse
from answers.reading import Reading, place_in_words, place_of
from workspaces.classification import Classification

#: Enough of a hash to tell two versions apart by eye.
HASH_SHOWN = 12
_PARAGRAPH = re.compile(r"\n\s*\n")
#: What XML cannot hold and nobody sees: control characters but tab and line break, surrogates, two non-characters.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Source:
    """One source of the answer. Of one that is closed to the reader nothing but the number is told."""

    number: int
    title: str = ""
    version: str = ""
    place: str = ""
    quote: str = ""
    #: Where the portal shows the cited place: its own address, and the only link in a file.
    url: str = ""

    @property
    def is_closed(self) -> bool:
        return not self.title


@dataclass(frozen=True, slots=True)
class Content:
    """An answer as a file tells it."""

    workspace: str
    question: str
    asked: str
    #: The highest level among all that the answer rests on: how far the file may travel.
    mark: str
    paragraphs: tuple[str, ...]
    #: What wrote it, and who let it out.
    label: str
    status: str
    #: Above the list of sources, which need not be in the language of the text.
    heading: str
    sources: tuple[Source, ...]
    #: Hash of the released text, for whoever compares the file with a receipt; and when the file was taken.
    proof: str
    taken: str
    #: Of the answer in the portal.
    url: str
    language: str

    @property
    def origin(self) -> str:
        """The line under the question: where and by whom it was asked, and how guarded the answer is."""
        return " · ".join(part for part in (self.workspace, self.asked, self.mark) if part)


def content_of(reading: Reading, *, at: Callable[[str], str], url: str) -> Content:
    """The content for who was handed `reading`; `at` makes a whole address of a path of the portal."""
    answer = reading.answer
    told = [*(_source(citation, answer, at) for citation in reading.citations), *map(Source, reading.closed)]
    return Content(
        workspace=clean(answer.workspace.name),
        question=clean(answer.question.text),
        asked=_("Asked by %(who)s on %(when)s")
        % {"who": clean(answer.asked_by.name), "when": _moment(answer.question.asked_at)},
        mark=mark_of(answer),
        paragraphs=tuple(part.strip() for part in _PARAGRAPH.split(clean(reading.text)) if part.strip()),
        label=label_of(answer),
        status=status_of(answer),
        heading=_("Sources"),
        sources=tuple(sorted(told, key=lambda source: source.number)),
        proof=_("SHA-256 of the text: %(hash)s") % {"hash": answer.released_sha256},
        taken=_("Taken from the portal on %(when)s:") % {"when": _moment(timezone.now())},
        url=at(url),
        language=answer.question.language,
    )


def mark_of(answer: Answer) -> str:
    """The classification the text inherits: whatever was looked at for it, cited or not."""
    looked_at = answer.evidence.order_by().values_list("document__classification", flat=True).distinct()
    levels = sorted((Classification(level) for level in looked_at), key=lambda level: level.rank)
    return _("Classification: %(level)s") % {"level": levels[-1].label} if levels else ""


def label_of(answer: Answer) -> str:
    """What made the text, in a sentence that stands above it wherever it goes; with its template."""
    version = answer.template
    if version is None:
        return _made_by(answer)
    asked = _("Template “%(name)s”, version %(number)d.") % {"name": clean(version.name), "number": version.number}
    return f"{_made_by(answer)} {asked}"


def _made_by(answer: Answer) -> str:
    reuse = _reuse(answer)
    origin = reuse.approved if reuse else answer
    if answer.released_text != origin.text:
        return _("Written by a machine and edited by a reviewer.")
    if origin.endpoint is not None and origin.endpoint.kind == EndpointKind.EXTRACTIVE:
        return _("Put together by a machine from quotations.")
    return _("Written by a machine.")


def status_of(answer: Answer) -> str:
    """Who let the text out and when; of one that is given again who last stood by it."""
    reuse = _reuse(answer)
    if reuse is not None:
        return _("Given again: %(name)s verified this answer to the same question on %(when)s.") % {
            "name": clean(reuse.verified_by.name),
            "when": date_format(timezone.localtime(reuse.verified_at), "DATE_FORMAT"),
        }
    when = _moment(answer.released_at) if answer.released_at else ""
    if answer.released_by is None:
        return _("Released by the workspace's policy on %(when)s, without a reviewer.") % {"when": when}
    return _("Approved by %(who)s on %(when)s.") % {"who": clean(answer.released_by.name), "when": when}


def _reuse(answer: Answer) -> Reuse | None:
    return Reuse.objects.select_related("approved__endpoint", "verified_by").filter(answer=answer).first()


def clean(text: str) -> str:
    """`text` without characters that a document cannot hold."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _source(citation: Citation, answer: Answer, at: Callable[[str], str]) -> Source:
    version = citation.version
    about = {
        "number": version.number,
        "when": date_format(timezone.localtime(version.created_at), "DATE_FORMAT"),
        "hash": version.sha256[:HASH_SHOWN],
    }
    return Source(
        number=citation.number,
        title=clean(" ".join(citation.document.title.split())) or "–",
        version=_("version %(number)s of %(when)s, SHA-256 %(hash)s…") % about,
        place=clean(place_in_words(citation)),
        quote=clean(citation.quote),
        url=at(place_of(citation, answer.workspace.slug)),
    )


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
