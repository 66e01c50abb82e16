"""Writes what is made from a finished run: other formats, figures, a report."""

import contextlib
import functools
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jtfne._check import JtfneError
from jtfne.cli._rooms import close_room

if TYPE_CHECKING:
    from jtfne.signals import Signals

LONG_s = 5.0  # the duration of work that takes longer is printed


class Attempts:
    """Steps that are independent of each other: what failed, by name, and why."""

    def __init__(self) -> None:
        self.failures: dict[str, str] = {}
        self.refusals: list[JtfneError] = []
        self.notes: set[str] = set()

    def attempt(self, name: str, step: Callable[[], object]) -> None:
        """Run a step; print its warnings on stderr, and note why it failed.

        An OSError, such as that of a full disk, is no matter of one format: it ends the command,
        and `--resume` goes on from there.
        """
        with warnings.catch_warnings(record=True) as caught:
            # a note, even where warnings are errors
            warnings.simplefilter("always", UserWarning)
            try:
                step()
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever one format cannot hold must not cost the others
                self.add_failure(name, error)
        for warning in caught:
            text = str(warning.message)
            if text not in self.notes:  # what holds for several files is said of the first
                typer.echo(f"note on {name}: {text}", err=True)
            self.notes.add(text)

    def add_failure(self, name: str, error: Exception) -> None:
        """Note that `name` was not written, and why."""
        self.failures[name] = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, JtfneError):
            self.refusals.append(error)

    def print_failures(self) -> None:
        """Print on stderr what was not written, and why."""
        for name, reason in self.failures.items():
            typer.echo(f"error: {name} was not written: {reason}", err=True)


def write_results(
    signals: "Signals", room: Path, out: Path, *, draws: bool = True
) -> tuple[list[Path], dict[str, str]]:
    """Add what is made from the run to its folder `room`, and move that to `out`.

    draws: whether figures and a report are made.

    Returns
    -------
    list of Path, dict of str to str
        The files, relative to `out`; and why each file that could not be written is missing.
    """
    from jtfne import _json, analysis, run_folder
    from jtfne._files import hold_folder, replace_file
    from jtfne.analysis.figures.save import write_figures
    from jtfne.partial_run import WHERE, remove_derived

    attempts = Attempts()
    figures: list[Path] = []

    def draw_figures() -> None:
        """Draw the figures into `room` and note those that failed."""
        paths, errors = write_figures(signals, room / "figures")
        figures.extend(paths)
        for name, error in errors.items():
            attempts.add_failure(f"figures/{name}", error)

    with hold_folder(room, WHERE):
        remove_derived(room)
        config = _json.dumps(signals.manifest["config"], indent=2) + "\n"
        replace_file(room / "config.json", lambda stream: stream.write(config.encode()))
        for name, write in list_fif_writers(signals, room, is_in_run).items():
            attempts.attempt(name, write)
        if draws:
            with show_work("drawing figures"):
                attempts.attempt("figures", draw_figures)
            attempts.attempt(
                "report.html", lambda: analysis.write_report(signals, room / "report.html", figures)
            )
        signals.manifest = run_folder.list_derived(room, signals.manifest)
    attempts.print_failures()
    close_room(room, out)
    signals.tree = run_folder.on_disk(signals.tree, out)
    files = [path for path in out.rglob("*") if path.is_file() and "signals.zarr" not in path.parts]
    return sorted(path.relative_to(out) for path in files), attempts.failures


def export_to(
    signals: "Signals", to: str, target: Path, *, allow_code: bool = False
) -> tuple[list[Path], dict[str, str]]:
    """Write `signals` in another format into `target`.

    allow_code: import the modules of cell models from outside, where the circuit is needed.

    Returns
    -------
    list of Path, dict of str to str
        The files; and why each field that FIF could not hold is missing.

    Raises
    ------
    JtfneError
        The first refusal, if all were refused.
    """
    from jtfne import interop

    writers: dict[str, Callable[[], object]] = {}
    if to == "fif":
        writers = list_fif_writers(signals, target, is_field)
    elif to == "dipole":
        writers = _list_dipole_writers(signals, target)
    else:
        formats: dict[str, tuple[Callable[..., object], str]] = {
            "parquet": (interop.write_parquet, "spikes.parquet"),
            "netcdf": (interop.to_netcdf, "signals.nc"),
            "zarr": (interop.to_zarr, "signals.zarr"),
            "nwb": (interop.to_nwb, "run.nwb"),
            "sonata": (functools.partial(_write_sonata, allow_code=allow_code), "sonata"),
            "bids": (interop.to_bids, "bids"),
        }
        write, name = formats[to]
        writers[name] = functools.partial(write, signals, target / name)
    attempts = Attempts()
    for name, writer in writers.items():
        attempts.attempt(name, writer)
    if writers and len(attempts.refusals) == len(writers):
        raise attempts.refusals[0]
    attempts.print_failures()
    return [target / name for name in writers if name not in attempts.failures], attempts.failures


