"""Constructors of paradigms with one stimulus, one a class of `jtfne.stimuli`.

Written by `python docs/developing/paradigm_constructors.py`: change the class of the stimulus, and
run that.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy.typing as npt

from jtfne._check import names_methods
from jtfne.config import Selector, Stimulus, Task

Target = Selector | dict[str, Any] | str


@names_methods
class Constructors(Task):
    """A constructor for each stimulus; `Paradigm` adds how paradigms combine."""

    @classmethod
    def _from_drive(cls, target: Target, drive: Any, label: str) -> Self:
        """A paradigm with this one stimulus."""
        return cls(
            stimuli=(Stimulus.model_validate({"target": target, "drive": drive, "label": label}),)
        )

    @classmethod
    def constant_dc(
        cls,
        *,
        target: Target,
        amplitude: float,
        start_ms: float = 0.0,
        label: str = "constant_dc",
    ) -> Self:
        """`amplitude`, in the target's input unit, from `start_ms` on.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.constant_dc(
        ...     target="E", amplitude=5.0, start_ms=100.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.start_ms
        100.0
        """
        drive = {
            "kind": "Constant",
            "amplitude": amplitude,
            "start_ms": start_ms,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def pulse(
        cls,
        *,
        target: Target,
        start_ms: float,
        duration_ms: float,
        amplitude: float,
        label: str = "pulse",
    ) -> Self:
        """`amplitude`, in the target's input unit, for `duration_ms` from `start_ms`.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.pulse(
        ...     target="E", start_ms=100.0, duration_ms=5.0, amplitude=20.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.events_ms(duration_ms=500.0)
        [(100.0, 5.0)]
        """
        drive = {
            "kind": "Pulse",
            "start_ms": start_ms,
            "duration_ms": duration_ms,
            "amplitude": amplitude,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def pulse_train(
        cls,
        *,
        target: Target,
        start_ms: float,
        duration_ms: float,
        period_ms: float,
        count: int,
        amplitude: float,
        label: str = "pulse_train",
    ) -> Self:
        """`count` pulses of `duration_ms`, one every `period_ms` from `start_ms`.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.pulse_train(
        ...     target="E", start_ms=0.0, duration_ms=2.0, period_ms=25.0, count=40, amplitude=20.0)
        >>> drive = task.stimuli[0].drive
        >>> len(drive.events_ms(duration_ms=1000.0))
        40
        """
        drive = {
            "kind": "PulseTrain",
            "start_ms": start_ms,
            "duration_ms": duration_ms,
            "period_ms": period_ms,
            "count": count,
            "amplitude": amplitude,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def ramp(
        cls,
        *,
        target: Target,
        start_ms: float,
        duration_ms: float,
        amplitude: float,
        begin: float = 0.0,
        end: float = 1.0,
        label: str = "ramp",
    ) -> Self:
        """A line from `begin` to `end` times `amplitude`, in the target's input unit.

        It lasts `duration_ms` from `start_ms` on.

        Zero before and after. A step sees the mean of the line over the step, so that the charge
        is the same for any dt.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.ramp(
        ...     target="E", start_ms=50.0, duration_ms=200.0, amplitude=10.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.end
        1.0
        """
        drive = {
            "kind": "Ramp",
            "start_ms": start_ms,
            "duration_ms": duration_ms,
            "amplitude": amplitude,
            "begin": begin,
            "end": end,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def sine(
        cls,
        *,
        target: Target,
        amplitude: float,
        frequency_Hz: float,
        phase_rad: float = 0.0,
        start_ms: float = 0.0,
        stop_ms: float | None = None,
        label: str = "sine",
    ) -> Self:
        """A sine, `amplitude` sin(2 pi f (t - start) + phase), from `start_ms` to `stop_ms`.

        `amplitude` is in the target's input unit.

        A step sees the mean of the sine over the step: (cos a - cos b) / (b - a) for phases a to
        b.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.sine(
        ...     target="E", amplitude=5.0, frequency_Hz=40.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.stop_ms is None
        True
        """
        drive = {
            "kind": "Sine",
            "amplitude": amplitude,
            "frequency_Hz": frequency_Hz,
            "phase_rad": phase_rad,
            "start_ms": start_ms,
            "stop_ms": stop_ms,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def chirp(
        cls,
        *,
        target: Target,
        amplitude: float,
        duration_ms: float,
        first_Hz: float,
        last_Hz: float,
        phase_rad: float = 0.0,
        start_ms: float = 0.0,
        label: str = "chirp",
    ) -> Self:
        """A sine whose frequency goes evenly from `first_Hz` to `last_Hz`.

        `amplitude` is in the target's input unit; it lasts `duration_ms` from `start_ms` on.

        phase(t) = phase_rad + 2 pi (first t + (last - first) t^2 / (2 duration)), t since the
        start. Zero before and after. A step sees the mean over the step. Source: Puil,
        Gimbarzevsky & Miura (1986), J. Neurophysiol. 55:995-1016 (the ZAP current).

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.chirp(
        ...     target="E", amplitude=5.0, duration_ms=1000.0, first_Hz=1.0, last_Hz=50.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.last_Hz
        50.0
        """
        drive = {
            "kind": "Chirp",
            "amplitude": amplitude,
            "duration_ms": duration_ms,
            "first_Hz": first_Hz,
            "last_Hz": last_Hz,
            "phase_rad": phase_rad,
            "start_ms": start_ms,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def ornstein_uhlenbeck(
        cls,
        *,
        target: Target,
        sd: float,
        tau_ms: float,
        mean: float = 0.0,
        start_ms: float = 0.0,
        stop_ms: float | None = None,
        shared: bool = False,
        stream: str | None = None,
        label: str = "ornstein_uhlenbeck",
    ) -> Self:
        """A random current of mean `mean`, sd `sd` and autocorrelation exp(-t / tau).

        Mean and sd are in the target's input unit.

        tau dx = (mean - x) dt + sd sqrt(2 tau) dW, stationary from the start and exact on any
        grid. Each target sees a process of its own, or all see one if `shared`. Stimuli that name
        the same `stream` see the same one; left out, each has its own, told by its label, target
        and onset.

        Source: Uhlenbeck & Ornstein (1930), Phys. Rev. 36:823-841; Gillespie (1996), Phys. Rev. E
        54:2084-2091.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.ornstein_uhlenbeck(
        ...     target="E", mean=3.0, sd=1.0, tau_ms=5.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.shared
        False
        """
        drive = {
            "kind": "OrnsteinUhlenbeck",
            "sd": sd,
            "tau_ms": tau_ms,
            "mean": mean,
            "start_ms": start_ms,
            "stop_ms": stop_ms,
            "shared": shared,
            "stream": stream,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def poisson(
        cls,
        *,
        target: Target,
        rate_Hz: float,
        weight_pA: float | None = None,
        weight_nS: float | None = None,
        weight_mV: float | None = None,
        mechanism: str = "AMPA",
        start_ms: float = 0.0,
        stop_ms: float | None = None,
        shared: bool = False,
        label: str = "poisson",
    ) -> Self:
        """Random spikes at `rate_Hz` onto `mechanism`, from start to stop.

        Each adds `weight_pA` to its current.

        Onto a conductance each adds `weight_nS`, and a `Delta` moves the membrane by `weight_mV`;
        one of the three is given. Each target draws its own train, or all of them see one train if
        `shared`. The rate is that of the pooled input to a cell (number of afferents times their
        rate). Where the window begins or ends within a step, spikes of that step have that share
        of the weight, so that the mean input is that of the window on any grid.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.poisson(
        ...     target="E", rate_Hz=800.0, weight_pA=10.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.mechanism
        'AMPA'
        """
        drive = {
            "kind": "Poisson",
            "rate_Hz": rate_Hz,
            "weight_pA": weight_pA,
            "weight_nS": weight_nS,
            "weight_mV": weight_mV,
            "mechanism": mechanism,
            "start_ms": start_ms,
            "stop_ms": stop_ms,
            "shared": shared,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def spike_times(
        cls,
        times_ms: Sequence[float] | npt.NDArray[Any],
        cells: Sequence[int] | npt.NDArray[Any] | None = None,
        *,
        target: Target,
        weight_pA: float | None = None,
        weight_nS: float | None = None,
        weight_mV: float | None = None,
        mechanism: str = "AMPA",
        label: str = "spike_times",
    ) -> Self:
        """A table of spikes onto `mechanism`: each at `times_ms`, onto the cell of that id in
        `cells`.

        Without `cells`, each spike reaches all targets. Each adds `weight_pA` to a current, or
        `weight_nS` to a conductance, or moves the membrane by `weight_mV`; it acts from its own
        time on, rounded to the nearest step.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.spike_times(
        ...     target="E", times_ms=[5.0, 8.0], weight_pA=25.0)
        >>> drive = task.stimuli[0].drive
        >>> drive.times_ms
        (5.0, 8.0)
        """
        drive = {
            "kind": "SpikeTimes",
            "times_ms": times_ms,
            "cells": cells,
            "weight_pA": weight_pA,
            "weight_nS": weight_nS,
            "weight_mV": weight_mV,
            "mechanism": mechanism,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def evoked(
        cls,
        *,
        target: Target,
        mean_ms: float,
        sd_ms: float,
        n_spikes: int = 1,
        weight_pA: float | None = None,
        weight_nS: float | None = None,
        weight_mV: float | None = None,
        mechanism: str = "AMPA",
        synchronous: bool = False,
        stream: str | None = None,
        label: str = "evoked",
    ) -> Self:
        """A volley of `n_spikes` onto `mechanism` of each target, at times from N(mean_ms, sd_ms).

        Times are drawn anew in each trial.

        All targets get the same spikes if `synchronous`, else each its own. Stimuli that name the
        same `stream` and have the same mean see the same draws, as where one afferent opens AMPA
        and NMDA receptors; left out, each has its own, told by its label, target and mean. A spike
        acts from its time on, rounded to the nearest step; those drawn outside the trial do not
        come.

        Source: Jones et al. (2009), J. Neurophysiol. 102:3554-3572; Neymotin et al. (2020), eLife
        9:e51214.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.evoked(
        ...     target="E", mean_ms=20.0, sd_ms=2.0, n_spikes=50, weight_nS=0.3)
        >>> drive = task.stimuli[0].drive
        >>> drive.weight
        0.3
        """
        drive = {
            "kind": "Evoked",
            "mean_ms": mean_ms,
            "sd_ms": sd_ms,
            "n_spikes": n_spikes,
            "weight_pA": weight_pA,
            "weight_nS": weight_nS,
            "weight_mV": weight_mV,
            "mechanism": mechanism,
            "synchronous": synchronous,
            "stream": stream,
        }
        return cls._from_drive(target, drive, label)

    @classmethod
    def rhythmic(
        cls,
        *,
        target: Target,
        start_ms: float,
        stop_ms: float,
        rate_Hz: float,
        sd_ms: float,
        n_spikes: int = 2,
        isi_ms: float = 10.0,
        n_afferents: int = 1,
        weight_pA: float | None = None,
        weight_nS: float | None = None,
        weight_mV: float | None = None,
        mechanism: str = "AMPA",
        synchronous: bool = False,
        stream: str | None = None,
        label: str = "rhythmic",
    ) -> Self:
        """Bursts of `n_spikes`, `isi_ms` apart, around times from N(start_ms + k / rate, sd_ms).

        All of them come before `stop_ms`.

        Each target gets the bursts of `n_afferents` of its own, or all get those of the same ones
        if `synchronous`. `stream` is as for `Evoked`. Spikes drawn outside the trial do not come.

        Source: Jones et al. (2009), J. Neurophysiol. 102:3554-3572; Neymotin et al. (2020), eLife
        9:e51214; that a burst is jittered whole and centred on its time: `_create_bursty_input` of
        hnn-core@411aa10, hnn_core/drives.py.

        Examples
        --------
        >>> import jtfne
        >>> task = jtfne.Paradigm.rhythmic(
        ...     target="E", start_ms=0.0, stop_ms=300.0, rate_Hz=10.0, sd_ms=5.0, weight_nS=0.3)
        >>> drive = task.stimuli[0].drive
        >>> drive.n_bursts
        3
        """
        drive = {
            "kind": "Rhythmic",
            "start_ms": start_ms,
            "stop_ms": stop_ms,
            "rate_Hz": rate_Hz,
            "sd_ms": sd_ms,
            "n_spikes": n_spikes,
            "isi_ms": isi_ms,
            "n_afferents": n_afferents,
            "weight_pA": weight_pA,
            "weight_nS": weight_nS,
            "weight_mV": weight_mV,
            "mechanism": mechanism,
            "synchronous": synchronous,
            "stream": stream,
        }
        return cls._from_drive(target, drive, label)
