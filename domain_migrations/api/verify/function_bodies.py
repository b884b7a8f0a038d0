"""Cross-domain references in the text of functions, and in the strings of other objects.

PostgreSQL records no dependencies for function bodies that are kept as text, nor for names in
strings. What cannot be read is reported as unread: a function in another language, a statement that
cannot be parsed, and SQL that a function computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.boundary.rule import depends_hint, may_depend_on, owner_clause
from ...engine.boundary.schema_owners import SchemaOwners
from ...engine.messages import Finding
from .catalog_texts import CatalogText, catalog_texts, name_arguments
from .name_constants import NameArguments, path_schemas
from .text_values import PLACEHOLDER
from .textual_names import TextualNames, has_parser, may_reference, mentions, read_body

CrossDomainFinding = tuple[Finding, Domain | None]
"""A finding and the domain that is used, None where it is not known."""

PARSED = ("sql", "plpgsql")
CHECK = "Check what it uses; if it uses another domain's objects, replace or drop it."
INSTALL = "Install it and run the command again: pip install 'sqlglot>=30'"


def textual_references(
    connection: BaseDatabaseWrapper, owners: SchemaOwners
) -> Iterator[CrossDomainFinding]:
    """Yield each object that names another domain in a text, with that domain."""
    arguments = name_arguments(connection)
    for text in catalog_texts(connection):
        user = owners.owner_or_core(text.schema)
        if user is not None:
            foreign = {
                name: domain
                for name, domain in owners.domains.items()
                if not may_depend_on(user, domain)
            }
            yield from _references(text, user, foreign, arguments)


def _references(
    text: CatalogText, user: Domain, foreign: Mapping[str, Domain], arguments: NameArguments
) -> Iterator[CrossDomainFinding]:
    """Yield the findings about one text; ``foreign`` has the domains by their schemas."""
    path = set(path_schemas(text.search_path or ""))
    found = TextualNames(search_path=path & foreign.keys())
    reasons: list[tuple[str, str]] = []
    if text.language not in PARSED:
        if may_reference(text.text, foreign):
            reasons.append((f"code in {text.language} is not analysed", CHECK))
    elif not text.is_recorded and not has_parser():
        if may_reference(text.text, foreign):
            reasons.append(("its text was not read, because sqlglot is not installed", INSTALL))
    else:
        found.add(
            read_body(
                text.text,
                foreign,
                procedural=text.language == "plpgsql",
                variables=text.variables,
                is_recorded=text.is_recorded,
                arguments=arguments,
            )
        )
        if found.unparsed:
            reasons.append((f"a statement could not be parsed: {found.unparsed[0]}", CHECK))
    subject = f"The {text.kind} {text.identity}"
    if found.is_computed and mentions(text.text, foreign):
        reasons.append(("it runs SQL that it computes, which is not read", CHECK))
    elif found.is_computed:
        message = f"{subject} runs SQL that it computes, which is not read."
        yield Finding("U017", "boundary", user.name, text.identity, message, CHECK), user
    names = {(schema, name.replace(PLACEHOLDER, "")) for schema, name in found.names}
    hint = f"{depends_hint(user)} Replace it, or drop it."
    for schema, phrase in [
        *((name, f"has {name}, {{}}, in its search_path") for name in sorted(found.search_path)),
        *(
            (schema, f"names {'.'.join(filter(None, (schema, name)))}, {{}}, in its text")
            for schema, name in sorted(names)
        ),
    ]:
        used = foreign[schema]
        message = f"{subject} {phrase.format(owner_clause(used))} (textual)."
        yield Finding("B014", "boundary", user.name, text.identity, message, hint), used
    for why, advice in reasons:
        message = f"{subject} may name another domain's objects; {why}."
        yield Finding("B017", "boundary", user.name, text.identity, message, advice), None
