"""Hold the sentences of a clause against passages of the guidance: conflicts, and wordings that differ. Pure."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from answers.draft_review.found import Found
from answers.draft_review.statements import Statement, clash, is_opposite, is_variant, likeness, one_line, statements
from answers.models import FindingCategory, Severity
from answers.steps.state import Source

Guide = tuple[Source, Statement]


def check(text: str, start: int, end: int, language: str, sources: Sequence[Source]) -> Iterator[Found]:
    """At most one finding for each sentence of the clause `text[start:end]`, the gravest first looked for."""
    guides = [
        (source, guide) for source in sources for guide in statements(source.text, language=source.language or None)
    ]
    for said in statements(text[start:end], offset=start, language=language):
        found = _conflict(said, guides) or _opposite(said, guides) or _deviation(said, guides)
        if found is not None:
            yield found


def _conflict(said: Statement, guides: Sequence[Guide]) -> Found | None:
    if any(said.text == guide.text for _source, guide in guides):
        return None
    for source, guide in sorted(guides, key=lambda one: likeness(said, one[1]), reverse=True):
        between = clash(said, guide)
        if between is None:
            continue
        mine, theirs = one_line(said.text[slice(*between.mine)]), one_line(guide.text[slice(*between.theirs)])
        explanation = _("The draft says “%(here)s”, the guidance says “%(there)s”.")
        return Found(
            Severity.BLOCKER if between.kind == "number" else Severity.MAJOR,
            FindingCategory.CONFLICT,
            said.start + between.mine[0],
            said.start + between.mine[1],
            explanation % {"here": mine, "there": theirs},
            suggestion=theirs,
            source=source,
            cited=(guide.start, guide.end),
        )
    return None


def _opposite(said: Statement, guides: Sequence[Guide]) -> Found | None:
    for source, guide in guides:
        if is_opposite(said, guide):
            return Found(
                Severity.MAJOR,
                FindingCategory.CONFLICT,
                said.start,
                said.end,
                _("The guidance speaks of the same and seems to say the opposite. Read both."),
                source=source,
                cited=(guide.start, guide.end),
            )
    return None


def _deviation(said: Statement, guides: Sequence[Guide]) -> Found | None:
    """The approved sentence that reads most like this one, unless one reads the same."""
    near = [(source, guide) for source, guide in guides if is_variant(said, guide)]
    if not near or any(one_line(said.text) == one_line(guide.text) for _source, guide in guides):
        return None
    source, guide = max(near, key=lambda one: likeness(said, one[1]))
    return Found(
        Severity.MINOR,
        FindingCategory.DEVIATION,
        said.start,
        said.end,
        _("The approved wording is close to this one, and differs."),
        suggestion=one_line(guide.text),
        source=source,
        cited=(guide.start, guide.end),
    )
