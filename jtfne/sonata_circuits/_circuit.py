"""From the config of a SONATA circuit to a Config."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jtfne import _json
from jtfne._check import POSITIVE, JtfneError, names_arguments, number, one_of, refuse
from jtfne._files import read_text, resolve_path
from jtfne._sonata_files import CircuitFiles, is_circuit, read_circuit
from jtfne.config import Config
from jtfne.sonata_circuits._cells import CellTable, declare_cells, read_cells
from jtfne.sonata_circuits._connections import read_connections
from jtfne.sonata_circuits._inputs import read_clamps, read_trains

# What says how to run or where to write, not what is run.
WITHOUT_EFFECT = (
    *("dL", "spike_threshold", "nsteps_block", "overwrite_output_dir", "n_thread", "print_time"),
    *("block_run", "block_size", "precise_times", "allow_offgrid_spikes", "random_seed"),
)
RUN_KEYS = ("tstop", "duration", "tstart", "dt", *WITHOUT_EFFECT)


@names_arguments
def from_sonata(path: str | Path) -> Config:
    """The Config of a SONATA circuit of point neurons, from its circuit_config.json.

    Each node population becomes an area with one layer, each node type a cell type, called by its
    `pop_name` where it has one. Point neurons of NEST become emitters: `iaf_psc_exp`,
    `iaf_psc_alpha` and `iaf_psc_delta` a `LIF`, `glif_psc` a `GLIF1`, `GLIF2` or `GLIF3`. Cells
    start at the model's V_m. Virtual cells become `SpikeSource`, with the spikes that the inputs
    give them. Edges keep their weights, times `nsyns`, and delays; a mechanism stands for each kind
    of current that the receiving cell makes of them. `run` gives duration and time step; spikes are
    recorded. Places of cells are jtfne's own: where the pia lies, SONATA does not say.

    Parameters
    ----------
    path : str or Path
        A circuit_config.json, or the config of a simulation that names one beside it. All files
        have to lie in its folder.

    Returns
    -------
    Config

    Raises
    ------
    JtfneError
        For what has no counterpart, by file, population and type: cells with a morphology, other
        models and parameters, synapses that change, weights by a function. For files that are
        missing, cut short or contradict each other, unknown keys, and paths out of the folder.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.interop.from_sonata("c.json")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got 'c.json', which is no file; expected a circuit_config.json (in from_sonata)
    """
    files = read_circuit(path)
    groups = read_cells(files)
    emitters: dict[str, Any] = dict(read_trains(files, groups))
    for group in groups:
        if group.model is not None:
            emitters[group.cell_type] = group.model.emitter
    config = declare_cells(groups, emitters).runtime(**_read_run(files))
    cells = CellTable(groups, config)
    connections, mechanisms = read_connections(files, cells)
    if connections:
        config = config.mechanisms(mechanisms).connections(connections)
    stimuli = read_clamps(files, cells)
    if stimuli:
        config = config.stimuli(stimuli)
    return config.probes(["spk"])


def is_circuit_file(path: Path) -> bool:
    """Whether a .json file is the config of a SONATA circuit, and not a Config of jtfne.

    What is no JSON is neither; the reader of a Config says why.
    """
    source = resolve_path(path, "circuit_config.json")
    if not source.is_file():
        return False
    try:
        return is_circuit(_json.loads(read_text(source), where=str(path)))
    except JtfneError:
        return False


def _read_run(files: CircuitFiles) -> dict[str, Any]:
    """Duration and time step, ms; empty where the config has no `run`.

    Raises: JtfneError for an unknown key, a run that does not begin at 0, or one without an end.
    """
    run: Mapping[str, Any] = files.run
    where = f"{files.path.name}, run"
    if not run:
        return {}
    for key in run:
        one_of(key, RUN_KEYS, name="key", where=where)
    if run.get("tstart", 0.0) != 0.0:
        raise refuse(f"tstart={run['tstart']!r}", "0 ms", where)
    duration_ms = run.get("duration", run.get("tstop"))
    return {
        "duration_ms": number(duration_ms, POSITIVE, name="tstop", where=where),
        "dt_ms": number(run.get("dt"), POSITIVE, name="dt", where=where),
    }
