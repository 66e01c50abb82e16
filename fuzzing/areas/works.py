"""Unfinished and finished work by mutation: the folders of a stopped run, a sweep and a training,
and the manifest of a run.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import jtfne
from fuzzing._values import mutated
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described, require_finite, small_config
from fuzzing.areas.files import ENCODINGS, KINDS, require_equal
from fuzzing.areas.foreign import copy_changed
from jtfne import _json, optimizers, partial_run
from jtfne.reports import check_manifest

FOLDERS = ("stopped run", "sweep", "training")
GRID = {"gains.E->PV": [0.5, 1.0, 2.0]}
CHUNK_STEPS, N_CHUNKS_KEPT = 8, 2
MAX_STEPS, MAX_TRIALS = 2_000, 200


class Stop(BaseException):
    """Ends a run after a few chunks, as a kill would."""


class Works(Described):
    """A call that goes on with a changed folder refuses it, or ends with what an unchanged one
    gives; a changed manifest is refused, or its run is finite.
    """

    name = "works"

    def prepare(self) -> dict[str, Any]:
        """The three folders, what each call ends with, and a manifest."""
        folder = Path(tempfile.mkdtemp(prefix="jtfne-fuzz-works-"))
        net = jtfne.construct(small_config())
        signals = jtfne.simulate(net, chunk_steps=CHUNK_STEPS)
        context = {"folder": folder, "net": net, "signals": signals}
        write_stopped_run(net, folder / "stopped run")
        context["sweep"] = sweep(net, folder / "sweep")
        context["training"] = train(net, folder / "training")
        return context

    def cases(self) -> st.SearchStrategy[Any]:
        """A folder, where in it, and what is done there; or a manifest with values changed."""
        share = st.floats(0.0, 1.0, exclude_max=True)
        folders = st.tuples(
            st.sampled_from(FOLDERS),
            st.sampled_from(KINDS),
            share,
            share,
            st.integers(0, 7),
            st.sampled_from(ENCODINGS),
        )
        manifest = jtfne.construct(small_config()).simulate().manifest
        return st.one_of(folders, mutated(dict(manifest)).map(lambda drawn: ("manifest", *drawn)))

    def describe(self, case: Any) -> str:
        """The changes alone, of a manifest."""
        return repr(("manifest", case[2]) if case[0] == "manifest" else case)

    def run(self, context: dict[str, Any], case: Any) -> None:
        """Change a copy, and go on with it."""
        if case[0] == "manifest":
            repeat(case[1])
            return
        name, kind, file_share, byte_share, bit, encoding = case
        with tempfile.TemporaryDirectory(prefix="jtfne-fuzz-") as place:
            path = Path(place) / name
            shares = (file_share, byte_share)
            copy_changed(context["folder"] / name, path, kind, shares, bit, encoding)
            go_on(context, name, path)


def go_on(context: dict[str, Any], name: str, path: Path) -> None:
    """Make the call that began a folder again.

    Raises: Meaningless if it ends with anything else than that of the unchanged folder.
    """
    net = context["net"]
    if name == "stopped run":
        require_equal(jtfne.simulate(net, out=path, chunk_steps=CHUNK_STEPS), context["signals"])
    elif name == "sweep":
        if not sweep(net, path).equals(context["sweep"]):
            raise Meaningless("sweep: other summaries")
    elif not train(net, path).history.equals(context["training"].history):
        raise Meaningless("training: another history")


def write_stopped_run(net: jtfne.Net, path: Path) -> None:
    """Leave the first chunks of a run in a folder, and a copy of it in place of the original."""
    write_chunk = partial_run.PartialRun.write_chunk

    def stop(self: partial_run.PartialRun, *args: Any, **kwargs: Any) -> None:
        if self.n_chunks == N_CHUNKS_KEPT:
            raise Stop
        write_chunk(self, *args, **kwargs)

    partial_run.PartialRun.write_chunk = stop  # type: ignore[method-assign]
    try:
        jtfne.simulate(net, out=path, chunk_steps=CHUNK_STEPS)
    except Stop:
        pass
    finally:
        partial_run.PartialRun.write_chunk = write_chunk  # type: ignore[method-assign]


def sweep(net: jtfne.Net, path: Path) -> Any:
    """The sweep of three gains in `path`."""
    return jtfne.sweep(net, GRID, out=path, progress=False)


def train(net: jtfne.Net, path: Path) -> Any:
    """The training of two generations in `path`."""
    trainer = jtfne.Trainer(optimizer=optimizers.RandomSearch(n=2), budget=4)
    return trainer.fit(net, path, progress=False)


def repeat(tree: Any) -> None:
    """Simulate the run of a manifest again, as `jtfne run --from` does, if it is small."""
    manifest = check_manifest(_json.loads(_json.dumps(tree)))
    run = manifest["run"]
    config = jtfne.Config.from_json(_json.dumps(manifest["config"]))
    task = jtfne.Paradigm(
        stimuli=manifest["paradigm"], n_trials=run["trials"], conditions=run.get("conditions", ())
    )
    config.check()
    n_cells = sum(population.n_cells for population in config.populations())
    small = isinstance(run["duration_ms"], float | int) and isinstance(run["dt_ms"], float | int)
    trials = run["trials"]
    if isinstance(trials, int) and trials > MAX_TRIALS:  # work that was asked for, not a hang
        return
    if n_cells > 500 or (small and run["duration_ms"] > MAX_STEPS * run["dt_ms"]):
        return
    signals = jtfne.construct(config).simulate(
        task, **{name: run[name] for name in ("seed", "duration_ms", "dt_ms")}
    )
    for readout in signals.recorded():
        require_finite(signals.get(readout), f"{readout} of a manifest")
