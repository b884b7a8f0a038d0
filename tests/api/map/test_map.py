"""The map of the domains: its content, and odd names in each format."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import psycopg
import pytest
from django.apps import apps
from django.db import models

from domain_migrations.api.map import FORMATS, DomainMap, Edge, Link, Node, map_domains, render
from domain_migrations.api.map.drawing import BOXES_IN_ROWS, Arrow, Box, draw
from domain_migrations.api.map.formats import svg
from domain_migrations.api.map.graph import strip_control
from domain_migrations.api.verify import function_bodies
from domain_migrations.domains import get_domain_for
from domain_migrations.exceptions import InvalidConfiguration, UnknownDomain
from domain_migrations.fields import DomainReference
from tests.support.catalog import execute, query, snapshot
from tests.test_checks import apps as isolated
from tests.test_checks import model

__all__ = ["isolated"]
SVG = "{http://www.w3.org/2000/svg}"
CROSSING = "ALTER TABLE hr.positions ADD drug bigint CONSTRAINT stray REFERENCES inventory.drugs"
KEYS_TO_CORE = """
    SELECT n.nspname, count(*) FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class u ON u.oid = k.confrelid JOIN pg_namespace un ON un.oid = u.relnamespace
    WHERE k.contype = 'f' AND n.nspname <> 'public' AND un.nspname = 'public' GROUP BY 1
