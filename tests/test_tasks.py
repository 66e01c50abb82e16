"""Tasks: which item comes when and in which trial; and what of it reaches signals, files and a
resumed run.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne.config import Schedule, Stimulus
from jtfne.paradigm import Timing
from jtfne.simulation import simulate

P = jtfne.Paradigm
TONE = P.pulse(target="E", start_ms=0.0, duration_ms=4.0, amplitude=5.0)
CLICK = P.pulse(target="E", start_ms=0.0, duration_ms=2.0, amplitude=9.0)
TONES = {"tone": TONE, "click": CLICK}
VOLLEY = P.evoked(target="PV", mean_ms=3.0, sd_ms=0.5, weight_pA=2.0)
few = settings(max_examples=40)
timings = st.builds(
    lambda soa, start, share, add: Timing(
        soa_ms=soa, start_ms=start, jitter_ms=share * (soa if add else start), cumulative=add, overlap=True
    ),
    st.floats(1.0, 50.0), st.floats(0.0, 50.0), st.floats(0.0, 1.0), st.booleans(),
)  # fmt: skip


def config(**run):
    """E and PV without synapses and noise, whose source is minus their input."""
    return (
        jtfne.Config()
        .runtime(**{"seed": 5, "duration_ms": 64.0, **run})
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 0.5, "PV": 0.5}, n=20)
        .emitters({"E": {"kind": "LIF"}, "PV": {"kind": "LIF"}})
        .probes(["spk", {"kind": "source", "interval_ms": 0.1}])
    )


NET = jtfne.construct(config())


def events(paradigm, duration_ms=1e6):
    """(trial, onset, label) of every event, by the declaration alone."""
    rows = [
        (trial, onset_ms, each.label)
        for trial in range(paradigm.n_trials)
        for each in paradigm.stimuli
        for drive in (each.list_presentations(trial) if each.event else ())
        for onset_ms, _ in drive.events_ms(duration_ms)
    ]
    return sorted(rows)


def labels(paradigm, trial=0):
    return [label for k, _, label in events(paradigm) if k == trial]


# when


@given(timing=timings, n=st.integers(1, 30), seed=st.integers(0, 5))
@few
def test_jitter_keeps_within_its_bounds(timing, n, seed):
    onsets_ms = timing.onsets_ms(n, seed=seed, name="x", trial=0)
    even_ms = timing.start_ms + timing.soa_ms * np.arange(n)
    slack = 1e-9
    assert onsets_ms.shape == (n,) and (onsets_ms >= -slack).all()
    if timing.cumulative:
        assert onsets_ms[0] == timing.start_ms
        assert (np.abs(np.diff(onsets_ms) - timing.soa_ms) <= timing.jitter_ms + slack).all()
    else:
        assert (np.abs(onsets_ms - even_ms) <= timing.jitter_ms + slack).all()
    if not timing.jitter_ms:
        np.testing.assert_allclose(onsets_ms, even_ms)
    longer = timing.onsets_ms(n + 3, seed=seed, name="x", trial=0)
    np.testing.assert_array_equal(longer[:n], onsets_ms)  # an item more moves none before it
    if timing.jitter_ms > 0.1 and n > 1:
        for other in ({"trial": 1}, {"seed": seed + 1}, {"name": "y"}):
            assert not np.allclose(
                timing.onsets_ms(n, **{"seed": seed, "name": "x", "trial": 0, **other}), onsets_ms
            )


def test_a_sequence_is_its_items_at_their_onsets():
    given = P.sequence(TONES, ["tone", "click", "tone"], timing=Timing(soa_ms=15.0, start_ms=5.0))
    want = TONE.at(5.0) + CLICK.at(20.0) + TONE.at(35.0)
    got, by_hand = (-NET.simulate(each).get("source").values for each in (given, want))
    np.testing.assert_array_equal(got, by_hand)
    table = NET.simulate(given).events
    assert table.to_numpy().tolist() == [
        [0, 5.0, 4.0, "tone", 1, ""], [0, 20.0, 2.0, "click", 2, ""], [0, 35.0, 4.0, "tone", 1, ""]
    ]  # fmt: skip
    assert events(given.trials(2)) == [(k, *rest) for k in (0, 1) for _, *rest in events(given)]


def test_an_item_of_several_parts_is_one_event():
    both = TONE + VOLLEY
    given = P.sequence({"both": both}, ["both", "both"], timing=Timing(soa_ms=20.0, start_ms=2.0))
    signals = NET.simulate(given)
    assert signals.events[["onset_ms", "duration_ms", "label"]].to_numpy().tolist() == [
        [2.0, 4.0, "both"], [22.0, 4.0, "both"]
    ]  # fmt: skip
    onto = -signals.get("source", cell_type="PV").values
    halves = [onto[20:220], onto[220:420] - onto[220] * np.exp(-0.05 * np.arange(200))[:, None]]
    assert all(half.any() for half in halves) and not np.allclose(halves[0], halves[1]), (
        "each with draws of its own"
    )


@given(
    n_tones=st.integers(0, 40), n_clicks=st.integers(0, 8), n_beeps=st.integers(0, 4), apart=st.integers(0, 3),
    seed=st.integers(0, 9),
)  # fmt: skip
@few
def test_counts_of_an_oddball_are_exact_and_deviants_are_apart(
    n_tones, n_clicks, n_beeps, apart, seed
):
    mix = {"tone": n_tones, "click": n_clicks, "beep": n_beeps}
    items = {**TONES, "beep": CLICK}
    n_odd = n_clicks + n_beeps
    given = {"timing": Timing(soa_ms=10.0), "apart": apart, "seed": seed}
    if not sum(mix.values()) or n_tones < apart * max(n_odd - 1, 0):
        with pytest.raises(jtfne.JtfneError):
            P.oddball(items, mix, **given)
        return
    got = labels(P.oddball(items, mix, **given))
    assert {name: got.count(name) for name in mix} == mix
    odd = np.flatnonzero([name != "tone" for name in got])
    assert (np.diff(odd) > apart).all()


def test_every_order_is_equally_likely_and_trials_and_seeds_differ():
    mix, timing = {"tone": 4, "click": 2}, Timing(soa_ms=10.0)
    task = P.oddball(TONES, mix, timing=timing, apart=1, n_trials=3000)
    orders = {}
    by_trial = [[] for _ in range(3000)]
    for trial, _, label in events(task):
        by_trial[trial].append(label)
    for each in by_trial:
        orders[tuple(each)] = orders.get(tuple(each), 0) + 1
    assert len(orders) == 10  # pairs of 6 places that are not neighbours: 15 - 5
    chi2 = sum((count - 300) ** 2 / 300 for count in orders.values())
    assert chi2 < 9 + 5 * np.sqrt(2 * 9)
    again = P.oddball(TONES, mix, timing=timing, apart=1, n_trials=2)
    assert [labels(again, k) for k in (0, 1)] == by_trial[:2], "a trial more moves none before it"


def test_probabilities_become_counts():
    task = P.oddball(TONES, {"tone": 0.85, "click": 0.15}, n=20, timing=Timing(soa_ms=10.0))
    assert labels(task).count("click") == 3 and len(labels(task)) == 20


def omission(**changed):
    given = {"order": ["tone", "click", "tone"], "omit": "tone", "n_trials": 6, "n_omitted": 2,
             "timing": Timing(soa_ms=15.0, start_ms=5.0, jitter_ms=2.0), **changed}  # fmt: skip
    return P.omission(TONES, given.pop("order"), **given)


@given(n=st.integers(1, 20), share=st.floats(0.0, 1.0), seed=st.integers(0, 9))
@few
def test_an_omitted_item_is_labelled_when_it_would_have_come(n, share, seed):
    n_omitted = int(share * n)
    task, whole = (omission(n_trials=n, n_omitted=k, seed=seed) for k in (n_omitted, 0))
    assert task.conditions.count("omission") == n_omitted and whole.conditions == ("complete",) * n
    for (trial, onset, label), (_, expected_ms, expected) in zip(
        events(task), events(whole), strict=True
    ):
        assert onset == expected_ms
        last = onset > 30.0
        assert label == (
            "tone omitted" if last and task.conditions[trial] == "omission" else expected
        )


def test_nothing_comes_where_an_item_is_left_out():
    task = omission()
    signals = NET.simulate(task)
    source = signals.get("source", cell_type="E")
    assert source.condition.values.tolist() == list(task.conditions)
    for trial, name in enumerate(task.conditions):
        at_ms = signals.events.query("trial == @trial")["onset_ms"].iloc[-1]
        after = source.sel(trial=trial, time=slice(at_ms - 0.5, None)).values
        assert after.any() == (name == "complete")
    assert set(zip(signals.events["trial"], signals.events["condition"], strict=True)) == set(
        enumerate(task.conditions)
    )


def test_each_condition_is_its_paradigm():
    task = P.by_condition({"loud": CLICK, "soft": TONE.at(3.0)}, order=["soft", "loud", "soft"])
    source = NET.simulate(task).get("source").values
    for trial, each in enumerate((TONE.at(3.0), CLICK, TONE.at(3.0))):
        np.testing.assert_array_equal(source[trial], NET.simulate(each).get("source").values)
    nested = P.by_condition({"three": P.sequence(TONES, ["tone"] * 3, timing=Timing(soa_ms=9.0)).by_condition(
        {"a": TONE}, order=["a"]) + TONE.at(30.0), "one": TONE}, order=["one"])  # fmt: skip
    assert events(nested) == [(0, 0.0, "pulse")]


@given(
    counts=st.lists(st.integers(0, 4), min_size=1, max_size=3),
    block=st.integers(1, 3),
    seed=st.integers(0, 5),
)
@few
def test_blocks_of_conditions(counts, block, seed):
    named = dict(zip("abc", (block * each for each in counts), strict=False))
    if not sum(counts):
        return
    task = P.by_condition(dict.fromkeys(named, TONE), counts=named, block=block, seed=seed)
    assert {name: task.conditions.count(name) for name in named} == named
    runs = [task.conditions[k : k + block] for k in range(0, len(task.conditions), block)]
    assert all(len(set(run)) == 1 and len(run) == block for run in runs)


# the algebra

singles = st.sampled_from([TONE, CLICK, VOLLEY, TONE + VOLLEY])
tasks = st.sampled_from(
    [
        TONE,
        VOLLEY,
        P.sequence(TONES, ["tone", "click"], timing=Timing(soa_ms=10.0)),
        P.oddball(TONES, {"tone": 3, "click": 1}, timing=Timing(soa_ms=10.0), n_trials=6),
        omission(),
        P.by_condition(TONES, counts={"tone": 3, "click": 3}),
    ]
)


@given(one=tasks, two=singles, t_ms=st.integers(0, 50))
@few
def test_adding_and_shifting_commute(one, two, t_ms):
    assert (one + two).at(t_ms) == one.at(t_ms) + two.at(t_ms)
    assert sorted(events(one + two)) == sorted(events(one) + [row for k in range(one.n_trials) for row in
                                                              ((k, *rest) for _, *rest in events(two))])  # fmt: skip
    assert events(one.at(t_ms)) == [(k, onset + t_ms, label) for k, onset, label in events(one)]
    assert one.at(0.0) == one and one + P() == one
    twice = one.trials(2)
    if one.differs:
        assert events(twice) == events(one) + [
            (k + one.n_trials, *rest) for k, *rest in events(one)
        ]
        assert twice.conditions == one.conditions * 2


@given(task=tasks, codes=st.permutations([5, 7, 9]))
@few
def test_a_task_round_trips_through_files(task, codes):
    names = sorted({label for _, _, label in events(task)})
    task = task.coded(dict(zip(names, codes, strict=False)))
    cfg = config(duration_ms=200.0).stimuli(task.stimuli, task.n_trials, task.conditions)
    for again in (jtfne.Config.from_json(cfg.to_json()), jtfne.Config.from_toml(cfg.to_toml())):
        assert again == cfg and again.hash == cfg.hash
        assert P(**dict(again.task)) == task
    assert P.model_validate(task.model_dump(mode="json")) == task


def test_events_are_inside_the_run_or_refused():
    late = P.sequence(TONES, ["tone"] * 5, timing=Timing(soa_ms=15.0))
    assert NET.simulate(late).events["onset_ms"].max() == 60.0
    with pytest.raises(
        jtfne.JtfneError,
        match="Marker from 1 to 65 ms; expected a stimulus within the run",
    ):
        NET.simulate(late.at(1.0))


def test_codes_are_the_first_that_are_free():
    task = omission().coded({"click": 1})
    table = NET.simulate(task).events
    assert dict(zip(table["label"], table["code"], strict=True)) == {
        "tone": 2,
        "click": 1,
        "tone omitted": 3,
    }


def test_a_stimulus_on_a_schedule_adds_up():
    again = Stimulus(target="E", drive=TONE.stimuli[0].drive, at=Schedule(onsets_ms=(1.0, 3.0)))
    got = -NET.simulate(P(stimuli=(again,))).get("source", cell_type="E").values[:, 0]
    want = np.zeros(640)
    want[10:50] += 5.0
    want[30:70] += 5.0
    np.testing.assert_array_equal(got, want)
    rain = P.poisson(target="E", rate_Hz=5000.0, weight_pA=1.0, start_ms=0.0, stop_ms=4.0).stimuli[
        0
    ]
    gated = P(
        stimuli=(
            Stimulus(
                target="E", drive=rain.drive, label="poisson", at=Schedule(onsets_ms=(1.0, 3.0))
            ),
        )
    )
    plain = P.poisson(target="E", rate_Hz=5000.0, weight_pA=1.0, start_ms=1.0, stop_ms=7.0)
    np.testing.assert_array_equal(
        NET.simulate(gated).get("source"), NET.simulate(plain).get("source")
    )


# one program, and files

MIXED = omission(timing=Timing(soa_ms=15.0, start_ms=5.0, jitter_ms=2.0)) + VOLLEY.at(20.0) + P.ornstein_uhlenbeck(
    target="PV", sd=2.0, tau_ms=5.0
)  # fmt: skip


def hashes(signals):
    return {
        name: each["sha256"] for name, each in signals.manifest["readouts"].items()
    } | signals.manifest["tables"]


@pytest.mark.as_users
def test_all_trials_run_one_program_and_chunks_change_nothing():
    from jtfne import engine

    whole = simulate(NET, MIXED)
    n_programs = engine.advance_jit._cache_size()
    assert (
        hashes(simulate(NET, MIXED)) == hashes(whole)
        and engine.advance_jit._cache_size() == n_programs
    )
    assert hashes(simulate(NET, MIXED, chunk_steps=160)) == hashes(whole)
    assert engine.advance_jit._cache_size() == n_programs + 1, "one more shape of chunk"


@pytest.mark.parametrize("after", [1, 6, 11])
def test_a_stopped_task_resumes_to_the_same_bits(after, tmp_path, monkeypatch):
    from jtfne import partial_run

    class Stop(BaseException):
        pass

    put = partial_run.PartialRun.write_chunk

    def failing(self, *args, **kwargs):
        if self.n_chunks == after:
            raise Stop
        put(self, *args, **kwargs)

    asked = {"chunk_steps": 320, "out": tmp_path / "run"}
    with monkeypatch.context() as patched, pytest.raises(Stop):
        patched.setattr(partial_run.PartialRun, "write_chunk", failing)
        simulate(NET, MIXED, **asked)
    with pytest.raises(jtfne.JtfneError):
        other = P(stimuli=MIXED.stimuli, n_trials=6, conditions=("x",) * 6)
        simulate(NET, other, **asked)
    signals = simulate(NET, MIXED, **asked)
    assert hashes(signals) == hashes(simulate(NET, MIXED))
    loaded = jtfne.load(tmp_path / "run")
    assert loaded.events.equals(signals.events) and set(loaded.events["condition"]) == {
        "complete",
        "omission",
    }
    assert loaded.get("source").condition.values.tolist() == list(MIXED.conditions)
    assert loaded.manifest["run"]["conditions"] == list(MIXED.conditions)
    again = P(
        stimuli=loaded.manifest["paradigm"],
        n_trials=6,
        conditions=loaded.manifest["run"]["conditions"],
    )
    assert again == MIXED


def test_the_configs_own_task_runs_with_its_trials():
    cfg = config().stimuli(MIXED.stimuli, MIXED.n_trials, MIXED.conditions)
    assert hashes(jtfne.construct(cfg).simulate()) == hashes(NET.simulate(MIXED))
