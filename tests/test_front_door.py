"""The front door: presets from the command line, readouts that no run could make, sizes, old names,
costs.
"""

import gc
import pickle
import subprocess
import sys
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import jtfne
from jtfne import presets
from jtfne.cli import main
from jtfne.cli._shared import load_config
from jtfne.config.checks import declared_names
from jtfne.optimizers import AGSDR, GSDR, SDR, Gradient, RandomSearch
from jtfne.pydantic_fields import frozen
from jtfne.wiring import _sizes

ONE = (
    jtfne.Config().runtime(duration_ms=5.0, dt_ms=0.5).areas(["V1"]).layers(["L4"]).cells({"E": 3})
)
MINE = ONE.cells({"mine": 3}).emitters({"mine": "LIF"})


@pytest.mark.parametrize(
    "given, message",
    [
        (
            "v1_v4:evoked=perhaps",
            "unknown evoked 'perhaps'; expected 'true', 'yes', '1', 'false', 'no', '0'",
        ),
        ("v1_v4:n_per_area=200,n_per_area=300", "n_per_area given twice; expected"),
        ("v1_v4:n_per_area=200,n_per_arae=300", "nearest: 'n_per_area'"),
        ("v1_v4:n_per_area", "'n_per_area'; expected n_per_area=VALUE"),
        ("v1_v4:n_per_area=1.5", "n_per_area='1.5'; expected a whole number"),
        ("v1_v4:feedback=nan", "feedback=nan; expected"),
        ("v1_v4:seed=-1", "seed=-1; expected"),
        ("pd14:drive=5", "unknown drive '5'; expected 'poisson', 'dc'"),
        (
            "suite2_v1_v4:n_per_area=74",
            "n_per_area=74; expected a whole number in [75, inf)",
        ),
        ("pd41", "nearest: 'pd14'"),
        ("v1_column:", "'' among the arguments ''; expected NAME=VALUE"),
        ("v1_column:,", "'' among the arguments ','; expected"),
        ("v1_column::", "unknown argument ':'; expected"),
        ("v1_column:=", "'=' among the arguments"),
        ("v1_column:=5", "'=5' among the arguments '=5'; expected"),
        ("v1_column:n=", "'n='; expected n=VALUE"),
        ("v1_column:n=50,", "'' among the arguments 'n=50,'; expected"),
        ("v1_column:,n=50", "'' among the arguments ',n=50'; expected"),
        ("v1_column:n=50,,seed=2", "'' among the arguments 'n=50,,seed=2'; expected"),
        ("v1_column:n=50=60", "n='50=60'; expected a whole number"),
        ("v1_column:n=50;seed=2", "n='50;seed=2'; expected"),
        ("v1_column: n=50", "unknown argument ' n'; expected"),
        ("v1_column:n=50,n=50", "n given twice; expected"),
        (":n=50", "unknown preset ''; expected"),
        ("v1_column:" + "," * 100_000, "among the arguments"),
    ],
)
def test_preset_arguments_are_refused_with_exit_code_2(given: str, message: str) -> None:
    with pytest.raises(jtfne.JtfneError) as caught:
        load_config(given, None, None)
    assert message in str(caught.value) and len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 1000


def test_a_preset_argument_is_of_its_declared_type() -> None:
    assert load_config("v1_v4:evoked=False", None, None) == presets.v1_v4(evoked=False)
    assert load_config("v1_v4:evoked=true,feedback=0.5", None, None) == presets.v1_v4(feedback=0.5)
    assert presets.suite2_v1_v4_config(75).populations()


READOUTS: dict[str, tuple[jtfne.Config, str]] = {
    "no source map": (
        MINE.probes(["dipole"]),
        "cell type 'mine' without a source map for 'external'",
    ),
    "montage": (ONE.probes([{"kind": "EEG", "montage": "biosemi63"}]), "nearest: 'biosemi64'"),
    "site": (ONE.probes([{"kind": "EEG", "sites": ["Ozz"]}]), "nearest: 'Oz'"),
    "eeg_proxy site": (ONE.probes([{"kind": "EEGProxy", "sites": ["Ozz"]}]), "nearest: 'Oz'"),
    "meg_proxy sensor": (
        ONE.probes([{"kind": "MEGProxy", "sensors": ["MEG0112"]}]),
        "unknown sensor 'MEG0112'",
    ),
    "helmet": (ONE.probes([{"kind": "MEG", "helmet": "neuromags"}]), "nearest: 'neuromag'"),
    "coil": (ONE.probes([{"kind": "MEG", "sensors": ["MEG 0110"]}]), "unknown channel 'MEG 0110'"),
    "forward": (
        ONE.probes([{"kind": "EEG", "head": {"kind": "Forward", "path": "x-fwd.fif"}}]),
        "which is no file",
    ),
    "place": (
        ONE.areas([{"name": "V1", "position_mm": (0, -95, 40)}]).probes(["meg"]),
        "area 'V1' at [0.0, -95.0, 40",
    ),
    "contact": (
        ONE.probes([{"kind": "LFP", "contacts_mm": [(0, 0, -0.1)], "surface": {}}]),
        "the surface",
    ),
    "uneven": (ONE.probes([{"kind": "CSD", "depths_mm": [0.1, 0.2, 0.4]}]), "not evenly spaced"),
}


