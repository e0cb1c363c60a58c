"""Whether people are told by e-mail, and what became of the mails of the last days."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from inlock.health.finding import Finding
from workspaces.models import Mail, MailState
from workspaces.notifications.mail import unreachable

_LATELY = timedelta(days=7)
#: A mail that is due and waits longer than this has nobody who sends it.
_LATE = timedelta(minutes=15)


def mail(*, database_runs: bool) -> Finding:
    """The mail server, mails that failed lately, and mails that are overdue."""
    if not settings.MAIL_IS_ON:
        state = _("no server, so people are told in the portal alone")
        return Finding("mail", state, "", _("To send mails, set EMAIL_URL."))
    problem = unreachable()
    if problem:
        step = _("Compare EMAIL_URL with what the mail server wants; mails wait for two days.")
        fault = _("The mail server cannot be used: %(problem)s.") % {"problem": problem}
        return Finding("mail", _("does not answer"), fault, step)
    if not database_runs:
        return Finding("mail", pgettext("mail server", "answers"))
    now = timezone.now()
    failed = Mail.objects.filter(state__in=(MailState.FAILED, MailState.UNKNOWN), ended_at__gt=now - _LATELY).count()
    overdue = Mail.objects.filter(state=MailState.WAITING, due_at__lt=now - _LATE).count()
    state = _("answers; %(failed)d of the last seven days not delivered or unknown, %(overdue)d overdue")
    state %= {"failed": failed, "overdue": overdue}
    if overdue:
        step = _("Look whether the schedule and the worker of the queue maintenance run.")
        return Finding("mail", state, _("%(n)d mails are due and not sent.") % {"n": overdue}, step)
    return Finding("mail", state, "", _("Look at the addresses; the worker's log names each mail.") if failed else "")
