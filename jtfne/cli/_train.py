"""`jtfne train`: a circuit tuned until it shows what its config says it should."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jtfne.cli._rooms import resumable
from jtfne.cli._shared import (
    Allow_code,
    As_json,
    Config_argument,
    Settings,
    load_config,
    print_facts,
)

if TYPE_CHECKING:
    pass

FIGURE = "training.png"
REPORT = "report.json"


def train(
    config: Config_argument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the training.")] = Path(
        "trained"
    ),
    optimizer: Annotated[
        str,
        typer.Option(
            help="An optimizer of jtfne.optimizers, with its defaults; or your own class, as "
            "module:Class, with --allow-code."
        ),
    ] = "AGSDR",
    generations: Annotated[int, typer.Option(help="Generations to run at most.")] = 40,
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Seed of noise and stimuli; give several to average over."),
    ] = None,
    duration_ms: Annotated[float | None, typer.Option(help="Length of a run.")] = None,
    settings: Settings = None,
    until_passed: Annotated[
        bool, typer.Option("--until-passed", help="Stop when all gates hold.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training in the folder.")
    ] = False,
    allow_code: Allow_code = False,
    as_json: As_json = False,
) -> None:
    """Tune what CONFIG declares as trainables until its objective is met; leaves the best config,
    history and report.

    Exits with 1 if no candidate passed all gates. For example `jtfne train circuit.toml
    --optimizer CMAES --generations 20 -o trained/`.
    """
    import jtfne
    from jtfne._files import resolve_path
    from jtfne.analysis import figures
    from jtfne.analysis.figures._style import OFF_SCREEN, get_figure, write

    search = _make_search(optimizer, allow_code=allow_code)
    declared = load_config(config, None, duration_ms, settings=settings, allow_code=allow_code)
    seeds = seed if seed else [declared.run.seed]
    budget = generations * search.n_candidates(max(len(declared.training.trainables), 1))
    trainer = jtfne.Trainer(
        optimizer=search, seeds=seeds, budget=budget, stop_when_passed=until_passed
    )
    folder = resolve_path(out, "jtfne train -o")
    with resumable(folder, (folder / "index.json").exists):
        result = trainer.fit(jtfne.construct(declared), folder, resume=resume)
        write(get_figure(figures.training_history(result, ax=OFF_SCREEN)), folder / FIGURE)
    _print_report(result.report, out, as_json=as_json)
    if not result.passed:
        raise typer.Exit(1)


def _make_search(name: str, *, allow_code: bool) -> Any:
    """The optimizer of this name, or of a class "module:Class", with its defaults."""
    from jtfne._check import one_of
    from jtfne.optimizers import OPTIMIZERS
    from jtfne.pydantic_fields.custom_parts import code_allowed, read_object
    from jtfne.pydantic_fields.part_protocols import OPTIMIZER

    where = "jtfne train --optimizer"
    if ":" not in name:
        return OPTIMIZERS[one_of(name, OPTIMIZERS, name="optimizer", where=where)]()
    with code_allowed(allow_code):
        return read_object(name, OPTIMIZER, OPTIMIZERS, where)


def is_training(folder: Path) -> bool:
    """Whether a folder is that of a finished training, not of a run."""
    return (folder / REPORT).is_file() and not (folder / "manifest.json").exists()


def print_training(folder: Path, *, as_json: bool) -> None:
    """Print the report that a training left in its folder. Raises: JtfneError if it is none."""
    from jtfne import _json
    from jtfne._check import refuse
    from jtfne._files import read_text, resolve_path

    path = resolve_path(folder, "jtfne show") / REPORT
    report = _json.loads(read_text(path), where=str(path))
    try:
        _print_report(report, folder, as_json=as_json)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem = f"{str(path)!r}, which lacks {error},"
        raise refuse(problem, "the report of a training", "jtfne show") from error


def _print_report(report: dict[str, Any], out: Path, *, as_json: bool) -> None:
    """Print the verdict and the best parameters of a training, or all of its report as JSON."""
    if as_json:
        print_facts({"folder": str(out), **report}, as_json=True)
        return
    typer.echo(report["verdict"])
    for path, value in report["best"]["values"].items():
        typer.echo(f"{path}: {value:.6g} (from {report['start'][path]:.6g})")
    for name in ("without_effect", "without_slope", "at_bounds"):
        if report.get(name):
            typer.echo(f"{name.replace('_', ' ')}: {', '.join(report[name])}")
    if report["failures"]:
        typer.echo(f"{len(report['failures'])} candidates failed; report.json says which, and why")
    typer.echo(f"{out}: best_config.json, history.csv, report.json, {FIGURE}")
