"""`jtfne new`: a config to start from."""

from pathlib import Path
from typing import Annotated

import typer

TEMPLATE = Path(__file__).with_name("circuit.toml")


def new(
    path: Annotated[Path, typer.Argument(help="The .toml file to write.", metavar="FILE")],
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="Write this preset, such as v1_v4:n_per_area=150, instead."),
    ] = None,
) -> None:
    """Write a commented config to start from: `jtfne new circuit.toml`, then edit it, then `jtfne
    run circuit.toml`.
    """
    from jtfne._check import refuse
    from jtfne._files import replace_file, resolve_path
    from jtfne.cli._shared import load_config

    target = resolve_path(path, "jtfne new")
    if target.suffix != ".toml":
        raise refuse(f"the file {str(path)!r}", "a name that ends in .toml", "jtfne new")
    if target.exists():
        raise refuse(f"{str(path)!r}, which exists,", "a new file", "jtfne new")
    if preset is None:
        text = TEMPLATE.read_text(encoding="utf-8")
    else:
        text = load_config(preset, None, None).to_toml()
    replace_file(target, lambda stream: stream.write(text.encode()))
    typer.echo(f"{path}: edit it, then `jtfne run {path} -o out/`")