"""
ODD = 'd"\\N<b>&amp;\n`x`|y]-->\x07ยา\U0001f48a'


def small(*edges: Edge, names: tuple[str, ...] = ("core", "hr", "inventory")) -> DomainMap:
    return DomainMap("default", tuple(Node(name, name, 1) for name in names), edges)


def edge(picture: DomainMap, source: str, target: str, kind: str) -> Edge:
    [found] = [
        each
        for each in picture.edges
        if (each.source, each.target, each.kind) == (source, target, kind)
    ]
    return found


def test_foreign_keys_to_core_are_those_of_the_database(migrated_database: str) -> None:
    picture = map_domains()
    assert [node.name for node in picture.nodes] == ["core", "inventory", "hr", "finance"]
    drawn = {each.source: len(each.links) for each in picture.edges if each.kind == "foreign_key"}
    assert drawn == dict(query(KEYS_TO_CORE))
    links = edge(picture, "hr", "core", "foreign_key").links
    assert Link("hr.employees.user_id", "public.users.id") in links
    assert {each.target for each in picture.edges if each.kind == "foreign_key"} == {"core"}


def test_references_by_id_lead_from_domain_to_domain(migrated_database: str) -> None:
    picture = map_domains()
    assert edge(picture, "hr", "inventory", "reference").links == (
        Link("hr.assignments.location_id", "inventory.Location"),
    )
    assert edge(picture, "finance", "inventory", "reference").count == "2 references by id"
    assert [each for each in picture.edges if each.kind == "violation"] == []
    assert picture.summary.endswith(", 0 violations.")


def test_a_key_that_only_the_database_has_is_on_it(migrated_database: str) -> None:
    before = len(edge(map_domains(), "hr", "core", "foreign_key").links)
    execute("ALTER TABLE hr.positions ADD extra uuid REFERENCES public.users")
    links = edge(map_domains(), "hr", "core", "foreign_key").links
    assert len(links) == before + 1
    assert Link("hr.positions.extra", "public.users.id") in links


def test_violations_have_their_findings_id(migrated_database: str) -> None:
    execute(CROSSING)
    found = edge(map_domains(), "hr", "inventory", "violation")
    assert found.ids == ("B001",)
    [link] = found.links
    assert link.source == "hr.positions.stray"
    assert link.message == (
        "The foreign key hr.positions.stray references the table inventory.drugs, which belongs"
        ' to the domain "inventory".'
    )
    assert "edge--violation" in render(map_domains(), "svg")
    assert ">B001</text>" in render(map_domains(), "svg")


def test_a_violation_of_unknown_target_is_shown_in_its_domain(
    migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_bodies, "has_parser", lambda: False)
    execute(
        "CREATE FUNCTION hr.peek() RETURNS bigint LANGUAGE plpgsql"
        " AS 'BEGIN RETURN (SELECT count(*) FROM inventory.drugs); END'"
    )
    picture = map_domains()
    [node] = [node for node in picture.nodes if node.ids]
    assert (node.name, node.ids) == ("hr", ("B017",))
    assert "node--violating" in render(picture, "svg")
    assert "B017" in render(picture, "mermaid")
    assert "B017" in render(picture, "dot")


def test_violations_of_models_are_on_it(scratch_database: str, isolated: object) -> None:
    model("depot.Box")
    model("shop.Basket", box=models.ForeignKey("depot.Box", models.CASCADE))
    picture = map_domains(apps=isolated)
    found = edge(picture, "shop", "depot", "violation")
    assert [(link.id, link.source) for link in found.links] == [("E001", "shop.Basket")]
    assert found.links[0].message.startswith("shop.Basket.box is a foreign key to depot.Box")


def test_an_app_that_is_only_referred_to_is_shown_as_not_installed(
    scratch_database: str, isolated: object
) -> None:
    model("shop.Basket", sample_id=DomainReference("lab.Sample"))
    picture = map_domains(apps=isolated)
    assert [node.name for node in picture.nodes if not node.installed] == ["lab"]
    assert edge(picture, "shop", "lab", "reference").links == (
        Link("shop.basket.sample_id", "lab.Sample"),
    )
    assert "not installed" in render(picture, "mermaid")


def test_only_the_chosen_domains_and_core_are_shown(migrated_database: str) -> None:
    execute(CROSSING)
    picture = map_domains(["hr"])
    assert [node.name for node in picture.nodes] == ["core", "hr"]
    assert [(each.source, each.target) for each in picture.edges] == [("hr", "core")]
    assert [link.id for link in picture.nodes[1].violations] == ["B001"]
    assert [node.name for node in map_domains([]).nodes] == ["core"]
    with pytest.raises(UnknownDomain):
        map_domains(["hrr"])


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_written__empty_database(
    scratch_database: str, call: Callable[..., object], name: str
) -> None:
    before = snapshot()
    result = call("map_domains", format=name)
    assert (result.exit_status, result.stderr) == (0, "")
    assert result.stdout.endswith("\n")
    assert snapshot() == before
    assert result.stdout == call("map_domains", format=name).stdout


def test_the_number_of_queries_is_the_same_for_one_domain(
    migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    execute_once = psycopg.Cursor.execute

    def counted(cursor: object, statement: object, *args: object, **kwargs: object) -> object:
        asked.append(statement)
        return execute_once(cursor, statement, *args, **kwargs)

    map_domains()  # Connects.
    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    map_domains(["hr"])
    one = len(asked)
    map_domains()
    assert 0 < one == len(asked) - one


def test_json_is_one_object(migrated_database: str, call: Callable[..., object]) -> None:
    result = json.loads(call("map_domains", format="json").stdout)
    assert (result["format"], result["database"]) == (1, "default")
    assert result["domains"][0] == {
        "domain": "core",
        "schema": "public",
        "models": sum(
            get_domain_for(each).is_core and each._meta.managed and not each._meta.proxy
            for each in apps.get_models(include_auto_created=True)
        ),
        "installed": True,
        "violations": [],
    }
    kinds = {each["kind"]: each for each in result["edges"] if each["source"] == "hr"}
    assert kinds["reference"] == {
        "source": "hr",
        "target": "inventory",
        "kind": "reference",
        "count": 1,
        "ids": [],
        "links": [
            {
                "source": "hr.assignments.location_id",
                "target": "inventory.Location",
                "id": None,
                "message": None,
                "hint": None,
            }
        ],
    }


def test_svg_needs_nothing_from_elsewhere() -> None:
    picture = small(Edge("hr", "inventory", "reference", (Link("a", "b"),)))
    root = ElementTree.fromstring(render(picture, "svg"))
    assert root.get("role") == "img"
    labels = {root.get("aria-labelledby"), root.get("aria-describedby")}
    assert {each.get("id") for each in root if each.get("id")} == labels
    assert root.find(f"{SVG}desc").text == (
        "3 domains: 1 reference by id, 0 violations. hr to inventory: 1 reference by id."
    )
    text = render(picture, "svg")
    assert not re.search(r"<script|<image|@import|@font-face|url\((?!#)|\sstyle=|\son\w+=", text)
    assert text.count("http") == 1  # The namespace.


def test_svg_in_a_page_has_links_and_no_style_of_its_own() -> None:
    picture = small(Edge("hr", "core", "foreign_key", (Link("a", "b"),)))
    text = svg(picture, {name: f"/{name}/?a=1&b=2" for name in ("hr", "inventory")})
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}style") is None
    assert " style=" not in text
    links = {each.get("href"): each.get("aria-label") for each in root.iter(f"{SVG}a")}
    assert links == {
        "#foreign_key-hr-core": "hr to core: 1 foreign key",
        "/hr/?a=1&b=2": "Domain hr, schema hr, 1 model",
        "/inventory/?a=1&b=2": "Domain inventory, schema inventory, 1 model",
    }


def test_odd_names_are_escaped__svg() -> None:
    picture = small(
        Edge(ODD, "core", "violation", (Link(ODD, "", "B001", ODD, ODD),)), names=("core", ODD)
    )
    root = ElementTree.fromstring(render(picture, "svg"))
    shown = [each.text for each in root.iter(f"{SVG}text")]
    assert strip_control(ODD) in shown
    assert [each.tag for each in root.iter() if each.tag.endswith(("b", "script"))] == []


def test_odd_names_are_escaped__mermaid() -> None:
    text = render(small(names=("core", ODD)), "mermaid")
    [line] = [line for line in text.splitlines() if line.startswith("  n1")]
    assert (
        line
        == (
            '  n1["d#34;#92;N#60;b#62;#38;amp#59; #96;x#96;#124;y#93;#45;#45;#62;#65533;ย'
            "า#128138;<br>schema"
        )
        + line.partition("<br>schema")[2]
    )


def test_odd_names_are_escaped__dot() -> None:
    from pygraphviz import AGraph

    text = render(
        small(Edge(ODD, "core", "reference", (Link("a", "b"),)), names=("core", ODD)), "dot"
    )
    graph = AGraph(string=text)
    assert len(graph.nodes()) == 2
    assert len(graph.edges()) == 1
    graph.layout(prog="twopi")
    drawn = graph.draw(format="svg").decode()
    words = [each.text for each in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert strip_control(ODD) in words


@pytest.mark.parametrize("number", [0, 1, 2, BOXES_IN_ROWS - 1, BOXES_IN_ROWS, 100])
def test_no_box_covers_another_and_core_comes_last(number: int) -> None:
    boxes = [Box((("name", "x" * (12 + place % 7)),) * 2) for place in range(number + 1)]
    arrows = [Arrow(place, 0, "edge", "2") for place in range(1, number + 1, 2)]
    drawn = ElementTree.tostring(draw(boxes, arrows, base=True))
    assert drawn == ElementTree.tostring(draw(boxes, arrows, base=True))
    places = box_places(ElementTree.fromstring(drawn))
    assert len(places) == number + 1
    for place, (left, top, right, bottom) in enumerate(places):
        for other_left, other_top, other_right, other_bottom in places[:place]:
            assert (
                right <= other_left
                or other_right <= left
                or bottom <= other_top
                or other_bottom <= top
            )
    if number >= BOXES_IN_ROWS:
        assert places[0][2] == max(right for _, _, right, _ in places)
    else:
        assert places[0][3] == max(bottom for *_, bottom in places)


def box_places(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the boxes, in their order."""
    places = []
    for path in root.iter(f"{SVG}path"):
        if path.get("class") == "box":
            numbers = [float(number) for number in re.findall(r"-?[0-9.]+", path.get("d") or "")]
            xs, ys = numbers[::2], numbers[1::2]
            places.append((min(xs), min(ys), max(xs), max(ys)))
    return places


def test_edges_between_the_same_domains_are_apart() -> None:
    link = (Link("a", "b"),)
    picture = small(
        Edge("hr", "inventory", "reference", link),
        Edge("hr", "inventory", "violation", (replace(link[0], id="B001"),)),
        Edge("inventory", "hr", "reference", link),
    )
    root = ElementTree.fromstring(render(picture, "svg"))
    paths = [each.get("d") for each in root.iter(f"{SVG}path") if each.get("class") == "hit"]
    assert len(set(paths)) == 3


def test_missing_library_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(InvalidConfiguration) as raised:
        render(small(), "svg")
    assert str(raised.value) == (
        "The picture cannot be drawn, because pygraphviz is not installed."
    )
    assert raised.value.hint.startswith("Install it: pip install 'pygraphviz>=2'.")
    assert render(small(), "dot")
