"""Plain text: one section, with the paragraphs it has."""

from pathlib import Path

from .encodings import read_text
from .model import Parsed, Part, assemble


def parse(path: Path) -> Parsed:
    return assemble("txt", [Part("section", 1, "1", (), read_text(path))])
