"""The built-in mechanisms as data: decay times with their sources."""

from jtfne.synapses.exponential import Exponential

# Single-exponential decays. AMPA 2 ms and GABA_A 5 ms: onto excitatory cells in Cavallari, Panzeri &
# Mazzoni (2014), Front. Neural Circuits 8:12, Table 1. NMDA and GABA_B 20 ms: tau2 of the synapses in
# Jones et al. (2009), J. Neurophysiol. 102:3554-3572, as in Neymotin et al. (2020), eLife 9:e51214.
RECEPTORS: dict[str, Exponential] = {
    "AMPA": Exponential(tau_ms=2.0, sign=1),
    "NMDA": Exponential(tau_ms=20.0, sign=1),
    "GABA_A": Exponential(tau_ms=5.0, sign=-1),
    "GABA_B": Exponential(tau_ms=20.0, sign=-1),
}
