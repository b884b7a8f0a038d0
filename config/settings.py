"""Settings of the project. Values that differ between machines come from the environment."""

from __future__ import annotations

from pathlib import Path

from config.database import database
from config.environment import debug, read_environment, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = read_environment(BASE_DIR)
PRODUCTION = env.is_production

SECRET_KEY = secret_key(env)
DEBUG = debug(env)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# The main system and its domains. Each app here has one line of migrations.
FIRST_PARTY_APPS = [
    "core",
    "inventory",
    "hr",
    "finance",
    # start_domain adds a domain above this line.
]

INSTALLED_APPS = [
    "domain_migrations",
    "domain_migrations.domains.lazy_admin.LazyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_linear_migrations",
    *FIRST_PARTY_APPS,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.content_security",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

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

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

# Databases
DATABASES = {"default": database(env, embedded_directory=BASE_DIR / ".postgres")}
DATABASE_ROUTERS = ["domain_migrations.router.DomainRouter"]
DOMAIN_MIGRATIONS = {
    # Container images have no Git repository from which the journal could read the revision.
    "PROJECT_VERSION": env.text("PROJECT_VERSION"),
    "SEED_TAGS": [env.seed_tag],
    "SNAPSHOTS": env.bool("DOMAIN_SNAPSHOTS", default=True),
    # Migrations after these must declare a stage if they remove something.
    "STAGES_REQUIRED_AFTER": {
        "core": "0005_tighten_codes_and_emails",
        "finance": "0011_invoice_purchase_order",
        "hr": "0012_assignment_location",
        "inventory": "0018_audit_budget_requests",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Users
AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["core.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Language and time
LANGUAGE_CODE = "en-us"
TIME_ZONE = "Asia/Bangkok"
USE_I18N = True
USE_TZ = True

# Static files
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

# Security: strict in production, where variables can relax each setting.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
# Probes call the container directly, and a redirect would count as ready.
SECURE_REDIRECT_EXEMPT = [r"^ready/?$"]
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_HSTS_SECONDS = int(env.number("SECURE_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0))
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=PRODUCTION)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=PRODUCTION)
if env.bool("BEHIND_TLS_PROXY", default=False):
    # Only safe if the proxy sets or strips this header; otherwise visitors could forge it.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
