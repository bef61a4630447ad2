"""Django settings. Everything that differs between installations comes from `core.env`."""

from typing import Any

import django_stubs_ext
from psycopg.conninfo import conninfo_to_dict

from yikatong.core import env
from yikatong.site import logs

django_stubs_ext.monkeypatch()

ENV = env.load()

DEBUG = ENV.debug
SECRET_KEY = env.secret_file(ENV.secret_key_path, 48).hex()
ALLOWED_HOSTS = list(ENV.allowed_hosts)
PROVINCE = ENV.province
DEMO = ENV.demo
# Adapters are wired here and nowhere else. Without a sender, log-in by text message is refused by name.
SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender" if DEMO else ""
# Authoritative sources to compare the holder base with. Without an address, nothing is compared.
MATCH_SOURCES = "yikatong.adapters.sources.connector.wired"
# Platforms that accept our codes and are told whose are stopped.
HOT_PARTNERS = "yikatong.adapters.partner_api.connector.PartnerApi"
# Layouts of the files to and from the banks and the card maker.
BANK_FILES = "yikatong.adapters.bank_files.layout.PipeBankFiles"
# The line to the banks; without an address a bank's requests wait and are seen to wait.
BANK_CONNECTOR = "yikatong.adapters.bank_api.connector.BankApi"
# The line to the departments of a joint matter 联办.
DEPARTMENT_CONNECTOR = "yikatong.adapters.department_api.connector.DepartmentApi"
# Prints cards at outlets that issue at once; without one they are refused by name.
CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter" if DEMO else ""
CARD_MAKER_FILES = "yikatong.adapters.card_maker.layout.PipeMakerFiles"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "yikatong.site.jobs.JobsConfig",
    "yikatong.core",
    "yikatong.registry.regions",
    "yikatong.registry.outlets",
    "yikatong.registry.holders",
    "yikatong.registry.banks",
    "yikatong.registry.cards",
    "yikatong.registry.joint",
    "yikatong.registry.stock",
    "yikatong.registry.matching",
    "yikatong.registry.catalogue",
    "yikatong.registry.access",
    "yikatong.using.identity",
    "yikatong.using.codes",
    "yikatong.using.usage",
    "yikatong.insight.dashboards",
    "yikatong.portals.shared",
    "yikatong.portals.citizen",
    "yikatong.portals.counter",
    "yikatong.portals.console",
    "yikatong.portals.board",
    "yikatong.portals.terminal",
    "yikatong.portals.kiosk",
    "yikatong.portals.staff",
    "yikatong.site",
]

MIDDLEWARE = [
    "yikatong.site.health.Measure",
    "django.middleware.security.SecurityMiddleware",
    "yikatong.portals.shared.security.SecurityHeaders",
    "yikatong.portals.shared.security.BodyLimit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pages; its random padding and our masked tokens answer BREACH
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "yikatong.portals.staff.session.StaffSession",
    "django.contrib.messages.middleware.MessageMiddleware",
    "yikatong.portals.shared.refusals.RefusalPages",
]

ROOT_URLCONF = "yikatong.site.urls"
WSGI_APPLICATION = "yikatong.site.wsgi.application"
AUTH_USER_MODEL = "core.StaffUser"
LOGIN_URL = "/staff/login"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "yikatong.portals.shared.context.province",
            ],
            "builtins": ["yikatong.portals.shared.templatetags.yikatong"],
        },
    },
]


def _database() -> dict[str, Any]:
    parts = conninfo_to_dict(ENV.dsn)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "yikatong"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        # jit off: short statements only pay for its compile time.
        # Prepared: only what `core.prepared` sends.
        "OPTIONS": {
            **parts,
            "prepare_threshold": 2,
            "options": "-c jit=off -c lock_timeout=8s -c idle_in_transaction_session_timeout=60s",
        },
    }


DATABASES = {"default": _database()}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = ENV.home / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = DEBUG

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.site_url.startswith("https")
SESSION_COOKIE_AGE = 60 * 60 * 12
CSRF_FAILURE_VIEW = "yikatong.portals.shared.refusals.csrf_failure"
CSRF_TRUSTED_ORIGINS = [ENV.site_url]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if SESSION_COOKIE_SECURE:  # TLS ends at the proxy in front
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    # With this prefix a browser takes neither from another host of the domain nor over plain HTTP.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"

# Django 5.2 hashes with PBKDF2 by default; staff passwords need length and no common words.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# A roster of 50,000 rows is some megabytes; larger bodies are refused before they are read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

LOGGING_CONFIG = "yikatong.site.logs.configure"
LOGGING: dict[str, Any] = logs.plan(ENV.log_level)

UNFOLD = {
    "SITE_TITLE": "一卡通管理",
    "SITE_HEADER": "一卡通管理",
    "SITE_SYMBOL": "badge",
    "COLORS": {
        "primary": {
            "50": "#eef6fe",
            "100": "#dcebfa",
            "200": "#b9d7f5",
            "300": "#8dbdec",
            "400": "#4f97db",
            "500": "#1677d2",
            "600": "#0b62b4",
            "700": "#0a4f8f",
            "800": "#083e73",
            "900": "#083258",
            "950": "#061f38",
        }
    },
    "SITE_URL": "/staff/",
    "SHOW_HISTORY": True,
    "STYLES": ["yikatong.site.admin.style", "yikatong.site.admin.text_size"],
    "SIDEBAR": {"show_search": True, "navigation": "yikatong.site.admin.navigation"},
}
