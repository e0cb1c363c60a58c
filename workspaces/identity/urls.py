"""The addresses of signing in and of one's own account.

Each page of django-allauth that we use is named here, under the name it looks for; what is not named is closed:
signing up, e-mail addresses, links by e-mail.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as providers
from allauth.usersessions import views as usersessions
from django.contrib.auth.decorators import login_not_required
from django.urls import path

from workspaces.identity import back_channel, linking, single_sign_on, views
from workspaces.identity.decorators import own_account, recorded
from workspaces.identity.local_sign_in import asks_no_password, for_emergencies, with_local_sign_in
from workspaces.identity.sign_out import sign_out as leave

urlpatterns = [
    path("sign-in/", asks_no_password(views.sign_in), name="account_login"),
    path("sign-in/emergency/", for_emergencies(views.emergency), name="emergency_sign_in"),
    path("sign-in/code/", mfa.authenticate, name="mfa_authenticate"),
    path(
        "sign-in/passkey/",
        with_local_sign_in(login_not_required(passkeys.login_webauthn)),
        name="mfa_login_webauthn",
    ),
    path("sign-in/with/<slug:provider_id>/login/", single_sign_on.begin, name="openid_connect_login"),
    path("sign-in/with/<slug:provider_id>/login/callback/", single_sign_on.callback, name="openid_connect_callback"),
    path("sign-in/cancelled/", providers.login_cancelled, name="socialaccount_login_cancelled"),
    path("sign-in/failed/", providers.login_error, name="socialaccount_login_error"),
    path("sign-in/with/<slug:provider_id>/logout/", back_channel.sign_out, name="openid_connect_back_channel_logout"),
    path("sign-out/", leave, name="account_logout"),
    path("account/", own_account(views.own_account_page), name="mfa_index"),
    path("account/provider/link/", linking.link, name="link_provider"),
    path("account/provider/unlink/", linking.unlink, name="unlink_provider"),
    path("account/confirm/provider/", linking.confirm, name="confirm_at_provider"),
    path("account/password/", with_local_sign_in(views.change_password), name="account_change_password"),
    path("account/sessions/", own_account(usersessions.list_usersessions), name="usersessions_list"),
    path("account/sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("account/app/", recorded(totp.activate_totp), name="mfa_activate_totp"),
    path("account/app/remove/", recorded(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/passkeys/", own_account(passkeys.list_webauthn), name="mfa_list_webauthn"),
    path("account/passkeys/add/", recorded(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", recorded(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("account/passkeys/<int:pk>/rename/", own_account(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    path("account/recovery-codes/", own_account(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new/",
        recorded(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("account/confirm/", own_account(with_local_sign_in(account.reauthenticate)), name="account_reauthenticate"),
    path("account/confirm/code/", own_account(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("account/confirm/passkey/", own_account(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
]
