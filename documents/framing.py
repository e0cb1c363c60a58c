"""What is embedded and indexed for a passage: its text with its place in front, as a reader would see it."""


def framed(title: str, locator: str, text: str) -> str:
    """`text` below the document's title and, where it has a name rather than a number, its section."""
    named = locator if any(letter.isalpha() for letter in locator) else ""
    return "\n".join(part for part in (title, named, text) if part)
