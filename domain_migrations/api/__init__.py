"""The public Python API: the function of each command, with its options and its results.

Names are imported on first use, so that a process that runs one command does not import the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..engine.history.verifications import last_verification as last_verification
    from ..engine.runner.options import MigrateOptions as MigrateOptions
    from ..engine.runner.results import Reporter as Reporter
    from . import repair as repair
    from .adopt.adopt import plan_adoption as plan_adoption
    from .adopt.adopt import plan_undoing as plan_undoing
    from .adopt.adopt import undo_adoption as undo_adoption
    from .adopt.adopt import write_adoption as write_adoption
    from .changed import changed_domains as changed_domains
    from .distribute.distribute import distribute_domains as distribute_domains
    from .distribute.distribution_result import DistributeOptions as DistributeOptions
    from .extract.abort import abort_extraction as abort_extraction
    from .extract.cut_over import cut_over as cut_over
    from .extract.extract import extraction_status as extraction_status
    from .extract.extract import finish_extraction as finish_extraction
    from .extract.extract import plan_extraction as plan_extraction
    from .extract.extract import start_extraction as start_extraction
    from .extract.step import ExtractOptions as ExtractOptions
    from .fleet.fleet import FleetOptions as FleetOptions
    from .fleet.fleet import migrate_fleet as migrate_fleet
    from .fleet.fleet_overview import show_fleet as show_fleet
    from .fleet.fleet_verification import verify_fleet as verify_fleet
    from .fleet.site_access import SiteAccess as SiteAccess
    from .fleet.site_file import read_sites as read_sites
    from .fleet.sites import Site as Site
    from .fleet.sites import sites_of_databases as sites_of_databases
    from .fleet.workers import FleetReporter as FleetReporter
    from .grant import grant_roles as grant_roles
    from .inspect.history_choice import HistoryOptions as HistoryOptions
    from .inspect.inspect import inspect_domain as inspect_domain
    from .inspect.update import update_domain as update_domain
    from .lint.linter import lint_domain as lint_domain
    from .map import map_domains as map_domains
    from .migrate import migrate_domains as migrate_domains
    from .migration_trial import MigrationTrial as MigrationTrial
    from .prove import prove_domains as prove_domains
    from .readiness import check_readiness as check_readiness
    from .seed.run import SeedOptions as SeedOptions
    from .seed.run import seed_domain as seed_domain
    from .show import show_domains as show_domains
    from .snapshot import snapshot_domains as snapshot_domains
    from .start.start import start_domain as start_domain
    from .transfer.transfer import plan_transfer as plan_transfer
    from .transfer.transfer import write_transfer as write_transfer
    from .verify.verify import verify_domains as verify_domains

MODULES = {
    "DistributeOptions": ".distribute.distribution_result",
    "ExtractOptions": ".extract.step",
    "FleetOptions": ".fleet.fleet",
    "FleetReporter": ".fleet.workers",
    "HistoryOptions": ".inspect.history_choice",
    "MigrateOptions": "..engine.runner.options",
    "MigrationTrial": ".migration_trial",
    "Reporter": "..engine.runner.results",
    "SeedOptions": ".seed.run",
    "Site": ".fleet.sites",
    "SiteAccess": ".fleet.site_access",
    "abort_extraction": ".extract.abort",
    "changed_domains": ".changed",
    "check_readiness": ".readiness",
    "cut_over": ".extract.cut_over",
    "distribute_domains": ".distribute.distribute",
    "extraction_status": ".extract.extract",
    "finish_extraction": ".extract.extract",
    "grant_roles": ".grant",
    "inspect_domain": ".inspect.inspect",
    "last_verification": "..engine.history.verifications",
    "lint_domain": ".lint.linter",
    "map_domains": ".map",
    "migrate_domains": ".migrate",
    "migrate_fleet": ".fleet.fleet",
    "plan_adoption": ".adopt.adopt",
    "plan_undoing": ".adopt.adopt",
    "plan_extraction": ".extract.extract",
    "plan_transfer": ".transfer.transfer",
    "prove_domains": ".prove",
    "read_sites": ".fleet.site_file",
    "seed_domain": ".seed.run",
    "show_domains": ".show",
    "show_fleet": ".fleet.fleet_overview",
    "sites_of_databases": ".fleet.sites",
    "snapshot_domains": ".snapshot",
    "start_domain": ".start.start",
    "start_extraction": ".extract.extract",
    "undo_adoption": ".adopt.adopt",
    "update_domain": ".inspect.update",
    "verify_domains": ".verify.verify",
    "verify_fleet": ".fleet.fleet_verification",
    "write_adoption": ".adopt.adopt",
    "write_transfer": ".transfer.transfer",
}
"""The module of each function and class; ``repair`` is a module itself."""

__all__ = tuple(sorted((*MODULES, "repair")))


def __getattr__(name: str) -> Any:
    if name == "repair":
        return import_module(".repair", __name__)
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
