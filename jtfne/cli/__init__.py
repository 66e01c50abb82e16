"""The command line: the same functions as in Python; prints, exits, holds no science.

Exit codes: 0 done, 2 bad input (one clear error), 130 and 143 after Ctrl-C and SIGTERM (run,
train), 1 otherwise. Results on stdout, progress and errors on stderr.
"""

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jtfne.cli._compare import compare
from jtfne.cli._list import list_parts
from jtfne.cli._new import new
from jtfne.cli._rooms import open_room, resumable
from jtfne.cli._shared import (
    Allow_code,
    As_json,
    Config_argument,
    Settings,
    load_config,
    output_folder,
    print_facts,
)
from jtfne.cli._sweep import sweep
from jtfne.cli._train import is_training, print_training, train
from jtfne.cli._write import export_to, write_results

if TYPE_CHECKING:
    from jtfne.config import Config
    from jtfne.paradigm import Paradigm
    from jtfne.signals import Signals

app = typer.Typer(
    name="jtfne",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

Run_folder = Annotated[
    Path, typer.Argument(help="A run folder, as `jtfne run` leaves it.", metavar="DIR")
]
SHOWN_CELLS = 20_000  # of a preset that is wired to be described: a second or so


class Format(enum.StrEnum):
    """What `jtfne export` writes."""

    fif = "fif"
    parquet = "parquet"
    netcdf = "netcdf"
    zarr = "zarr"
    sonata = "sonata"
    nwb = "nwb"
    bids = "bids"
    dipole = "dipole"


def main() -> None:
    """Entry point of the `jtfne` command."""
    from jtfne._check import JtfneError

    try:
        app(standalone_mode=True)
    except (
        JtfneError,
        FileNotFoundError,
        FileExistsError,
        NotADirectoryError,
        IsADirectoryError,
    ) as error:
        _exit_with_error(error, 2)
    except OSError as error:
        _exit_with_error(error, 1)


def _print_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        from jtfne import __version__

        typer.echo(f"jtfne {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """From a circuit to the signals that an electrode, an EEG cap or a MEG helmet would have
    recorded.

    Begin with `jtfne run v1_column -o out/`, or `jtfne new circuit.toml`.
    """


@app.command()
def run(
    config: Annotated[
        str | None, typer.Argument(help="A .json or .toml config, or a preset.", metavar="CONFIG")
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Run folder to write.")] = Path("out"),
    seed: Annotated[int | None, typer.Option(help="Seed of wiring, noise and stimuli.")] = None,
    duration_ms: Annotated[float | None, typer.Option(help="Length of a trial.")] = None,
    trials: Annotated[int | None, typer.Option(help="How often the task is repeated.")] = None,
    dt_ms: Annotated[float | None, typer.Option(help="Time step.")] = None,
    probes: Annotated[
        str | None, typer.Option(help="What to record, in place of CONFIG's: spk,lfp,eeg.")
    ] = None,
    settings: Settings = None,
    manifest: Annotated[
        Path | None, typer.Option("--from", help="Repeat the run of this manifest.json.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue this run where it was stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the finished run in the folder.")
    ] = False,
    devices: Annotated[
        int, typer.Option(help="Number of CPU devices over which to split a large circuit.")
    ] = 1,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to draw figures and a report.")
    ] = True,
    allow_code: Allow_code = False,
    as_json: As_json = False,
) -> None:
    """Simulate CONFIG and leave a run folder: signals, spikes, FIF files, manifest, figures,
    report.

    For example `jtfne run v1_column --set cells.E.drive=4 --trials 3 -o out/`.

    Stopped by Ctrl-C or SIGTERM it exits with 130 or 143; --resume goes on with what was done.
    """
    from jtfne import _cores
    from jtfne._check import refuse
    from jtfne._files import resolve_path
    from jtfne.partial_run import holds_run

    _cores.have_devices(devices, where="jtfne run --devices")
    if (config is None) == (manifest is None):
        raise refuse(
            "both CONFIG and --from" if config else "neither CONFIG nor --from",
            "one of them",
            "jtfne run",
        )
    changes = (seed, duration_ms, trials, dt_ms, probes, settings or None)
    if manifest is not None and any(change is not None for change in changes):
        raise refuse(
            "--seed, --duration-ms, --trials, --dt-ms, --probes or --set with --from",
            "--from alone: a repeat changes nothing",
            "jtfne run",
        )
    folder = resolve_path(out, "jtfne run -o")
    room = open_room(folder, resume=resume, overwrite=overwrite)
    with resumable(room, lambda: holds_run(room)):
        if manifest is not None:
            signals, differing = _repeat_run(manifest, room, allow_code=allow_code)
        else:
            checked = load_config(
                str(config), seed, duration_ms, trials, settings=settings, allow_code=allow_code
            ).runtime(dt_ms=dt_ms)
            if probes is not None:
                checked = checked.probes([name.strip() for name in probes.split(",")])
            signals, differing = _simulate_config(checked, room), None
        files, failures = write_results(signals, room, folder, draws=report)
    _print_run(signals, out, files, differing, failures, as_json=as_json)
    if differing or failures:
        raise typer.Exit(1)


app.command()(train)
app.command()(sweep)
app.command()(new)
app.command(name="list")(list_parts)


@app.command()
def validate(
    config: Config_argument,
    settings: Settings = None,
    allow_code: Allow_code = False,
    as_json: As_json = False,
) -> None:
    """Check CONFIG without running it: print its size and hash, or what is wrong with it.

    For example `jtfne validate circuit.toml`.
    """
    checked = load_config(config, None, None, settings=settings, allow_code=allow_code)
    checked.check()
    cells = sum(population.n_cells for population in checked.populations())
    facts = {
        "cells": cells,
        "connections": len(checked.circuit.connections),
        "readouts": list(checked.readout_names()),
    }
    print_facts(
        {**facts, "duration_ms": checked.run.duration_ms, "hash": checked.hash}, as_json=as_json
    )


@app.command()
def show(folder: Run_folder, allow_code: Allow_code = False, as_json: As_json = False) -> None:
    """Print what a run folder holds: readouts, rates, events; or the verdict of a training.

    Every file is checked, figures and reports too; exits with 1 if one of these was altered since
    the run. For example `jtfne show out/`.
    """
    import jtfne
    from jtfne._files import resolve_path
    from jtfne.run_folder import find_altered

    if is_training(resolve_path(folder, "jtfne show")):
        print_training(folder, as_json=as_json)
        return
    signals = jtfne.load(folder, allow_code=allow_code)
    altered = find_altered(resolve_path(folder, "jtfne show"), signals.manifest)
    _print_signals(signals, as_json=as_json)
    for name in altered:
        typer.echo(f"altered since the run: {name}", err=True)
    if altered:
        raise typer.Exit(1)


def _print_signals(signals: "Signals", *, as_json: bool) -> None:
    """Print the readouts, rates and events of a run, in a few lines or as JSON."""
    if as_json:
        print_facts(_summarize_run(signals), as_json=True)
        return
    typer.echo(signals.summary().to_string())
    if "spk" in signals.tree.children:
        typer.echo("\nrates (Hz)\n" + signals.rates().round(2).to_string(index=False))
    if len(signals.events):
        typer.echo("\nevents\n" + signals.events.to_string(index=False))


@app.command()
def export(
    folder: Run_folder,
    to: Annotated[Format, typer.Option("--to", help="Format to write.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write to; DIR/export by default.")
    ] = None,
    allow_code: Allow_code = False,
) -> None:
    """Write a run in another format: FIF of each field and its epochs, Parquet spikes, spikes and
    circuit of SONATA, the whole tree as netCDF or Zarr, EEG, MEG and LFP as a BIDS dataset, dipole
    moments as text.

    For example `jtfne export out/ --to nwb`.
    """
    import jtfne

    signals = jtfne.load(folder, allow_code=allow_code)
    target = output_folder(folder, out, "export")
    target.mkdir(parents=True, exist_ok=True)
    paths, failures = export_to(signals, to.value, target, allow_code=allow_code)
    for path in paths:
        typer.echo(str(path))
    if failures:
        raise typer.Exit(1)


app.command()(compare)


@app.command()
def presets(
    name: Annotated[
        str | None, typer.Argument(help="A preset to describe.", metavar="NAME")
    ] = None,
    as_json: As_json = False,
) -> None:
    """List the presets, or describe one: `jtfne presets v1_column`."""
    import inspect

    from jtfne._check import one_of
    from jtfne.net import construct
    from jtfne.presets import PRESETS

    if name is None:
        first_lines = {
            key: str(inspect.getdoc(make)).splitlines()[0] for key, make in PRESETS.items()
        }
        print_facts(first_lines, as_json=as_json)
        return
    make = PRESETS[one_of(name, PRESETS, name="preset", where="jtfne presets")]
    description = {"preset": f"{name}{inspect.signature(make)}", "doc": inspect.getdoc(make)}
    if as_json:
        print_facts(description, as_json=True)
        return
    typer.echo(f"{description['preset']}\n\n{description['doc']}\n")
    config = make()
    for cells in config.populations():
        typer.echo(
            f"{cells.area} {cells.layer:5} {cells.cell_type:4} {cells.n_cells:6} cells   "
            f"{cells.model_and_input()}"
        )
    if sum(population.n_cells for population in config.populations()) <= SHOWN_CELLS:
        typer.echo(f"\n{construct(config).summary()}")


@app.command()
def schema(
    document: Annotated[str, typer.Argument(help="config or manifest.", metavar="WHAT")] = "config",
) -> None:
    """Print the JSON Schema of a config file or of a manifest: `jtfne schema config`."""
    from jtfne import _json
    from jtfne._check import one_of
    from jtfne.config import Config
    from jtfne.reports import manifest_schema

    one_of(document, ("config", "manifest"), name="schema", where="jtfne schema")
    typer.echo(
        _json.dumps(Config.json_schema() if document == "config" else manifest_schema(), indent=2)
    )


def _simulate_config(config: "Config", room: Path) -> "Signals":
    """Simulate a config into the folder `room`; returns its signals."""
    import jtfne

    paradigm = jtfne.Paradigm(**dict(config.task))
    return _simulate_into(
        room, config, paradigm, **config.run.model_dump(include={"seed", "duration_ms", "dt_ms"})
    )


def _repeat_run(path: Path, room: Path, *, allow_code: bool) -> "tuple[Signals, list[str]]":
    """Simulate the run of a manifest again into `room`; returns signals, readouts that differ."""
    import jtfne
    from jtfne import _json
    from jtfne._files import read_text, resolve_path
    from jtfne.pydantic_fields.custom_parts import code_allowed
    from jtfne.reports import check_manifest, differing_readouts

    source = resolve_path(path, "jtfne run --from")
    # The manifest's own hash is not checked: it may be changed by hand; what differs is printed
    # later.
    manifest = check_manifest(_json.loads(read_text(source), where=str(path)))
    run_table = {"conditions": (), **manifest["run"]}
    with code_allowed(allow_code):
        paradigm = jtfne.Paradigm(
            stimuli=manifest["paradigm"],
            n_trials=run_table["trials"],
            conditions=run_table["conditions"],
        )
    run_settings = {name: run_table[name] for name in ("seed", "duration_ms", "dt_ms")}
    config = jtfne.Config.from_json(_json.dumps(manifest["config"]), allow_code=allow_code)
    signals = _simulate_into(room, config, paradigm, **run_settings)
    return signals, differing_readouts(manifest, signals.manifest)


def _simulate_into(
    room: Path, config: "Config", paradigm: "Paradigm", **run_settings: Any
) -> "Signals":
    """Simulate into `room`; if a finished run (but for its figures) is there already, load that.

    Raises: JtfneError if the run that is there is another one.
    """
    import jtfne
    from jtfne._check import refuse
    from jtfne.reports import bit_conditions
    from jtfne.run_folder import MANIFEST

    if not (room / MANIFEST).exists():
        return jtfne.construct(config).simulate(paradigm, **run_settings, out=room)
    signals = jtfne.load(room)
    manifest, stimuli = (
        signals.manifest,
        [stimulus.model_dump(mode="json") for stimulus in paradigm.stimuli],
    )
    run = {
        **manifest["run"],
        **run_settings,
        "trials": paradigm.n_trials,
        "conditions": list(paradigm.conditions),
    }
    there = {**manifest["software"], **manifest["platform"]}
    conditions = bit_conditions()
    is_same = {name: there.get(name) for name in conditions} == conditions
    expected = (config.hash, stimuli, run)
    if not is_same or expected != (
        manifest["config_sha256"],
        manifest["paradigm"],
        manifest["run"],
    ):
        raise refuse(
            f"{str(room)!r}, which holds another run,",
            "the same run, which goes on",
            "jtfne run --resume",
        )
    return signals


def _print_run(
    signals: "Signals",
    out: Path,
    files: list[Path],
    differing: list[str] | None,
    failures: dict[str, str],
    *,
    as_json: bool,
) -> None:
    """Print the rates, files and failures of a run, in a few lines or as JSON."""
    facts: dict[str, Any] = {
        "folder": str(out),
        "files": [str(path) for path in files],
        **_summarize_run(signals),
    }
    if failures:
        facts["failures"] = failures
    if differing is not None:
        facts["repeat"] = "identical" if not differing else f"differs in {', '.join(differing)}"
    if as_json:
        print_facts(facts, as_json=True)
        return
    typer.echo(
        signals.rates().round(2).to_string(index=False)
        if "spk" in signals.tree.children
        else "no spikes recorded"
    )
    if differing is not None:
        typer.echo(f"repeat: {facts['repeat']}")
    typer.echo(f"{out}: {', '.join(sorted({path.parts[0] for path in files} | {'signals.zarr'}))}")
    if (out / "report.html").exists():
        typer.echo(f"report: {out / 'report.html'}")


def _summarize_run(signals: "Signals") -> dict[str, Any]:
    """Readouts with their shapes, and mean rates, as JSON values."""
    readouts = {name: entry["shape"] for name, entry in signals.manifest["readouts"].items()}
    facts: dict[str, Any] = {
        "readouts": readouts,
        "config_sha256": signals.manifest["config_sha256"],
    }
    if "spk" in signals.tree.children:
        facts["rates_Hz"] = signals.rates().round(2).to_dict(orient="records")
    return facts


def _exit_with_error(error: Exception, code: int) -> None:
    """Print one clear error without traceback, as JSON with --json, and exit with `code`."""
    if "--json" in sys.argv[1:]:
        from jtfne import _json

        text = str(error).encode("utf-8", "backslashreplace").decode("utf-8")
        typer.echo(_json.dumps({"error": text, "exit_code": code}), err=True)
    else:
        typer.echo(f"error: {error}", err=True)
    raise SystemExit(code)
