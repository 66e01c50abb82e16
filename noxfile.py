"""One command each: tests, quick, slow, fuzz, lint, types, bench, agreement, bmtk, minimum, docs.

Needs only `pip install nox`; uses uv if there.
"""

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml("pyproject.toml")
# At the floors, dependencies that are years old meet newer ones of their own: their deprecations
# are not ours.
OLD_WARNINGS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")

# The tests read and write every format, with the packages that a user installs by these extras.
EXTRAS = ("realdata", "nwb", "neo", "bids", "recordings")

# What `nox -s quick` runs: each file takes seconds, and together they look at every room.
QUICK_FILES = (
    "tests/contract_wiring.py",
    "tests/test_bad_input.py",
    "tests/test_budgets.py",
    "tests/test_check.py",
    "tests/test_config.py",
    "tests/test_docs.py::test_contributing_lists_the_sessions_of_nox",
    "tests/test_docs.py::test_every_page_is_in_the_index",
    "tests/test_docs.py::test_nothing_cites_a_document_that_is_not_here",
    "tests/test_docs.py::test_paths_on_a_page_for_contributors_exist",
    "tests/test_fields_refused.py",
    "tests/test_front_door.py",
    "tests/test_geometry.py",
    "tests/test_language.py",
    "tests/test_layers.py",
    "tests/test_net.py",
    "tests/test_readme.py",
    "tests/test_signals.py",
    "tests/test_surface.py",
    "tests/test_tables_of_edges.py",
    "tests/test_time_grid.py",
    "tests/test_trainables.py",
    "tests/test_tree.py",
    "tests/test_wiring.py",
)

# What is compared, each in an environment of its own: never a dependency of jtfne, nor of its
# tests.
PEERS = {
    "nest": ("nest-simulator>=3.10",),
    "brian2": ("brian2>=2.9", "numpy<2", "setuptools"),  # setuptools: Cython compiles through it
    "brainpy": ("brainpy[cpu]>=2.7",),
    "jaxfne": ("jaxfne==0.3.37",),
    "hnn": ("hnn-core>=0.6",),
    "bmtk": ("bmtk>=1.2", "nest-simulator>=3.10"),
}
# The benchmarks that take them, and which.
BESIDE_PEERS: dict[str, tuple[str, ...]] = {
    "compare": ("nest", "brian2", "brainpy", "jaxfne"),
    "scaling": ("nest",),
    "tuning": ("jaxfne",),
}
# What docs/validation/agreement.rst compares jtfne with, beside what the tests install.
AGREEMENT_PEERS = ("nest", "hnn")


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PROJECT, name))


def install_checkout(session: nox.Session, *extras: str) -> None:
    """Install this checkout in place, without what an earlier build left behind."""
    # setuptools would pack deleted modules from it again
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    session.install("-e", f".[{','.join(extras)}]" if extras else ".")


def run_pytest(session: nox.Session, *arguments: str, xla_flags: str = "") -> None:
    """Run pytest with `arguments` and those of the command line; bytecode is kept in the session's
    own folder.
    """
    # Many tests start a fresh interpreter. Where PYTHONDONTWRITEBYTECODE is set, each of these
    # would compile jax, xarray and pandas from source, which takes three times as long as loading
    # them.
    bytecode = {
        "PYTHONDONTWRITEBYTECODE": None,
        "PYTHONPYCACHEPREFIX": str(Path(session.virtualenv.location).resolve() / "bytecode"),
    }
    flags = f"{os.environ.get('XLA_FLAGS', '')} {xla_flags}".strip()
    environment = bytecode | ({"XLA_FLAGS": flags} if flags else {})
    session.run(
        *("python", "-m", "pytest", *arguments, *session.posargs),
        env=environment,
        success_codes=(0, NO_TESTS) if session.posargs else (0,),
    )


def choose_xla_flags(session: nox.Session) -> str:
    """The flags with which XLA compiles fastest, or none where this version does not know them."""
    program = "import jax; jax.devices()"  # XLA ends the process at a flag that it does not know
    known = session.run(
        *("python", "-c", program),
        env={"XLA_FLAGS": FAST_COMPILATION},
        success_codes=range(-64, 256),
        silent=True,
    )
    if "Unknown flag" in str(known):
        session.warn(f"XLA does not know {FAST_COMPILATION}; the tests take twice as long")
        return ""
    return FAST_COMPILATION


# By file: a file's tests share what they compile. Those with most tests come first, so that the
# workers end together; `worksteal`, which splits files, was 4 % slower by the times of 26 files.
ON_ALL_CORES = ("-n", "auto", "--dist", "loadfile")


