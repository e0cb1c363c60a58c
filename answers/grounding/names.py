"""Find the names a sentence uses, and whether a source knows them in some form."""

import re
from collections.abc import Collection, Iterator
from itertools import zip_longest

from documents.analysis import fold


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD = re.compile(r"[^\W\d_][\w’'-]*\w|[^\W\d_]")
_OPENS = re.compile(r"(?:^|[.!?…:;•\n|]|[\"“„«(])\s*$")
#: Languages that write every noun with a capital: a capital tells nothing there.
_ALL_NOUNS = frozenset({"de"})
#: Letters that a grammatical ending may take from a name, and the fewest that must be left.
_ENDING = 2
_STEM = {"sr": 3, "": 4}
_NO_NAMES = frozenset({"i", "mr", "mrs", "ms", "dr", "prof"})
_FEWEST_INITIALS = 2
#: What sentences begin with before a name.
_OPENINGS = _listed("""
    the this that these those a an in on at for from by with as if when while there our we it its they their he she
    his her all no any each both after before during under since until although because however also according
    u na za od iz sa ako kada kad dok ovaj ova ovo ti te oni one on ona ono svi sve svaki po prema nakon posle pre
    tokom prilikom zbog jer ali
""")


def names(text: str, language: str) -> list[str]:
    """The words of `text` that are names, as they are written there; a sentence's first word only where others follow.

    Words in quotation marks or behind a colon count as first words too.
    """
    if language in _ALL_NOUNS:
        return []
    found = []
    words = list(_WORD.finditer(text))
    for match, follower in zip_longest(words, words[1:]):
        word = match.group()
        if not word[0].isupper() or len(word) == 1 or fold(word) in _NO_NAMES:
            continue
        opens = bool(_OPENS.search(text[: match.start()]))
        if not opens or word.isupper() or _begins_a_name(match, follower):
            found.append(word)
    return list(dict.fromkeys(found))


def missing(claimed: Collection[str], source: str, language: str) -> list[str]:
    """Those of the names that `source` has in no form: neither inflected nor as initials."""
    if not claimed:
        return []
    known = {fold(match.group()) for match in _WORD.finditer(source)}
    initials = set(_initials(source))
    return [name for name in claimed if not _is_known(name, known, initials, language)]


def _is_known(name: str, known: Collection[str], initials: Collection[str], language: str) -> bool:
    folded = fold(name).removesuffix("’s").removesuffix("'s")
    if folded in known or folded in initials:
        return True
    fewest = _STEM.get(language, _STEM[""])
    return any(_alike(folded, other, fewest) for other in known)


def _alike(one: str, other: str, fewest: int) -> bool:
    """Whether both begin alike and differ by no more than an ending."""
    same = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        same += 1
    return same >= max(fewest, len(one) - _ENDING, len(other) - _ENDING - 1)


def _initials(source: str) -> Iterator[str]:
    """What runs of capitalised words are shortened to."""
    run = ""
    for match in _WORD.finditer(source):
        word = match.group()
        if word[0].isupper():
            run += fold(word[0])
            if len(run) >= _FEWEST_INITIALS:
                yield run
        elif len(word) > 3:
            run = ""


def _begins_a_name(match: re.Match[str], follower: re.Match[str] | None) -> bool:
    """Whether a sentence's first word belongs to the capitalised one right behind it."""
    if follower is None or follower.start() - match.end() != 1 or not follower.group()[0].isupper():
        return False
    return fold(match.group()) not in _OPENINGS
