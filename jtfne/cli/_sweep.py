"""`jtfne sweep`: a circuit with each combination of values, and a summary of each run."""

from pathlib import Path
from typing import Annotated, Any

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

WHERE = "jtfne sweep --vary"


def sweep(
    config: Config_argument,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            help="Values to take at a path: cells.E.drive=2,4,6. Of several, all combinations run.",
            metavar="PATH=V,V,...",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the sweep.")] = Path("swept"),
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Seed of noise and stimuli; give several to average over."),
    ] = None,
    duration_ms: Annotated[float | None, typer.Option(help="Length of a run.")] = None,
    settings: Settings = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the sweep in the folder.")
    ] = False,
    allow_code: Allow_code = False,
    as_json: As_json = False,
) -> None:
    """Run CONFIG with each combination of values; leaves sweep.nc, and prints means over seeds: of
    the objective if CONFIG has one, else of the rates.

    For example `jtfne sweep v1_column --vary cells.E.drive=2,4,6 --vary gains.E-\\>PV=0.5,1 -o swept/`.
    """
    import jtfne
    from jtfne._files import resolve_path

    values = _read_values(vary)
    declared = load_config(config, None, duration_ms, settings=settings, allow_code=allow_code)
    seeds = seed if seed else [declared.run.seed]
    objective = declared.training.objective
    folder = resolve_path(out, "jtfne sweep -o")
    with resumable(folder, (folder / "index.json").exists):
        dataset = jtfne.sweep(
            jtfne.construct(declared),
            values,
            seeds,
            of=None if objective is None else jtfne.Objective.of(declared),
            out=folder,
            resume=resume,
        )
    table = dataset.mean("seed").to_dataframe()
    if as_json:
        rows = table.reset_index().astype(object).where(lambda cells: cells.notna(), None)
        print_facts({"folder": str(out), "rows": rows.to_dict(orient="records")}, as_json=True)
        return
    typer.echo(table.to_string())
    typer.echo(f"{out}: sweep.nc")


def _read_values(vary: list[str]) -> dict[str, list[float]]:
    """The values to take at each path. Raises: JtfneError for what is no list of numbers."""
    from jtfne._check import describe_value, refuse

    values: dict[str, list[float]] = {}
    for text in vary:
        path, _, listing = text.partition("=")
        try:
            numbers: list[Any] = [float(number) for number in listing.split(",")]
        except ValueError:
            allowed = "PATH=V,V,..., such as cells.E.drive=2,4,6"
            raise refuse(describe_value(text), allowed, WHERE) from None
        if path in values:
            raise refuse(f"{path!r} given twice", "each path once", WHERE)
        values[path] = numbers
    return values
