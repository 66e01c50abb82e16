"""Receptors as data, with their sources: the built-in currents, and the same as conductances."""

from jtfne.synapses.biexponential import BiExponentialConductance
from jtfne.synapses.exponential import Exponential
from jtfne.synapses.nmda import NMDA

# Single-exponential decays. AMPA 2 ms and GABA_A 5 ms: onto excitatory cells in Cavallari, Panzeri
# &
# Mazzoni (2014), Front. Neural Circuits 8:12, Table 1. NMDA and GABA_B 20 ms: tau2 of the synapses
# in
# Jones et al. (2009), J. Neurophysiol. 102:3554-3572, as in Neymotin et al. (2020), eLife 9:e51214.
RECEPTORS: dict[str, Exponential] = {
    "AMPA": Exponential(tau_ms=2.0, sign=1),
    "NMDA": Exponential(tau_ms=20.0, sign=1),
    "GABA_A": Exponential(tau_ms=5.0, sign=-1),
    "GABA_B": Exponential(tau_ms=20.0, sign=-1),
}

# The same receptors as conductances, for `Config.mechanisms(CONDUCTANCES)`, which then stand in for
# the currents.
# AMPA and GABA_A: rise, decay (onto excitatory cells) and reversal in Cavallari, Panzeri & Mazzoni
# (2014), Table 1, as
# above. NMDA: Brunel & Wang (2001), J. Comput. Neurosci. 11:63-85, with the block of Jahr & Stevens
# (1990), J.
# Neurosci. 10:3178-3182. GABA_B: rise, decay and reversal in Jones et al. (2009), as above.
CONDUCTANCES: dict[str, BiExponentialConductance | NMDA] = {
    "AMPA": BiExponentialConductance(tau_rise_ms=0.4, tau_decay_ms=2.0, e_rev_mV=0.0),
    "NMDA": NMDA(tau_rise_ms=2.0, tau_decay_ms=100.0, e_rev_mV=0.0, mg_mM=1.0),
    "GABA_A": BiExponentialConductance(tau_rise_ms=0.25, tau_decay_ms=5.0, e_rev_mV=-80.0),
    "GABA_B": BiExponentialConductance(tau_rise_ms=1.0, tau_decay_ms=20.0, e_rev_mV=-80.0),
}
