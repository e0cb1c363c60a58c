"""Plain text: one section with the paragraphs it has, called by its first line where that reads like a title."""

import re

from .encodings import read_text
from .held import File
from .model import MAX_LABEL, Parsed, Part, assemble
from .normalise import normalise

#: A note of a few lines has no title: what stands below one is several times as long.
_TIMES = 3
#: In so many characters a title and what must stand below it are told.
_HEAD = 4_000
#: What begins or ends like this, or holds this, is a part of the text, of a letter, a table, a program or a log.
_NO_TITLE = re.compile(
    r"""
      [:;,]$                                    # leads on to what follows
    | ^[^\w"'“”„‘«»(§]                           # an item of a list, a comment, a rule, markup
    | [|\\`@] | ://                              # a row, code, an address
    | \s=\s | [{}]$                             # code
    | (?<!\d)[.!?…]\s+\w | \.\s+(?-i:[A-ZČĆĐŠŽЀ-Я])  # more than one sentence; “2024. годину” is none
    | \b\d\d?:\d\d:\d\d                         # a time to the second
    | ^(?:from|to|cc|sent|date|od|za|datum|од|за|датум)\s?:
    | ^(?:dear|hello|hi|hey|greetings|good\s(?:morning|day|afternoon|evening)|to\swhom\sit\smay\sconcern
        |po[sš]tovan\w*|drag[aeio]|zdravo|ćao|dobar\sdan|dobro\sjutro
        |поштован\w*|драг[аеио]|здраво|ћао|добар\sдан|добро\sјутро)(?![-\w])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"\d+\D+\d+\D+\d+|\d+[^\d,]*[^\W\d_]{3,}[^\d,]*\d{4}")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: A mark or a date alone says whose eyes a text is for, and when it was written, and not what it is about.
_SAYS_NOTHING = _listed("""
    and business classification classified company confidential copy date distribute do document draft for internal
    mark not of official only page privileged private public restricted secret sensitive strictly top use version
    документ за интерна интерно интерну нацрт не означен ознака од пословна поверљиво поверљивости радна само
    службена степен страна строго тајна тајно употребу умножавати верзија датум
    dokument za interna interno internu nacrt ne oznaka od poslovna poverljivo poverljivosti radna samo
    službena stepen strana strogo tajna tajno upotrebu umnožavati verzija datum
    monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec st nd rd th
    ponedeljak utorak sreda četvrtak petak subota nedelja godine god g
    januar februar mart maj juni juli avgust septembar oktobar novembar decembar
    januara februara marta aprila maja juna jula avgusta septembra oktobra novembra decembra
    понедељак уторак среда четвртак петак субота недеља године год г
    јануар фебруар март април мај јун јул август септембар октобар новембар децембар
    јануара фебруара марта априла маја јуна јула августа септембра октобра новембра децембра
""")


def parse(path: File) -> Parsed:
    text = read_text(path)
    title = _title(text)
    return assemble("txt", [Part("section", 1, title or "1", (title,) if title else (), text)], title=title)


def _title(text: str) -> str:
    """The first line, where it stands alone above much more text and is no part of that; otherwise ""."""
    # Looked at as it will be stored: nobody sees what is left out then.
    line, alone, below = normalise(text.lstrip()[:_HEAD]).partition("\n\n")
    if not alone or "\n" in line or len(line) > MAX_LABEL or len(below) < _TIMES * len(line):
        return ""
    return "" if _NO_TITLE.search(line) or _is_mark_or_date(line) else line


def _is_mark_or_date(line: str) -> bool:
    """Whether no word of it says what the text is about; a place before a whole date says no more than the date."""
    _place, comma, day = line.partition(",")
    said = day if comma and _DATE.search(day) else line
    return _SAYS_NOTHING.issuperset(_WORD.findall(said.casefold()))
