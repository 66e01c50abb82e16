"""A paradigm says what happens when: two flashes to layer 4, five trials; each raises the rate of
its target.
"""

# expect: 10

import jtfne

config = (
    jtfne.Config()
    .runtime(seed=3, duration_ms=400.0, dt_ms=0.1)
    .areas(["V1"])
    .layers(["L2/3", "L4"])
    .cells({"E": 0.8, "PV": 0.2}, n=100)
    .probes(["spk"])
)
net = jtfne.construct(config)
flash = jtfne.Paradigm.pulse(target={"layer": "L4"}, start_ms=0.0, duration_ms=30.0, amplitude=20.0)
signals = net.simulate(paradigm=(flash.at(100.0) + flash.at(250.0)).trials(5))

spikes = signals.spikes[signals.spikes["neuron"].isin(net.select(layer="L4"))]
raised = 0
for event in signals.events.itertuples():
    time_ms = spikes.loc[spikes["trial"] == event.trial, "time_ms"]
    during = time_ms.between(event.onset_ms, event.onset_ms + event.duration_ms).sum()
    before = time_ms.between(event.onset_ms - event.duration_ms, event.onset_ms).sum()
    raised += bool(during > before)
print("flashes that raised the rate:", raised)
