"""Choose the language of the portal; the one a person used last is that of their mails too."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.views import i18n
from django.views.decorators.http import require_POST

from workspaces.models import Correspondence, User


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Django's own view, and a note of the choice."""
    response = i18n.set_language(request)
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and i18n.check_for_language(chosen):
        _note(request.user, chosen)
    return response


def note_language(user: User) -> None:
    """Remember the language that is active now as the one this person uses."""
    _note(user, get_language() or "en")


def _note(user: User, language: str) -> None:
    known = Correspondence.objects.filter(person=user).values_list("last_language", flat=True).first()
    # English is what nobody's row says: most sign-ins write nothing.
    if language != (known or "en"):
        Correspondence.objects.update_or_create(person=user, defaults={"last_language": language[:10]})
