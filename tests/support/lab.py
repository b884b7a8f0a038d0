"""An app of core that becomes the domain `lab`: a project before and after its adoption."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace

from domain_migrations.engine.sources.adoptions import Adoption
from tests.support.projects import domain_app, plain_app

MODELS = """
class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)
    class Meta:
        db_table = {tag}

class Sample(models.Model):
    code = models.CharField(max_length=20, db_index=True)
    size = models.IntegerField(default=0)
    tags = models.ManyToManyField(Tag)
    owner = models.ForeignKey("auth.User", models.CASCADE, null=True)
    class Meta:
        db_table = {sample}
"""
FIRST = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0001_initial")]
    operations = [
        migrations.CreateModel("Tag", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True,
                serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=50, unique=True)),
        ], options={{"db_table": {tag}}}),
        migrations.CreateModel("Sample", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True,
                serialize=False, verbose_name="ID")),
            ("code", models.CharField(max_length=20, db_index=True)),
            ("tags", models.ManyToManyField("lab.Tag")),
            ("owner", models.ForeignKey("auth.User", models.CASCADE, null=True)),
        ], options={{"db_table": {sample}}}),
    ]
"""
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.AddField("Sample", "size", models.IntegerField(default=0))]
"""
BEFORE = {"tag": "'lab_tag'", "sample": "'lab_sample'"}
ADOPTION = Adoption(
    domain="lab",
    schema="lab",
    apps=("lab",),
    date=datetime.date(2026, 11, 29),
    tables={name: name for name in ("lab_sample", "lab_sample_tags", "lab_tag")},
)

ROWS = """
INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_superuser,
    is_staff, is_active, date_joined)
VALUES (1, 'ada', '', '', '', '', false, false, true, now());
INSERT INTO lab_tag (name) VALUES ('blood'), ('skin');
INSERT INTO lab_sample (code, size, owner_id) VALUES ('A', 7, 1), ('B', 8, NULL);
INSERT INTO lab_sample_tags (sample_id, tag_id) VALUES (1, 1), (1, 2);
"""
SURROUNDINGS = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE TYPE shared AS ENUM ('x');
CREATE TABLE other (id int, kind shared);
CREATE SEQUENCE lab_numbers;
ALTER TABLE lab_sample ADD mood mood DEFAULT 'ok', ADD short code, ADD kind shared,
    ADD number bigint DEFAULT nextval('lab_numbers');
CREATE STATISTICS lab_stat ON code, size FROM lab_sample;
CREATE VIEW lab_sizes AS SELECT code, size, mood FROM lab_sample WHERE size > 7;
CREATE MATERIALIZED VIEW lab_totals AS SELECT sum(size) AS total FROM lab_sizes;
CREATE UNIQUE INDEX lab_totals_key ON lab_totals (total);
CREATE TABLE lab_log (sample bigint, what text, at timestamptz DEFAULT now());
CREATE FUNCTION lab_touch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found lab_sample%ROWTYPE;
BEGIN
    SELECT * INTO found FROM lab_sample WHERE id = NEW.id;
    INSERT INTO lab_log (sample, what) VALUES (NEW.id, 'lab_sample');
    RETURN NEW;
END $$;
CREATE TRIGGER lab_touch AFTER UPDATE ON lab_sample FOR EACH ROW EXECUTE FUNCTION lab_touch();
CREATE FUNCTION count_samples() RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT count(*) FROM lab_sample WHERE lab_sample.size > 0';
CREATE FUNCTION samples_of(wanted mood) RETURNS SETOF lab_sample LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'SELECT * FROM lab_sample WHERE mood = $1' USING wanted;
END $$;
ALTER TABLE lab_tag ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lab_tag USING (EXISTS (SELECT FROM lab_sample_tags s WHERE s.tag_id = id));
CREATE RULE quiet AS ON DELETE TO lab_sample_tags WHERE OLD.id < 0 DO INSTEAD NOTHING;
CREATE PUBLICATION lab_pub FOR TABLE lab_sample;
COMMENT ON TABLE lab_sample IS 'see public.lab_sample';
"""


def before(**more: str) -> dict[str, str]:
    """The files of the app in core; `more` maps names of further migrations to their sources."""
    migrations = {"0001_initial": FIRST.format(**BEFORE), "0002_size": SECOND, **more}
    return plain_app(models=MODELS.format(**BEFORE), migrations=migrations)


def after(adoption: Adoption = ADOPTION, **more: str) -> dict[str, str]:
    """The files of the domain, with the declaration."""
    names = {key: repr(_new_name(adoption, old)) for key, old in BEFORE.items()}
    migrations = {"0001_initial": FIRST.format(**names), "0002_size": SECOND, **more}
    files = domain_app("lab", models=MODELS.format(**names), migrations=migrations)
    return {**files, "migrations/adoption.toml": adoption.as_text()}


def undone(adoption: Adoption = ADOPTION, **more: str) -> Mapping[str, str]:
    """The files of the app that is core's again."""
    text = replace(adoption, undo=True).as_text()
    return {**before(**more), "migrations/adoption.toml": text}


def _new_name(adoption: Adoption, old: str) -> str:
    return f'"{adoption.schema}"."{adoption.tables[old.strip(chr(39))]}"'
