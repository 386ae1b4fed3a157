"""Our contract types for import-linter find what their own types cannot say."""

from grimp import ImportGraph

from tools.checks.contracts import DriverImports, KeepsOut

MODULES = (
    "magnum.db",
    "magnum.api",
    "magnum.drivers",
    "magnum.drivers.contract",
    "magnum.drivers.catalogue",
    "magnum.drivers.heat",
    "magnum.drivers.heat.stack",
    "magnum.drivers.one_v1",
    "magnum.drivers.one_v1.driver",
    "magnum.drivers.one_v1.api",
    "magnum.drivers.one_v1.conformance",
    "magnum.drivers.conformance",
    "magnum.drivers.two_v1",
)


def _graph(*imports: tuple[str, str]) -> ImportGraph:
    graph = ImportGraph()
    for module in MODULES:
        graph.add_module(module)
    graph.add_module("yaml", is_squashed=True)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported, line_number=1, line_contents="")
    return graph


def _drivers_break(*imports: tuple[str, str]) -> list[tuple[str, str]]:
    contract = DriverImports(
        name="drivers",
        session_options={},
        contract_options={
            "drivers": "magnum.drivers",
            "pattern": "_v[0-9]+$",
            "allowed": ["magnum.drivers.contract", "magnum.drivers.heat"],
            "extensions": "api",
            "extensions_allowed": ["magnum.api"],
            "trials": "conformance",
            "trials_allowed": ["magnum.drivers.conformance"],
        },
    )
    broken: list[tuple[str, str]] = contract.check(_graph(*imports), verbose=False).metadata[
        "broken"
    ]
    return broken


def test_a_driver_may_import_itself_the_contract_and_other_people() -> None:
    driver = "magnum.drivers.one_v1.driver"

    assert (
        _drivers_break(
            (driver, "magnum.drivers.one_v1"),
            (driver, "magnum.drivers.contract"),
            (driver, "magnum.drivers.heat.stack"),
            (driver, "yaml"),
            ("magnum.drivers.catalogue", "magnum.db"),
        )
        == []
    )


def test_a_driver_must_not_import_anything_else_of_ours() -> None:
    driver = "magnum.drivers.one_v1.driver"
    wrong = [
        (driver, "magnum.db"),
        (driver, "magnum.drivers.catalogue"),
        (driver, "magnum.drivers.two_v1"),
    ]

    assert _drivers_break(*wrong) == wrong


def test_only_a_drivers_own_endpoints_may_import_the_api() -> None:
    wrong = ("magnum.drivers.one_v1.driver", "magnum.api")

    assert _drivers_break(("magnum.drivers.one_v1.api", "magnum.api"), wrong) == [wrong]


def test_only_a_drivers_own_world_may_import_the_suite() -> None:
    suite = "magnum.drivers.conformance"
    wrong = ("magnum.drivers.one_v1.driver", suite)

    assert _drivers_break(("magnum.drivers.one_v1.conformance", suite), wrong) == [wrong]


def test_what_is_kept_out_is_found_and_missing_parts_do_not_matter() -> None:
    contract = KeepsOut(
        name="keeps out",
        session_options={},
        contract_options={
            "parts": ["magnum.api", "magnum.none"],
            "kept_out": ["magnum.drivers.heat"],
        },
    )
    graph = _graph(
        ("magnum.api", "magnum.drivers.heat.stack"),
        ("magnum.api", "magnum.drivers.catalogue"),
        ("magnum.drivers.catalogue", "magnum.drivers.heat"),
    )

    broken = contract.check(graph, verbose=False).metadata["broken"]

    assert broken == [("magnum.api", "magnum.drivers.heat.stack")]
