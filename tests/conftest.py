"""The engines of the run, a database per worker, and the cast every test can use.

`policies` is an open workspace, `legal` holds answers for review. `manager`, `contributor`, `reviewer`, `member` and
`auditor` have that one role in both; `second_reviewer` reviews in both; `admin` is a platform administrator,
`superuser` stands above; `stranger` has an account and nothing else.
"""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from tests import browsing, engines

engines.point_settings_at_this_run()

from django.test import Client, TransactionTestCase, override_settings  # noqa: E402  (settings must see this run's engines)
from django.utils import translation  # noqa: E402

from tests.databases import Databases  # noqa: E402
from tests.standing import Standing, drop_collection  # noqa: E402

PASSWORD = "correct-horse-battery-staple"


def pytest_configure(config: pytest.Config) -> None:
    if not engines.WORKER and not config.option.collectonly and not config.option.help:
        engines.start()
    from django.conf import settings

    _scan_static_files_once()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.REDIS_URL = engines.redis_url()
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL


def _scan_static_files_once() -> None:
    """Each test client builds the middleware anew; looking for all static files again is most of what that costs."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    scan, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def add_files(self: Any) -> None:
        if not found:
            scan(self)
            found.update(self.files)
        self.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = add_files


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests are made and all stay: looking for garbage among them is a third of collecting them.

    Requests and queries make and drop so many objects that looking after each 700 costs their tests a twentieth.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        gc.enable()


def pytest_sessionfinish() -> None:
    browsing.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within a module those of one database follow each other: a new connection takes longer than a small test."""
    modules = {module: number for number, module in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(key=lambda item: (modules[item.path], _kind_of(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests in a staffed workspace begin with the cast already there; all others begin with nothing."""
    _databases.choose(_kind_of(item))


def _kind_of(item: pytest.Item) -> str:
    """The database that a test begins with."""
    wanted = set(getattr(item, "fixturenames", ()))
    marker = item.get_closest_marker("django_db")
    commits = "transactional_db" in wanted or (marker is not None and marker.kwargs.get("transaction"))
    if "standing_handbook" in wanted and not commits:
        return "library"
    return "cast" if _STAFFED & wanted else "bare"


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Each worker's own copies of the template instead of a migration run per worker."""
    with django_db_blocker.unblock():
        _databases.make()
    # The trail refuses TRUNCATE, which is Django's flush.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: _databases.renew())
        yield
    with django_db_blocker.unblock():
        _databases.drop()


@pytest.fixture(scope="session")
def _broker() -> Iterator[Any]:
    """A connection to this worker's part of the broker."""
    import redis

    with redis.Redis.from_url(engines.redis_url()) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_broker(_broker: Any) -> Iterator[None]:
    """No stream or queue of one test reaches the next."""
    yield
    _broker.flushdb()


@pytest.fixture(scope="session")
def _collections_used() -> Iterator[set[str]]:
    """Names of the collections that this worker touched; an index left half made is in no cache of the product."""
    from documents import index

    used: set[str] = set()
    name_of = index._name

    def remembered(*args: Any) -> str:
        name = name_of(*args)
        used.add(name)
        return name

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "_name", remembered)
        yield used


@pytest.fixture(scope="session")
def _collections_written(_collections_used: set[str]) -> Iterator[set[str]]:
    """Names of those that it wrote to."""
    from documents import index

    written: set[str] = set()

    def noting(write: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **named: Any) -> Any:
            written.add(args[0] if write is begin else index._name(*args[:2]))
            return write(*args, **named)

        return noted

    begin = index._begun
    with pytest.MonkeyPatch.context() as patch:
        for writer in (index.upsert, index.delete, index.drop, index.remake, begin):
            patch.setattr(index, writer.__name__, noting(writer))
        yield written


@pytest.fixture(autouse=True)
def _empty_indexes(_collections_used: set[str], _collections_written: set[str]) -> Iterator[None]:
    """The cast and its workspaces have the same ids in every test: no test finds what an earlier one left behind."""
    yield
    from answers.governing import servers
    from documents.indexing import replicas
    from documents.retrieval import legs

    # Calls that a test made in its transaction, which is undone, are not for the next one to count.
    servers._owed.calls.clear()
    legs._widths.clear()
    for workspace in _databases.workspaces:
        replicas.discard(workspace)
        for name in [name for name in _collections_used if name.startswith(f"w-{workspace.hex}-")]:
            drop_collection(name)
    for standing in _standing:
        standing.put_back(_collections_written)
    _collections_used.clear()
    _collections_written.clear()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait for a process they started or killed."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def model_itself() -> Callable[[Any, str], Any]:
    """The built-in embedding model's own method. Everywhere else a text that it has turned into a vector in this
    worker has that vector: the same few documents are ingested in hundreds of tests.
    """
    from documents.embeddings import _MiniLM

    embed, known = _MiniLM.embed, {}

    def embed_once(self: Any, text: str) -> Any:
        if text not in known:
            known[text] = embed(self, text)
        return known[text].copy()

    _MiniLM.embed = embed_once
    return embed


@pytest.fixture(autouse=True)
def _language_of_the_portal() -> None:
    """What one test speaks is not what the next one hears: an asynchronous request leaves its language behind."""
    translation.deactivate()


@pytest.fixture(scope="session")
def _files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(autouse=True)
def _files_of_this_test(request: pytest.FixtureRequest, settings: Any, _files: Path) -> Iterator[None]:
    """Uploads and checkpoints land in a directory of the test's own, made by the first of them: few tests have any."""
    place, failed = _files / uuid4().hex, request.session.testsfailed
    settings.MEDIA_ROOT = place / "files"
    settings.CHECKPOINTS = place / "checkpoints"
    yield
    if place.exists() and request.session.testsfailed == failed:
        shutil.rmtree(place)


@pytest.fixture
def engines_elsewhere(settings: Any, tmp_path: Any) -> None:
    """As with engines on other machines: a proof of an erasure reads no file that every test beside it writes into."""
    settings.VAR = tmp_path / "var"
    settings.VAR.mkdir()
    settings.EMBEDDED_CHROMA = settings.EMBEDDED_BROKER = False


# --- The cast -----------------------------------------------------------------------------------------------

_STAFFED = {"policies", "legal"}
_ROLES = {
    "manager": "manager",
    "contributor": "contributor",
    "reviewer": "reviewer",
    "second-reviewer": "reviewer",
    "member": "member",
    "auditor": "auditor",
}


def _make_user(username: str) -> Any:
    from workspaces.members import create_user

    return create_user(username=username, password=PASSWORD, by=None)


def _make_workspace(slug: str, policy: str = "open", **people: Any) -> Any:
    from django.db import transaction

    from workspaces.members import add_member, create_workspace

    with transaction.atomic():
        workspace = create_workspace(slug=slug, name=slug.capitalize(), policy=policy, by=None)
        for role, users in people.items():
            for user in users if isinstance(users, list) else [users]:
                add_member(workspace, user, role, by=None)
    return workspace


def _hire_the_cast() -> list[Any]:
    """Make everybody and the two workspaces, and return the ids of these."""
    people: dict[str, list[Any]] = {}
    for username, role in _ROLES.items():
        people.setdefault(role, []).append(_make_user(username))
    made = _make_workspace("policies", **people), _make_workspace("legal", policy="review", **people)
    return [workspace.pk for workspace in made]


_databases = Databases(_hire_the_cast)
#: The indexes that stand beside the database with the handbook, once there is one.
_standing: list[Standing] = []


@pytest.fixture(scope="session")
def _library(
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    model_itself: Any,
    _broker: Any,
    _collections_written: set[str],
) -> None:
    """A database of this worker in which the real stages ingested the handbook, and its indexes."""
    place = tmp_path_factory.mktemp("library")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=place / "files"):
        _standing.append(_databases.make_library(lambda: _ingest_the_handbook(place)))
    # Nobody is to answer the bells that rang.
    _broker.flushdb()
    _collections_written.clear()


def _ingest_the_handbook(place: Path) -> Standing:
    from tests.answers import library
    from workspaces.models import Workspace

    policies, legal = _hire_the_cast()
    _databases.workspaces.append(legal)
    library.add_document(Workspace.objects.get(pk=policies), library.HANDBOOK_PATH, library.HANDBOOK)
    return Standing(policies, place)


@pytest.fixture
def standing_handbook(_library: None, policies: Any, settings: Any) -> Any:
    """The version of the handbook that is ready in `policies` when the test begins; None for a test that commits."""
    from documents.models import Version

    if _databases.kind != "library":
        return None
    _standing[0].lend_files(Path(settings.MEDIA_ROOT))
    return Version.objects.select_related("document__workspace").get(document__workspace=policies)


def _of_the_cast(username: str) -> Any:
    """The account of that name, made where the test begins with nothing."""
    from workspaces.models import User

    return User.objects.filter(username=username).first() or _make_user(username)


@pytest.fixture
def make_user(db: None) -> Callable[[str], Any]:
    """make_user("name") → an account that belongs nowhere, with the password `PASSWORD`."""
    return _make_user


@pytest.fixture
def make_workspace(db: None) -> Callable[..., Any]:
    """make_workspace("slug", policy="open", manager=user, member=[a, b]) → a staffed workspace."""
    return _make_workspace


@pytest.fixture
def manager(db: None) -> Any:
    return _of_the_cast("manager")


@pytest.fixture
def contributor(db: None) -> Any:
    return _of_the_cast("contributor")


@pytest.fixture
def reviewer(db: None) -> Any:
    return _of_the_cast("reviewer")


@pytest.fixture
def second_reviewer(db: None) -> Any:
    return _of_the_cast("second-reviewer")


@pytest.fixture
def member(db: None) -> Any:
    return _of_the_cast("member")


@pytest.fixture
def auditor(db: None) -> Any:
    return _of_the_cast("auditor")


@pytest.fixture
def stranger(make_user: Any) -> Any:
    return make_user("stranger")


@pytest.fixture
def admin(make_user: Any) -> Any:
    """A platform administrator: runs the installation, opens no content."""
    from workspaces.members import set_platform_administrator

    user = make_user("admin")
    set_platform_administrator(user, by=None)
    return user


@pytest.fixture
def superuser(make_user: Any) -> Any:
    """Made by the operator; holds no role and has not broken any glass."""
    user = make_user("superuser")
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    return user


@pytest.fixture
def break_glass(superuser: Any) -> Callable[[Any], Any]:
    """break_glass(workspace) → the superuser has stated a reason there."""
    from workspaces.glass import breaking as glass

    return lambda workspace: glass.break_glass(workspace, by=superuser, reason="Look into ticket 4711")


@pytest.fixture
def people(
    manager: Any, contributor: Any, reviewer: Any, second_reviewer: Any, member: Any, auditor: Any
) -> dict[str, Any]:
    """Everybody who has a role in both workspaces, as `make_workspace` takes them."""
    return {
        "manager": manager,
        "contributor": contributor,
        "reviewer": [reviewer, second_reviewer],
        "member": member,
        "auditor": auditor,
    }


@pytest.fixture
def policies(db: None) -> Any:
    """The open workspace, with everybody of the cast in their role."""
    return _workspace_of_the_cast("policies")


@pytest.fixture
def legal(db: None) -> Any:
    """The workspace under review, with the same people."""
    return _workspace_of_the_cast("legal")


def _workspace_of_the_cast(slug: str) -> Any:
    from workspaces.models import Workspace

    return Workspace.objects.get(slug=slug)


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """client_of(user) → a browser session of that person, as a sign-in leaves it; the sign-in itself is in no trail."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib import auth

    from workspaces.identity import sessions

    def sign_in(user: Any) -> Client:
        client = Client()
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[auth.SESSION_KEY] = str(user.pk)
        session[auth.BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
        sessions.begin(SimpleNamespace(session=session))
        session.create()
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        return client

    return sign_in


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Any]:
    """An OpenID Connect provider in a process of its own, one for all tests of this worker."""
    from tests import oidc_provider

    with oidc_provider.running("http://testserver/sign-in/with/oidc/login/callback/") as running:
        yield running


@pytest.fixture
def provider(provider_process: Any, settings: Any) -> Any:
    """A provider that knows `ada` of the groups readers and finance, set up in the portal."""
    from tests import oidc_provider

    issuer = provider_process.issuer
    provider_process.spoil()
    provider_process.knows({"ada": {"preferred_username": "ada", "groups": ["readers", "finance"]}})
    settings.OIDC_ISSUER = issuer
    settings.OIDC_HOSTS = [issuer.removeprefix("http://")]
    settings.OIDC_CLIENT_ID = oidc_provider.CLIENT_ID
    app = {
        "provider_id": settings.OIDC_PROVIDER,
        "name": "Our directory",
        "client_id": oidc_provider.CLIENT_ID,
        "secret": oidc_provider.CLIENT_SECRET,
        "settings": {"server_url": issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    return provider_process


@pytest.fixture
def as_superuser(transactional_db: None) -> Iterator[Any]:
    """A database connection that may damage what the product may not; needs committed rows."""
    with engines.as_superuser(_databases.name) as connection:
        yield connection
