"""What a file is called that somebody takes away: by what was asked or titled, and never by an id alone."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

_LONGEST = 80


def file_name(text: str, ending: str, *, otherwise: str) -> str:
    """The words of `text` as a file's name, in any script; `otherwise` where it has none."""
    words = slugify(text, allow_unicode=True)[:_LONGEST].strip("-_")
    return f"{words or otherwise}.{ending}"


def as_file(response: HttpResponse, name: str) -> HttpResponse:
    """`response` as a download called `name`, which no browser takes for a page."""
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response
