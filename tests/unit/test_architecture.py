"""The plan of the house, enforced: which room may import which, and who owns which library.

Read `ROOMS` from top to bottom to see how the project is built; a room is a file or a package directly below
`orchestrator/`. To move a wall, change the table in the same commit and say why there.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 260

ROOMS: dict[str, set[str]] = {
    # room: what it may import of orchestrator/. A dotted name opens only that file of a room.
    # Imports point downwards, always.
    "__main__": {"cli"},
    "cli": {
        *("study", "backend", "search", "tracking", "cluster", "environment", "workload"),
        *("max_rate", "observation", "load", "measure", "resources"),  # of the command `load`
        *("insight", "figures"),
        *("pruning", "pruned", "expert", "feasible"),
        *("checklist", "knob", "space", "plain"),  # of the command of that name
        *("several", "robust"),
        *("document", "experiment", "serve_config", "names", "result", "errors"),
    },
    # One study. It sees the back end and the tracker only as ports, so that tests hand in fakes.
    "study": {"backend.port", "tracking.port", "confirmation", "experiment", "result", "errors"},
    # Ray Tune and the actors that run trials: here the parts of a trial are put together.
    "backend": {
        "assignment",
        *("trial", "offline", "job", "observation", "max_rate", "ceiling", "diagnosis", "objective"),
        *("serving", "cluster", "environment", "resources", "limits", "workload", "load", "measure"),
        *("feasible", "pruning.resources", "names"),  # of a probe
        *("experiment", "serve_config", "result", "errors"),
    },
    # One trial: deploy, load, judge, score, explain. What it acts on is handed in.
    "trial": {
        "assignment",
        *("observation", "diagnosis", "measure", "objective"),
        *("experiment", "serve_config", "result", "errors"),
    },
    # One offline trial: a job in a process of its own, measured step by step.
    "offline": {"assignment", "measure", "objective", "experiment", "result", "errors"},
    # One load on one endpoint, and what it says; the highest rate, found by several of them.
    "max_rate": {"observation", "rate_search", "load.plan", "measure"},
    "observation": {"load", "measure"},
    # What a study, or those of several workloads, teach, drawn.
    "figures": {"insight", "several", "robust", "measure.interval", "names", "result", "plain"},
    # What a study teaches beside its winner: importance of knobs, flat region, fronts, tables.
    "insight": {"measure", "names", "pareto", "space", "knob", "result", "plain"},
    # Adapters, one foreign system each. They never import each other.
    "serving": {"errors"},
    "tracking": {"document", "several", "confirmation", "measure.samples", "result", "errors"},
    "search": {"confirmation", "checklist", "pruned", "space", "knob", "validation", "result", "plain"},
    "cluster": {"errors"},
    "environment": set(),
    "resources": set(),
    # The process of a job, which imports next to nothing.
    "job": {"plain", "errors"},
    # The kernel's control groups; the clocks of GPUs.
    "limits": set(),
    # What can run at all: replicas that fit, clients that are sustained.
    "feasible": {"plain"},
    # What is not worth deploying, by Serve's own rules and the load.
    "pruning": {"pruned", "experiment", "serve_config", "objective", "space", "knob", "result", "plain"},
    # The checklist of model serving: what is tried for its items, and what that answers.
    "checklist": {
        *("experiment", "workload.plan", "serve_config", "measure", "names", "space", "knob", "result", "plain"),
    },
    # What somebody who knows Serve would try first.
    "expert": {"experiment", "workload.plan", "serve_config.settings", "space", "knob", "result", "plain"},
    # The public JSON document of a study.
    "document": {"several", "robust", "measure.measurement", "measure.verdict", "result"},
    # What the studies of several workloads say together.
    "several": {"robust", "result", "plain"},
    # The YAML file as validated values.
    "experiment": {
        *("workload.plan", "load.arrivals", "serve_config", "objective", "space", "knob"),
        *("measure.needed", "validation", "result", "plain", "errors"),
    },
    # Payloads, and the load client that sends them: they know no Serve and no SLO. Sizes are drawn
    # from the same kinds of ranges as knobs.
    "workload": {"load.endpoint", "space", "knob", "validation", "plain", "errors"},
    "load": {"measure.samples"},
    # Pure values and functions.
    "confirmation": {"serve_config.settings", "measure", "robust", "result", "plain"},
    "assignment": {"measure.race", "result"},
    "rate_search": {"measure.verdict"},
    "pruned": set(),
    "ceiling": {"space", "knob"},
    "diagnosis": {"measure", "serve_config.settings"},
    "serve_config": {"validation"},
    "objective": {"measure.percentile", "measure.verdict", "validation", "result", "plain"},
    "space": {"knob", "validation", "result", "plain"},
    "knob": {"plain"},
    "validation": set(),
    "names": {"measure", "result"},
    "result": {"measure", "pareto", "robust", "plain"},
    "pareto": set(),
    "robust": set(),
    "measure": set(),
    "plain": set(),
    "errors": set(),
}

ADAPTERS = {"serving", "tracking", "search", "cluster", "environment", "resources", "limits", "workload", "load"}
NEIGHBOURS = {("workload", "load")}
"""The one exception: payloads are values of the load client."""

OWNERS: dict[str, set[str]] = {
    # library or part of one: the only rooms that may import it; nobody else knows that it exists
    "mlflow": {"tracking"},
    "sqlalchemy": {"tracking"},
    "pyarrow": {"tracking"},
    "hyperopt": {"search"},
    "optuna": {"search"},
    "ray": {"backend", "search", "serving", "serve_config", "cluster"},
    "ray.tune": {"backend", "search"},
    "ray.serve": {"serving", "serve_config"},
    "pydantic": {"experiment", "workload", "objective", "space", "knob", "validation", "serve_config"},
    "yaml": {"experiment", "serve_config", "tracking"},
    "uvloop": {"load"},
    "httptools": {"load"},
    "scipy": {"measure", "pruning", "search"},
    "psutil": {"environment", "resources", "cluster", "cli"},
    "pynvml": {"limits"},
    "typer": {"cli"},
    "rich": {"cli"},
    "torch": set(),
    "sklearn": {"insight", "search"},
    "plotly": {"figures"},
    "onnx": set(),
    "onnxruntime": set(),
}

REPLICA_FREE_OF = {"torch", "sklearn", "pandas", "onnx", "mlflow"}
"""Slow or big to import: a replica that does pays for it at every start."""

MAY_PRINT = ("orchestrator/cli/", "serve_apps/nets/build.py")


class Import(NamedTuple):
    """One imported name in full (`ray.tune.search.Searcher`), and whether it is at start-up."""

    name: str
    at_once: bool


def source_files(package: str) -> dict[str, Path]:
    """{dotted module name: its file} of everything in the package."""
    files = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


FILES = {package: source_files(package) for package in ("orchestrator", "serve_apps", "benchmarks")}
MODULES = {module: path for files in FILES.values() for module, path in files.items()}


@cache
def tree_of(module: str) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    """Every import of a module; those inside functions or for type checkers only are not `at_once`."""
    return tuple(_imports(tree_of(module), at_once=True))


def _imports(node: ast.AST, at_once: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, at_once) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: write imports in full, not relative"
        yield from (Import(f"{node.module}.{alias.name}", at_once) for alias in node.names)
    later = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_for_type_checkers(node)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, at_once and not later)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def module_of(name: str) -> str:
    """The module of ours that an imported name is, or stands in; "" for a name of somebody else."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def room_of(module: str) -> str:
    """`orchestrator.load.client` -> `load`; "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def within(name: str, *allowed: str) -> bool:
    """Whether the name is one of the allowed ones or lies below one."""
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("room", sorted({room_of(module) for module in FILES["orchestrator"]} - {""}))
def test_a_room_imports_only_what_is_open_to_it(room):
    assert room in ROOMS, f"orchestrator/{room} is new here: give it a place in ROOMS"
    allowed = [f"orchestrator.{name}" for name in (room, *ROOMS[room])]
    forbidden = {
        f"{module} imports {reached}"
        for module in FILES["orchestrator"]
        if room_of(module) == room
        for reached in {module_of(imported.name) for imported in imports_of(module)}
        if room_of(reached) and within(reached, "orchestrator") and not within(reached, *allowed)
    }
    assert not forbidden, f"{room} may import {sorted(ROOMS[room])} only"


def test_the_package_itself_imports_nothing():
    assert not [name for name, _ in imports_of("orchestrator") if not within(name, "__future__")]


def test_the_table_points_downwards():
    order = list(ROOMS)
    for room, allowed in ROOMS.items():
        for name in allowed:
            below = name.split(".")[0]
            assert below in ROOMS, f"{room} may import {below}, which has no place in ROOMS"
            assert order.index(below) > order.index(room), f"{room} must stand above {below}"


def test_the_table_keeps_adapters_apart():
    doors = {(room, name.split(".")[0]) for room in ADAPTERS for name in ROOMS[room]}
    assert {(room, other) for room, other in doors if other in ADAPTERS} == NEIGHBOURS


def test_the_table_names_only_what_is_there():
    doors = {f"orchestrator.{name}" for allowed in ROOMS.values() for name in allowed}
    assert not ({f"orchestrator.{room}" for room in ROOMS} | doors) - set(FILES["orchestrator"])


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_is_imported_only_by_its_owners(library):
    strangers = {
        module
        for module in FILES["orchestrator"]
        if any(within(imported.name, library) for imported in imports_of(module))
        if room_of(module) not in OWNERS[library]
    }
    assert not strangers, f"in orchestrator/, {library} belongs to {OWNERS[library] or 'nobody'}"


@pytest.mark.parametrize("package", ["orchestrator", "serve_apps"])
def test_the_tuner_and_the_applications_do_not_know_each_other(package):
    (other,) = {"orchestrator", "serve_apps"} - {package}
    guilty = {m for m in FILES[package] for imported in imports_of(m) if within(imported.name, other)}
    assert FILES[package]
    assert not guilty, "an application is named by its import path, in the experiment"


def test_starting_a_replica_imports_nothing_that_is_slow():
    waiting, seen, libraries = {"serve_apps.classifier"}, set(), set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        at_once = {imported.name for imported in imports_of(module) if imported.at_once}
        libraries |= {name.partition(".")[0] for name in at_once}
        ours = {module_of(name) for name in at_once} - {""}
        packages = {name.rpartition(".")[0] for name in ours} - {""}
        waiting |= (ours | packages) - seen
    assert len(seen) > 1
    assert not libraries & REPLICA_FREE_OF


def test_only_commands_print():
    printing = {
        f"{MODULES[module].relative_to(ROOT).as_posix()}:{node.lineno}"
        for module in (*FILES["orchestrator"], *FILES["serve_apps"])
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert not {place for place in printing if not place.startswith(MAY_PRINT)}
    assert printing


def test_every_file_can_be_held_in_the_head():
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    too_long = {module: count for module, count in lines.items() if count > MAX_LINES}
    assert not too_long, f"split by idea; at most {MAX_LINES} lines a file"
