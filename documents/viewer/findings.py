"""What reading a file found that its people should know: text that nobody sees, and what was not read."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext, gettext_lazy, ngettext

from documents.models import Version
from documents.parse.failures import SENTENCES

#: Kind in `documents.parse.hidden.KINDS` → where the text is, as a person would say it.
WHERE = {
    "unseen": gettext_lazy("marked as hidden"),
    "white": gettext_lazy("in the colour of what it stands on"),
    "tiny": gettext_lazy("too small to read"),
    "off_page": gettext_lazy("outside the page"),
    "tags": gettext_lazy("in invisible characters"),
    "zero_width": gettext_lazy("in characters without width"),
    "bidi": gettext_lazy("in marks that turn the direction of reading"),
}


@dataclass(frozen=True, slots=True)
class Unread:
    """An attachment that is no part of the text, and why."""

    name: str
    why: str


def hidden_characters(version: Version) -> dict[str, int]:
    """How many characters of hidden text the version holds, by kind; empty when there are none."""
    found = version.findings.get("hidden", {})
    return {kind: found[kind] for kind in WHERE if found.get(kind)}


def in_words(hidden: Mapping[str, int]) -> list[str]:
    """Each kind of hidden text with its size."""
    return [
        ngettext("%(count)d character %(where)s", "%(count)d characters %(where)s", count)
        % {"count": count, "where": WHERE[kind]}
        for kind, count in hidden.items()
    ]


def hidden_text(version: Version) -> list[str]:
    """Each kind of hidden text with its size; empty when there is none."""
    return in_words(hidden_characters(version))


def textless(version: Version) -> str:
    """The pages that are pictures and hold no text, beside others that do: "3, 7–9"; empty when there are none."""
    numbers = sorted(version.findings.get("textless", ()))
    # Numbers in a row are as far from each other as their places are.
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda each: each[1] - each[0])]
    return ", ".join(f"{run[0]}–{run[-1]}" if run[1:] else str(run[0]) for run in runs)


def unread(version: Version) -> list[Unread]:
    """The attachments that could not be read."""
    return [Unread(name, gettext(SENTENCES[code])) for name, code in version.findings.get("unread", ())]
