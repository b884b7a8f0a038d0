"""The packages that are tried, and how each is installed and used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.commands import ROOT

PAGE = ROOT / "docs/how-to/triggers.md"
TRIGGERS, _, EVENTS, _ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
SITES = "django.contrib.sites"
POSTGRES = "django.contrib.postgres"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package of PyPI, in a throw-away project.

    Attributes:
        name: its distribution.
        apps: what is added to INSTALLED_APPS; the package's own labels are those with migrations.
        before: apps that must be listed before those of Django.
        settings: more settings of the project.
        middleware: more middleware.
        model: models of a domain `lab` that use the package; empty if it has nothing for models.
        files: more files of the domain's app.
        engine: another ENGINE than this one.
        defaults: the first line of the settings.
        commands: the package's own commands that migrate.
        accepts: whether findings of `verify_domain` are accepted in the project's file.
        setting: what a project has to write besides the package's own instructions.
        note: what else was tried about a trial that does not work.
        outcome: per place, how it is expected to end, instead of "works".
    """

    name: str
    apps: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    middleware: tuple[str, ...] = ()
    model: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    setting: str = ""
    engine: str = ""
    defaults: str = ""
    commands: tuple[str, ...] = ()
    accepts: bool = False
    note: str = ""
    outcome: Mapping[str, str] = field(default_factory=dict)


def of_lab(body: str, *, imports: str = "", table: str = "samples", name: str = "Sample") -> str:
    """The source of a model of the domain `lab`."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return f"{imports}\nclass {name}(models.Model):\n{lines}" + meta(table)


def meta(table: str = "samples", more: str = "") -> str:
    return f'    class Meta:\n        db_table = \'"lab"."{table}"\'\n{more}'


PACKAGES = [
    Package(
        name="django-taggit",
        apps=("taggit",),
        model=f"""
from taggit.managers import TaggableManager
from taggit.models import TagBase, ItemBase
class Label(TagBase):
{meta("labels")}
class LabelledSample(ItemBase):
    tag = models.ForeignKey(Label, models.CASCADE, related_name="items")
    content_object = models.ForeignKey("Sample", models.CASCADE)
{meta("labelled_samples")}
class Sample(models.Model):
    tags = TaggableManager(through=LabelledSample)
{meta()}
""",
        setting="`through` a model of the domain (TagBase, ItemBase)",
    ),
    Package(
        name="wagtail",
        apps=(
            *("wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.embeds"),
            *("wagtail.sites", "wagtail.users", "wagtail.snippets", "wagtail.documents"),
            *("wagtail.images", "wagtail.search", "wagtail.admin", "wagtail"),
            *("modelcluster", "taggit"),
        ),
        settings={
            "WAGTAIL_SITE_NAME": "Lab",
            "WAGTAILADMIN_BASE_URL": "http://localhost",
            "DOMAIN_MIGRATIONS": {"VERIFY_BASELINE": "verify_baseline.json"},
        },
        accepts=True,
        note="With Django's own backend, it fails in the same way.",
        outcome={"core": "fails"},
        setting="[`VERIFY_BASELINE`](../how-to/verify.md#accept-findings), for its collations",
        model=of_lab("text = RichTextField()", imports="from wagtail.fields import RichTextField"),
    ),
    Package(
        name="django-pgtrigger",
        apps=("pgtrigger",),
        files={"triggers.py": TRIGGERS},
        model="import pgtrigger\nfrom .triggers import Protect\n"
        + of_lab("note = models.TextField()")
        + '        triggers = [Protect(name="keep", operation=pgtrigger.Delete)]\n',
        setting="the module of [triggers](../how-to/triggers.md)",
    ),
    Package(
        name="django-pghistory",
        apps=("pgtrigger", "pghistory"),
        files={"triggers.py": TRIGGERS, "events.py": EVENTS},
        model="import pghistory\nfrom .events import InsertEvent, UpdateEvent\n"
        "@pghistory.track(InsertEvent(), UpdateEvent(),"
        " meta={'db_table': '\"lab\".\"sample_events\"'})" + of_lab("note = models.TextField()"),
        setting="the module of [events](../how-to/triggers.md#django-pghistory)",
    ),
    Package(
        name="django-tree",
        apps=(POSTGRES, "tree"),
        model="""
from tree.fields import PathField
class Sample(models.Model):
    name = models.CharField(max_length=20)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True)
    path = PathField(order_by=["name"], db_index=True)
"""
        + meta(),
    ),
    Package(
        name="django-tree-queries",
        apps=("tree_queries",),
        model="from tree_queries.models import TreeNode\nclass Sample(TreeNode):\n"
        "    name = models.CharField(max_length=20)\n" + meta(),
    ),
    Package(
        name="django-mptt",
        apps=("mptt",),
        model="""