@pytest.mark.parametrize("name", READOUTS)
def test_a_readout_that_no_run_could_make_is_refused_before_any_work(
    name: str,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`check`, `construct` and `jtfne validate` say what `simulate` says of a net that got past."""
    config, message = READOUTS[name]
    net = jtfne.construct(config.probes(["spk"]))
    unchecked_net = type(net)(config, net.identity, net.projections, n_neurons=net.n_neurons)
    refusals = []
    for work in (
        lambda: unchecked_net.simulate(duration_ms=1.0, progress=False),
        config.check,
        lambda: jtfne.construct(config),
    ):
        with pytest.raises(jtfne.JtfneError) as caught:
            work()
        refusals.append(str(caught.value))
    assert message in refusals[0]
    assert set(refusals) == {refusals[0]}
    path = config.to_file(tmp_path / "bad.toml")
    monkeypatch.setattr(sys, "argv", ["jtfne", "validate", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {refusals[0]}\n"


def test_what_validate_refuses_is_one_error_and_exit_code_2(tmp_path: Any) -> None:
    path = READOUTS["helmet"][0].to_file(tmp_path / "bad.toml")
    command = [sys.executable, "-m", "jtfne", "validate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stderr.startswith("error: unknown helmet 'neuromags'"), (
        done.stderr
    )
    assert "Traceback" not in done.stderr


def test_mne_is_loaded_only_where_a_probe_names_its_sensors() -> None:
    code = (
        "import sys, jtfne; c = jtfne.Config().areas(['V1']).layers(['L4']).cells({'E': 3});"
        "c.probes(['eeg', 'meg', 'eeg_proxy', 'meg_proxy', 'lfp']).check(); assert 'mne' not in "
        "sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "n_cells, words", [(10**5, "1e+10 edges"), (10**9, "1e+09 cells"), (10**12, "0 to 2147483647")]
)
def test_a_circuit_that_does_not_fit_is_refused_before_it_is_built(
    n_cells: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sizes, "available_bytes", lambda: 2**34)
    edge = {"source": "E", "target": "E", "mechanism": "AMPA", "rule": "AllToAll", "weight": 1.0}
    edges = [edge] if n_cells == 10**5 else []
    with pytest.raises(jtfne.JtfneError) as caught:
        jtfne.construct(ONE.cells({"E": n_cells}).connections(edges))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", [*frozen._OLD_METHODS, *frozen._OLD_CONSTRUCTORS])
def test_old_names_of_pydantic_say_what_to_call(name: str) -> None:
    with pytest.raises(
        jtfne.JtfneError, match=f"Config.{name}, an old name of pydantic's; expected"
    ):
        getattr(ONE, name)()


def test_config_module_is_there_before_a_config_was_used() -> None:
    code = "import jtfne; assert jtfne.config.Area(name='V1').placed"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, jax.numpy.float32])
def test_a_number_of_less_precision_is_what_it_prints_as(kind: Any) -> None:
    assert ONE.runtime(dt_ms=kind(0.1)).run.dt_ms == 0.1
    assert ONE.cell_params({"E": {"drive": np.array([0.1, 0.2, 0.3], kind)}}) == ONE.cell_params(
        {"E": {"drive": [0.1, 0.2, 0.3]}}
    )


def test_a_column_of_pandas_is_a_list() -> None:
    series = pd.Series([1.0, 2.0, 3.0], index=[7, 8, 9])
    assert ONE.cell_params({"E": {"drive": series}}) == ONE.cell_params(
        {"E": {"drive": [1.0, 2.0, 3.0]}}
    )
    with pytest.raises(jtfne.JtfneError, match="drive"):
        ONE.cell_params({"E": {"drive": pd.NaT}})


@pytest.mark.parametrize(
    "search",
    [RandomSearch(n=4), SDR(), GSDR(), AGSDR(), Gradient()],
    ids=lambda s: type(s).__name__,
)
def test_ask_and_tell_are_compiled_once(search: Any) -> None:
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, *_, **__: compiled.append(name)
    )
    try:
        state = search.init(jax.random.key(0), [0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
        rng = np.random.default_rng(0)
        counts = []
        for _ in range(6):
            candidates, state = search.ask(state)
            slopes = np.ones_like(candidates) if search.needs_gradients else None
            state = search.tell(state, candidates, rng.random(len(candidates)), slopes)
            counts.append(sum("backend_compile" in name for name in compiled))
    finally:
        jax.monitoring.clear_event_listeners()
    assert counts[0] == counts[-1], counts


def test_what_follows_from_a_config_is_found_once_and_not_kept_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches = []
    whole = declared_names.count_cells
    monkeypatch.setattr(
        declared_names, "count_cells", lambda circuit: searches.append(1) or whole(circuit)
    )
    config = ONE.runtime(seed=3)
    searches.clear()
    for _ in range(5):
        config.populations()
    assert len(searches) == 1
    assert config == ONE.runtime(seed=3) and pickle.loads(pickle.dumps(config)) == config
    assert (
        config.model_copy(update={"circuit": ONE.cells({"E": 5}).circuit}).populations()[0].n_cells
        == 5
    )


def test_construct_and_check_hold_no_memory_of_earlier_calls() -> None:
    def repeat() -> int:
        """Live objects of jtfne and arrays after a circuit was built anew."""
        for seed in range(3):
            jtfne.construct(ONE.runtime(seed=seed).probes(["lfp", "dipole"])).to_flat()
        gc.collect()
        kinds = (jtfne.Config, jtfne.Net, jtfne.FlatNet, np.ndarray)
        return sum(isinstance(each, kinds) for each in gc.get_objects()) + len(jax.live_arrays())

    repeat()
    n_before = repeat()
    assert repeat() <= n_before + 2


def test_a_delay_beyond_the_ring_is_refused() -> None:
    edge = {"source": "E", "target": "E", "mechanism": "AMPA", "rule": "AllToAll", "weight": 1.0}
    with pytest.raises(jtfne.JtfneError, match=r"delay_ms=3e\+08; expected at most 16777216 steps"):
        ONE.connections([{**edge, "delay_ms": 3e8}])
    assert ONE.connections([{**edge, "delay_ms": 100.0}]).circuit.connections
