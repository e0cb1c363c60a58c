"""What a draft says in one place and otherwise in another. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from django.utils.translation import gettext as _

from answers.draft_review.found import Found
from answers.draft_review.statements import Statement, clash, one_line, statements
from answers.models import FindingCategory, Severity

#: Sentences with a figure of one unit that are held against each other, pair by pair.
_MOST_PER_UNIT = 300


def check(text: str, language: str) -> Iterator[Found]:
    """The later of two places that contradict each other in a number or a date, with the earlier one beside it."""
    told: set[tuple[int, int]] = set()
    for group in _by_unit(statements(text, language=language)).values():
        for place, later in enumerate(group):
            for earlier in group[:place]:
                found = _contradiction(text, later, earlier)
                if found and (found.start, found.end) not in told:
                    told.add((found.start, found.end))
                    yield found


def _by_unit(all_of_them: list[Statement]) -> dict[str, list[Statement]]:
    groups: dict[str, list[Statement]] = defaultdict(list)
    for one in all_of_them:
        for unit in one.measures:
            groups[unit].append(one)
        if one.figures.dates:
            groups["date"].append(one)
    return {unit: group[:_MOST_PER_UNIT] for unit, group in groups.items()}


def _contradiction(text: str, later: Statement, earlier: Statement) -> Found | None:
    between = clash(later, earlier)
    if between is None:
        return None
    start, end = (later.start + place for place in between.mine)
    other = (earlier.start + between.theirs[0], earlier.start + between.theirs[1])
    here, there = one_line(text[start:end]), one_line(text[slice(*other)])
    explanation = _("Here it says “%(here)s”, and above “%(there)s” of the same.")
    return Found(
        Severity.MAJOR,
        FindingCategory.INCONSISTENT,
        start,
        end,
        explanation % {"here": here, "there": there},
        suggestion=there,
        other=other,
    )
