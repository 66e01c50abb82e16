"""What commands share: a config from its file or preset, and how facts are printed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from jtfne.config import Config

As_json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Config_argument = Annotated[
    str,
    typer.Argument(
        help="A .json or .toml config, the circuit_config.json of a SONATA circuit, or a preset such "
        "as v1_column or v1_column:n=2000.",
        metavar="CONFIG",
    ),
]


Allow_code = Annotated[
    bool,
    typer.Option(
        "--allow-code",
        help="Import the modules of your own parts that CONFIG names: their code runs.",
    ),
]


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Another value at a path, such as cells.E.drive=6; several are set in turn. "
        "`jtfne list paths CONFIG` lists paths.",
        metavar="PATH=VALUE",
    ),
]


def load_config(
    file_or_preset: str,
    seed: int | None,
    duration_ms: float | None,
    trials: int | None = None,
    *,
    settings: Sequence[str] | None = None,
    allow_code: bool = False,
) -> "Config":
    """The config of a file, of a SONATA circuit, or of a preset, `name:key=value,key=value`.

    trials: how often its task is repeated. settings: PATH=VALUE, set in turn after all else.
    """
    from jtfne.config import Config
    from jtfne.paradigm import Paradigm
    from jtfne.sonata_circuits import from_sonata, is_circuit_file

    path = Path(file_or_preset)
    if path.suffix == ".json" and is_circuit_file(path):
        config = from_sonata(path)
    elif path.suffix in (".json", ".toml"):
        config = Config.from_file(path, allow_code=allow_code)
    else:
        config = _read_preset(file_or_preset)
    if trials is not None:
        task = Paradigm(**dict(config.task)).trials(trials)
        config = config.stimuli(task.stimuli, task.n_trials, task.conditions or None)
    config = config.runtime(seed=seed, duration_ms=duration_ms)
    for setting in settings or ():
        config = config.set(*_read_setting(setting))
    return config


def _read_setting(setting: str) -> tuple[str, Any]:
    """Path and value of `PATH=VALUE`; a value is JSON, and a text where it is none."""
    from jtfne import _json
    from jtfne._check import describe_value, refuse

    path, sign, text = setting.partition("=")
    if not sign or not path or not text:
        raise refuse(describe_value(setting), "PATH=VALUE, such as cells.E.drive=6", "--set")
    if text[0] in '0123456789-[{"' or text in ("true", "false", "null"):
        return path, _json.loads(text, where=f"--set {path}")
    return path, text


def output_folder(folder: Path, out: Path | None, name: str) -> Path:
    """The folder that a command writes to: `out`, or `name` in the run folder.

    Raises: JtfneError for a link in the run folder that leads out of it.
    """
    from jtfne._files import path_inside, resolve_path

    if out is not None:
        return resolve_path(out, "-o")
    return path_inside(resolve_path(folder, "DIR"), name, f"jtfne {name}")


def _read_preset(preset_text: str) -> "Config":
    """The config of `name:key=value,...`.
    Raises: JtfneError for an unknown name, argument or value, or one twice.
    """
    import inspect

    from jtfne._check import describe_value, one_of, refuse
    from jtfne.presets import PRESETS
    from jtfne.presets._arguments import read_argument

    name, colon, argument_list = preset_text.partition(":")
    make = PRESETS[
        one_of(
            name,
            PRESETS,
            name="preset",
            where="the command line; a config file ends in .json or .toml",
        )
    ]
    parameters = inspect.signature(make).parameters
    arguments: dict[str, Any] = {}
    where = f"preset {name}"
    for argument in argument_list.split(",") if colon else ():
        key, sign, text = argument.partition("=")
        if not key:
            raise refuse(
                f"{describe_value(argument)} among the arguments {describe_value(argument_list)}",
                "NAME=VALUE, or several with a comma between them; without arguments no colon",
                where,
            )
        one_of(key, parameters, name="argument", where=where)
        if not sign or not text:
            raise refuse(describe_value(argument), f"{key}=VALUE", where)
        if key in arguments:
            raise refuse(f"{key} given twice", "each argument once", where)
        arguments[key] = read_argument(parameters[key], text, where)
    return make(**arguments)


def print_facts(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print `facts` as JSON, or one line for each."""
    from jtfne import _json

    if as_json:
        typer.echo(_json.dumps(facts))
        return
    for key, value in facts.items():
        typer.echo(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
