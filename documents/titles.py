"""What a document is called before anybody, or the file itself, has said better."""

import re
from pathlib import PurePosixPath

MAX_TITLE = 300
_SEPARATORS = re.compile(r"[_\s]+")


def title_from(path: str) -> str:
    """The last part of `path` without its ending, in words."""
    return _SEPARATORS.sub(" ", PurePosixPath(path).stem).strip()[:MAX_TITLE] or path[:MAX_TITLE]
