"""Paradigms of one input each: cells that receive it, waveform in time, and label."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jtfne import _time, stimuli
from jtfne._check import refuse
from jtfne.config import Selector, Stimulus, Task

Target = Selector | dict[str, Any] | str
MILLISECONDS = ("ms", "msec", "millisecond", "milliseconds")


class Inputs(Task):
    """Constructors of paradigms with one input; `Paradigm` adds how paradigms combine."""

    @classmethod
    def constant_dc(
        cls, *, target: Target, amplitude: float, start_ms: float = 0.0, label: str = "constant_dc"
    ) -> Self:
        """A constant input from `start_ms` to the end of the trial."""
        return cls._from_drive(
            target, stimuli.Constant(amplitude=amplitude, start_ms=start_ms), label
        )

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
        """One rectangular pulse."""
        drive = stimuli.Pulse(start_ms=start_ms, duration_ms=duration_ms, amplitude=amplitude)
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
        """`count` pulses of `duration_ms`, one every `period_ms`; each is an event."""
        drive = stimuli.PulseTrain(
            start_ms=start_ms,
            duration_ms=duration_ms,
            period_ms=period_ms,
            count=count,
            amplitude=amplitude,
        )
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
        """Poisson spikes onto a mechanism: a train of its own for each target, or one that all
        share.

        Each spike adds `weight_pA` to a current, or `weight_nS` to a conductance, or moves the
        membrane by `weight_mV`.
        """
        drive = stimuli.Poisson(
            rate_Hz=rate_Hz,
            weight_pA=weight_pA,
            weight_nS=weight_nS,
            weight_mV=weight_mV,
            mechanism=mechanism,
            start_ms=start_ms,
            stop_ms=stop_ms,
            shared=shared,
        )
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
        """`amplitude` times a line from `begin` to `end`; a step sees its mean over the step."""
        drive = stimuli.Ramp(
            start_ms=start_ms, duration_ms=duration_ms, amplitude=amplitude, begin=begin, end=end
        )
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
        """`amplitude` sin(2 pi f (t - start) + phase), to the end of the trial unless it stops
        before.
        """
        drive = stimuli.Sine(
            amplitude=amplitude,
            frequency_Hz=frequency_Hz,
            phase_rad=phase_rad,
            start_ms=start_ms,
            stop_ms=stop_ms,
        )
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
        """Fluctuations of `mean` and `sd` with autocorrelation exp(-t / tau), each target's own or
        shared by all.
        """
        drive = stimuli.OrnsteinUhlenbeck(
            sd=sd,
            tau_ms=tau_ms,
            mean=mean,
            start_ms=start_ms,
            stop_ms=stop_ms,
            shared=shared,
            stream=stream,
        )
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
        """A table of spikes onto a mechanism: each from its time on, onto the cell of its id, or
        onto all targets.

        Times are rounded to the nearest step.
        """
        drive = {
            "kind": "SpikeTimes",
            "times_ms": times_ms,
            "cells": cells,
            "mechanism": mechanism,
            "weight_pA": weight_pA,
            "weight_nS": weight_nS,
            "weight_mV": weight_mV,
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
        """A Gaussian volley: `n_spikes` onto each target, around `mean_ms`, as HNN's proximal and
        distal drives.
        """
        drive = stimuli.Evoked(
            mean_ms=mean_ms,
            sd_ms=sd_ms,
            n_spikes=n_spikes,
            weight_pA=weight_pA,
            weight_nS=weight_nS,
            weight_mV=weight_mV,
            mechanism=mechanism,
            synchronous=synchronous,
            stream=stream,
        )
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
        """Bursts at `rate_Hz`, each jittered by `sd_ms`, as HNN's rhythmic drives; each burst is an
        event.
        """
        drive = stimuli.Rhythmic(
            start_ms=start_ms,
            stop_ms=stop_ms,
            rate_Hz=rate_Hz,
            sd_ms=sd_ms,
            n_spikes=n_spikes,
            isi_ms=isi_ms,
            n_afferents=n_afferents,
            weight_pA=weight_pA,
            weight_nS=weight_nS,
            weight_mV=weight_mV,
            mechanism=mechanism,
            synchronous=synchronous,
            stream=stream,
        )
        return cls._from_drive(target, drive, label)

    @classmethod
    def from_array(
        cls,
        values: Sequence[float] | npt.NDArray[Any],
        *,
        dt_ms: float,
        target: Target,
        amplitude: float = 1.0,
        start_ms: float = 0.0,
        label: str = "waveform",
    ) -> Self:
        """Any waveform (n_samples,): each sample, times `amplitude`, is held for `dt_ms`.

        A step of the run sees the mean of the samples over the step: `dt_ms` may be finer or
        coarser than that step.

        Raises: JtfneError unless it is one row of finite numbers.
        """
        try:
            if np.iscomplexobj(values):  # numpy would drop the imaginary part
                raise TypeError
            samples = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            message_given = f"a {type(values).__name__} that is no array of real numbers"
            raise refuse(
                message_given, "shape (n_samples,), finite", "Paradigm.from_array"
            ) from None
        if samples.ndim != 1 or samples.size == 0 or not np.isfinite(samples).all():
            message_given = f"an array of shape {samples.shape}" + (
                "" if np.isfinite(samples).all() else " with NaN or inf"
            )
            raise refuse(message_given, "shape (n_samples,), finite", "Paradigm.from_array")
        drive = stimuli.Trace(
            values=tuple(samples.tolist()), dt_ms=dt_ms, amplitude=amplitude, start_ms=start_ms
        )
        return cls._from_drive(target, drive, label)

    @classmethod
    def from_dataarray(
        cls,
        recorded: Any,
        *,
        target: Target,
        amplitude: float = 1.0,
        start_ms: float = 0.0,
        label: str = "waveform",
    ) -> Self:
        """A recorded waveform: a DataArray over `time` in ms, evenly sampled.

        Raises: JtfneError for other dimensions, an uneven time axis, or one in another unit.
        """
        dt_ms = _even_step_ms(recorded)
        return cls.from_array(
            recorded.values,
            dt_ms=dt_ms,
            target=target,
            amplitude=amplitude,
            start_ms=start_ms,
            label=label,
        )

    @classmethod
    def _from_drive(cls, target: Target, drive: Any, label: str) -> Self:
        """A paradigm with this one stimulus."""
        return cls(
            stimuli=(Stimulus.model_validate({"target": target, "drive": drive, "label": label}),)
        )


def _even_step_ms(recorded: Any) -> float:
    """The time step of a DataArray, ms. Raises: JtfneError without an even time axis in ms."""
    where = "Paradigm.from_dataarray"
    dims = tuple(getattr(recorded, "dims", ()))
    if dims != ("time",) or recorded.sizes["time"] < 2:
        message_given = (
            f"dims {dims} of shape {recorded.shape}" if dims else f"a {type(recorded).__name__}"
        )
        raise refuse(message_given, "a DataArray of dims ('time',), 2 samples or more", where)
    if "time" not in recorded.coords:
        raise refuse("a DataArray with no time coordinate", "one in ms", where)
    time = recorded["time"]
    if time.dtype.kind not in "iuf" or time.attrs.get("units", "ms") not in MILLISECONDS:
        message_given = f"{time.attrs['units']!r}" if "units" in time.attrs else f"{time.dtype}"
        raise refuse(f"time in {message_given}", "numbers of ms", where)
    time_ms = np.asarray(time, np.float64)
    steps_ms = np.diff(time_ms)
    dt_ms = float(steps_ms.mean())
    if not dt_ms > 0 or not _time.is_even(time_ms):
        raise refuse(
            f"a time axis with steps of {steps_ms.min():g} to {steps_ms.max():g} ms",
            "even steps",
            where,
        )
    return float(np.format_float_positional(dt_ms, precision=9, fractional=False))
