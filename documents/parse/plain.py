"""Plain text: one section, with the paragraphs it has."""

from .encodings import read_text
from .held import File
from .model import Parsed, Part, assemble


def parse(path: File) -> Parsed:
    return assemble("txt", [Part("section", 1, "1", (), read_text(path))])