def _write_sonata(signals: "Signals", path: Path, *, allow_code: bool) -> None:
    """Write spikes, cells and synapses, these wired again from the run's config.

    Raises: JtfneError for cell models from outside unless `allow_code`.
    """
    import jtfne
    from jtfne import _json, interop

    if "neurons" not in signals.tree.children:
        interop.to_sonata(signals, path)
        return
    text = _json.dumps(signals.manifest["config"])
    with show_work("wiring the circuit again"):
        net = jtfne.construct(jtfne.Config.from_json(text, allow_code=allow_code))
    interop.to_sonata(signals, path, net=net)


def _list_dipole_writers(signals: "Signals", target: Path) -> dict[str, Callable[[], object]]:
    """What writes the dipole moment of each area and trial as text, by the name of the file.

    Raises: JtfneError for a run that did not record it.
    """
    from jtfne import interop
    from jtfne._check import one_of
    from jtfne._names import safe_name

    one_of("dipole", signals.recorded(), name="readout", where="jtfne export --to dipole")
    writers: dict[str, Callable[[], object]] = {}
    for area in signals.get("dipole", trial=0)["area"].values.tolist():
        for trial in range(int(signals.tree.attrs["n_trials"])):
            name = f"dipole_{safe_name(area, 'file')}_trial{trial}.txt"
            writers[name] = functools.partial(
                interop.write_dipole_text, signals, target / name, area=area, trial=trial
            )
    return writers


def list_fif_writers(
    signals: "Signals", folder: Path, is_chosen: "Callable[[Signals, str], bool]"
) -> dict[str, Callable[[], object]]:
    """What writes each FIF file of the chosen readouts into `folder`, by the file's name.

    Of each, all trials end to end; and of what is in SI units, epochs where there are events. Those
    of a proxy are one call of `to_epochs`, and mostly as large as its Raw.
    """
    from jtfne import interop
    from jtfne._names import safe_name
    from jtfne.readouts import find_readout

    writers: dict[str, Callable[[], object]] = {}
    for readout in signals.recorded():
        if not is_chosen(signals, readout):
            continue
        catalogued = find_readout(readout)
        stem = safe_name(readout, "file")
        files: list[tuple[str, Callable[..., object]]] = [(f"{stem}_raw.fif", interop.write_fif)]
        if catalogued is not None and catalogued.is_si_field() and len(signals.events):
            files.append((f"{stem}-epo.fif", interop.write_epochs))
        for name, write in files:
            writers[name] = functools.partial(write, signals, readout, folder / name)
    return writers


def is_in_run(signals: "Signals", readout: str) -> bool:
    """Whether `jtfne run` leaves FIF files of a readout."""
    from jtfne.readouts import find_readout

    catalogued = find_readout(readout)
    return catalogued is not None and catalogued.fif


def is_field(signals: "Signals", readout: str) -> bool:
    """Whether MNE has a type for a readout; one that the catalogue does not know counts by dims."""
    from jtfne.readouts import find_readout

    catalogued = find_readout(readout)
    if catalogued is None:
        return {"time", "channel"} <= set(signals.tree[readout][readout].dims)
    return catalogued.mne_type is not None


@contextlib.contextmanager
def show_work(what: str) -> Iterator[None]:
    """Context that shows `what` on a terminal while it runs, and its duration if it took long."""
    from jtfne._terminal import stderr_is_terminal

    if not stderr_is_terminal():
        yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    began_s = time.monotonic()
    with console.status(what):
        yield
    took_s = time.monotonic() - began_s
    if took_s > LONG_s:
        console.print(f"{what} took {took_s:.0f} s")
