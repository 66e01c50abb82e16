"""Net: a built circuit and what can be done with it; `construct` builds one from a Config."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jtfne import simulation
from jtfne._arguments import check_instance
from jtfne._check import names_arguments, names_methods
from jtfne._cores import n_cores
from jtfne._html import render_object
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.config.labels import connection_labels
from jtfne.delivery import DeliverySpec, Sparse
from jtfne.differentiable import with_surrogate
from jtfne.flatnet import FlatNet, check_layout, flatten_net, has_flat
from jtfne.net_folder import open_net, save_net
from jtfne.paradigm import Paradigm
from jtfne.signals import Signals
from jtfne.surrogates import Surrogate
from jtfne.wiring import (
    Identity,
    NetData,
    Projection,
    Summary,
    check_identity,
    check_projection,
    identity_from_labels,
    place_cells,
    refuse_too_large,
    select_rows,
    select_with,
    summarize_net,
    wire,
)

__all__ = [
    "Identity",
    "Net",
    "Projection",
    "Summary",
    "check_identity",
    "check_projection",
    "connection_labels",
    "construct",
    "identity_from_labels",
    "select_rows",
    "select_with",
]


@names_arguments
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


@names_methods
class Net(NetData):
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
    Net(20 cells, 10 synapses; Config(areas: V1; layers: L2/3, L4; cells: 18 E, 2 PV; ...))
    >>> net.select(layer="L2/3", cell_type="PV").tolist()
    [8, 9]
    >>> net.edges.column_names
    ['source', 'target', 'weight_pA', 'delay_ms', 'mechanism', 'connection']
    """

    def to_flat(
        self,
        *,
        dt_ms: float | None = None,
        mechanisms: Sequence[str] = (),
        tracked: bool = True,
        delivery: DeliverySpec | None = None,
        surrogate: Surrogate | None = None,
    ) -> FlatNet:
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

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
        >>> flat = net.to_flat(dt_ms=0.1)
        >>> type(flat).__name__, flat is net.to_flat(dt_ms=0.1)
        ('FlatNet', True)
        """
        dt_ms = self.config.run.dt_ms if dt_ms is None else dt_ms
        check_layout(dt_ms, mechanisms, tracked, delivery, "Net.to_flat")
        if surrogate is not None:
            allowed = "one of jtfne.surrogates, as SuperSpike(), or None"
            check_instance(
                surrogate, Surrogate, allowed=allowed, name="surrogate", where="Net.to_flat"
            )
            flat = self.to_flat(
                dt_ms=dt_ms, mechanisms=mechanisms, tracked=tracked, delivery=delivery or Sparse()
            )
            with precision(self.config.run.dtype):
                return with_surrogate(flat, surrogate)
        return flatten_net(
            self, dt_ms=dt_ms, mechanisms=mechanisms, tracked=tracked, delivery=delivery
        )

    def __repr__(self) -> str:
        """Numbers of cells and synapses, and the config, on one line."""
        return f"Net({self.n_neurons:,} cells, {self.n_edges:,} synapses; {self.config!r})"

    def _repr_html_(self) -> str:
        """Numbers of cells and synapses, and the config, as notebooks show them."""
        sizes = {"cells": self.n_neurons, "synapses": self.n_edges}
        return render_object("Net", {**self.config.describe(), **sizes})

    def summary(self) -> Summary:
        """The circuit at a glance: cells, in-degrees by connection, and rates to be expected;
        `print` shows it.

        Examples
        --------
        >>> import jtfne
        >>> summary = jtfne.construct(jtfne.suite2_net1_config(20)).summary()
        >>> summary.in_degrees.shape
        (4, 4)
        """
        return summarize_net(self)

    def save(self, path: str | Path) -> None:
        """Write the built circuit to a new folder, at most 12 bytes an edge.

        `Net.open` reads it back.

        Parameters
        ----------
        path : str or Path
            A folder to make.

        Raises
        ------
        JtfneError
            If `path` is there and not an empty folder.

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
        >>> net.save("net")
        >>> jtfne.Net.open("net").n_edges == net.n_edges
        True
        """
        save_net(self, path)

    @classmethod
    def open(cls, path: str | Path, *, allow_code: bool = False) -> "Net":
        """The circuit of a folder that `save` made; its arrays are memory-mapped, nothing is drawn.

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

        Examples
        --------
        >>> import jtfne
        >>> jtfne.construct(jtfne.suite2_net1_config(20)).save("saved_net")
        >>> net = jtfne.Net.open("saved_net")
        >>> net.n_neurons, net.simulate(duration_ms=10.0).recorded()
        (20, ('spk', 'lfp_proxy', 'csd_proxy', 'eeg_proxy', 'meg_proxy'))
        """
        return open_net(path, cls, allow_code=allow_code)

    def has_flat(
        self,
        *,
        dt_ms: float,
        mechanisms: Sequence[str] = (),
        tracked: bool = True,
        delivery: DeliverySpec | None = None,
    ) -> bool:
        """Whether the arrays that `to_flat` gives for these arguments are there already.

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_single_neuron_config())
        >>> net.has_flat(dt_ms=0.1), net.to_flat(dt_ms=0.1) is None, net.has_flat(dt_ms=0.1)
        (False, False, True)
        """
        check_layout(dt_ms, mechanisms, tracked, delivery, "Net.has_flat")
        return has_flat(
            self, dt_ms=dt_ms, mechanisms=mechanisms, tracked=tracked, delivery=delivery
        )

    def simulate(
        self,
        paradigm: Paradigm | None = None,
        *,
        seed: int | None = None,
        duration_ms: float | None = None,
        dt_ms: float | None = None,
        trials: int | None = None,
        out: str | Path | None = None,
        progress: bool | None = None,
        delivery: DeliverySpec | None = None,
    ) -> Signals:
        """Simulate the circuit and return what its probes recorded: `jtfne.simulate(net, ...)`.

        Examples
        --------
        >>> import jtfne
        >>> net = jtfne.construct(jtfne.suite2_single_neuron_config("PV"))
        >>> signals = net.simulate(seed=3, duration_ms=50.0, trials=2)
        >>> signals.get("vm").dims, signals.get("vm").shape
        (('trial', 'time', 'neuron'), (2, 500, 1))
        """
        return simulation.simulate(
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
