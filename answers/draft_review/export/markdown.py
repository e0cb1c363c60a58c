"""An examined draft as Markdown: the improved text, then every finding. What was written is put in as text."""

import re

from django.utils.translation import gettext as _

from answers.draft_review.deciding import improved
from answers.draft_review.export.in_words import said
from answers.draft_review.reading import Shown
from answers.models import Examination

#: What would be a link, a picture or a tag where the file is shown. The draft's own lines stay as they are.
_SPEAKING = re.compile(r"([\\`*_\[\]<>#|!])")


def write(examination: Examination, found: list[Shown]) -> bytes:
    """The file."""
    text = improved(examination, [one.finding for one in found])
    lines = [text, "", "---", "", "## " + _("Findings"), ""]
    for one in found:
        head, *rest = said(one)
        words = f" “{_plain(' '.join(one.words.split()))}”" if one.words else ""
        lines.append(f"{one.number}. **{_plain(head)}**{words}")
        lines += [f"   - {_plain(' '.join(line.split()))}" for line in rest]
    if not found:
        lines.append(_("Nothing was found."))
    return ("\n".join(lines) + "\n").encode()


def _plain(text: str) -> str:
    return _SPEAKING.sub(r"\\\1", text)
