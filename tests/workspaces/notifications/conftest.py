"""A mail server, people with addresses, and documents to be told of."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.workspaces.notifications import smtp_server


@pytest.fixture(scope="module")
def mailbox_process() -> Iterator[smtp_server.Mailbox]:
    with smtp_server.serve() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(mailbox_process: smtp_server.Mailbox, settings: Any) -> smtp_server.Mailbox:
    """The server, empty, with the portal set up to use it."""
    mailbox_process.received.clear()
    settings.MAIL_IS_ON = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox_process.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.PORTAL_URL = "https://portal.example"
    settings.DEFAULT_FROM_EMAIL = "Inlock <inlock@portal.example>"
    return mailbox_process


@pytest.fixture
def with_address() -> Any:
    """with_address(user, "a@b.example") → the user, who can be written to."""

    def give(user: Any, address: str) -> Any:
        user.email = address
        user.save(update_fields=["email"])
        return user

    return give