from mptt.models import MPTTModel, TreeForeignKey
class Sample(MPTTModel):
    parent = TreeForeignKey("self", models.CASCADE, null=True, blank=True)
"""
        + meta(),
    ),
    Package(
        name="django-treebeard",
        apps=("treebeard",),
        model="from treebeard.mp_tree import MP_Node\nclass Sample(MP_Node):\n"
        "    name = models.CharField(max_length=20)\n" + meta(),
    ),
    Package(
        name="django-simple-history",
        apps=("simple_history",),
        middleware=("simple_history.middleware.HistoryRequestMiddleware",),
        model=of_lab(
            "note = models.TextField()\n"
            'history = HistoricalRecords(table_name=\'"lab"."sample_history"\')',
            imports="from simple_history.models import HistoricalRecords",
        ),
        setting="`table_name` in `HistoricalRecords`",
    ),
    Package(
        name="django-reversion",
        apps=("reversion",),
        model="import reversion\n@reversion.register()" + of_lab("note = models.TextField()"),
    ),
    Package(
        name="django-guardian",
        apps=("guardian",),
        settings={
            "AUTHENTICATION_BACKENDS": [
                "django.contrib.auth.backends.ModelBackend",
                "guardian.backends.ObjectPermissionBackend",
            ]
        },
        model=f"""
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
class Sample(models.Model):
    note = models.TextField()
{meta()}
class SampleUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Sample, models.CASCADE)
    class Meta(UserObjectPermissionBase.Meta):
        db_table = '"lab"."sample_user_permissions"'
""",
    ),
    Package(name="django-filter", apps=("django_filters",)),
    Package(name="djangorestframework", apps=("rest_framework", "rest_framework.authtoken")),
    Package(
        name="django-allauth",
        apps=(SITES, "allauth", "allauth.account", "allauth.socialaccount", "allauth.mfa"),
        middleware=("allauth.account.middleware.AccountMiddleware",),
    ),
    Package(name="django-oauth-toolkit", apps=("oauth2_provider",)),
    Package(name="django-celery-beat", apps=("django_celery_beat",)),
    Package(name="django-celery-results", apps=("django_celery_results",)),
    Package(name="procrastinate", apps=("procrastinate.contrib.django",)),
    Package(
        name="django-q2",
        apps=("django_q",),
        settings={"Q_CLUSTER": {"name": "lab", "orm": "default"}},
    ),
    Package(
        name="django-postgres-extra",
        apps=(POSTGRES, "psqlextra"),
        engine="psqlextra.backend",
        settings={
            "POSTGRES_EXTRA_DB_BACKEND_BASE": "domain_migrations.backends.postgresql",
            "POSTGRES_EXTRA_AUTO_EXTENSION_SET_UP": False,
        },
        model="""
import uuid
from psqlextra.models import PostgresPartitionedModel
from psqlextra.types import PostgresPartitioningMethod
class Sample(PostgresPartitionedModel):
    id = models.UUIDField(default=uuid.uuid4, editable=False)
    taken = models.DateTimeField()
    class PartitioningMeta:
        method = PostgresPartitioningMethod.RANGE
        key = ["taken"]
"""
        + meta(),
        setting='`POSTGRES_EXTRA_DB_BACKEND_BASE = "domain_migrations.backends.postgresql"`',
    ),
    Package(
        name="django-pg-zero-downtime-migrations",
        engine="zero",
        settings={"ZERO_DOWNTIME_MIGRATIONS_RAISE_FOR_UNSAFE": False},
        files={},
        outcome={"core": "refuses"},
    ),
    Package(
        name="django-safemigrate",
        before=("django_safemigrate.apps.SafeMigrateConfig",),
        commands=("safemigrate",),
        model=of_lab("note = models.TextField()"),
    ),
    Package(name="django-linear-migrations", apps=("django_linear_migrations",)),
    Package(
        name="django-test-migrations",
        apps=("django_test_migrations.contrib.django_checks.AutoNames",),
    ),
    Package(name="django-import-export", apps=("import_export",)),
    Package(name="django-extensions", apps=("django_extensions",)),
    Package(
        name="django-money",
        apps=("djmoney", "djmoney.contrib.exchange"),
        model=of_lab(
            'price = MoneyField(max_digits=14, decimal_places=2, default_currency="EUR")',
            imports="from djmoney.models.fields import MoneyField",
        ),
    ),
    Package(
        name="django-polymorphic",
        apps=("polymorphic",),
        model=f"""