# Most of what the tests cost in processor time is compilation. Without its fusion emitters,
# unoptimized and in one piece, XLA takes a quarter of the time; the last bits are others, and
# programs run slower. What holds bits of different programs equal, and what simulates for long, has
# the mark `as_users` and is compiled as for users, as all is by `slow` and `minimum`.
FAST_COMPILATION = (
    "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0 "
    "--xla_cpu_parallel_codegen_split_count=1"
)
NO_TESTS = 5  # pytest's exit status where none is selected, such as by `-- tests/test_net.py`


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but the slow ones, on all cores."""
    install_checkout(session, *EXTRAS)
    session.install(*group("test"))
    run_pytest(
        *(session, "-m", "not slow and not as_users", *ON_ALL_CORES, "--durations=30"),
        xla_flags=choose_xla_flags(session),
    )
    # The other files need not be imported to be left out.
    files = [] if session.posargs else list_files_as_users()
    run_pytest(session, "-m", "as_users and not slow", *ON_ALL_CORES, *files)


def list_files_as_users() -> list[str]:
    """The files with tests of the mark `as_users`."""
    files = sorted((ROOT / "tests").glob("*.py"))
    return [str(path) for path in files if "mark.as_users" in path.read_text(encoding="utf-8")]


@nox.session(reuse_venv=True)
def quick(session: nox.Session) -> None:
    """The files that take seconds: what to run after each edit."""
    install_checkout(session, *EXTRAS)
    session.install(*group("test"))
    run_pytest(session, "-m", "not slow", *ON_ALL_CORES, *QUICK_FILES)


@nox.session
def slow(session: nox.Session) -> None:
    """The tests that take more than about a minute each."""
    install_checkout(session, *EXTRAS)
    session.install(*group("test"))
    run_pytest(session, "-m", "slow")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Cases by mutation through every door, ten minutes, or `-- --minutes 60`."""
    install_checkout(session, *EXTRAS)
    session.install(*group("test"))
    session.run("python", "-m", "fuzzing", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and the habits of scientific Python packages."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("repo-review", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types for the whole package."""
    install_checkout(session)
    session.install(*group("types"))
    session.run("mypy", *session.posargs)


@nox.session(python="3.11")  # numpy 1.26, which brian2 takes, is built for no later one than 3.12
def bench(session: nox.Session) -> None:
    """Every benchmark, or some, `-- import_time`; only an idle machine gives numbers to report."""
    install_checkout(session)
    interpreters: dict[str, str] = {}
    for script in sorted((ROOT / "benchmarks").glob("[!_]*.py")):
        if session.posargs and script.stem not in session.posargs:
            continue
        options = []
        for peer in BESIDE_PEERS.get(script.stem, ()):
            if peer not in interpreters:
                interpreters[peer] = install_peer(session, peer)
            options += ["--peer", f"{peer}={interpreters[peer]}"]
        session.run("python", str(script), *options)


def install_peer(session: nox.Session, name: str) -> str:
    """The interpreter of an environment beside the session's that holds one peer; made if it is not
    there.
    """
    folder = Path(session.virtualenv.location).with_name(f"bench-peer-{name}")
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    if not Path(python).exists():
        session.run_install("python", "-m", "venv", *(["--without-pip"] if uv else []), str(folder))
    install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    session.run_install(*install, "--quiet", *PEERS[name], external=True)
    return python


@nox.session(python="3.11")
def agreement(session: nox.Session) -> None:
    """The tables of agreement with NEST, LFPykit, MNE, SciPy, elephant and hnn-core, anew."""
    install_checkout(session, *EXTRAS)
    session.install(*group("test"))
    options = []
    for peer in AGREEMENT_PEERS:
        options += ["--peer", f"{peer}={install_peer(session, peer)}"]
    session.run("python", "docs/validation/agreement.py", *options, *session.posargs)


@nox.session(python="3.11")
def bmtk(session: nox.Session) -> None:
    """The network that bmtk builds and NEST runs, which tests compare with, anew."""
    session.install(*PEERS["bmtk"])
    session.run("python", "docs/validation/_bmtk_network.py", "tests/bmtk_network")


@nox.session(python="3.11")
def minimum(session: nox.Session) -> None:
    """The tests at the lowest versions that pyproject.toml allows."""
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    session.install("uv")  # pip cannot resolve to the lowest versions
    install = ("uv", "pip", "install", "--python", session.virtualenv.location)
    session.run_install(*install, "--resolution", "lowest-direct", "-e", f".[{','.join(EXTRAS)}]")
    session.run_install(*install, *group("test"))
    warnings = []
    for name in OLD_WARNINGS:
        warnings += ["-W", f"default::{name}"]
    run_pytest(session, "-m", "not slow", *ON_ALL_CORES, *warnings)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, where a warning is an error; it executes the tutorials."""
    install_checkout(session, "realdata", "recordings")
    session.install(*group("docs"))
    session.run(
        "sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "out/docs", *session.posargs
    )


@nox.session
def tutorials(session: nox.Session) -> None:
    """Execute the tutorials as notebooks, and say how long each takes."""
    install_checkout(session, "realdata", "recordings")
    session.install(*group("docs"), "ipykernel", "nbclient", "nbformat")
    session.run("python", "tutorials/execute.py", *session.posargs)


if __name__ == "__main__":
    nox.main()
