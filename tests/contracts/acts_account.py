"""The rows of the table about signing in and one's own account."""

from allauth.mfa.models import Authenticator
from django.test import Client

from audit.events import EventType
from tests.contracts.acts import Act, one
from tests.contracts.world import PASSWORD, VISITORS, World
from tests.workspaces.sign_in_scene import code_of, confirm, set_up_app

E = EventType
EVERYBODY = frozenset(VISITORS)
NEW = "another-horse-42-battery"


def _nobody(world: World) -> Client:
    return Client(raise_request_exception=False)


def _confirmed(world: World) -> Client:
    client = world.client("member")
    confirm(client)
    return client


def _shown_a_secret(world: World) -> Client:
    client = _confirmed(world)
    world.shown["secret"] = client.get("/account/app/").context["form"].secret
    return client


def _with_an_app(world: World) -> Client:
    client = world.client("member")
    set_up_app(client)
    return client


def _with_a_passkey(world: World) -> Client:
    client = _confirmed(world)
    data = {"name": "Key", "credential": {}}
    made = Authenticator.objects.create(user=world.people["member"], type=Authenticator.Type.WEBAUTHN, data=data)
    world.shown["passkey"] = str(made.pk)
    return client


def _own(name: str, event: EventType | None, sent: dict | None = None, **more: object) -> Act:
    return Act(name, "member", event, sent=sent or {}, may=EVERYBODY, **more)


ACCOUNT = [
    _own(
        "account_login",
        E.USER_SIGNED_IN,
        {"username": "member", "password": PASSWORD, "remember": "", "next": ""},
        client=_nobody,
    ),
    _own("account_logout", E.USER_SIGNED_OUT, {"next": ""}),
    _own(
        "account_change_password",
        E.USER_CHANGED,
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    ),
    _own("usersessions_list", E.SESSION_ENDED),
    Act("end_session", "member", E.SESSION_ENDED, {"pk": one("session")}, may=frozenset({"member"})),
    _own(
        "mfa_activate_totp",
        E.FACTOR_ADDED,
        {"code": lambda world: code_of(world.shown["secret"])},
        client=_shown_a_secret,
    ),
    _own("mfa_deactivate_totp", E.FACTOR_REMOVED, client=_with_an_app),
    _own("mfa_generate_recovery_codes", E.FACTOR_ADDED, client=_with_an_app),
    Act(
        "mfa_remove_webauthn",
        "member",
        E.FACTOR_REMOVED,
        {"pk": one("shown", lambda shown: shown["passkey"])},
        {"next": ""},
        client=_with_a_passkey,
        may=EVERYBODY,
    ),
    Act(
        "mfa_edit_webauthn",
        "member",
        None,
        {"pk": one("shown", lambda shown: shown["passkey"])},
        {"name": "Office"},
        client=_with_a_passkey,
        may=EVERYBODY,
        why_no_entry="It is what a person calls their own key; the key stays the same.",
    ),
    _own("account_reauthenticate", None, {"password": PASSWORD}, why_no_entry="It changes nothing but the session."),
    _own(
        "set_language",
        None,
        {"language": "sr", "next": "/"},
        why_no_entry="It notes what the person reads in.",
    ),
]

#: What takes an authenticator or another server: name → the test that proves its entry.
_FACTORS = "tests/workspaces/identity/test_factors.py::"
_BROWSER = "tests/e2e/test_signing_in.py::"
_PROVIDER = "tests/workspaces/identity/test_single_sign_on.py::"
_LINK = "tests/workspaces/identity/test_provider_link.py::"
_LOCAL = "tests/workspaces/identity/test_local_sign_in.py::"
PROVED_ELSEWHERE = {
    "mfa_authenticate": _FACTORS + "test_a_recovery_code_signs_in_once_and_says_how_many_are_left",
    "mfa_login_webauthn": _BROWSER + "test_a_passkey_is_registered_and_signs_in_alone",
    "mfa_add_webauthn": _BROWSER + "test_a_passkey_is_registered_and_signs_in_alone",
    "mfa_reauthenticate": _BROWSER + "test_an_app_is_set_up_and_asked_for_and_a_recovery_code_stands_in",
    "mfa_reauthenticate_webauthn": _BROWSER + "test_a_passkey_is_registered_and_signs_in_alone",
    "openid_connect_login": _PROVIDER + "test_the_way_to_the_provider_starts_at_our_own_form_alone",
    "openid_connect_callback": _PROVIDER + "test_the_sign_in_and_its_trail_are_one_transaction",
    "emergency_sign_in": _LOCAL + "test_the_emergency_account_signs_in_with_password_and_second_factor",
    "link_provider": _LINK + "test_a_link_whose_entry_cannot_be_written_is_none",
    "unlink_provider": _LINK + "test_unlinking_takes_what_the_provider_gave_and_ends_other_sessions",
    "confirm_at_provider": _LINK + "test_somebody_else_or_an_old_session_at_the_provider_confirms_nothing",
    "openid_connect_back_channel_logout": "tests/workspaces/identity/test_provider_sign_out.py",
    "admin:documents_embeddingendpoint_test": (
        "tests/documents/reembedding/test_pages.py::test_an_administrator_connects_changes_and_tests_an_endpoint"
    ),
    "admin:documents_rerankendpoint_test": (
        "tests/documents/test_reranking.py::test_an_administrator_connects_changes_and_tests_a_reranker"
    ),
    "workspaces:end_view": "tests/workspaces/test_view_as.py",
}