from polymorphic.models import PolymorphicModel
class Sample(PolymorphicModel):
    note = models.TextField()
{meta()}
class BloodSample(Sample):
    group = models.CharField(max_length=3)
{meta("blood_samples")}
""",
    ),
    Package(
        name="django-auditlog",
        apps=("auditlog",),
        middleware=("auditlog.middleware.AuditlogMiddleware",),
        model="from auditlog.registry import auditlog\n"
        + of_lab("note = models.TextField()")
        + "auditlog.register(Sample)\n",
    ),
    Package(
        name="django-axes",
        apps=("axes",),
        middleware=("axes.middleware.AxesMiddleware",),
        settings={
            "AUTHENTICATION_BACKENDS": [
                "axes.backends.AxesStandaloneBackend",
                "django.contrib.auth.backends.ModelBackend",
            ]
        },
    ),
    Package(
        name="django-otp",
        apps=(
            *("django_otp", "django_otp.plugins.otp_totp", "django_otp.plugins.otp_static"),
            *("django_otp.plugins.otp_hotp", "django_otp.plugins.otp_email"),
        ),
        middleware=("django_otp.middleware.OTPMiddleware",),
    ),
    Package(
        name="django-constance",
        apps=("constance",),
        settings={
            "CONSTANCE_BACKEND": "constance.backends.database.DatabaseBackend",
            "CONSTANCE_CONFIG": {"BEDS": (10, "Number of beds")},
        },
    ),
    Package(
        name="django-waffle", apps=("waffle",), middleware=("waffle.middleware.WaffleMiddleware",)
    ),
    Package(name="django-sequences", apps=("sequences",)),
    Package(
        name="Django (contrib.postgres)",
        apps=(POSTGRES,),
        model="""
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
class Sample(models.Model):
    codes = ArrayField(models.CharField(max_length=10), default=list)
    words = SearchVectorField(null=True)
    valid = DateRangeField()
