"""A project with a domain that moves to another server: two servers, tables, and writers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from config.database import ENGINE
from config.embedded.cluster import Cluster
from config.embedded.programs import packaged_folder
from tests.support import databases, servers
from tests.support.commands import ROOT, process_environment
from tests.support.projects import CONTRIB, Project, domain_app, write_project
from tests.support.servers import DEBIAN_PROGRAMS, FAST, TestServer

SCHEMA = "depot"
OPTIONS = {**FAST, "wal_level": "logical", "wal_writer_delay": "200ms"}

MODELS = """
import uuid
from django.contrib.postgres.fields import ArrayField
from django.db.models import F

class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)
    class Meta:
        db_table = '"depot"."tags"'

class Part(models.Model):
    name = models.CharField(max_length=50, unique=True)
    size = models.IntegerField(default=0, db_index=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    data = models.JSONField(default=dict)
    note = models.TextField(default="")
    tags = models.ManyToManyField(Tag)
    class Meta:
        db_table = '"depot"."parts"'

class Move(models.Model):
    part = models.ForeignKey(Part, models.CASCADE)
    amount = models.IntegerField()
    at = models.DateTimeField(auto_now_add=True)
    owner = models.ForeignKey("auth.User", models.DO_NOTHING, null=True, db_constraint=False)
    class Meta:
        db_table = '"depot"."moves"'

class Total(models.Model):
    part = models.OneToOneField(Part, models.CASCADE, primary_key=True)
    number = models.IntegerField(default=0)
    class Meta:
        db_table = '"depot"."totals"'

class Box(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    labels = ArrayField(models.TextField())
    width = models.FloatField()
    height = models.FloatField()
    area = models.GeneratedField(
        expression=F("width") * F("height"), output_field=models.FloatField(), db_persist=True
    )
    class Meta:
        db_table = '"depot"."boxes"'

class Place(models.Model):
    position = models.IntegerField()
    class Meta:
        db_table = '"depot"."places"'
        constraints = [models.UniqueConstraint(
            fields=["position"], name="places_position_key",
            deferrable=models.Deferrable.DEFERRED)]

class Entry(models.Model):
    text = models.TextField()
    class Meta:
        db_table = '"depot"."entries"'
"""
STOCK_MODELS = """
class Shelf(models.Model):
    name = models.TextField()
    part = models.ForeignKey("depot.Part", models.CASCADE, null=True)
    class Meta:
        db_table = '"depot"."shelves"'
"""
SQL = """
CREATE FUNCTION depot.count_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO depot.totals (part_id, number) VALUES (NEW.part_id, 1)
    ON CONFLICT (part_id) DO UPDATE SET number = depot.totals.number + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER count_move AFTER INSERT ON depot.moves
    FOR EACH ROW EXECUTE FUNCTION depot.count_move();
CREATE FUNCTION depot.enter_tag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO depot.entries (text) VALUES (NEW.name);
    RETURN NULL;
END $$;
CREATE TRIGGER enter_tag AFTER INSERT ON depot.tags
    FOR EACH ROW EXECUTE FUNCTION depot.enter_tag();
ALTER TABLE depot.tags ENABLE ALWAYS TRIGGER enter_tag;
CREATE TABLE depot.events (id bigint, day date NOT NULL, PRIMARY KEY (id, day))
    PARTITION BY RANGE (day);
CREATE TABLE depot.events_2025 PARTITION OF depot.events
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE depot.events_2026 PARTITION OF depot.events
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SEQUENCE depot.numbers INCREMENT -2 START 50 MAXVALUE 50 MINVALUE -9999;
CREATE MATERIALIZED VIEW depot.sizes AS SELECT size, count(*) AS number
    FROM depot.parts GROUP BY size;
"""
ROWS = """
INSERT INTO depot.tags (name) SELECT 't' || n FROM generate_series(1, 20) n;
INSERT INTO depot.parts (name, size, price, data, note)
    SELECT 'p' || n, n % 100, n / 4.0, jsonb_build_object('n', n), repeat('x', 40)
    FROM generate_series(1, {rows}) n;
INSERT INTO depot.parts_tags (part_id, tag_id) SELECT n, 1 + n % 20
    FROM generate_series(1, {rows} / 10) n;
INSERT INTO depot.moves (part_id, amount, at)
    SELECT n, n, now() FROM generate_series(1, {rows} / 5) n;
INSERT INTO depot.boxes (id, labels, width, height)
    SELECT gen_random_uuid(), ARRAY['a', NULL, 'b,"' || n], n, 0.1
    FROM generate_series(1, {rows} / 10) n;
INSERT INTO depot.shelves (name, part_id) SELECT 's' || n, n FROM generate_series(1, 100) n;
INSERT INTO depot.places (position) SELECT n FROM generate_series(1, 100) n;
INSERT INTO depot.events SELECT n, '2025-12-01'::date + n % 60 FROM generate_series(1, 1000) n;
SELECT nextval('depot.numbers'), nextval('depot.numbers');
"""
KILLING = """
import os, signal, sys
from importlib import import_module

place = os.environ.get("KILL_AT", "")
if place and "extract_domain" in sys.argv:
    from domain_migrations import apps as engine
    ready = engine.DomainMigrationsConfig.ready

    def ready_to_die(self):
        ready(self)
        module_name, name = place.split(":")
        owner = import_module("domain_migrations.api.extract." + module_name)
        *parts, last = name.split(".")
        for part in parts:
            owner = getattr(owner, part)
        setattr(owner, last, lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL))

    engine.DomainMigrationsConfig.ready = ready_to_die
"""
WRITER = '''
"""Writes through the ORM until the file `stop` is there; compares in the end with what it wrote."""
import json, os, random, sys, threading, time
import django
django.setup()
from django.db import DatabaseError, InternalError, connections, transaction
from depot.models import Box, Move, Part, Place, Tag

THREADS, SEED = int(sys.argv[1]), sys.argv[2]
results = []

class Writer(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number, self.random = number, random.Random(number)
        self.alias, self.parts, self.moves = "default", {}, {}
        self.serial = self.done = 0
        self.blocked, self.problems = [], []

    def run(self):
        while not os.path.exists("stop"):
            self.serial += 1
            began, refused = time.monotonic(), False
            step = self.random.choice(self.steps())
            while True:
                try:
                    with transaction.atomic(using=self.alias):
                        keep = step()
                    keep()
                    break
                except (InternalError, DatabaseError) as exc:
                    if getattr(exc.__cause__, "sqlstate", None) == "25006":
                        refused = True
                        self.alias = "lab" if self.alias == "default" else "default"
                        time.sleep(0.002)
                        continue
                    self.problems.append(repr(exc))
                    return
            took = time.monotonic() - began
            self.done += 1
            if refused:
                self.blocked.append(took)
            time.sleep(0.001)
        self.check()
        connections.close_all()

    def steps(self):
        found = [self.insert, self.insert_move, self.other]
        return found + [self.update, self.delete] if self.parts else [self.insert]

    def insert(self):
        name = f"w{SEED}-{self.number}-{self.serial}"
        part = Part.objects.using(self.alias).create(name=name, size=self.serial, data={"a": name})
        return lambda: self.parts.update({part.pk: (name, part.size)})

    def insert_move(self):
        if not self.parts:
            return lambda: None
        part = self.random.choice(list(self.parts))
        move = Move.objects.using(self.alias).create(part_id=part, amount=self.serial)
        return lambda: self.moves.update({move.pk: (part, self.serial)})

    def update(self):
        part = self.random.choice(list(self.parts))
        changed = Part.objects.using(self.alias).filter(pk=part).update(size=self.serial)
        if changed != 1:
            self.problems.append(f"{part} is lost")
        return lambda: self.parts.update({part: (self.parts[part][0], self.serial)})

    def delete(self):
        part = self.random.choice(list(self.parts))
        Part.objects.using(self.alias).get(pk=part).delete()

        def keep():
            del self.parts[part]
            self.moves = {key: row for key, row in self.moves.items() if row[0] != part}
        return keep

    def other(self):
        Tag.objects.using(self.alias).create(name=f"w{SEED}-{self.number}-{self.serial}")
        Box.objects.using(self.alias).create(labels=["x"], width=self.serial, height=2)
        first, second = sorted(self.random.sample(range(1, 51), 2))
        first, second = 2 * first - self.number % 2, 2 * second - self.number % 2
        places = Place.objects.using(self.alias)
        one, two = places.select_for_update().filter(pk__in=[first, second]).order_by("pk")
        one.position, two.position = two.position, one.position
        one.save(); two.save()
        return lambda: None

    def check(self):
        mine = Part.objects.using(self.alias).filter(name__startswith=f"w{SEED}-{self.number}-")
        found = {pk: (name, size) for pk, name, size in mine.values_list("pk", "name", "size")}
        if found != self.parts:
            self.problems.append(f"parts differ: {len(found)} / {len(self.parts)}")
        moves = Move.objects.using(self.alias).filter(part__in=mine)
        found = {pk: (part, n) for pk, part, n in moves.values_list("pk", "part_id", "amount")}
        if found != self.moves:
            self.problems.append(f"moves differ: {len(found)} / {len(self.moves)}")

writers = [Writer(number) for number in range(THREADS)]
for writer in writers:
    writer.start()
for writer in writers:
    writer.join()
print(json.dumps({
    "done": sum(writer.done for writer in writers),
    "blocked": [took for writer in writers for took in writer.blocked],
    "problems": [problem for writer in writers for problem in writer.problems],
    "aliases": sorted({writer.alias for writer in writers}),
}))
'''


def programs_of(version: str) -> Path:
    """The programs of a version: `15` is Debian's, `18` the embedded one."""
    return DEBIAN_PROGRAMS if version == "15" else packaged_folder()


@contextmanager
def running_server(version: str, **options: str) -> Iterator[TestServer]:
    """A server of its own with ``wal_level = logical``, stopped and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=servers.PREFIX, dir=servers.memory()))
    folder.chmod(0o711)
    programs = programs_of(version)
    server = TestServer(
        programs, Cluster(folder / "postgres", programs=programs, options={**OPTIONS, **options})
    )
    server.start()
    try:
        yield server
    finally:
        server.cluster.leave()
        shutil.rmtree(folder, ignore_errors=True)


def kill_server(server: TestServer) -> None:
    """Kill the server as a loss of power does, and wait until its processes have ended."""
    pid = int((server.cluster.home.data / "postmaster.pid").read_text().split("\n")[0])
    with server.connect() as session:
        others = [
            other for (other,) in session.execute("SELECT pid FROM pg_stat_activity").fetchall()
        ]
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{other}").exists() for other in others):
        assert time.monotonic() < deadline, "The server's processes have not ended."
        time.sleep(0.05)


@dataclass(frozen=True)
class Moving:
    """The project, and the databases of both sides."""

    project: Project
    source: TestServer
    target: TestServer
    source_name: str
    target_name: str

    def extract(
        self, *arguments: str, **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``extract_domain depot … --to lab``."""
        return self.project.manage(
            "extract_domain", "depot", *arguments, "--to", "lab", **environment
        )

    def done(self, *arguments: str) -> str:
        """Run a step that has to succeed; its output."""
        result = self.extract(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def copied(self) -> None:
        """Start, and wait until everything is copied."""
        self.done("start")
        report = json.loads(self.done("status", "--wait", "120", "--format", "json"))
        assert {table["state"] for table in report["tables"]} == {"ready"}, report

    def on_source(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.source, self.source_name, query)

    def on_target(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.target, self.target_name, query)

    @contextmanager
    def writers(self, threads: int = 4, seed: str = "a") -> Iterator[dict[str, Any]]:
        """Writers in a process of their own; in the end the dictionary has their report."""
        stop = self.project.path / "stop"
        stop.unlink(missing_ok=True)
        self.project.write("writer.py", WRITER)
        environment = process_environment({"PYTHONPATH": str(ROOT)})
        environment["DJANGO_SETTINGS_MODULE"] = "settings"
        process = subprocess.Popen(
            [sys.executable, "writer.py", str(threads), seed],
            cwd=self.project.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        report: dict[str, Any] = {}
        try:
            yield report
        finally:
            stop.touch()
            output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        report.update(json.loads(output))

    def differing_tables(self) -> list[str]:
        """The tables whose rows are not the same on both sides, compared row by row."""
        names = self.on_source(
            "SELECT c.oid::regclass::text, (SELECT string_agg(format('t.%I', attname), ', '"
            " ORDER BY attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0"
            " AND NOT attisdropped) FROM pg_class c WHERE relnamespace = 'depot'::regnamespace"
            " AND relkind = 'r' AND relname NOT LIKE '%_journal'"
        )
        return [
            table
            for table, columns in names
            if len(
                {
                    tuple(read(f"SELECT ROW({columns})::text FROM ONLY {table} t ORDER BY 1"))
                    for read in (self.on_source, self.on_target)
                }
            )
            > 1
        ]

    def leftovers(self) -> list[tuple[Any, ...]]:
        """Slots, publications, subscriptions and origins on either side."""
        return [*self.on_source(LEFTOVERS), *self.on_target(LEFTOVERS)]


LEFTOVERS = """
SELECT 'slot', slot_name FROM pg_replication_slots WHERE database = current_database()
UNION ALL SELECT 'publication', pubname FROM pg_publication
UNION ALL SELECT 'subscription', subname FROM pg_subscription s
    JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()
UNION ALL SELECT 'origin', roname FROM pg_replication_origin
"""


def rows(server: TestServer, database: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, and none of a statement without any."""
    with server.connect(database) as session:
        cursor = session.execute(query)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


@contextmanager
def moving_project(
    path: Path, source: TestServer, target: TestServer, *, number: int = 2000, more_sql: str = ""
) -> Iterator[Moving]:
    """The project with its domain migrated and filled in the source, and an empty target."""
    filled = _filled(source, number, more_sql)
    with (
        databases.scratch(source, template=filled.database, prefix="source") as old,
        databases.scratch(target, prefix="target") as new,
    ):
        shutil.copytree(filled.path, path)
        project = _write(path, source, target, old, new)
        moving = Moving(project, source, target, old, new)
        # A copy knows nothing of what the database of which it is one has counted.
        moving.on_source("VACUUM ANALYZE")
        try:
            yield moving
        finally:
            clear(moving)


_made: dict[tuple[Path, int, str], Project] = {}


def _filled(source: TestServer, number: int, more_sql: str) -> Project:
    """The project's migrations, and a database of the source to copy; made once in a process."""
    key = source.cluster.home.path, number, more_sql
    if key not in _made:
        name = databases.new_name("filled")
        databases.create(source, name)
        folder = source.cluster.home.path.parent / name
        project = _write(folder, source, source, name, name)
        made = project.manage("makemigrations", "depot", "stock")
        assert made.returncode == 0, made.stderr
        project.write("depot/migrations/0002_sql.py", migration_source(SQL + more_sql))
        migrated = project.manage("migrate", "-v0")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        for statement in ROWS.format(rows=number).split(";\n")[:-1]:
            rows(source, name, statement)
        _made[key] = project
    return _made[key]


def _write(path: Path, source: TestServer, target: TestServer, old: str, new: str) -> Project:
    aliases = {
        # The engine first: see fork_server.can_fork.
        "default": {"ENGINE": ENGINE, **source.settings, "NAME": old},
        "lab": {"ENGINE": ENGINE, **target.settings, "NAME": new},
    }
    project = write_project(
        path,
        {
            "depot": domain_app("depot", models=MODELS, migrations={}),
            "stock": domain_app("stock", models=STOCK_MODELS, migrations={}, domain="depot"),
        },
        database=aliases["default"],
        settings={
            "DATABASES": aliases,
            "INSTALLED_APPS": [
                "domain_migrations",
                *CONTRIB,
                "django.contrib.postgres",
                "depot",
                "stock",
            ],
        },
    )
    with (path / "settings.py").open("a") as file:
        file.write(KILLING)
    return project


def migration_source(statements: str) -> str:
    return (
        "from django.db import migrations\n\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("depot", "0001_initial")]\n'
        f"    operations = [migrations.RunSQL({statements!r}, migrations.RunSQL.noop)]\n"
    )


def clear(moving: Moving) -> None:
    """Drop what would keep the databases from being dropped."""
    for server, name in (
        (moving.source, moving.source_name),
        (moving.target, moving.target_name),
    ):
        server.start()
        with server.connect(name) as session:
            for (subscription,) in session.execute(
                "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid"
                " WHERE datname = current_database()"
            ).fetchall():
                _drop_subscription(session, subscription)
    for server, name in (
        (moving.source, moving.source_name),
        (moving.target, moving.target_name),
    ):
        with server.connect(name) as session:
            session.execute(
                "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
                " WHERE database = current_database() AND active_pid IS NOT NULL"
            )
            session.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                " WHERE database = current_database()"
            )


def _drop_subscription(session: psycopg.Connection[Any], name: str) -> None:
    for statement in (
        "ALTER SUBSCRIPTION {} DISABLE",
        "ALTER SUBSCRIPTION {} SET (slot_name = NONE)",
        "DROP SUBSCRIPTION {}",
    ):
        session.execute(sql.SQL(statement).format(sql.Identifier(name)))
