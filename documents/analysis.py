"""Turn text into the words that are searched: one analyser for passages, questions and titles.

Case, script (Serbian Cyrillic and Latin) and diacritics are folded, stop words
dropped, and the rest stemmed in the text's own language, so that "годишњег
одмора", "godišnji odmor" and "godisnji odmor" meet.
"""

import re
import threading
import unicodedata
from functools import lru_cache
from itertools import pairwise

import Stemmer

#: Changes whenever `words` would answer differently: keyword replicas built before are rebuilt.
VERSION = "1"

_STOP_WORDS = {
    "en": """a about above after again against all also am an and any are as at be because been before
        being below between both but by can cannot could did do does doing down during each few for from
        further had has have having he her here hers him his how i if in into is it its itself just me more
        most must my no nor not of off on once only or other ought our ours out over own s same shall she
        should so some such t than that the their theirs them then there these they this those through to
        too under until up upon us very was we were what when where which while who whom why will with
        would you your yours""",
    "sr": """a ako ali bi bih bila bile bili bilo bio bismo biste biti bude budu cak cega cemu cemo cete ce
        cime cu da dakle do dok ga gde gdje god i iako ih ili im iz iza iznad ja je jedan jedna jedno jer
        jesam jesi jesmo jeste jesu ka kad kada kako kao ko koga koja koje kojeg kojem koji kojih kojim
        kojima kojoj koju koliko kolika koliki kome kroz li medju mene meni mi mogu moj moja moje moze mozemo
        mu na nad nakon nam nama nas nase nasa ne neka neke neki neko nego nema nemam ni nije nisam nisi
        nismo niste nisu nju njega njegov njen njih njihov njim njima njoj o od ona one oni ono onda ovaj ova
        ove ovi ovo ovog ovom pa po pod pored posle pre preko prema pri s sa sam samo se sebe sebi si smo
        ste su sta sto sva sve svi svih svoj svoja svoje svoju ta tada taj tako takodje te tebe tebi ti
        tim to toga tog tom tome tu u uz vam vama vas vase vasa vec vi za zar zasto zbog""",
    "de": """aber alle als also am an andere auch auf aus bei bin bis bist da damit dann das dass dem den der
        des deren die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer
        eines er es etwas euch fur gegen gewesen hab habe haben hat hatte ich ihm ihn ihnen ihr ihre im in
        ist ja jede jeder kann kein keine konnen man mehr mein mich mir mit muss nach nicht noch nun nur ob
        oder ohne sehr sein seine sich sie sind so uber um und uns unser unter viel vom von vor war waren
        warum was weil welche welcher wenn wer werden wie wieder will wir wird wo wurde wurden zu zum zur
        zwischen""",
    "fr": """a ai alors au aucun aussi autre aux avant avec avoir c ce ceci cela ces cet cette ceux chaque
        comme comment d dans de des donc dont du elle elles en encore entre est et etaient etait ete etre eu
        fait il ils j je jusqu l la le les leur leurs lors lui m ma mais me meme mes mon n ne nos notre nous
        on ont ou par pas pendant peu peut plus pour pourquoi qu quand que quel quelle quelles quels qui s sa
        sans se selon ses si son sont sous sur t ta te tes ton tous tout toute toutes tres tu un une vos
        votre vous y""",
    "es": """a al algo ante antes aqui aunque bajo cada como con contra cual cuales cuando cuanto de del desde
        donde dos durante e el ella ellas ellos en entre era eran es esa ese eso esta estan estas este esto
        estos fue fueron ha han hasta hay la las le les lo los mas me mi mientras muy ni no nos nosotros o
        otra otro para pero por porque que quien se sea segun ser si sido sin sobre son su sus tambien tan
        tanto te tiene tienen todo todos tu un una uno unos y ya yo""",
    "it": """a ad agli ai al alla alle allo anche ancora c che chi ci come con contro cosa cui d da dagli dai
        dal dalla dalle degli dei del dell della delle dello di dopo dove e ed era erano essere fra gli ha
        hanno ho i il in io l la le lei li lo loro lui ma mi molto ne nei nel nell nella nelle nello noi non
        nostro o ogni per perche piu poi prima qual quale quali quando quanto quello questa queste questi
        questo se sei si sia sono su sua sugli sul sulla sulle suo suoi tra tu tutti tutto un una uno vi
        voi""",
}
LANGUAGES = tuple(_STOP_WORDS)
_STOPS = {language: frozenset(listed.split()) for language, listed in _STOP_WORDS.items()}
_SNOWBALL = {
    "en": "english",
    "sr": "serbian",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
}

# Written without diacritics, as people type: ђ and đ become dj, ч and č become c.
_CYRILLIC = """а=a б=b в=v г=g д=d е=e ж=z з=z и=i ј=j к=k л=l м=m н=n о=o п=p р=r с=s т=t ћ=c у=u ф=f х=h ц=c
    ч=c ш=s ђ=dj љ=lj њ=nj џ=dz й=j щ=sc ъ= ы=y ь= э=e ю=ju я=ja і=i ї=ji є=je ґ=g ѓ=g ќ=k ѕ=dz ё=jo"""
