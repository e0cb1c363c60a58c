"""The Serbian catalogs: `python -m tests.translations` brings them up to date with the code.

The Cyrillic one is written by people; the Latin one is made from it, letter by letter, and both are compiled.
Needs gettext (xgettext, msgmerge, msgfmt).
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    import django

    django.setup()

from django.core.management import call_command
from django.core.management.commands import makemessages

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "inlock" / "locale"
CYRILLIC, LATIN = (LOCALE / name / "LC_MESSAGES" / "django.po" for name in ("sr", "sr_Latn"))

_LETTERS = dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True))
_LETTERS |= {letter.upper(): latin.upper() for letter, latin in _LETTERS.items()}
_PAIRS = {"љ": "lj", "њ": "nj", "џ": "dž"}


class _Messages(makemessages.Command):
    #: A guess that nobody checked is worse than the English sentence.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]


def latin(text: str) -> str:
    """`text` with Serbian Cyrillic in Latin letters; everything else, placeholders included, stays."""
    return "".join(_latin_letters(text))


def latin_catalog(cyrillic: str) -> str:
    """The Latin catalog for the text of the Cyrillic one: what is translated in it is transliterated."""
    lines, is_translation = [], False
    for line in cyrillic.splitlines():
        is_translation = line.startswith("msgstr") or (is_translation and line.startswith('"'))
        lines.append(latin(line) if is_translation else line)
    head, separator, rest = "\n".join(lines).partition("\n\n")
    head = head.replace("Cyrillic", "Latin").replace('"Language: sr\\n"', '"Language: sr_Latn\\n"')
    return f"{head}{separator}{rest}\n"


def _latin_letters(text: str) -> Iterator[str]:
    for letter, following in zip(text, f"{text[1:]} ", strict=True):
        pair = _PAIRS.get(letter.lower())
        if pair is None:
            yield _LETTERS.get(letter, letter)
        elif letter.islower():
            yield pair
        else:
            yield pair.upper() if following.isupper() else pair.capitalize()


def main() -> None:
    """Collect the messages of code and templates, derive the Latin catalog and compile both."""
    os.chdir(ROOT)
    ignored = [".venv", "var", "tests", "docs"]
    call_command(
        _Messages(), locale=["sr"], no_wrap=True, add_location="file", no_obsolete=True, ignore_patterns=ignored
    )
    # The moment of collecting would make every run a change.
    written = CYRILLIC.read_text(encoding="utf-8").splitlines()
    cyrillic = "\n".join(line for line in written if not line.startswith('"POT-Creation-Date')) + "\n"
    CYRILLIC.write_text(cyrillic, encoding="utf-8")
    LATIN.write_text(latin_catalog(cyrillic), encoding="utf-8")
    for catalog in (CYRILLIC, LATIN):
        subprocess.run(["msgfmt", "--check-format", "-o", catalog.with_suffix(".mo"), catalog], check=True)


if __name__ == "__main__":
    main()
