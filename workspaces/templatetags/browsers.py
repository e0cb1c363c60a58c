"""A browser as a person would name it, from what it says of itself. For recognising one's own, never for trust."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()

# Order matters: Edge and Opera say they are Chrome, and Chrome says it is Safari.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser_name(user_agent: str) -> str:
    """“Firefox on Linux”, or what the client said when it is none we know."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if not browser or not system:
        return user_agent[:60] or _("Unknown")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
