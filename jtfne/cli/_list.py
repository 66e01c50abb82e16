"""`jtfne list`: the parts that a config can name, a line each; and the paths of a circuit."""

import enum
import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jtfne.cli._shared import Allow_code, As_json, load_config, print_facts

if TYPE_CHECKING:
    from jtfne.config import Config


RULES = (
    *("FixedProbability", "FixedIndegree", "FixedOutdegree", "FixedTotal"),
    *("OneToOne", "AllToAll", "DistanceDecay", "FromTable"),
)


class Parts(enum.StrEnum):
    """What `jtfne list` lists."""

    emitters = "emitters"
    synapses = "synapses"
    rules = "rules"
    probes = "probes"
    stimuli = "stimuli"
    measures = "measures"
    optimizers = "optimizers"
    presets = "presets"
    paths = "paths"


def list_parts(
    parts: Annotated[Parts, typer.Argument(help="What to list.", metavar="WHAT")],
    config: Annotated[
        str | None,
        typer.Argument(help="With `paths`: the config or preset whose paths.", metavar="CONFIG"),
    ] = None,
    allow_code: Allow_code = False,
    as_json: As_json = False,
) -> None:
    """List what a config can name, with a line each: cell models, synapses, rules, probes, ...

    `jtfne list paths v1_column` lists what --set, a Trainable and a sweep can change.
    """
    from jtfne._check import refuse

    if parts == Parts.paths:
        if config is None:
            raise refuse("paths of no circuit", "jtfne list paths CONFIG", "jtfne list")
        print_facts(
            _list_paths(load_config(config, None, None, allow_code=allow_code)), as_json=as_json
        )
        return
    if config is not None:
        raise refuse(f"CONFIG with {parts}", "CONFIG with paths alone", "jtfne list")
    first_lines = {name: _first_line(part) for name, part in _find_catalogue(parts).items()}
    print_facts(first_lines, as_json=as_json)


def _find_catalogue(parts: Parts) -> dict[str, Any]:
    """The parts of a kind, by the name that a config gives them."""
    from jtfne import config, emitters, measures, optimizers, readouts, stimuli, synapses
    from jtfne.presets import PRESETS

    catalogues: dict[Parts, dict[str, Any]] = {
        Parts.emitters: dict(emitters.EMITTERS),
        Parts.synapses: dict(synapses.SYNAPSES),
        Parts.rules: {name: getattr(config, name) for name in RULES},
        Parts.probes: dict(readouts.READOUTS),
        Parts.stimuli: dict(stimuli.STIMULI),
        Parts.measures: dict(measures.MEASURES),
        Parts.optimizers: dict(optimizers.OPTIMIZERS),
        Parts.presets: dict(PRESETS),
    }
    return catalogues[parts]


def _list_paths(config: "Config") -> dict[str, str]:
    """Each path of a circuit that is a parameter, and its value."""
    from jtfne.config.parameter_paths import get_value, list_places

    config.populations()  # refuses a circuit that is not complete
    values = {}
    for path, place in list_places(config.circuit).items():
        value = get_value(config.circuit, place)
        values[path] = "differs from cell to cell" if value is None else f"{value:g}"
    return values


def _first_line(part: Any) -> str:
    """The first sentence of a docstring."""
    return str(inspect.getdoc(part)).splitlines()[0]
