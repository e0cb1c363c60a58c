"""Settings of the whole installation, read from the environment (see `.env.example`, in the same order)."""

import base64
import binascii
import contextlib
import gc
import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from cryptography.fernet import Fernet
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from inlock import engines
from inlock.env import Env, SettingError, load_dotenv
from inlock.mail_server import mail_server

BASE_DIR = Path(__file__).resolve().parent.parent
load_dotenv(BASE_DIR / ".env")
env = Env()

# --- Mode and secrets -------------------------------------------------------------------------------------

#: "development" for one machine and a first look, "production" where strangers can reach it.
MODE = env.str("INLOCK_MODE", "development")
if MODE not in {"development", "production"}:
    raise SettingError(f"INLOCK_MODE is {MODE!r}: write development or production.")
PRODUCTION = MODE == "production"

#: Everything the installation writes: embedded engines, uploaded files, logs, local index replicas.
VAR = env.path("INLOCK_VAR", BASE_DIR / "var").resolve()
VAR.mkdir(parents=True, exist_ok=True)


def _of_this_checkout(name: str, make: Callable[[], str]) -> str:
    """A random secret of this checkout's own, so that not even development runs with a published one."""
    file = VAR / name
    if not file.exists():
        made = VAR / f"{name}.{secrets.token_hex(4)}"
        made.touch(mode=0o600)
        made.write_text(make(), encoding="utf-8")
        # Of two first starts at once one wins, and both read the winner's.
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(made)
        made.unlink()
    return file.read_text(encoding="utf-8")


SECRET_KEY = env.str("SECRET_KEY") or (
    "" if PRODUCTION else _of_this_checkout("secret_key", lambda: secrets.token_urlsafe(64))
)
#: Seal the secrets that lie in the database (`workspaces/secrets.py`): the first seals, all of them open.
INLOCK_ENCRYPTION_KEYS = env.list("INLOCK_ENCRYPTION_KEYS") or (
    [] if PRODUCTION else [_of_this_checkout("encryption_key", lambda: Fernet.generate_key().decode())]
)
#: Signs checkpoints, receipts and evidence packs (`audit/signing.py`): 32 random bytes in base64.
INLOCK_SIGNING_KEY = env.str("INLOCK_SIGNING_KEY") or (
    "" if PRODUCTION else _of_this_checkout("signing_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())
)
#: The key that signed before, so that it vouches for the new one.
INLOCK_SIGNING_KEY_BEFORE = env.str("INLOCK_SIGNING_KEY_BEFORE")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS")

# --- Engines ------------------------------------------------------------------------------------------------

ADDRESSES = engines.addresses(VAR)
#: True where PostgreSQL is ours to start and migrate.
EMBEDDED_DATABASE = not env.str("DATABASE_URL")
#: True where their directories are ours too, so that what was erased can be looked for in them.
EMBEDDED_CHROMA = not env.str("CHROMA_URL")
EMBEDDED_BROKER = not env.str("REDIS_URL")
#: Where its keeper is told what our own Chroma did not answer in time.
CHROMA_COMPLAINT = engines.Place(VAR, "chroma").complaint if EMBEDDED_CHROMA else None
REDIS_URL = ADDRESSES.redis_url
CHROMA_URL = ADDRESSES.chroma_url

DATABASES = {
    "default": dj_database_url.parse(ADDRESSES.database_url, conn_max_age=60, conn_health_checks=True)
    | {"ATOMIC_REQUESTS": False}
}
#: How many connections to PostgreSQL the web process keeps at most (`inlock/asgi.py`).
WEB_CONNECTIONS = env.int("INLOCK_WEB_CONNECTIONS", 40, minimum=2)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "inlock.cache.JSONSerializer"},
    }
}

#: Uploaded originals: content is written once under a random key and served only through the access door.
MEDIA_ROOT = env.path("INLOCK_FILES", VAR / "files")
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = VAR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 200

# --- Limits a person meets (shown before upload, refused with a sentence) -----------------------------------

