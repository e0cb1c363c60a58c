"""Seed what the demo needs: workspaces, accounts and documents. Running it again changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from answers.rag_templates import keeping
from documents import library
from documents.access import restriction
from documents.models import Document, Version
from inlock.demo.questions import ACCOUNTS, DOCUMENTS, FOLDER, WORKSPACES, DemoAccount, DemoDocument
from workspaces import members
from workspaces.checks import DEMO_PASSWORD
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace


@dataclass(frozen=True, slots=True)
class Seeded:
    """One document of the demo after its ingestion."""

    asked: DemoDocument
    version: Version
    outcome: str


def seed_people() -> None:
    """The accounts and workspaces, everybody in their roles. Refused in production: the passwords are published."""
    if settings.PRODUCTION:
        raise PortalError(_("The demo's passwords are published, so it does not run in production mode."))
    for workspace in WORKSPACES:
        if not Workspace.objects.filter(slug=workspace.slug).exists():
            members.create_workspace(
                slug=workspace.slug,
                name=workspace.name,
                description=workspace.description,
                policy=workspace.policy,
                by=None,
            )
    for account in ACCOUNTS:
        _seed_account(account)


def _seed_account(account: DemoAccount) -> None:
    user = User.objects.filter(username=account.username).first() or members.create_user(
        username=account.username, display_name=account.full_name, password=DEMO_PASSWORD, by=None
    )
    for slug, role in account.roles.items():
        members.add_member(Workspace.objects.get(slug=slug), user, role, by=None)
    if account.is_platform_admin:
        members.set_platform_administrator(user, by=None)


def seed_templates() -> None:
    """The templates that each workspace takes in; one that somebody switched off since stays so."""
    manager = User.objects.get(username="manager")
    for workspace in WORKSPACES:
        for code in workspace.templates:
            keeping.adopt(Workspace.objects.get(slug=workspace.slug), code, by=manager)


def seed_documents() -> Iterator[Seeded]:
    """Bring each document in as the manager and yield it when its ingestion has run."""
    manager = User.objects.get(username="manager")
    for asked in DOCUMENTS:
        workspace = Workspace.objects.get(slug=asked.workspace)
        name = asked.path.partition("/")[2]
        with (FOLDER / asked.path).open("rb") as file:
            received = library.receive(
                workspace=workspace, path=name, file=file, filename=name, title=asked.title, by=manager
            )
        version = Version.objects.select_related("document").get(pk=received.version.pk)
        _restrict(version.document, asked, manager)
        yield Seeded(asked, version, received.outcome)


def _restrict(document: Document, asked: DemoDocument, manager: User) -> None:
    if not asked.restricted_to or document.restricted:
        return
    restriction.restrict(document, by=manager)
    for username in asked.restricted_to:
        restriction.grant(document, User.objects.get(username=username), by=manager)
