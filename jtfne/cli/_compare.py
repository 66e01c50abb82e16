"""`jtfne compare`: a run beside a recording."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from jtfne.cli._shared import As_json, output_folder, print_facts


class Kind(enum.StrEnum):
    """How a run and a recording are compared."""

    laminar = "laminar"
    evoked = "evoked"
    spikes = "spikes"
    spectra = "spectra"
    spectrolaminar = "spectrolaminar"


Folder_option = Annotated[
    Path, typer.Argument(help="A run folder, as `jtfne run` leaves it.", metavar="DIR")
]
Recording_option = Annotated[
    str | None,
    typer.Argument(
        help="A file that MNE reads, .nc, .zarr, .parquet, .csv of spikes, a run folder, "
        "or 'barrel'.",
        metavar="RECORDING",
    ),
]
Named_option = Annotated[str | None, typer.Option("--recording", help="The same as RECORDING.")]
Readout_option = Annotated[
    str | None,
    typer.Option(help="Readout of the run; by default the first laminar one that it has."),
]
Kind_option = Annotated[
    Kind | None,
    typer.Option(help="How to compare; by default the first kind that the readout takes."),
]
Area_option = Annotated[
    str | None, typer.Option(help="Area of a laminar or areal readout; the first by default.")
]
Band_option = Annotated[
    tuple[float, float] | None,
    typer.Option(help="Lowest and highest frequency of the spectra, Hz.", metavar="LOW HIGH"),
]
All_channels_option = Annotated[
    bool,
    typer.Option("--all-channels", help="Spectra over all channels, whatever their names."),
]
Label_option = Annotated[
    str | None, typer.Option(help="Only events of the recording with this label.")
]
Run_label_option = Annotated[
    str | None, typer.Option(help="Only events of the run with this label.")
]
Onset_ms_option = Annotated[
    float | None, typer.Option(help="When the stimulus of the recording came.")
]
Z_mm_option = Annotated[
    str | None,
    typer.Option(help="Depth of each channel of the recording, with commas between."),
]
Units_option = Annotated[str | None, typer.Option(help="Unit of the recording, such as V.")]
Variable_option = Annotated[
    str | None, typer.Option(help="What the readout is called in the recording.")
]
Out_option = Annotated[
    Path | None, typer.Option("-o", "--out", help="Folder to write to; DIR/compare by default.")
]


def compare(
    folder: Folder_option,
    recording: Recording_option = None,
    named: Named_option = None,
    readout: Readout_option = None,
    kind: Kind_option = None,
    area: Area_option = None,
    band: Band_option = None,
    all_channels: All_channels_option = False,
    label: Label_option = None,
    run_label: Run_label_option = None,
    onset_ms: Onset_ms_option = None,
    z_mm: Z_mm_option = None,
    units: Units_option = None,
    variable: Variable_option = None,
    out: Out_option = None,
    as_json: As_json = False,
) -> None:
    """Set a run beside a recording, in a table, a figure and a page.

    Laminar profiles by their CSD, EEG and MEG by responses to events, spikes by their statistics,
    spectra by an aperiodic fit, spectrolaminar maps. For example `jtfne compare out/ mine.vhdr
    --readout eeg`.
    """
    import jtfne
    from jtfne import analysis
    from jtfne._check import refuse
    from jtfne.analysis.compare import choose_readout, load_counterpart
    from jtfne.analysis.comparisons import choose_kind

    if (recording is None) == (named is None):
        raise refuse(
            "RECORDING given twice" if recording else "no RECORDING",
            "one file, or 'barrel'",
            "jtfne compare",
        )
    signals = jtfne.load(folder)
    name = choose_readout(signals, readout)
    comparison = choose_kind(
        name, _build_kind(kind, name, band, all_channels), "jtfne compare --kind"
    )
    target = output_folder(folder, out, "compare")
    settings: dict[str, Any] = {
        "onset_ms": onset_ms,
        "z_mm": None if z_mm is None else _read_depths(z_mm),
        "units": units,
        "label": label,
    }
    recorded = load_counterpart(str(recording or named), name, variable, **settings)
    table, files = analysis.compare_run(
        signals,
        recorded,
        readout=name,
        kind=comparison,
        folder=target,
        area=area,
        label=run_label,
    )
    if as_json:
        print_facts(
            {"table": table.to_dict(orient="records"), "files": [str(path) for path in files]},
            as_json=True,
        )
        return
    typer.echo(table.map(_format_cell).to_string(index=False))
    for path in files:
        typer.echo(str(path))


def _build_kind(
    kind: Kind | None, readout: str, band: tuple[float, float] | None, all_channels: bool
) -> Any:
    """The comparison that the options ask for, by default that of the readout.

    Raises: JtfneError for an option that the kind has no use for.
    """
    from jtfne._check import refuse
    from jtfne.analysis.comparisons import KINDS, choose_kind

    where = "jtfne compare"
    default = choose_kind(readout, None, where)
    comparison_class: Any = KINDS[kind.value] if kind is not None else type(default)
    settings = {"band_Hz": band, "all_channels": all_channels or None}
    options = {"band_Hz": "--band", "all_channels": "--all-channels"}
    settings = {name: setting for name, setting in settings.items() if setting is not None}
    for name in settings:
        if not hasattr(comparison_class, name):
            kinds = [kind_name for kind_name, cls in KINDS.items() if hasattr(cls, name)]
            description = f"{options[name]} for {comparison_class.name!r}"
            raise refuse(description, f"--kind {', '.join(kinds)}", where)
    return comparison_class(**settings)


def _format_cell(value: Any) -> str:
    """A value of the table as text: numbers to 4 digits, nothing for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _read_depths(text: str) -> list[float]:
    """Depths, mm, of numbers with commas between. Raises: JtfneError for other texts."""
    from jtfne._check import refuse

    depths_mm = []
    for word in text.split(","):
        try:
            depths_mm.append(float(word))
        except ValueError:
            raise refuse(
                f"{word!r} among the depths", "numbers with commas between", "--z-mm"
            ) from None
    return depths_mm
