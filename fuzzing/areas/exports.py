"""Exports and figures: every public function of interop and figures with odd arguments."""

import inspect
import shutil
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
from hypothesis import strategies as st

import jtfne
from fuzzing._values import python_values
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described, small_config
from jtfne import interop
from jtfne.analysis import figures

READOUTS = ("spk", "vm", "lfp_proxy", "csd_proxy", "eeg_proxy", "eeg", "lfp", "nonsense")
PATHS = (
    "out.fif",
    "out_raw.fif",
    "sub/out.parquet",
    "é out.nc",
    "a" * 300,
    ".",
    "",
    "out",
    "nul\x00",
)
WRITING = ("path", "folder")


class Exports(Described):
    """An export refuses what it is given, or writes a file."""

    name = "exports"

    def prepare(self) -> jtfne.Signals:
        """Signals with what most exports take."""
        matplotlib.use("agg")
        return jtfne.construct(small_config()).simulate(trials=2)

    def cases(self) -> st.SearchStrategy[Any]:
        """A function, its readout and path, and perhaps an odd argument."""
        doors = [(interop, name) for name in interop.__all__] + [
            (figures, name) for name in figures.__all__
        ]
        functions = [
            (room, name) for room, name in doors if inspect.isfunction(getattr(room, name))
        ]
        slow = ("overview", "save_all")
        names = sorted(
            f"{room.__name__.split('.')[-1]}.{name}" for room, name in functions if name not in slow
        )

        def calls(name: str) -> st.SearchStrategy[Any]:
            parameters = list(inspect.signature(function_named(name)).parameters)
            odd = (
                st.tuples(st.sampled_from(parameters), python_values()) if parameters else st.none()
            )
            return st.tuples(
                st.just(name),
                st.sampled_from(READOUTS),
                st.sampled_from(PATHS),
                st.one_of(st.none(), odd, odd),
            )

        return st.sampled_from(names).flatmap(calls)

    def run(self, context: jtfne.Signals, case: Any) -> None:
        """Call the function in a folder of its own."""
        name, readout, path, odd = case
        function = function_named(name)
        folder = Path(tempfile.mkdtemp(prefix="jtfne-fuzz-"))
        try:
            arguments: dict[str, Any] = {}
            for parameter in inspect.signature(function).parameters.values():
                if parameter.name in WRITING:
                    arguments[parameter.name] = folder / path
                elif parameter.default is inspect.Parameter.empty:
                    arguments[parameter.name] = readout if parameter.name == "readout" else context
            if odd is not None:
                arguments[odd[0]] = odd[1]
                if odd[0] in WRITING and isinstance(odd[1], str):  # stay inside the folder
                    arguments[odd[0]] = folder / odd[1]
            result = function(**arguments)
            if isinstance(result, Path) and not result.exists():
                raise Meaningless(f"{name}: no file")
        finally:
            if name.startswith("figures."):
                import matplotlib.pyplot

                matplotlib.pyplot.close("all")
            shutil.rmtree(folder, ignore_errors=True)


def function_named(name: str) -> Any:
    """The function of `interop.to_raw` or `figures.raster`."""
    room, _, function = name.partition(".")
    return getattr({"interop": interop, "figures": figures}[room], function)
