"""A declaration as text and file: JSON and TOML, written and read."""

from pathlib import Path
from typing import Any, Self

import pydantic

from jtfne import _json
from jtfne._arguments import check_text, describe_argument
from jtfne._check import one_of, refuse
from jtfne._files import read_text, replace_file, resolve_path
from jtfne.config.files import toml
from jtfne.pydantic_fields.custom_parts import code_allowed
from jtfne.pydantic_fields.frozen import Frozen

SUFFIXES = (".json", ".toml")


class StoredConfig(Frozen):
    """What a Config writes and reads."""

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON values.

        Examples
        --------
        >>> import jtfne
        >>> jtfne.Config().runtime(seed=7).to_dict()["run"]["seed"]
        7
        """
        return self.model_dump(mode="json")

    def to_json(self) -> str:
        """The config as strict JSON.

        Examples
        --------
        >>> import json
        >>> import jtfne
        >>> json.loads(jtfne.Config().runtime(seed=7).to_json())["run"]["seed"]
        7
        """
        return _json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str, *, allow_code: bool = False) -> Self:
        """The config of a JSON text, written by `to_json` or by hand.

        allow_code: import the modules of cell models from outside.

        Examples
        --------
        >>> import jtfne
        >>> jtfne.Config.from_json('{"run": {"seed": 7, "duration_ms": 100}}').run.duration_ms
        100.0
        """
        check_text(text, name="text", where="Config.from_json")
        return cls._from_table(_json.loads(text, where="Config.from_json"), allow_code=allow_code)

    def to_toml(self) -> str:
        """The config as TOML.

        Examples
        --------
        >>> import jtfne
        >>> print(jtfne.Config().runtime(seed=7).to_toml().partition("[run]")[2].split()[:3])
        ['seed', '=', '7']
        """
        return toml.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str, *, allow_code: bool = False) -> Self:
        """The config of a TOML text, written by `to_toml` or by hand.

        allow_code: import the modules of cell models from outside.

        Examples
        --------
        >>> import jtfne
        >>> jtfne.Config.from_toml("run.seed = 7").run.seed
        7
        """
        check_text(text, name="text", where="Config.from_toml")
        return cls._from_table(toml.loads(text, "Config.from_toml"), allow_code=allow_code)

    def to_file(self, path: str | Path) -> Path:
        """Write a .json or .toml file.

        It is written beside its place and renamed, so that it is never half written.

        Examples
        --------
        >>> import jtfne
        >>> jtfne.Config().runtime(seed=7).to_file("circuit.toml").name
        'circuit.toml'
        """
        target, suffix = resolve_path(path, "Config.to_file"), Path(path).suffix
        one_of(suffix, SUFFIXES, name="suffix", where=str(path))
        text = self.to_json() if suffix == ".json" else self.to_toml()
        replace_file(target, lambda stream: stream.write(text.encode()))
        return Path(path)

    @classmethod
    def from_file(cls, path: str | Path, *, allow_code: bool = False) -> Self:
        """Read a .json or .toml file, UTF-8.

        allow_code: import the modules of the cell models from outside jtfne ("module:Class") that
        it names. Importing a module runs it: allow it for files from people whom you trust.
        Raises: JtfneError for a file that is not there, is no JSON or TOML, or declares what is not
        allowed.

        Examples
        --------
        >>> import jtfne
        >>> path = jtfne.Config().runtime(seed=7).to_file("run.json")
        >>> jtfne.Config.from_file(path).run.seed
        7
        """
        source, suffix = resolve_path(path, "Config.from_file"), Path(path).suffix
        one_of(suffix, SUFFIXES, name="suffix", where=str(path))
        if not source.is_file():
            raise refuse(
                f"{str(path)!r}, which is no file,", "a .json or .toml file", "Config.from_file"
            )
        text = read_text(source, str(path))
        if suffix == ".json":
            table = _json.loads(text, where=str(path))
        else:
            table = toml.loads(text, str(path))
        return cls._from_table(table, allow_code=allow_code)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of a config file.

        Examples
        --------
        >>> import jtfne
        >>> sorted(jtfne.Config.json_schema()["properties"])
        ['circuit', 'readouts', 'run', 'schema_version', 'task', 'training']
        """
        dialect = pydantic.json_schema.GenerateJsonSchema.schema_dialect
        return {"$schema": dialect, **cls.model_json_schema(mode="validation")}

    @classmethod
    def _from_table(cls, table: Any, *, allow_code: bool) -> Self:
        """Validate JSON values as a Config."""
        if not isinstance(table, dict):
            raise refuse(describe_argument(table), "an object with the parts of a Config", "Config")
        with code_allowed(allow_code):
            return cls.model_validate(table)
