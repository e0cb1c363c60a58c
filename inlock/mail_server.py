"""Read the address of the mail server: `EMAIL_URL`, or nothing where people are told in the portal alone."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from inlock.env import SettingError

#: scheme → port by default, encrypted from the first byte, encrypted with STARTTLS.
_SCHEMES = {"smtp": (587, False, True), "smtps": (465, True, False), "smtp+plain": (25, False, False)}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int
    user: str
    password: str
    is_tls: bool
    starts_tls: bool


def mail_server(url: str) -> MailServer | None:
    """The server that `url` names; None for an empty one. Raises SettingError for one that names none."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise SettingError("EMAIL_URL: write smtp://user:password@host:587, smtps://… or smtp+plain://host:25.")
    try:
        port = parts.port
    except ValueError as error:
        raise SettingError("EMAIL_URL: the port is no number below 65536.") from error
    default_port, is_tls, starts_tls = _SCHEMES[parts.scheme]
    return MailServer(
        host=parts.hostname,
        port=port or default_port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=is_tls,
        starts_tls=starts_tls,
    )
