"""NetData: the cells and edges of a built circuit, and what can be asked without running it."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from jtfne._arguments import check_instance, check_list
from jtfne._check import NOT_NEGATIVE, refuse, whole_number
from jtfne.config import Config, Population, Selector
from jtfne.config.labels import connection_labels
from jtfne.wiring._identity import Identity, Ids, Names, Rows, select_rows, select_with
from jtfne.wiring._projections import Projection

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Value = TypeVar("Value")


class NetData:
    """The cells and edges of a built circuit; `jtfne.net.Net` is this, and what can be done with it.

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
        if identity is not None:
            sizes.add(len(identity))
        if n_neurons is not None:
            sizes.add(n_neurons)
        if not sizes:
            sizes.add(sum(population.n_cells for population in self.populations))
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

    @property
    def neurons(self) -> "pd.DataFrame":
        """The cells: `neuron` (id), `area`, `layer`, `cell_type`, `x_mm`, `y_mm`, `z_mm`.

        z is the depth below the pia.
        """
        import pandas as pd

        identity = self._require_identity("neurons")
        x_mm, y_mm, z_mm = identity.position_mm.T.copy()
        columns = {
            "neuron": identity.ids,
            "area": identity.labels("area"),
            "layer": identity.labels("layer"),
            "cell_type": identity.labels("cell_type"),
            "x_mm": x_mm,
            "y_mm": y_mm,
            "z_mm": z_mm,
        }
        return pd.DataFrame(columns)

    @property
    def edges(self) -> "pa.Table":
        """The edges: `source`, `target`, `weight_pA`, `delay_ms`, `mechanism`, `connection`.

        Source and target are ids, the connection is its label.

        Where a mechanism is a Conductance, `weight_nS` stands beside `weight_pA`, and where one is
        a Delta `weight_mV`, each null where another holds.
        Sorted by connection, source and target. Built anew at each call, at some 18 bytes an edge.
        """
        import pyarrow as pa

        synapses = self.config.circuit.mechanisms
        mechanisms: list[str] = []
        units = ["pA"]
        for projection in self.projections:
            if projection.mechanism not in mechanisms:
                mechanisms.append(projection.mechanism)
            if synapses[projection.mechanism].unit not in units:
                units.append(synapses[projection.mechanism].unit)
        text = pa.dictionary(pa.int32(), pa.string())
        fields = [("source", pa.int32()), ("target", pa.int32())]
        fields += [(f"weight_{unit}", pa.float32()) for unit in units]
        fields += [("delay_ms", pa.float32()), ("mechanism", text), ("connection", text)]
        schema = pa.schema(fields)
        labels = connection_labels(self.config.circuit.connections)
        ids = np.arange(self.n_neurons, dtype=np.int32)
        if self.identity is not None:
            ids = self.identity.ids
        batches = []
        for projection in self.projections:
            n_edges = projection.n_edges
            columns = [pa.array(ids[projection.source()]), pa.array(ids[projection.target])]
            for unit in units:
                if unit == synapses[projection.mechanism].unit:
                    columns.append(pa.array(np.broadcast_to(projection.weight, n_edges)))
                else:
                    columns.append(pa.nulls(n_edges, pa.float32()))
            columns.append(pa.array(np.broadcast_to(projection.delay_ms, n_edges)))
            mechanism_code = mechanisms.index(projection.mechanism)
            for code, vocabulary in (
                (mechanism_code, mechanisms),
                (projection.connection, labels),
            ):
                codes = pa.array(np.full(n_edges, code, dtype=np.int32))
                texts = pa.array(vocabulary, pa.string())
                columns.append(pa.DictionaryArray.from_arrays(codes, texts))
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

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
        >>> net.select(cell_type="PV").tolist(), len(net.select(cell_type=["E", "PV"]))
        ([16, 17], 18)
        """
        return select_rows(
            self.identity, area=area, layer=layer, cell_type=cell_type, ids=ids, where="Net.select"
        )

    def select_with(self, selector: Selector) -> Rows:
        """Indices of the cells that `selector` chooses. Raises: JtfneError as `select`.

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
        >>> net.select_with(jtfne.config.Selector(cell_type="PV")).tolist()
        [16, 17]
        """
        where = "Net.select_with"
        check_instance(
            selector, Selector, allowed="a jtfne.config.Selector", name="selector", where=where
        )
        return select_with(self.identity, selector, where=where)

    def degrees(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many edges end at each cell and how many leave it, both (n_neurons,).

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
        >>> in_degree, out_degree = net.degrees()
        >>> in_degree.shape, bool(in_degree.sum() == net.n_edges)
        ((20,), True)
        """
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

    @property
    def populations(self) -> tuple[Population, ...]:
        """The populations of the config, in the order of the rows; expanded once a config."""
        return self.config.populations()

    def remembers(self, key: Hashable) -> bool:
        """Whether `remembered` holds a value under `key`.

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_single_neuron_config())
        >>> net.remembers("size"), net.remembered("size", lambda: 1), net.remembers("size")
        (False, 1, True)
        """
        return key in self._remembered

    def remembered(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `make()`, computed once for each `key` and kept as long as the net.

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_single_neuron_config())
        >>> net.remembered("table", lambda: [1, 2]) is net.remembered("table", lambda: [3, 4])
        True
        """
        if key not in self._remembered:
            self._remembered[key] = make()
        value: Value = self._remembered[key]
        return value
