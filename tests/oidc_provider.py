"""An OpenID Connect provider as a process of its own: oauthlib's server behind a small web server.

It keeps the rules of a provider by itself (codes are good once, PKCE is required, redirect addresses are exact), and
puts into an ID token what the test says a person is. `spoil` makes its tokens wrong in one named way, as an attacker
or a broken provider would.
"""

import argparse
import html
import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.common import Request
from oauthlib.oauth2 import OAuth2Error
from oauthlib.openid import RequestValidator, Server

CLIENT_ID = "inlock"
CLIENT_SECRET = "a-secret-between-the-two"
KEY_ID = "key-1"


class Directory:
    """What the provider knows: people with their claims, codes that are out, and how its tokens are to be wrong."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.spoiled: dict[str, Any] = {}
        self.ended: list[str] = []
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.foreign_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.lock = threading.Lock()


class Rules(RequestValidator):
    """What oauthlib asks about clients, codes and people."""

    def __init__(self, directory: Directory, issuer: str, redirect_uris: list[str]) -> None:
        super().__init__()
        self.directory, self.issuer, self.redirect_uris = directory, issuer, redirect_uris

    # --- The client ---

    def validate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        return client_id == CLIENT_ID

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        request.client = Client()
        return (request.client_id, request.client_secret) == (CLIENT_ID, CLIENT_SECRET)

    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        return True

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return redirect_uri in self.redirect_uris

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return response_type == "code"

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return grant_type == "authorization_code"

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return set(scopes) <= {"openid", "profile", "email"}

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        return ["openid"]

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return True

    # --- Codes ---

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        self.directory.codes[code["code"]] = {
            "subject": request.user,
            "redirect_uri": request.redirect_uri,
            "scopes": list(request.scopes),
            "nonce": request.nonce,
            "challenge": request.code_challenge,
            "method": request.code_challenge_method,
        }

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        issued = self.directory.codes.get(code)
        if issued is None:
            return False
        request.user, request.scopes = issued["subject"], issued["scopes"]
        return True

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        self.directory.codes.pop(code, None)

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return bool(self.directory.codes[code]["redirect_uri"] == redirect_uri)

    def get_code_challenge(self, code: str, request: Request) -> Any:
        return self.directory.codes[code]["challenge"]

    def get_code_challenge_method(self, code: str, request: Request) -> Any:
        return self.directory.codes[code]["method"]

    def get_authorization_code_scopes(self, client_id: str, code: str, redirect_uri: str, request: Request) -> Any:
        return self.directory.codes.get(code, {}).get("scopes", [])

    def get_authorization_code_nonce(self, client_id: str, code: str, redirect_uri: str, request: Request) -> Any:
        return self.directory.codes[code]["nonce"]

    def save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is asked with the access token."""

    # --- The ID token ---

    def get_id_token(self, token: Any, token_handler: Any, request: Request) -> None:
        return None

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Request) -> str:
        now = int(time.time())
        claims = id_token | {"iss": self.issuer, "sub": request.user, "exp": now + 300, "auth_time": now}
        claims["sid"] = f"session-of-{request.user}"
        claims |= self.directory.people[request.user]
        spoiled = self.directory.spoiled
        claims |= spoiled.get("claims", {})
        claims = {name: value for name, value in claims.items() if name not in spoiled.get("without", [])}
        return self.signed(claims, spoiled)

    def logout_token(self, spoiled: dict[str, Any]) -> str:
        """What tells the portal that a session ended here, wrong as `spoiled` says."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8)}
        claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        claims |= spoiled.get("claims", {})
        return self.signed(
            {name: told for name, told in claims.items() if name not in spoiled.get("without", [])}, spoiled
        )

    def signed(self, claims: dict[str, Any], spoiled: dict[str, Any]) -> str:
        """A token of these claims, signed as the test wants it."""
        if spoiled.get("alg") == "none":
            return jwt.encode(claims, None, algorithm="none", headers={"kid": KEY_ID})
        if spoiled.get("alg") == "HS256":
            return jwt.encode(claims, CLIENT_SECRET.ljust(32, "."), algorithm="HS256", headers={"kid": KEY_ID})
        key = self.directory.foreign_key if spoiled.get("key") == "foreign" else self.directory.key
        headers = {"kid": spoiled.get("kid", KEY_ID)} | spoiled.get("headers", {})
        return jwt.encode(claims, key, algorithm="RS256", headers=headers)

    def validate_silent_authorization(self, request: Request) -> bool:
        return False

    def validate_silent_login(self, request: Request) -> bool:
        return False

    def validate_user_match(self, id_token_hint: Any, scopes: Any, claims: Any, request: Request) -> bool:
        return True


class Client:
    client_id = CLIENT_ID


class Pages(BaseHTTPRequestHandler):
    """The provider's addresses, and two by which a test tells it what to say (`/test/…`)."""

    directory: Directory
    rules: Rules
    protocol: Server
    issuer: str

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        spoiled = self.directory.spoiled
        if "redirect" in spoiled:
            self._send(302, "text/plain", b"", Location=spoiled["redirect"])
        elif "bytes" in spoiled:
            self._send(200, "application/json", b" " * spoiled["bytes"])
        elif path == "/.well-known/openid-configuration":
            self._json(200, self._configuration())
        elif path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.directory.key.public_key()))
            self._json(200, {"keys": [public | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}]})
        elif path == "/authorize":
            self._ask_who()
        elif path == "/end-session":
            self._end_session()
        else:
            self._json(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = urlsplit(self.path).path
        if path == "/authorize":
            self._authorize(body)
        elif path == "/token":
            self._answer(self.protocol.create_token_response(self._address(), "POST", body, dict(self.headers)))
        elif path == "/test/people":
            self.directory.people = json.loads(body)
            self._json(200, {})
        elif path == "/test/portal":
            self.rules.redirect_uris.append(json.loads(body))
            self._json(200, {})
        elif path == "/test/logout-token":
            self._json(200, self.rules.logout_token(json.loads(body)))
        elif path == "/test/spoil":
            self.directory.spoiled = json.loads(body)
            self._json(200, {})
        else:
            self._json(404, {})

    def _configuration(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end-session",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }
        return told | self.directory.spoiled.get("configuration", {})

    def _end_session(self) -> None:
        """Go back to the portal, which must be known and show the ID token of the session that ends."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        back, options = asked.get("post_logout_redirect_uri", ""), {"verify_exp": False}
        try:
            hint = jwt.decode(
                asked.get("id_token_hint", ""),
                self.directory.key.public_key(),
                ["RS256"],
                audience=CLIENT_ID,
                options=options,
            )
        except jwt.PyJWTError:
            self._send(400, "text/plain", b"no session is named")
            return
        known = {uri.partition("/sign-in/")[0] + "/sign-in/" for uri in self.rules.redirect_uris}
        if back not in known:
            self._send(400, "text/plain", b"this portal is not known")
            return
        self.directory.ended.append(hint["sub"])
        self._send(302, "text/plain", b"", Location=back)

    def _ask_who(self) -> None:
        # A wrong client, redirect address or missing challenge is refused before anybody is asked to sign in.
        try:
            self.protocol.validate_authorization_request(self._address(), "GET", None, dict(self.headers))
        except OAuth2Error as error:
            self._send(400, "text/plain", error.error.encode())
            return
        query = html.escape(urlsplit(self.path).query)
        page = (
            "<!doctype html><title>Identity provider</title><h1>Who are you?</h1>"
            f'<form method="post" action="/authorize?{query}"><input name="subject"><button>Sign in</button></form>'
        )
        self._send(200, "text/html", page.encode())

    def _authorize(self, body: str) -> None:
        subject = parse_qs(body).get("subject", [""])[0]
        if subject not in self.directory.people:
            self._send(403, "text/plain", b"unknown person")
            return
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [""])[0].split()
        try:
            answer = self.protocol.create_authorization_response(
                self._address(), "GET", None, dict(self.headers), scopes, {"user": subject}
            )
        except OAuth2Error as error:
            self._send(400, "text/plain", error.error.encode())
            return
        self._answer(answer)

    def _address(self) -> str:
        # oauthlib refuses plain HTTP, which is all there is on the loopback of a test.
        return "https://" + self.issuer.removeprefix("http://") + self.path

    def _answer(self, answer: tuple[dict[str, str], str | None, int]) -> None:
        headers, body, status = answer
        self._send(status, headers.pop("Content-Type", "text/plain"), (body or "").encode(), **headers)

    def _json(self, status: int, told: Any) -> None:
        self._send(status, "application/json", json.dumps(told).encode())

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """A test reads what happened from the portal, not from here."""


def main() -> None:
    """Serve until the standard input closes, which ends with whoever started us."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("redirect_uris", nargs="*")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    issuer = f"http://127.0.0.1:{server.server_address[1]}"
    directory = Directory()
    Pages.issuer, Pages.directory = issuer, directory
    Pages.rules = Rules(directory, issuer, options.redirect_uris)
    Pages.protocol = Server(Pages.rules)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(issuer + "\n")
    sys.stdout.flush()
    sys.stdin.read()


#: Spoken to over plain HTTP, so that the authorities of the system, a tenth of a second to load, are not needed.
_plain = partial(httpx.request, verify=False)


class Provider:
    """A running provider, as a test speaks to it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def knows(self, people: dict[str, dict[str, Any]]) -> None:
        """From now on exactly these people, with these claims, by subject."""
        _plain("POST", f"{self.issuer}/test/people", content=json.dumps(people)).raise_for_status()

    def spoil(self, **how: Any) -> None:
        """Go wrong from now on, or with nothing said no more.

        Tokens: `claims` put over the right ones, claims `without`, `alg`, `key`, `kid`. Answers: `configuration` put
        over the right one, a `redirect` instead of any, or so many `bytes`.
        """
        _plain("POST", f"{self.issuer}/test/spoil", json=how).raise_for_status()

    def serves(self, portal: str) -> None:
        """From now on also the portal at this address."""
        redirect_uri = f"{portal}/sign-in/with/oidc/login/callback/"
        _plain("POST", f"{self.issuer}/test/portal", json=redirect_uri).raise_for_status()

    def logout_token(self, **how: Any) -> str:
        """What it would send to the portal to end sessions; `how` as for `spoil`, with `headers` of the token."""
        return _plain("POST", f"{self.issuer}/test/logout-token", json=how).raise_for_status().json()

    def sign_in(self, authorize: str, subject: str) -> str:
        """Sign in as `subject` at the address the portal sent the browser to; the address it is sent back to."""
        assert authorize.startswith(f"{self.issuer}/authorize?")
        asked = _plain("GET", authorize)
        assert asked.status_code == 200, asked.text
        answered = _plain("POST", authorize, content=urlencode({"subject": subject}))
        assert answered.status_code == 302, answered.text
        return answered.headers["Location"]


@contextmanager
def running(*redirect_uris: str) -> Iterator[Provider]:
    """A provider in a process of its own, for a portal at these redirect addresses."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.oidc_provider", *redirect_uris],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Provider(process.stdout.readline().strip())
    finally:
        process.communicate()


if __name__ == "__main__":
    main()
