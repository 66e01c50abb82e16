"""Config: the whole declaration, and the verbs that build it."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from jtfne import _json
from jtfne._arguments import check_instance, check_list, check_text
from jtfne._check import names_methods
from jtfne._html import render_object
from jtfne.config.checks.config import list_circuit_errors, list_errors, refuse_all
from jtfne.config.circuit import Area, Circuit, Layer, move_layers
from jtfne.config.connections import Connection
from jtfne.config.description import describe_parts, join_facts
from jtfne.config.files.stored import StoredConfig
from jtfne.config.objective import Gate, Metric
from jtfne.config.populations import Population, list_populations
from jtfne.config.readouts import Readouts, Source, only_source
from jtfne.config.source_maps import SourceMap
from jtfne.config.task import Run, Stimulus, Task
from jtfne.config.trainables import Trainable
from jtfne.config.training import Training
from jtfne.config.variations import (
    ConfigDifference,
    compare_configs,
    is_parameter,
    merge_tables,
    set_value,
)
from jtfne.emitters import Emitter
from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.pydantic_fields.frozen import Derived
from jtfne.readouts import Readout
from jtfne.synapses import Synapse

SCHEMA_VERSIONS = ("0.1.0", "0.3.28")  # jtfne's own, and the upstream contract that it accepts
Table = Mapping[str, Any]


@names_methods
class Config(StoredConfig):
    """What to simulate: a circuit, its run, its task and its readouts, as a frozen declaration.

    Each verb gives a new, checked Config; what a verb is not given stays. Tables by name merge:
    ``cell_params({"E": {"drive": 6.0}})`` leaves all other parameters. Lists (areas, layers,
    connections, probes, stimuli) are set as a whole, and ``add_`` adds to them; ``set`` changes one
    value by its path. Where a verb takes objects, it takes as well the tables and texts from which they are
    made (``{"kind": "LIF", "tau_m_ms": 20}``). Two configs with the same content are equal and have
    the same `hash`.

    Attributes
    ----------
    schema_version : str
        Contract that the config was written for.
    circuit : Circuit
        Areas, layers, geometry, cells, emitters, cell_params, mechanisms, connections.
    run : Run
        Seed, dtype, duration_ms, dt_ms.
    task : Task
        Stimuli.
    readouts : Readouts
        Probes, the source mode and the source maps.
    training : Training
        Objective and trainables.

    Raises
    ------
    JtfneError
        From any verb, with one line a problem.

    Examples
    --------
    >>> import jtfne
    >>> cfg = (
    ...     jtfne.Config()
    ...     .runtime(seed=7, duration_ms=100.0)
    ...     .areas(["V1"]).layers(["L2/3", "L4"])
    ...     .cells({"E": 0.8, "PV": 0.2}, n=50)
    ...     .connections([{"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 20.0,
    ...                    "rule": {"kind": "FixedProbability", "p": 0.1}}])
    ...     .probes(["spk", "vm"])
    ... )
    >>> [(each.layer, each.cell_type, each.n_cells) for each in cfg.populations()]
    [('L2/3', 'E', 24), ('L2/3', 'PV', 6), ('L4', 'E', 16), ('L4', 'PV', 4)]
    >>> cfg == jtfne.Config.from_json(cfg.to_json())
    True
    """

    schema_version: str = Field(
        default=SCHEMA_VERSIONS[0], json_schema_extra={"enum": list(SCHEMA_VERSIONS)}
    )
    circuit: Circuit = Circuit()
    run: Run = Run()
    task: Task = Task()
    readouts: Readouts = Readouts()
    training: Training = Training()

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        """Refuse parts that contradict each other, as far as they are declared."""
        problem = describe_unknown(self.schema_version, SCHEMA_VERSIONS, name="schema_version")
        refuse_all([problem] if problem else self._list_errors(is_complete=False))
        return self

    def _list_errors(self, *, is_complete: bool) -> list[str]:
        """The errors between parts, one line each.

        is_complete: whether a missing part is an error, too.
        """
        run = self.run if is_complete or "run" in self.model_fields_set else None
        parts = (self.circuit, run, self.task, self.readouts, self.training)
        return list_errors(*parts, is_complete=is_complete)

    def __hash__(self) -> int:
        return hash(self.hash)

    def describe(self) -> dict[str, str]:
        """What is declared, a line for each part.

        >>> Config().runtime(duration_ms=100.0).describe()["run"]
        '100 ms in steps of 0.1 ms, float32, seed 0'
        """
        parts = (self.circuit, self.run, self.task, self.readouts, self.training)
        return describe_parts(*parts, is_complete=not list_circuit_errors(self.circuit))

    def __repr__(self) -> str:
        """What is declared, on one line; `to_toml` writes all of it."""
        return join_facts("Config", self.describe())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """What is declared, as notebooks show it."""
        return render_object("Config", self.describe())

    def _replace_part(self, part: str, **fields: Any) -> Self:
        """A new Config in which fields of sub-model `part` are replaced; None keeps a field."""
        data = {name: getattr(self, name) for name in self.model_fields_set}
        old_part = getattr(self, part)
        set_fields = {name: getattr(old_part, name) for name in old_part.model_fields_set}
        new_fields = {name: value for name, value in fields.items() if value is not None}
        return type(self)(**{**data, part: {**set_fields, **new_fields}})

    def runtime(
        self,
        seed: int | None = None,
        dtype: str | None = None,
        duration_ms: float | None = None,
        dt_ms: float | None = None,
    ) -> Self:
        """Set seed (0 .. 2**32 - 1), precision, duration and time step.

        Until then they are 0, "float32", 1000 ms and 0.1 ms.

        >>> Config().runtime(seed=7, dt_ms=0.05).run.n_steps
        20000
        """
        return self._replace_part(
            "run", seed=seed, dtype=dtype, duration_ms=duration_ms, dt_ms=dt_ms
        )

    def areas(self, areas: Sequence[str | Area | Table]) -> Self:
        """Set the areas, each with one column.

        >>> [area.position_mm for area in Config().areas(["V1"]).circuit.areas]
        [(-12.0, -54.0, 44.0)]
        """
        return self._replace_part("circuit", areas=_check_entries(areas, "areas"))

    def layers(self, layers: Sequence[str | Layer | Table]) -> Self:
        """Set the layers, pia first.

        >>> [layer.name for layer in Config().layers(["L2/3", "L4"]).circuit.layers]
        ['L2/3', 'L4']
        """
        return self._replace_part("circuit", layers=_check_entries(layers, "layers"))

    def geometry(
        self,
        thickness_mm: float | None = None,
        radius_mm: float | None = None,
        layers: Mapping[str, tuple[float, float]] | None = None,
    ) -> Self:
        """Set the size of the columns, and the depths of layers that are declared already.

        Depths are (top, bottom), from 0 at the pia to 1 at the white matter.

        >>> Config().geometry(thickness_mm=2.0).circuit.geometry
        Geometry(thickness_mm=2.0, radius_mm=0.25)
        """
        size = {"thickness_mm": thickness_mm, "radius_mm": radius_mm}
        changes = {name: value for name, value in size.items() if value is not None}
        geometry = {**self.circuit.geometry.model_dump(exclude_unset=True), **changes}
        moved_layers = None if layers is None else move_layers(self.circuit.layers, layers)
        return self._replace_part("circuit", geometry=geometry, layers=moved_layers)

    def set(self, path: str, value: Any) -> Self:
        """Change one value, and nothing else.

        Parameters
        ----------
        path : str
            That of a `jtfne.config.Trainable` (``cells.E.drive``, ``gains.E->PV``,
            ``connections.E->PV.weight``, ``mechanisms.AMPA.tau_ms``), or the place in `to_dict()`:
            ``run.dt_ms``, ``task.stimuli[0].drive.amplitude``, ``readouts.probes.LFP.interval_ms``.
            Entries of lists go by their number, label, name or kind.
        value : number, str or any declaration that fits there
            The new value.

        Raises
        ------
        JtfneError
            For an unknown path, with the nearest one, and for a value that is not allowed there.

        Examples
        --------
        >>> import jtfne
        >>> cfg = jtfne.presets.izhikevich_2003()
        >>> cfg.diff(cfg.set("cells.E.drive", 6.0).set("run.duration_ms", 500.0))
        circuit.cell_params.E.drive  (absent) -> 6.0
        run.duration_ms              1000.0 -> 500.0
        """
        if is_parameter(check_text(path, name="path", where="Config.set")):
            refuse_all(list_circuit_errors(self.circuit))
        return set_value(self, path, value)

    def diff(self, other: "Config") -> ConfigDifference:
        """What differs between two configs: path -> (value here, value there); it prints as a table.

        Parameters
        ----------
        other : Config
            The one to compare with.

        Returns
        -------
        ConfigDifference
            A dict, empty where the two are equal.

        Raises
        ------
        JtfneError
            If `other` is no Config.

        Examples
        --------
        >>> import jtfne
        >>> cfg = jtfne.Config().runtime(seed=1)
        >>> cfg.diff(cfg.runtime(seed=2))
        run.seed  1 -> 2
        """
        check_instance(other, Config, allowed="a Config", name="other", where="Config.diff")
        return compare_configs(self, other)

    def cells(self, mix: Table, n: int | None = None) -> Self:
        """Set the cell types of each area and their numbers: ``{type: fraction or count}``.

        The mix may be nested by layer or area.

        ``n`` cells an area, 100 unless given; counts need none. Types E, PV, SST and VIP have a
        default emitter.

        >>> Config().cells({"E": 0.8, "PV": 0.2}, n=50).circuit.cells.per_area
        50
        """
        return self._replace_part("circuit", cells={"mix": mix, **({} if n is None else {"n": n})})

    def cell_params(self, params: Mapping[str, Mapping[str, float | Sequence[float]]]) -> Self:
        """Set parameters of cell types: fields of the emitter, `drive`, `noise` and `v_init_mV`.

        `drive` and `noise` are in the input unit of the emitter.

        A value is a number, or a sequence with one for each cell of the type, over all its layers
        and areas: value k is that of cell ``net.select(cell_type=...)[k]`` (areas as declared,
        layers pia first). Static fields take none. Each step draws noise * sqrt(1 ms / dt) * N(0,
        1), so that its effect does not depend on dt. `v_init_mV` is the potential before the first
        step of every trial, below threshold; left out, cells are spread by the seed. What is set
        already, of these types and of others, stays; ``set("circuit.cell_params", {})`` clears it.

        >>> Config().cell_params({"E": {"drive": 6.0}}).circuit.cell_params["E"]["drive"]
        6.0
        """
        merged = merge_tables(self.circuit.cell_params, params, depth=2)
        return self._replace_part("circuit", cell_params=merged)

    def emitters(self, emitters: Mapping[str, Emitter | Table]) -> Self:
        """Set the cell model of these cell types; other types keep theirs.

        ``set("circuit.emitters", {})`` clears them. Such a type has no drive and no noise but those of `cell_params`.

        One of `jtfne.emitters`, or an object of your own class with the methods of
        `jtfne.emitters.Emitter`. A file names such a class as `module:Class`; the module must have
        been imported when the file is read.

        >>> Config().emitters({"E": {"kind": "LIF", "tau_m_ms": 20}}).circuit.emitters["E"].tau_m_ms
        20.0
        """
        merged = merge_tables(self.circuit.emitters, emitters)
        return self._replace_part("circuit", emitters=merged)

    def mechanisms(self, mechanisms: Mapping[str, Synapse | Table]) -> Self:
        """Add synapses to the built-in AMPA, NMDA, GABA_A and GABA_B and those declared, by name.

        A name that is there already replaces what it had.

        A weight is in the `unit` of its class in `jtfne.synapses`: currents in pA, conductances in
        nS, jumps of v in mV. Of a class of your own, derive it from `jtfne.synapses.Synapse`.
        `jtfne.synapses.CONDUCTANCES` holds the built-in four as conductances. A table
        without `kind` is an Exponential.

        >>> Config().mechanisms({"slow": {"tau_ms": 80.0}}).circuit.mechanisms["slow"].unit
        'pA'
        """
        merged = merge_tables(self.circuit.mechanisms, mechanisms)
        return self._replace_part("circuit", mechanisms=merged)

    def connections(
        self,
        connections: Sequence[Connection | Table] | None = None,
        gains: Mapping[str, float] | None = None,
    ) -> Self:
        """Set who connects to whom, all of it (`add_connections` adds), or gains.

        gains: factors on all weights by pair of cell types, such as ``{"E->PV": 1.2}``; 1 unless
        given. Alone they leave the connections, and gains of other pairs, as they are.

        >>> Config().connections(gains={"E->PV": 1.2}).circuit.gains["E->PV"]
        1.2
        """
        if connections is None:
            merged = merge_tables(self.circuit.gains, gains)
            return self._replace_part("circuit", gains=merged)
        entries = _check_entries(connections, "connections")
        return self._replace_part("circuit", connections=entries, gains=gains)

    def add_connections(self, connections: Sequence[Connection | Table]) -> Self:
        """Add connections to those that are declared; `connections` replaces them.

        >>> edge = dict(source="E", target="E", mechanism="AMPA", rule="AllToAll", weight=9.0)
        >>> len(Config().connections([edge]).add_connections([edge]).circuit.connections)
        2
        """
        added = _check_entries(connections, "add_connections")
        return self._replace_part("circuit", connections=(*self.circuit.connections, *added))

    def probes(self, probes: Sequence[str | Readout | Table]) -> Self:
        """Set what is recorded, all of it (`add_probes` adds): names of readouts, or probes.

        >>> Config().probes(["spk", {"kind": "LFP", "n_channels": 24}]).readout_names()
        ('spk', 'lfp')
        """
        return self._replace_part("readouts", probes=_check_entries(probes, "probes"))

    def add_probes(self, probes: Sequence[str | Readout | Table]) -> Self:
        """Record more: add probes to those that are declared; `probes` replaces them.

        >>> Config().probes(["spk"]).add_probes(["vm"]).readout_names()
        ('spk', 'vm')
        """
        added = _check_entries(probes, "add_probes")
        return self._replace_part("readouts", probes=(*self.readouts.probes, *added))

    def source(
        self,
        mode: str | Source | Table | Sequence[str | Source | Table] | None = None,
        maps: Sequence[SourceMap | Table] | None = None,
        scale: float | None = None,
    ) -> Self:
        """Set which currents fields are made of: one source mode a run.

        For physical readouts also where currents enter cells and return, and how many real cells a
        cell stands for. Raises: SynapticDoubleCountError for several modes whose terms overlap.

        >>> Config().source("synaptic_current", scale=50.0).readouts.source.terms
        ('synaptic',)
        """
        if isinstance(mode, Sequence) and not isinstance(mode, str):
            mode = only_source(mode)
        map_list = None if maps is None else _check_entries(maps, "source")
        return self._replace_part("readouts", source=mode, maps=map_list, scale=scale)

    def stimuli(
        self,
        stimuli: Sequence[Stimulus | Table],
        n_trials: int | None = None,
        conditions: Sequence[str] | None = None,
    ) -> Self:
        """Set the stimuli, all of them (`add_stimuli` adds), the trials and their conditions.

        A Paradigm that is given to `simulate` takes their place.

        >>> Config().stimuli([], n_trials=2, conditions=["complete", "omission"]).task.n_trials
        2
        """
        named = None if conditions is None else _check_entries(conditions, "stimuli")
        return self._replace_part(
            "task", stimuli=_check_entries(stimuli, "stimuli"), n_trials=n_trials, conditions=named
        )

    def add_stimuli(self, stimuli: Sequence[Stimulus | Table]) -> Self:
        """Add stimuli to those that are declared, of the same trials; `stimuli` replaces them.

        >>> len(Config().add_stimuli([{"target": "E", "drive": {"kind": "Marker"}}]).task.stimuli)
        1
        """
        added = _check_entries(stimuli, "add_stimuli")
        return self._replace_part("task", stimuli=(*self.task.stimuli, *added))

    def objective(
        self, metrics: Sequence[Metric | Table], gates: Sequence[Gate | Table] = ()
    ) -> Self:
        """Set what the circuit should show: metrics, whose distances sum to the score, and gates.

        All gates must hold.

        `jtfne.Objective.of(config)` evaluates it.

        >>> Config().objective([{"measure": "MeanRate", "target": 5.0}]).training.objective.gates
        ()
        """
        targets = {
            "metrics": _check_entries(metrics, "objective"),
            "gates": _check_entries(gates, "objective"),
        }
        return self._replace_part("training", objective=targets)

    def trainables(self, trainables: Sequence[Trainable | Table]) -> Self:
        """Set which numbers of the circuit may be tuned, by their paths, with bounds and scales.

        >>> len(Config().trainables([{"path": "gains.E->E", "bounds": [1, 2]}]).training.trainables)
        1
        """
        return self._replace_part("training", trainables=_check_entries(trainables, "trainables"))

    def check(self) -> None:
        """Refuse a config that is not complete. Raises: JtfneError, one line a problem.

        >>> Config().areas(["V1"]).layers(["L4"]).cells({"E": 8}).check()  # nothing is missing
        """
        refuse_all(self._list_errors(is_complete=True))

    def populations(self) -> tuple[Population, ...]:
        """The cells, in order of area, layer and type (by name).

        Raises: JtfneError if the circuit is not complete; `check` looks at the other parts as well.

        >>> Config().areas(["V1"]).layers(["L4"]).cells({"E": 8}).populations()[0].n_cells
        8
        """
        # A config is frozen and every step from config to signals asks for its populations: cache
        # them.
        if "_populations" not in vars(self):
            refuse_all(list_circuit_errors(self.circuit))
            vars(self)["_populations"] = Derived(list_populations(self.circuit))
        populations: tuple[Population, ...] = vars(self)["_populations"].value
        return populations

    def __getstate__(self) -> dict[Any, Any]:
        """State to pickle and copy: the fields, without cached results."""
        state = super().__getstate__()
        fields = {
            name: value
            for name, value in state["__dict__"].items()
            if name in type(self).model_fields
        }
        return {**state, "__dict__": fields}

    def readout_names(self) -> tuple[str, ...]:
        """Names of the readouts that the probes record.

        >>> Config().probes(["spikes", "V_m"]).readout_names()
        ('spk', 'vm')
        """
        return tuple(probe.readout for probe in self.readouts.probes)

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of the canonical JSON (RFC 8785)."""
        return _json.sha256(self.to_dict())

    def model_copy(self, *, update: Table | None = None, deep: bool = False) -> Self:
        """A copy with the fields of `update` replaced; cached results are not copied."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("hash", "_populations"):
            vars(copy).pop(name, None)
        return copy


def _check_entries(entries: Any, verb: str) -> Any:
    """The entries of a list as a tuple. Raises: JtfneError for a bare text or anything else."""
    return check_list(entries, allowed="a list", name=verb, where=f"Config.{verb}")