MAX_UPLOAD_BYTES = env.int("INLOCK_MAX_UPLOAD_MB", 100, minimum=1) * 1024 * 1024
#: One request may carry a few files at their largest; the page sends one file a request.
MAX_REQUEST_BYTES = 4 * MAX_UPLOAD_BYTES
#: What one file may hold, and cost the process that reads it (`documents/sandbox.py`).
MAX_PAGES = env.int("INLOCK_MAX_PAGES", 2000, minimum=1)
MAX_CHARACTERS = env.int("INLOCK_MAX_CHARACTERS", 20_000_000, minimum=1000)
MAX_UNPACKED_BYTES = env.int("INLOCK_MAX_UNPACKED_MB", 500, minimum=1) * 1024 * 1024
PARSE_SECONDS = env.int("INLOCK_PARSE_SECONDS", 120, minimum=10)
PARSE_MEMORY_BYTES = env.int("INLOCK_PARSE_MEMORY_MB", 2048, minimum=256) * 1024 * 1024
RECOGNISE_SECONDS = env.int("INLOCK_RECOGNISE_SECONDS", 600, minimum=10)
#: Free disk below which files are refused and everything else goes on; below a tenth of it the database is at risk.
LOW_DISK_BYTES = env.int("INLOCK_LOW_DISK_MB", 2048, minimum=0) * 1024 * 1024
MAX_QUESTION_CHARACTERS = env.int("INLOCK_MAX_QUESTION_CHARACTERS", 8000, minimum=100)
#: How long a draft that somebody had examined is kept, with what was found in it.
DRAFT_REVIEW_DAYS = env.int("INLOCK_DRAFT_REVIEW_DAYS", 90, minimum=1)
#: Days after which a workspace is reminded to review who holds which rights.
ACCESS_REVIEW_DAYS = env.int("INLOCK_ACCESS_REVIEW_DAYS", 180, minimum=1)
#: Figures that readiness goes by, instead of those in workspaces/readiness/thresholds.py.
READINESS = env.figures("INLOCK_READINESS")
#: Touched or written by whatever makes the backups, each time one is whole; its age is the backup's.
BACKUP_MARKER = env.str("INLOCK_BACKUP_MARKER")
#: Threads onnxruntime may use for one embedding; one keeps several workers from fighting over the cores.
EMBEDDING_THREADS = env.int("INLOCK_EMBEDDING_THREADS", 1, minimum=1)

#: Where a model may be (`answers/registry/hosts.py`). In development: this machine, and any public host over HTTPS.
MODEL_HOSTS = env.list("INLOCK_MODEL_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.0/8", "::1/128", "*"])

#: What prices of models and budgets are in: one currency for the installation.
CURRENCY = env.str("INLOCK_CURRENCY", "EUR").upper()

#: Where sources of documents may be (`documents/fetch.py`). In development: any public host.
SOURCE_HOSTS = env.list("INLOCK_SOURCE_HOSTS", [] if PRODUCTION else ["*"])
#: Folders of this machine that sources may read, `/srv/handbook` for all or `legal:/srv/legal` for one workspace.
SOURCE_FOLDERS = env.list("INLOCK_SOURCE_FOLDERS")

# --- Applications -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "workspaces.admin_config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "simple_history",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "inlock",
    "audit",
    "workspaces",
    "documents",
    "answers",
]

MIDDLEWARE = [
    "inlock.headers.ResponseHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "inlock.outage.OutageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "inlock.characters.StorableMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workspaces.tokens.authentication.ApiAccessMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "workspaces.middleware.ActingMiddleware",
    "workspaces.middleware.RefusalMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workspaces.identity.middleware.IdentityMiddleware",
    "workspaces.view_as.viewing.ViewAsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "inlock.urls"
ASGI_APPLICATION = "inlock.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workspaces.context_processors.navigation",
            ],
        },
    },
]

# --- People and rights --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "workspaces.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: nobody is anybody by default
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

# --- Signing in (django-allauth; its pages are named in workspaces/identity/urls.py) ------------------------

#: Seconds a session lasts from the sign-in, whatever is done in it, and without a request.
SESSION_COOKIE_AGE = env.int("INLOCK_SESSION_HOURS", 12, minimum=1) * 3600
SESSION_IDLE_SECONDS = env.int("INLOCK_SESSION_IDLE_MINUTES", 120, minimum=5) * 60
#: Failed attempts in a quarter of an hour, for one account and for one address.
ATTEMPTS_PER_ACCOUNT = env.int("INLOCK_ATTEMPTS_PER_ACCOUNT", 10, minimum=3)
ATTEMPTS_PER_ADDRESS = env.int("INLOCK_ATTEMPTS_PER_ADDRESS", 100, minimum=3)
#: Networks of proxies whose X-Forwarded-For is believed. Empty: nobody's.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
#: The admin opens only to people with a second factor. Off in development, so that the demo's accounts get in.
SECOND_FACTOR_FOR_ADMIN = env.bool("INLOCK_SECOND_FACTOR_FOR_ADMIN", default=PRODUCTION)

