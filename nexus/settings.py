"""The settings of Nexus: one file, read from the environment.

``NEXUS_ENVIRONMENT`` is ``production`` unless it says ``development``. Production takes nothing for granted: a
missing variable stops the start with one line that names it. Development brings its own PostgreSQL and Redis
(`nexus.devservices`) and a secret that is no secret. Every variable is described in ``docs/operations.md``.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
import pghistory
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from nexus import __version__

BASE_DIR = Path(__file__).resolve().parent.parent
MEBIBYTE = 1024 * 1024
env = environ.Env()

ENVIRONMENT = env.str("NEXUS_ENVIRONMENT", "production")
if ENVIRONMENT not in {"development", "production"}:
    raise ImproperlyConfigured(
        f"NEXUS_ENVIRONMENT is {ENVIRONMENT!r}; it must be 'development' or 'production'."
    )
DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = False


def required(name: str, development: str) -> str:
    """The value of an environment variable that production must set.

    Raises ImproperlyConfigured in production when it is missing.
    """
    value = env.str(name, "")
    if value:
        return value
    if DEVELOPMENT:
        return development
    raise ImproperlyConfigured(
        f"{name} is not set. Production needs it (docs/operations.md); on your own machine use 'make run', "
        "or set NEXUS_ENVIRONMENT=development."
    )


# --- Secrets and hosts
DEVELOPMENT_SECRET_KEY = "development-only-this-key-is-public-and-protects-nothing-at-all"  # noqa: S105
SECRET_KEY = required("SECRET_KEY", DEVELOPMENT_SECRET_KEY)
if not DEVELOPMENT and (SECRET_KEY == DEVELOPMENT_SECRET_KEY or len(SECRET_KEY) < 50):
    raise ImproperlyConfigured(
        "SECRET_KEY is public or shorter than 50 characters. Make one: "
        "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
    )
ALLOWED_HOSTS = [host.strip() for host in required("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# How many proxies in front of Nexus append to X-Forwarded-For; 0 takes the address of the connection.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- PostgreSQL and Redis
if DEVELOPMENT and not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    from nexus import devservices

    services = devservices.ensure()
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = services.database_url, services.redis_url

DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url_config(required("DATABASE_URL", ""))}
DATABASES["default"].update(
    CONN_MAX_AGE=None,
    OPTIONS={
        "connect_timeout": 2,
        "application_name": "nexus",
        # A host that has vanished is noticed within 20 seconds, whether or not something was on its way to it.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": 20_000,
    }
    | DATABASES["default"].get("OPTIONS", {}),
    # The test runner's database may be left over from a killed run.
    TEST={"TEMPLATE": "template0"},
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = required("REDIS_URL", "")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "nexus",
        "OPTIONS": {
            "REDIS_CLIENT_CLASS": "nexus.ops.redis.CacheRedis",
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            # A cache that does not answer is a cache miss, never an error.
            "IGNORE_EXCEPTIONS": True,
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# --- Celery
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "") or REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_connect_timeout": 1, "socket_timeout": 5} if CELERY_BROKER_URL.startswith("redis") else {}
)
# What somebody waits for, what is large, and what takes hours: none of them keeps the others waiting. A worker that is
# started without --queues serves all of them in turn.
INTERACTIVE_QUEUE, BULK_QUEUE, TRAINING_QUEUE = QUEUES = ("interactive", "bulk", "training")
CELERY_TASK_DEFAULT_QUEUE = INTERACTIVE_QUEUE
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in QUEUES]
CELERY_TASK_SOFT_TIME_LIMIT = 15 * 60
CELERY_TASK_TIME_LIMIT = 16 * 60
# A message goes through each queue, so that one that nobody listens to differs from one that is idle.
HEAR_QUEUE = "nexus.jobs.hear_queue"
HEARD_EVERY_S, HEARD_EXPIRES_S = 15.0, 60.0
# Entries expire before they come again, so that a worker that was away does not come back to a pile of them.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "recover jobs": {"task": "nexus.jobs.recover_jobs", "schedule": 10.0, "options": {"expires": 9}},
    "recover executions": {
        "task": "workflows.recover_executions",
        "schedule": 10.0,
        "options": {"expires": 9},
    },
    "retrain classifiers": {"task": "classification.retrain", "schedule": 300.0, "options": {"expires": 290}},
    "watch classifiers": {"task": "classification.watch", "schedule": 3600.0, "options": {"expires": 3500}},
    "forget old answers and sessions": {
        "task": "accounts.delete_expired",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
} | {
    f"hear {queue}": {
        "task": HEAR_QUEUE,
        "args": [queue],
        "schedule": HEARD_EVERY_S,
        "options": {"queue": queue, "expires": HEARD_EXPIRES_S},
    }
    for queue in QUEUES
}

# --- Training of classifiers: what one may take before it is ended
TRAINING_MEMORY_BYTES = int(env.str("NEXUS_TRAINING_MEMORY_MB", "") or 4096) * MEBIBYTE
TRAINING_SECONDS = int(env.str("NEXUS_TRAINING_SECONDS", "") or 3600)

# --- Applications
INSTALLED_APPS = [
    "nexus.admin.apps.NexusAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "pghistory",
    "nexus.ops",
    "nexus.api",
    "nexus.jobs",
    "accounts",
    "products",
    "classification",
    "workflows",
]

MIDDLEWARE = [
    "nexus.ops.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "nexus.api.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "nexus.api.browser.CorsMiddleware",
    "nexus.api.middleware.RequestLimitsMiddleware",
    "nexus.api.browser.BrowserMiddleware",
]

ROOT_URLCONF = "nexus.urls"
WSGI_APPLICATION = "nexus.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".nexus" / "static"
WHITENOISE_USE_FINDERS = DEVELOPMENT
if DEVELOPMENT:
    # Nothing is collected there, but WhiteNoise warns of a directory that does not exist.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
else:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# --- Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
DEMO_PASSWORD = env.str("NEXUS_DEMO_PASSWORD", "nexus-demo") if DEVELOPMENT else None

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "SIGNING_KEY": SECRET_KEY,
    "ALGORITHM": "HS256",
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
    # Seconds that the clocks of two servers may be apart.
    "LEEWAY": 5,
    "ISSUER": "nexus",
    "UPDATE_LAST_LOGIN": False,
}

# --- History: each event carries its context (user, request, source) itself, and one statement makes one more,
# however many rows it changes
PGHISTORY_BASE_MODEL = "nexus.api.history.Event"
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(db_index=True)
PGHISTORY_LEVEL = pghistory.Statement  # type: ignore[has-type]

# --- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["nexus.api.permissions.HasActionPermission"],
    "DEFAULT_PARSER_CLASSES": ["nexus.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["nexus.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "nexus.api.renderers.ContentNegotiation",
    "DEFAULT_PAGINATION_CLASS": "nexus.api.pagination.KeysetPagination",
    "DEFAULT_THROTTLE_CLASSES": ["nexus.api.throttling.UserRateThrottle"],
    "DEFAULT_SCHEMA_CLASS": "nexus.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "nexus.api.errors.exception_handler",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # "format" is a parameter of exports, not a way to choose a renderer.
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
# Requests a minute. The first is a stop for run-away loops, the others slow down the guessing of passwords.
REQUESTS_PER_MINUTE_BY_USER = env.int("NEXUS_REQUESTS_PER_MINUTE", 120_000)
LOGINS_PER_MINUTE_BY_ADDRESS = 60
LOGINS_PER_MINUTE_BY_ACCOUNT = 10

MAX_BODY_BYTES = 10 * MEBIBYTE
MAX_UPLOAD_BYTES = int(env.str("NEXUS_MAX_UPLOAD_MB", "") or 100) * MEBIBYTE
# RequestLimitsMiddleware has refused larger ones by then; the upload limit is the larger of the two.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

SPECTACULAR_SETTINGS = {
    "TITLE": "Nexus",
    "DESCRIPTION": "Keeps large catalogues of hardware products, classifies them into taxonomies with a confidence "
    "that can be trusted, sends the doubtful ones to a human, and runs workflows over them.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    # Its makers' server is not asked to validate the schema.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": True,
    "ENUM_NAME_OVERRIDES": {
        "ProductStatus": "products.models.Product.Status",
        "JobStatus": "nexus.jobs.models.Job.Status",
        "ClassifierStatus": "classification.models.Classifier.Status",
        "Decision": "classification.models.Classification.Decision",
        "ReviewDecision": "classification.models.Review.Decision",
        "ExecutionStatus": "workflows.models.Execution.Status",
        "StepStatus": "workflows.models.StepRun.Status",
        "TaxonomyFileFormat": "products.taxonomy_files.formats.Format",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "nexus.api.schema.add_problem_responses",
        "nexus.api.schema.refuse_unknown_fields",
        "nexus.api.operations.add_operations",
    ],
}

CORS_ALLOWED_ORIGINS = env.list(
    "CORS_ALLOWED_ORIGINS", default=["http://localhost:3000"] if DEVELOPMENT else []
)
CORS_ALLOW_CREDENTIALS = True
CORS_PREFLIGHT_MAX_AGE = 86400
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "x-csrftoken",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Request-ID",
]

# --- Security
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEVELOPMENT
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_HSTS_SECONDS = 0 if DEVELOPMENT else 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEVELOPMENT
SILENCED_SYSTEM_CHECKS = [
    # The middleware for forms, sign-in, messages and sessions is there, within nexus.api.browser.BrowserMiddleware.
    "security.W003",
    "admin.E408",
    "admin.E409",
    "admin.E410",
    # Redirects to https are the proxy's work: an API that redirects a POST loses its body.
    "security.W008",
]

# --- Logging: see nexus.ops.logging
LOGGING_CONFIG = "nexus.ops.logging.configure"
LOGGING = {"level": env.str("LOG_LEVEL", "INFO")}
