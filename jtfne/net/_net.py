"""Net: the compiled circuit, and `construct`, which makes one from a Config."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from jtfne._arguments import check_instance, check_list
from jtfne._check import NOT_NEGATIVE, refuse, whole_number
from jtfne._cores import n_cores
from jtfne._precision import precision
from jtfne.config import Config, Selector
from jtfne.config.labels import connection_labels
from jtfne.net._identity import Identity, Ids, Names, Rows, place_cells, select_rows, select_with
from jtfne.net._sizes import refuse_too_large
from jtfne.net._summary import Summary, summarize_net
from jtfne.net._wiring import Projection, wire

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from jtfne.delivery import Choice
    from jtfne.flatnet import FlatNet
    from jtfne.paradigm import Paradigm
    from jtfne.signals import Signals
    from jtfne.surrogates import Surrogate

Value = TypeVar("Value")


def construct(cfg: Config) -> "Net":
    """Build the circuit that a Config declares.

    Cells are placed and every connection is drawn from random streams named after them, so the
    result depends on the config alone (its seed included), and a connection keeps its edges when
    others are added.

    Parameters
    ----------
    cfg : Config
        The circuit, its run and its readouts.

    Returns
    -------
    Net
        Rows in the order of ``cfg.populations()``, ids 0 .. n - 1; edges sparse, 12 bytes each at
        most.

    Raises
    ------
    JtfneError
        Where a connection's rule cannot hold between the cells chosen: too few of them, ends of
        unequal size, an unknown id, several areas. Before anything is drawn, for a circuit that
        does not fit in memory.

    Examples
    --------
    >>> import jtfne
    >>> cfg = jtfne.Config().runtime(seed=1).areas(["V1"]).layers(["L4"]).cells({"E": 0.8, "PV": 0.2}, n=50)
    >>> net = jtfne.construct(cfg)
    >>> net.n_neurons, net.select(cell_type="PV").tolist()
    (50, [40, 41, 42, 43, 44, 45, 46, 47, 48, 49])
    """
    check_instance(cfg, Config, allowed="a jtfne.Config", name="cfg", where="construct")
    cfg.check()
    refuse_too_large(cfg)
    identity = place_cells(cfg)
    labels = connection_labels(cfg.circuit.connections)
    indices = range(len(labels))
    with ThreadPoolExecutor(n_cores()) as pool:  # each connection draws from streams of its own
        projections = pool.map(
            lambda index: wire(identity, cfg.run.seed, index, labels[index], cfg.circuit), indices
        )
        return Net(cfg, identity, list(projections))


class Net:
    """A compiled circuit: named cells, their places, and the edges between them.

    Made by `construct`; not changed afterwards.

    Parameters
    ----------
    config : Config
        What the net was built from.
    identity : Identity or None
        Names and places of the cells; None for a net from bare arrays, which then refuses to be
        asked for names.
    projections : sequence of Projection
        The edges, one entry a connection.
    n_neurons : int, optional
        Left out, it is what `identity`, the projections or the config's populations say.

    Attributes
    ----------
    config, identity, projections
        As given; `projections` is a tuple.
    n_neurons, n_edges : int
    neurons : pandas.DataFrame
        A row a cell.
    edges : pyarrow.Table
        A row an edge, made when asked for.

    Examples
    --------
    >>> import jtfne
    >>> cfg = (
    ...     jtfne.Config()
    ...     .areas(["V1"])
    ...     .layers(["L2/3", "L4"])
    ...     .cells({"L2/3": {"E": 8, "PV": 2}, "L4": {"E": 10}}, n=20)
    ...     .connections([{"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 30.0,
    ...                    "rule": {"kind": "FixedIndegree", "n": 5}}])
    ... )
    >>> net = jtfne.construct(cfg)
    >>> net
    Net(n_neurons=20, n_edges=10, areas=['V1'], layers=['L2/3', 'L4'], cell_types=['E', 'PV'])
    >>> net.select(layer="L2/3", cell_type="PV").tolist()
    [8, 9]
    >>> net.edges.column_names
    ['source', 'target', 'weight_pA', 'delay_ms', 'mechanism', 'connection']
    """

    def __init__(
        self,
        config: Config,
        identity: Identity | None,
        projections: Sequence[Projection] = (),
        *,
        n_neurons: int | None = None,
    ) -> None:
        self.config = check_instance(
            config, Config, allowed="a jtfne.Config", name="config", where="Net"
        )
        self.identity = identity
        if identity is not None:
            check_instance(
                identity, Identity, allowed="an Identity, or None", name="identity", where="Net"
            )
        allowed = "a list of Projection"
        self.projections = check_list(projections, allowed=allowed, name="projections", where="Net")
        for projection in self.projections:
            check_instance(
                projection, Projection, allowed=allowed, name="an entry of projections", where="Net"
            )
        if n_neurons is not None:
            n_neurons = whole_number(n_neurons, NOT_NEGATIVE, name="n_neurons", where="Net")
        sizes: set[int] = {int(projection.indptr.size) - 1 for projection in self.projections}
        sizes |= {len(identity)} if identity is not None else set()
        sizes |= {n_neurons} if n_neurons is not None else set()
        sizes = sizes or {sum(population.n_cells for population in config.populations())}
        if len(sizes) != 1:
            raise refuse(
                f"a net of {sorted(sizes)} neurons", "one number of neurons throughout", "Net"
            )
        self._n_neurons: int = sizes.pop()
        self._remembered: dict[Hashable, Any] = {}

    @property
    def n_neurons(self) -> int:
        """The number of cells."""
        return self._n_neurons

    @property
    def n_edges(self) -> int:
        """The number of edges of all connections."""
        return sum(projection.n_edges for projection in self.projections)

    def __repr__(self) -> str:
        """The size of the net, and its names of areas, layers and cell types."""
        size = f"n_neurons={self.n_neurons}, n_edges={self.n_edges}"
        if self.identity is None:
            return f"Net({size}, without identity)"
        vocabularies = ", ".join(
            f"{name}={list(getattr(self.identity, name))}"
            for name in ("areas", "layers", "cell_types")
        )
        return f"Net({size}, {vocabularies})"

    @property
    def neurons(self) -> "pd.DataFrame":
        """The cells: `neuron` (id), `area`, `layer`, `cell_type`, `x_mm`, `y_mm`, `z_mm` (depth
        below pia).
        """
        import pandas as pd

        identity = self._require_identity("neurons")
        labels = {name: identity.labels(name) for name in ("area", "layer", "cell_type")}
        places = dict(zip(("x_mm", "y_mm", "z_mm"), identity.position_mm.T.copy(), strict=True))
        return pd.DataFrame({"neuron": identity.ids, **labels, **places})

    @property
    def edges(self) -> "pa.Table":
        """The edges: `source`, `target` (ids), `weight_pA`, `delay_ms`, `mechanism`, `connection`
        (its label).

        Where a mechanism is a Conductance, `weight_nS` stands beside `weight_pA`, and where one is
        a Delta `weight_mV`, each null where another holds.
        Sorted by connection, source and target. Built anew at each call, at some 18 bytes an edge.
        """
        import pyarrow as pa

        synapses = self.config.circuit.mechanisms
        units = [
            "pA",
            *{synapses[projection.mechanism].unit for projection in self.projections} - {"pA"},
        ]
        text = pa.dictionary(pa.int32(), pa.string())
        schema = pa.schema(
            [
                *(("source", pa.int32()), ("target", pa.int32())),
                *((f"weight_{unit}", pa.float32()) for unit in units),
                ("delay_ms", pa.float32()),
                *(("mechanism", text), ("connection", text)),
            ]
        )
        mechanisms = list(dict.fromkeys(projection.mechanism for projection in self.projections))
        labels = connection_labels(self.config.circuit.connections)
        ids = (
            np.arange(self.n_neurons, dtype=np.int32)
            if self.identity is None
            else self.identity.ids
        )
        batches = []
        for projection in self.projections:
            n_edges = projection.n_edges
            columns = [
                pa.array(column) for column in (ids[projection.source()], ids[projection.target])
            ]
            weight, delay_ms = (
                pa.array(np.broadcast_to(column, n_edges))
                for column in (projection.weight, projection.delay_ms)
            )
            projection_unit = synapses[projection.mechanism].unit
            columns += [
                *(
                    weight if unit == projection_unit else pa.nulls(n_edges, pa.float32())
                    for unit in units
                ),
                delay_ms,
            ]
            for code, vocabulary in (
                (mechanisms.index(projection.mechanism), mechanisms),
                (projection.connection, labels),
            ):
                codes = pa.array(np.full(n_edges, code, dtype=np.int32))
                columns.append(
                    pa.DictionaryArray.from_arrays(codes, pa.array(vocabulary, pa.string()))
                )
            batches.append(pa.record_batch(columns, schema=schema))
        return pa.Table.from_batches(batches, schema=schema)

    def select(
        self, *, area: Names = None, layer: Names = None, cell_type: Names = None, ids: Ids = None
    ) -> Rows:
        """Indices of the cells that match every argument, to use on any array over neurons.

        Parameters
        ----------
        area, layer, cell_type : str or sequence of str, optional
            A name, or several of which a cell has one.
        ids : int or sequence of int, optional
            Ids of cells; the result keeps their order.

        Returns
        -------
        numpy.ndarray
            int32, ascending unless `ids` say otherwise.

        Raises
        ------
        JtfneError
            For an unknown name or id, where nothing matches, and for a net without identity.
        """
        return select_rows(
            self.identity, area=area, layer=layer, cell_type=cell_type, ids=ids, where="Net.select"
        )

    def select_with(self, selector: Selector) -> Rows:
        """Indices of the cells that `selector` chooses. Raises: JtfneError as `select`."""
        where = "Net.select_with"
        check_instance(
            selector, Selector, allowed="a jtfne.config.Selector", name="selector", where=where
        )
        return select_with(self.identity, selector, where=where)

    def summary(self) -> Summary:
        """The circuit at a glance: cells, in-degrees by connection, and rates to be expected;
        `print` shows it.
        """
        return summarize_net(self)

    def degrees(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many edges end at each cell and how many leave it, both (n_neurons,)."""
        in_degree = np.zeros(self.n_neurons, dtype=np.int64)
        out_degree = np.zeros(self.n_neurons, dtype=np.int64)
        for projection in self.projections:
            in_degree += np.bincount(projection.target, minlength=self.n_neurons)
            out_degree += np.diff(projection.indptr)
        return in_degree, out_degree

    def _require_identity(self, subject: str) -> Identity:
        """The identity. Raises: JtfneError if there is none."""
        if self.identity is None:
            raise refuse(f"{subject} of a net without identity", "a net built from a Config", "Net")
        return self.identity

    def to_flat(
        self,
        *,
        dt_ms: float | None = None,
        mechanisms: Sequence[str] = (),
        tracked: bool = True,
        delivery: "Choice | None" = None,
        surrogate: "Surrogate | None" = None,
    ) -> "FlatNet":
        """The circuit as a pytree of arrays, delays laid on a grid of `dt_ms`.

        Parameters
        ----------
        dt_ms : float, optional
            The config's step if left out.
        mechanisms : sequence of str
            Receptors to hold ready besides those of the connections.
        tracked : bool
            Keep which connection drew each synapse (2 bytes each), which `FlatNet.to_net` needs.
        delivery : jtfne.delivery.Event, Sparse, Dense or Sharded, optional
            How spikes reach their targets; by size and devices if left out, or Sparse with a
            surrogate.
        surrogate : jtfne.surrogates.Surrogate, optional
            What makes spikes differentiable; see `jtfne.differentiable`.

        Returns
        -------
        FlatNet
            Made once for each set of arguments but `surrogate`.

        Raises
        ------
        JtfneError
            For an unknown mechanism, and as `jtfne.differentiable.with_surrogate`.
        """
        from jtfne.flatnet import FlatNet, check_layout

        dt_ms = self.config.run.dt_ms if dt_ms is None else dt_ms
        check_layout(dt_ms, mechanisms, tracked, delivery, "Net.to_flat")
        if surrogate is not None:
            from jtfne.delivery import Sparse
            from jtfne.differentiable import with_surrogate
            from jtfne.surrogates import Surrogate

            allowed = "one of jtfne.surrogates, as SuperSpike(), or None"
            check_instance(
                surrogate, Surrogate, allowed=allowed, name="surrogate", where="Net.to_flat"
            )
            flat = self.to_flat(
                dt_ms=dt_ms, mechanisms=mechanisms, tracked=tracked, delivery=delivery or Sparse()
            )
            with precision(self.config.run.dtype):
                return with_surrogate(flat, surrogate)
        layout_key = self._layout_key(dt_ms, mechanisms, tracked, delivery)
        with precision(self.config.run.dtype):
            return self.remembered(
                layout_key,
                lambda: FlatNet.of(
                    self, dt_ms=dt_ms, mechanisms=mechanisms, tracked=tracked, delivery=delivery
                ),
            )

    def remembered(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `make()`, computed once for each `key` and kept as long as the net."""
        if key not in self._remembered:
            self._remembered[key] = make()
        value: Value = self._remembered[key]
        return value

    def save(self, path: "str | Path") -> None:
        """Write the built circuit to a new folder, 12 bytes an edge at most; `Net.open` reads it
        back.

        Parameters
        ----------
        path : str or Path
            A folder to make.

        Raises
        ------
        JtfneError
            If `path` is there and not an empty folder.
        """
        from jtfne.net_folder import save_net

        save_net(self, path)

    @classmethod
    def open(cls, path: "str | Path", *, allow_code: bool = False) -> "Net":
        """The circuit of a folder that `save` made, its arrays memory-mapped: nothing is drawn
        again.

        Parameters
        ----------
        path : str or Path
            The folder; it must stay while the net is in use.
        allow_code : bool
            Import the modules of the cell models from outside jtfne ("module:Class") that its
            config names. Importing a module runs it: allow it for folders from people whom you
            trust.

        Returns
        -------
        Net
            As it was saved, to the bit.

        Raises
        ------
        JtfneError
            If there is no such folder, a file in it is not what was written (each is checked by its
            hash), or its arrays do not fit each other or the config: rows and targets out of range,
            delays below a step, weights of the wrong sign, NaN.
        """
        from jtfne.net_folder import open_net

        return open_net(path, allow_code=allow_code)

    def has_flat(
        self,
        *,
        dt_ms: float,
        mechanisms: Sequence[str] = (),
        tracked: bool = True,
        delivery: "Choice | None" = None,
    ) -> bool:
        """Whether the arrays that `to_flat` gives for these arguments are there already."""
        from jtfne.flatnet import check_layout

        check_layout(dt_ms, mechanisms, tracked, delivery, "Net.has_flat")
        return self._layout_key(dt_ms, mechanisms, tracked, delivery) in self._remembered

    def _layout_key(
        self, dt_ms: float, mechanisms: Sequence[str], tracked: bool, delivery: "Choice | None"
    ) -> tuple[Any, ...]:
        """The key under which the arrays of one layout are remembered."""
        return float(dt_ms), tuple(mechanisms), tracked, self.config.run.dtype, delivery

    def simulate(
        self,
        paradigm: "Paradigm | None" = None,
        *,
        seed: int | None = None,
        duration_ms: float | None = None,
        dt_ms: float | None = None,
        trials: int | None = None,
        out: "str | Path | None" = None,
        progress: bool | None = None,
        delivery: "Choice | None" = None,
    ) -> "Signals":
        """Simulate the circuit; the same as `jtfne.simulate(net, ...)`, which says what each
        argument does.
        """
        from jtfne.simulation import simulate

        return simulate(
            self,
            paradigm,
            seed=seed,
            duration_ms=duration_ms,
            dt_ms=dt_ms,
            trials=trials,
            out=out,
            progress=progress,
            delivery=delivery,
        )