ACCOUNT_ADAPTER = "workspaces.identity.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {
    "login": "workspaces.identity.forms.SignInForm",
    "reauthenticate": "workspaces.identity.forms.ConfirmPasswordForm",
}
# Ours are counted atomically, in workspaces/identity/throttle.py.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
#: Seconds for which a confirmed password or code opens the pages that change factors.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600

MFA_ADAPTER = "workspaces.identity.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Inlock"
#: Steps of thirty seconds a phone's clock may be off.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "workspaces.identity.forms.CodeForm",
    "reauthenticate": "workspaces.identity.forms.ConfirmCodeForm",
    "activate_totp": "workspaces.identity.forms.NewAppForm",
    "add_webauthn": "workspaces.identity.forms.NewPasskeyForm",
    "edit_webauthn": "workspaces.identity.forms.RenamePasskeyForm",
    "login_webauthn": "workspaces.identity.forms.PasskeyForm",
    "authenticate_webauthn": "workspaces.identity.forms.KeyForm",
    "reauthenticate_webauthn": "workspaces.identity.forms.ConfirmKeyForm",
}
USERSESSIONS_ADAPTER = "workspaces.identity.adapters.SessionsAdapter"

#: One OpenID Connect provider, or none. Its people are known by issuer and subject, never by e-mail address.
OIDC_ISSUER = env.str("INLOCK_OIDC_ISSUER").removesuffix("/.well-known/openid-configuration")
OIDC_CLIENT_ID = env.str("INLOCK_OIDC_CLIENT_ID")
#: What claim rules and the places they give call it (`ClaimRule.provider`, `Membership.source`).
OIDC_PROVIDER = "oidc"
#: The only hosts the provider is spoken to at (`workspaces/identity/provider_http.py`), with their ports.
OIDC_HOSTS = [urlsplit(OIDC_ISSUER).netloc, *env.list("INLOCK_OIDC_HOSTS")] if OIDC_ISSUER else []
#: A file of the authorities that vouch for these hosts; empty: those the system knows.
OIDC_CA = env.str("INLOCK_OIDC_CA")
OIDC_SCOPES = env.list("INLOCK_OIDC_SCOPES", ["openid", "profile", "email"])
OIDC_GROUPS_CLAIM = env.str("INLOCK_OIDC_GROUPS_CLAIM", "groups")
#: Whether whoever the provider vouches for, and nobody knows yet, gets an account that belongs nowhere.
OIDC_CREATE = env.bool("INLOCK_OIDC_CREATE", default=True)
#: Values of `acr` or `amr` that tell of a second factor.
OIDC_SECOND_FACTOR = env.list("INLOCK_OIDC_SECOND_FACTOR")
#: Whether passwords and passkeys open accounts here. Off: people come in through the provider alone.
LOCAL_SIGN_IN = env.bool("INLOCK_LOCAL_SIGN_IN", default=True)
#: The one account that still signs in here then, with password and second factor (`identity/local_sign_in.py`).
EMERGENCY_ACCOUNT = env.str("INLOCK_EMERGENCY_ACCOUNT")
SOCIALACCOUNT_ADAPTER = "workspaces.identity.providers.ProviderAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = False
SOCIALACCOUNT_QUERY_EMAIL = SOCIALACCOUNT_EMAIL_REQUIRED = SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": OIDC_SCOPES,
        "APPS": [
            {
                "provider_id": OIDC_PROVIDER,
                "name": env.str("INLOCK_OIDC_NAME", "OpenID Connect"),
                "client_id": OIDC_CLIENT_ID,
                "secret": env.str("INLOCK_OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}

# --- API tokens ---------------------------------------------------------------------------------------------

#: The longest a token may be made to last.
TOKEN_MAX_DAYS = env.int("INLOCK_TOKEN_MAX_DAYS", 365, minimum=1)
#: How long the provider's word at a sign-in counts for the tokens of whom it gave something.
VOUCHED_FOR = timedelta(hours=env.int("INLOCK_VOUCH_HOURS", SESSION_COOKIE_AGE // 3600, minimum=1))
TOKEN_REQUESTS_PER_MINUTE = env.int("INLOCK_TOKEN_REQUESTS_PER_MINUTE", 120, minimum=1)

# --- Mail -------------------------------------------------------------------------------------------------------

#: smtp://user:password@host:587 (begun in clear and encrypted with STARTTLS), smtps://host:465, or smtp+plain://host:25.
#: Empty: people are told in the portal alone.
_MAIL = mail_server(env.str("EMAIL_URL"))
MAIL_IS_ON = _MAIL is not None
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if _MAIL else "django.core.mail.backends.dummy.EmailBackend"
)
if _MAIL:
    EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starts_tls, _MAIL.is_tls
#: Seconds without a word from the mail server.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("INLOCK_MAIL_FROM", "inlock@localhost")
#: Where people reach the portal, for the links in mails: https://portal.example
PORTAL_URL = env.str("INLOCK_URL", "http://127.0.0.1:8000").rstrip("/")

# --- Background work ----------------------------------------------------------------------------------------

#: Seconds between two looks for work that no living worker holds.
SWEEP_SECONDS = env.int("INLOCK_SWEEP_SECONDS", 20, minimum=1)
#: Seconds a worker may hold a row without making progress before another takes it over.
LEASE_SECONDS = env.int("INLOCK_LEASE_SECONDS", 60, minimum=2)
#: Seconds after which a worker that takes nothing although messages wait, or whose loop stands, ends itself.
STUCK_SECONDS = env.int("INLOCK_STUCK_SECONDS", 180, minimum=5)
#: Hours after which each workspace's search index is compared with the database again.
RECONCILE_HOURS = env.int("INLOCK_RECONCILE_HOURS", 24, minimum=1)
#: Where signed checkpoints of the trail are written; a place that the database's owner cannot write to.
CHECKPOINTS = env.path("INLOCK_CHECKPOINTS", VAR / "checkpoints")
#: Instead of that directory, a bucket: https://HOST/BUCKET/PREFIX, with a key that may list, read and put there.
CHECKPOINTS_BUCKET = env.str("INLOCK_CHECKPOINTS_BUCKET", "")
CHECKPOINTS_REGION = env.str("INLOCK_CHECKPOINTS_REGION", "us-east-1")
CHECKPOINTS_ACCESS_KEY = env.str("INLOCK_CHECKPOINTS_ACCESS_KEY", "")
CHECKPOINTS_SECRET_KEY = env.str("INLOCK_CHECKPOINTS_SECRET_KEY", "")
#: A chain gets a checkpoint after this many entries, and after this many minutes if there is any new one.
CHECKPOINT_EVENTS = env.int("INLOCK_CHECKPOINT_EVENTS", 1000, minimum=1)
CHECKPOINT_MINUTES = env.int("INLOCK_CHECKPOINT_MINUTES", 60, minimum=1)
CELERY_BEAT_SCHEDULE = {
    "sweep-checkpoints": {"task": "audit.tasks.sweep_checkpoints", "schedule": 60.0},
    "sweep-ingestion": {"task": "documents.tasks.sweep_ingestion", "schedule": float(SWEEP_SECONDS)},
    "sweep-indexes": {"task": "documents.tasks.sweep_indexes", "schedule": 300.0},
    "sweep-engines": {"task": "inlock.tasks.sweep_engines", "schedule": 60.0},
    "sweep-documents": {"task": "documents.tasks.sweep_documents", "schedule": 30.0},
    "sweep-sources": {"task": "documents.tasks.sweep_sources", "schedule": 60.0},
    "sweep-erasures": {"task": "documents.tasks.sweep_erasures", "schedule": 60.0},
    "sweep-retention": {"task": "documents.tasks.sweep_retention", "schedule": 3600.0},
    "sweep-originals": {"task": "documents.tasks.sweep_originals", "schedule": 3600.0},
    "sweep-spaces": {"task": "documents.tasks.sweep_spaces", "schedule": float(SWEEP_SECONDS)},
    "sweep-looks": {"task": "workspaces.tasks.sweep_looks", "schedule": 60.0},
    "sweep-readiness": {"task": "workspaces.tasks.sweep_readiness", "schedule": float(SWEEP_SECONDS)},
    "sweep-gaps": {"task": "answers.tasks.sweep_gaps", "schedule": 60.0},
    "sweep-due": {"task": "answers.tasks.sweep_due", "schedule": 60.0},
    "sweep-finetuning": {"task": "answers.tasks.sweep_finetuning", "schedule": 60.0},
    "sweep-approved": {"task": "answers.tasks.sweep_approved", "schedule": 60.0},
    "sweep-mails": {"task": "workspaces.tasks.sweep_mails", "schedule": float(SWEEP_SECONDS)},
    "sweep-standing": {"task": "answers.tasks.sweep_standing", "schedule": 30.0},
    "sweep-examinations": {"task": "answers.tasks.sweep_examinations", "schedule": float(SWEEP_SECONDS)},
    "sweep-answers": {"task": "answers.tasks.sweep_answers", "schedule": float(SWEEP_SECONDS)},
}

#: Where a test kills the process (`workspaces/killpoints.py`): a point, or `point:2` for its second pass.
CRASH_AT = "" if PRODUCTION else env.str("INLOCK_CRASH_AT")

# --- Language and time --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("sr", _("Serbian (Cyrillic)")), ("sr-latn", _("Serbian (Latin)"))]
LOCALE_PATHS = [BASE_DIR / "inlock" / "locale"]
FORMAT_MODULE_PATH = "inlock.formats"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

# --- Pages --------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

UNFOLD = {
    "SITE_TITLE": "Inlock",
    "SITE_HEADER": "Inlock",
    "SITE_SUBHEADER": _("Review and governance"),
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("img/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/logo.svg")},
    ],
    "STYLES": [lambda request: static("governance/admin.css")],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "inlock.admin_navigation.navigation",
    },
    "SHOW_LANGUAGES": True,
    # The portal's one colour of action (static/css/tokens.css), lightest to darkest.
    "COLORS": {
        "primary": {
            "50": "#f3f5fe",
            "100": "#e9edfd",
            "200": "#d3dbfb",
            "300": "#b7c3ff",
            "400": "#9aabff",
            "500": "#8091f5",
            "600": "#2b47c5",
            "700": "#22389f",
            "800": "#21307f",
            "900": "#1e2546",
            "950": "#0e1230",
        }
    },
}

# --- Transport ----------------------------------------------------------------------------------------------

if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # A promise that a browser's maker keeps for months after it was taken back: the operator's, not a default.
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # A browser takes a cookie with this prefix only over HTTPS and from this very host.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    if env.bool("BEHIND_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- Logs: ids, never content -------------------------------------------------------------------------------

logging.captureWarnings(True)
#: Ours, and the libraries whose records say what the portal does.
_HEARD = ("inlock", "answers", "documents", "workspaces", "audit", "django", "celery", "uvicorn")
_LOG_LEVEL = env.str("LOG_LEVEL", "INFO").upper()
LOG_FORMAT = env.str("LOG_FORMAT", "json" if PRODUCTION else "text")
if LOG_FORMAT not in {"json", "text"}:
    raise SettingError(f"LOG_FORMAT is {LOG_FORMAT!r}: write json or text.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "inlock.logs.JSONFormatter"}, "text": {"()": "inlock.logs.LineFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
    },
    # At a lower level clients of models and databases write down what they send, which is questions and passages.
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {name: {"level": _LOG_LEVEL, "handlers": [], "propagate": True} for name in _HEARD}
    | {"django.db.backends": {"level": "WARNING"}, "celery.worker.strategy": {"level": "INFO"}},
}


