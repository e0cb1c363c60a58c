"""The form in which a person chooses how they are told of things."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from workspaces.models import Channel, Correspondence, NotificationChoice, User
from workspaces.notifications.registry import GROUPS, MANNERS, Kind


class ChoicesForm(forms.Form):
    """A choice for each kind of notice, the language of mails and the hour of the daily one."""

    language = forms.ChoiceField(
        label=_("Language of e-mails"),
        choices=[("", _("The one I use the portal in")), *settings.LANGUAGES],
        required=False,
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of the daily e-mail"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)]
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        written = Correspondence.objects.filter(person=person).first() or Correspondence(person=person)
        self.fields["language"].initial = written.language
        self.fields["digest_hour"].initial = written.digest_hour
        chosen = dict(NotificationChoice.objects.filter(person=person).values_list("kind", "channel"))
        for kind, manner in MANNERS.items():
            offered = [one for one in Channel if one != Channel.OFF or manner.may_be_off]
            initial = chosen.get(kind, manner.default)
            self.fields[kind] = forms.ChoiceField(
                label=Kind(kind).label,
                choices=[(one.value, one.label) for one in offered],
                initial=initial if initial in offered else manner.default,
            )

    def groups(self) -> Iterator[tuple[Any, list[forms.BoundField]]]:
        """The kinds under their headings, as the page shows them."""
        for code, label in GROUPS.items():
            yield label, [self[kind] for kind, manner in MANNERS.items() if manner.group == code]

    def channels(self) -> dict[str, str]:
        return {kind: self.cleaned_data[kind] for kind in (str(Kind(one).value) for one in MANNERS)}

    def correspondence(self) -> dict[str, Any]:
        return {"language": self.cleaned_data["language"], "digest_hour": self.cleaned_data["digest_hour"]}
