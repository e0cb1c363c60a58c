"""Name every way in which reading a file can fail, with a sentence for its owner.

The sentences are translation keys: whoever shows one passes it through
gettext. Django is not imported here, because the parser child must start fast.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for the translators without translating it."""
    return sentence


SENTENCES: dict[str, str] = {
    "empty": gettext_noop("The file is empty."),
    "unsupported": gettext_noop("Files of this type cannot be read here."),
    "wrong_type": gettext_noop("The content of the file does not match the ending of its name."),
    "encrypted": gettext_noop("The file is protected by a password. Upload a copy without one."),
    "damaged": gettext_noop("The file is damaged and cannot be opened."),
    "no_text": gettext_noop("No text found in the file. There is nothing in it that could be quoted."),
    "scanned": gettext_noop(
        "The pages are pictures, as from a scanner, and this portal has no text recognition (OCR). Ask its operator "
        "to install tesseract-ocr, with tesseract-ocr-srp and tesseract-ocr-srp-latn for Serbian; then try again. "
        "Or upload a file that holds text."
    ),
    "old_office": gettext_noop(
        "Files of old Office versions are read through LibreOffice, which this portal does not have. "
        "Ask its operator to install it and try again, or save the file in the newer format and upload that."
    ),
    "not_isolated": gettext_noop(
        "Files of old Office versions are read through LibreOffice, which is only started where the system can keep it "
        "from the network and from other files, and here it cannot. Save the file in the newer format and upload that."
    ),
    "alone": gettext_noop("Files of this kind are read when they are uploaded by themselves, and not as attachments."),
    "too_deep": gettext_noop("It lies in more messages, one inside the other, than are opened here."),
    "too_large": gettext_noop("The file holds more than can be read at once. Split it and upload the parts."),
    "too_slow": gettext_noop("Reading the file took too long and was stopped."),
    "too_much_memory": gettext_noop("Reading the file needed too much memory and was stopped."),
    "parser_crashed": gettext_noop("The file made the reader fail. Only this file is affected."),
}

# Worth another try: these may come from a machine under load, not from the file.
RETRYABLE = frozenset({"too_slow", "too_much_memory", "parser_crashed"})


class ParseFailed(Exception):
    """A file could not be read.

    `code` is short and permanent, `sentence` is fit for a person, `retryable`
    says whether trying again can help, `detail` is for the log and never
    holds text of the file.
    """

    def __init__(self, code: str, *, sentence: str = "", detail: str = "") -> None:
        self.code = code
        self.sentence = sentence or SENTENCES[code]
        self.retryable = code in RETRYABLE
        self.detail = detail
        super().__init__(f"{code}: {self.sentence}")


@contextmanager
def damaged_when_it_raises() -> Iterator[None]:
    """Around libraries that promise no exceptions of their own: what they raise becomes `damaged`.

    A part that is missing or strange comes as a KeyError, AttributeError or RecursionError from deep inside.
    The message may quote the file, the place does not.
    """
    try:
        yield
    except (ParseFailed, MemoryError):
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        detail = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        raise ParseFailed("damaged", detail=detail) from error