_LATIN = "đ=dj ł=l ø=o æ=ae œ=oe ı=i"
_FOLD = str.maketrans(dict(pair.split("=") for pair in f"{_CYRILLIC} {_LATIN}".split()))
_NOT_SERBIAN = frozenset("йщъыьэюяіїєґѓќѕё")
_ONLY_SERBIAN = frozenset("ђјљњћџčćšžđ")

# A number with its separators ("1,234.5"), else letters and digits together ("3m", "10k").
_WORD = re.compile(r"\d++(?:[.,]\d++)*+(?![^\W\d_])|[^\W_]+")
_YEAR_IN_WORD = re.compile(r"(?<=[a-z])(?=(?:19|20)\d\d$)")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:[.,]|$))")
# Serbian inflects more than Snowball undoes: on 464 sections of a Serbian book, asked by title in the other
# script, nDCG@10 was 0.415 folded, 0.494 with Snowball, 0.523 with five letters kept, 0.53 with both.
_SERBIAN_PREFIX = 5
# No word of ours is longer; a base64 blob is not a word.
_LONGEST = 40


def words(text: str, language: str | None = None) -> list[str]:
    """The searchable words of `text` in reading order, stop words dropped.

    `language` is one of LANGUAGES or "" (unknown, stemmed as English); None detects it. Give a passage and
    what is compared with it the same language, or take `query_words`, which meets every language.
    """
    tokens = _tokens(text)
    chosen = (_detect(text, tokens) if language is None else language) or "en"
    stops = _STOPS[chosen]
    return [_stem(token, chosen) for token in tokens if token not in stops]


def query_words(text: str) -> list[tuple[str, ...]]:
    """The words of a question, each as the forms it may be stored in: one per language's stemmer, no doubles.

    A question of three words often shows no language, and may ask in one language about text in another.
    """
    tokens = _tokens(text)
    language = _detect(text, tokens) or "en"
    stemmers = (language, *LANGUAGES)
    kept = dict.fromkeys(token for token in tokens if token not in _STOPS[language])
    return [tuple(dict.fromkeys(_stem(token, each) for each in stemmers)) for token in kept]


def joined_words(text: str) -> set[str]:
    """Neighbouring words of a question written as one ("Best Buy" as "bestbuy"), in every language's form."""
    tokens = _tokens(text)
    pairs = {before + after for before, after in pairwise(tokens)}
    return {_stem(pair, language) for pair in pairs for language in LANGUAGES}


def detect_language(text: str) -> str:
    """One of LANGUAGES, by script and stop words, or "" where they do not tell. Croatian counts as "sr"."""
    return _detect(text, _tokens(text))


def script(text: str) -> str:
    """ "cyrl" when most letters are Cyrillic, otherwise "latn"."""
    letters = [letter for letter in text if letter.isalpha()]
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in letters)
    return "cyrl" if cyrillic * 2 > len(letters) else "latn"


def _detect(text: str, tokens: list[str]) -> str:
    lowered = text.lower()
    is_cyrillic = script(text) == "cyrl"
    if is_cyrillic and not _NOT_SERBIAN.isdisjoint(lowered):
        return ""
    if is_cyrillic:
        return "sr"
    evidence = dict.fromkeys(LANGUAGES, 0.0)
    for token in tokens:
        for language, share in _told_by(token):
            evidence[language] += share
    evidence["sr"] += 0.5 * sum(not _ONLY_SERBIAN.isdisjoint(word) for word in lowered.split())
    best, second = sorted(evidence, key=evidence.__getitem__, reverse=True)[:2]
    # One telling word in thirty is a name or a quotation, not a language.
    if evidence[best] == evidence[second] or evidence[best] < max(0.3, len(tokens) / 30):
        return ""
    return best


@lru_cache(maxsize=20_000)
def _told_by(token: str) -> tuple[tuple[str, float], ...]:
    speakers = [language for language in LANGUAGES if token in _STOPS[language]]
    return tuple((language, 1 / len(speakers)) for language in speakers)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    for match in _WORD.finditer(fold(text)):
        token = match.group()
        if len(token) > _LONGEST:
            continue
        if token.isdecimal() or not token.isalnum():
            found.append(_THOUSANDS.sub("", token).replace(",", "."))
        else:
            found.extend(_YEAR_IN_WORD.split(token))
    return found


def fold(text: str) -> str:
    """`text` without differences of case, script and diacritics, for comparing names as people type them."""
    composed = unicodedata.normalize("NFKC", text).casefold().translate(_FOLD)
    if composed.isascii():
        return composed
    apart = unicodedata.normalize("NFKD", composed)
    # Cf: soft hyphens and other marks without width, which would cut a word in two.
    return "".join(letter for letter in apart if unicodedata.category(letter) not in {"Mn", "Cf"})


# A Snowball stemmer keeps a buffer: one per thread.
_local = threading.local()


def _stem(token: str, language: str) -> str:
    if not token.isalpha():
        return token
    stemmers = getattr(_local, "stemmers", None)
    if stemmers is None:
        stemmers = _local.stemmers = {code: Stemmer.Stemmer(name) for code, name in _SNOWBALL.items()}
    stem = stemmers[language].stemWord(token)
    if language == "sr" and len(stem) >= _SERBIAN_PREFIX:
        # The mark keeps a cut Serbian word apart from a whole word of another language.
        return stem[:_SERBIAN_PREFIX] + "~"
    return stem
