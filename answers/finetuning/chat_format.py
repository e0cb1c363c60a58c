"""Files that fine-tuning APIs take: JSON lines, each a chat that ends with what the model is to say."""

import json
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

FEWEST, MOST = 10, 200_000
#: Roughly, at four characters a token: what every provider takes.
MOST_CHARACTERS = 64_000
MOST_BYTES = 200 * 1024 * 1024
_ROLES = ("system", "user", "assistant")
_SHOWN = 5


def line(*, instructions: str, question: str, reply: str) -> bytes:
    """One example, with its line's end; the same texts give the same bytes."""
    messages = [{"role": "system", "content": instructions}] if instructions else []
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n"


def problems(content: bytes, *, fewest: int = FEWEST) -> list[str]:
    """Why a file would be refused, as sentences; none for one that holds to the format with `fewest` examples."""
    if len(content) > MOST_BYTES:
        return [_("The file is larger than %(limit)d MB.") % {"limit": MOST_BYTES // 1024**2}]
    lines = content.split(b"\n")
    told = [] if not lines.pop() else [_("The last line does not end.")]
    if not fewest <= len(lines) <= MOST:
        told.append(
            _("There are %(count)d examples; providers take %(fewest)d to %(most)d.")
            % {"count": len(lines), "fewest": fewest, "most": MOST}
        )
    wrong = list(_wrong(lines))
    told += [_("Line %(number)d: %(problem)s") % {"number": n, "problem": why} for n, why in wrong[:_SHOWN]]
    if len(wrong) > _SHOWN:
        more = len(wrong) - _SHOWN
        told.append(ngettext("%(count)d more line.", "%(count)d more lines.", more) % {"count": more})
    return told


def _wrong(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    seen: set[bytes] = set()
    for number, one in enumerate(lines, 1):
        if why := _problem(one):
            yield number, why
        elif one in seen:
            yield number, _("It stands there twice.")
        seen.add(one)


def _problem(one: bytes) -> str:
    try:
        said = json.loads(one.decode("utf-8"))
    except (UnicodeDecodeError, ValueError):
        return _("It is not JSON.")
    if not isinstance(said, dict) or set(said) != {"messages"} or not isinstance(said["messages"], list):
        return _("It is not an object with messages alone.")
    messages = said["messages"]
    if not all(isinstance(each, dict) and set(each) == {"role", "content"} for each in messages):
        return _("A message is not a role and a content.")
    if [each["role"] for each in messages] not in ([*_ROLES], [*_ROLES[1:]]):
        return _("The roles are not system, user and assistant in this order.")
    if not all(isinstance(each["content"], str) and each["content"].strip() for each in messages):
        return _("A message is empty.")
    if sum(len(each["content"]) for each in messages) > MOST_CHARACTERS:
        return _("It is longer than %(limit)d characters.") % {"limit": MOST_CHARACTERS}
    return ""