def _refuse_unsafe_production() -> None:
    """Stop before the first request rather than run in production with an unsafe setting."""
    problems = []
    if len(SECRET_KEY) < 50:
        problems.append("SECRET_KEY is missing or shorter than 50 characters: make one with `openssl rand -base64 48`.")
    if DEBUG:
        problems.append("DEBUG is on: remove it.")
    if not ALLOWED_HOSTS or any("*" in host for host in ALLOWED_HOSTS):
        problems.append("ALLOWED_HOSTS must name this portal's host names, without wildcards.")
    if not INLOCK_ENCRYPTION_KEYS:
        problems.append("INLOCK_ENCRYPTION_KEYS is missing: make one with `openssl rand -base64 32`, keep a copy.")
    if not INLOCK_SIGNING_KEY:
        problems.append("INLOCK_SIGNING_KEY is missing: make one with `openssl rand -base64 32`, keep a copy.")
    if OIDC_ISSUER and not OIDC_ISSUER.startswith("https://"):
        problems.append(
            "INLOCK_OIDC_ISSUER must be an https:// address: whoever stands in between signs in as anybody."
        )
    if problems:
        raise SettingError("Production mode refuses to start:\n- " + "\n- ".join(problems))


def _refuse_unusable_keys() -> None:
    for number, key in enumerate(INLOCK_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise SettingError(
                f"INLOCK_ENCRYPTION_KEYS, key {number}: write 32 bytes in base64 (`openssl rand -base64 32`)."
            ) from error
    for name, key in (
        ("INLOCK_SIGNING_KEY", INLOCK_SIGNING_KEY),
        ("INLOCK_SIGNING_KEY_BEFORE", INLOCK_SIGNING_KEY_BEFORE),
    ):
        if key and not _is_32_bytes(key):
            raise SettingError(f"{name}: write 32 bytes in base64 (`openssl rand -base64 32`).")


def _is_32_bytes(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except binascii.Error:
        return False


_refuse_unusable_keys()
if PRODUCTION:
    _refuse_unsafe_production()

# Loading the apps makes a million objects and drops none: looking for garbage among them is a fifth of every start.
# `inlock/apps.py` begins again.
gc.disable()