"""
        + meta(
            more="        indexes = [GinIndex(fields=['codes'], name='sample_codes'),"
            " GinIndex(fields=['words'], name='sample_words')]\n"
            "        constraints = [ExclusionConstraint(name='one_at_a_time',"
            " expressions=[('valid', RangeOperators.OVERLAPS)])]\n"
        ),
    ),
    Package(
        name="pgvector",
        apps=("pgvector.django",),
        model=of_lab(
            "embedding = VectorField(dimensions=3)",
            imports="from pgvector.django import VectorField",
        ),
        outcome={"domain": "fails"},
    ),
    Package(
        name="django-tenants",
        apps=("django_tenants",),
        engine="django_tenants.postgresql_backend",
        settings={
            "DATABASE_ROUTERS": [
                "domain_migrations.router.DomainRouter",
                "django_tenants.routers.TenantSyncRouter",
            ],
            "TENANT_MODEL": "auth.Group",
            "TENANT_DOMAIN_MODEL": "auth.Group",
            "SHARED_APPS": ["django.contrib.auth"],
            "TENANT_APPS": ["django.contrib.contenttypes"],
        },
        outcome={"core": "refuses"},
    ),
    Package(
        name="django-modeltranslation",
        before=("modeltranslation",),
        settings={"LANGUAGES": [["en", "English"], ["de", "German"]], "LANGUAGE_CODE": "en"},
        model=of_lab("note = models.TextField()"),
        files={
            "translation.py": "from modeltranslation.translator import TranslationOptions,"
            " register\nfrom lab.models import Sample\n@register(Sample)\n"
            "class SampleOptions(TranslationOptions):\n    fields = ('note',)\n"
        },
    ),
    Package(
        name="django-model-utils",
        apps=("model_utils",),
        model="from model_utils.models import SoftDeletableModel, TimeStampedModel, UUIDModel\n"
        "class Sample(TimeStampedModel, SoftDeletableModel, UUIDModel):\n"
        "    note = models.TextField()\n" + meta(),
    ),
    Package(
        name="django-fsm",
        apps=("django_fsm",),
        model=of_lab(
            'state = FSMField(default="new", protected=True)',
            imports="from django_fsm import FSMField",
        ),
    ),
    Package(
        name="django-countries",
        apps=("django_countries",),
        model=of_lab(
            "country = CountryField()\nseen = CountryField(multiple=True)",
            imports="from django_countries.fields import CountryField",
        ),
    ),
    Package(
        name="django-cacheops",
        apps=("cacheops",),
        settings={
            "CACHEOPS_REDIS": "redis://localhost:1/1",
            "CACHEOPS_DEGRADE_ON_FAILURE": True,
            "CACHEOPS": {"lab.*": {"ops": "all", "timeout": 60}},
        },
        model=of_lab("note = models.TextField()"),
    ),
    Package(name="social-auth-app-django", apps=("social_django",)),
    Package(name="django-push-notifications", apps=("push_notifications",)),
    Package(name="django-silk", apps=("silk",), middleware=("silk.middleware.SilkyMiddleware",)),
    Package(
        name="django-cms",
        apps=(SITES, "cms", "menus", "sekizai", "treebeard"),
        before=(),
        settings={
            "CMS_CONFIRM_VERSION4": True,
            "LANGUAGES": [["en", "English"]],
            "LANGUAGE_CODE": "en",
            "CMS_TEMPLATES": [["page.html", "Page"]],
        },
        model="from cms.models.pluginmodel import CMSPlugin\nclass Sample(models.Model):\n"
        "    note = models.TextField()\n" + meta(),
    ),
    Package(
        name="django-hijack",
        apps=("hijack",),
        middleware=("hijack.middleware.HijackUserMiddleware",),
    ),
    Package(
        name="django-admin-interface",
        before=("admin_interface", "colorfield"),
        model=of_lab(
            "colour = ColorField(default='#FF0000')",
            imports="from colorfield.fields import ColorField",
        ),
    ),
    Package(
        name="django-ordered-model",
        apps=("ordered_model",),
        model="from ordered_model.models import OrderedModel\nclass Sample(OrderedModel):\n"
        "    note = models.TextField()\n"
        '    class Meta(OrderedModel.Meta):\n        db_table = \'"lab"."samples"\'\n',
    ),
    Package(
        name="django-solo",
        apps=("solo",),
        model="from solo.models import SingletonModel\nclass Sample(SingletonModel):\n"
        "    note = models.TextField()\n" + meta(),
    ),
    Package(
        name="easy-thumbnails",
        apps=("easy_thumbnails",),
        model=of_lab(
            "photo = ThumbnailerImageField(upload_to='photos')",
            imports="from easy_thumbnails.fields import ThumbnailerImageField",
        ),
    ),
    Package(
        name="django-phonenumber-field",
        apps=("phonenumber_field",),
        model=of_lab(
            "phone = PhoneNumberField()",
            imports="from phonenumber_field.modelfields import PhoneNumberField",
        ),
    ),
    Package(
        name="django-pgviews-redux",
        apps=("django_pgviews",),
        model="from django_pgviews import view as pg\n"
        + of_lab("note = models.TextField()")
        + "class Long(pg.View):\n    note = models.TextField()\n"
        "    sql = 'SELECT id, note FROM lab.samples WHERE length(note) > 10'\n"
        '    class Meta:\n        managed = False\n        db_table = \'"lab"."long"\'\n',
    ),
    Package(
        name="django-ltree",
        outcome={"core": "fails", "domain": "fails"},
        apps=("django_ltree",),
        model="from django_ltree.models import TreeModel\nclass Sample(TreeModel):\n"
        "    name = models.CharField(max_length=20)\n"
        '    class Meta(TreeModel.Meta):\n        db_table = \'"lab"."samples"\'\n',
    ),
    Package(name="django-viewflow", apps=("viewflow", "viewflow.workflow")),
    Package(
        name="django-oscar",
        accepts=True,
        setting="[`VERIFY_BASELINE`](../how-to/verify.md#accept-findings), for its indexes",
        defaults="from oscar.defaults import *",
        apps=(
            *(SITES, "django.contrib.flatpages", "oscar.config.Shop"),
            *(
                f"oscar.apps.{name}.apps.{config}Config"
                for name, config in (
                    ("analytics", "Analytics"),
                    ("checkout", "Checkout"),
                    ("address", "Address"),
                    ("shipping", "Shipping"),
                    ("catalogue", "Catalogue"),
                    ("catalogue.reviews", "CatalogueReviews"),
                    ("communication", "Communication"),
                    ("partner", "Partner"),
                    ("basket", "Basket"),
                    ("payment", "Payment"),
                    ("offer", "Offer"),
                    ("order", "Order"),
                    ("customer", "Customer"),
                    ("search", "Search"),
                    ("voucher", "Voucher"),
                    ("wishlists", "Wishlists"),
                    ("dashboard", "Dashboard"),
                    *(
                        (f"dashboard.{each}", f"{each.capitalize()}Dashboard")
                        for each in (
                            *("reports", "users", "orders", "catalogue", "offers", "partners"),
                            *("pages", "ranges", "reviews", "vouchers", "communications"),
                            "shipping",
                        )
                    ),
                )
            ),
            *("haystack", "treebeard", "django_tables2", "widget_tweaks"),
        ),
        settings={
            "DOMAIN_MIGRATIONS": {"VERIFY_BASELINE": "verify_baseline.json"},
            "HAYSTACK_CONNECTIONS": {
                "default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}
            },
        },
    ),
]
