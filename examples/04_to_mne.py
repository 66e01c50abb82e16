"""Fields leave as MNE objects: proxies as misc channels, stimuli as annotations, the montage's
sites as names.
"""

# expect: 2

import jtfne

config = (
    jtfne.Config()
    .runtime(seed=4, duration_ms=300.0, dt_ms=0.1)
    .areas(["V1", "V4"])
    .layers(["L4"])
    .cells({"E": 0.8, "PV": 0.2}, n=50)
    .probes(["spk", "eeg_proxy"])
)
pulses = jtfne.Paradigm.pulse_train(
    target={"area": "V1"},
    start_ms=100.0,
    duration_ms=10.0,
    period_ms=100.0,
    count=2,
    amplitude=10.0,
)
signals = jtfne.construct(config).simulate(paradigm=pulses)
raw = jtfne.interop.to_raw(signals, "eeg_proxy")
print(
    f"{len(raw.ch_names)} channels of type {set(raw.get_channel_types())} at "
    f"{raw.info['sfreq']:.0f} Hz"
)
print("annotations:", len(raw.annotations))
