"""Connection rules on plain counts, and distributions of weights and delays."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from jtfne import JtfneError
from jtfne._keys import generator
from jtfne.config import LogNormal, Normal, Uniform
from jtfne.wiring import _distance, _rules
from jtfne.wiring._draws import draw

P_LEAST = 1e-4  # of a seeded test of chance
POLICIES = [(autapses, multapses) for autapses in (False, True) for multapses in (False, True)]


def ends_apart(n_source=40, n_target=30):
    """No cell is at both ends."""
    return _rules.Ends(n_source, n_target, np.full(n_source, -1))


def ends_same(n=40):
    """The same cells at both ends."""
    return _rules.Ends(n, n, np.arange(n))


def ends_overlapping():
    """Sources 10 .. 29 are also targets 0 .. 19; the others are at one end only."""
    self_target = np.full(30, -1)
    self_target[10:] = np.arange(20)
    return _rules.Ends(30, 25, self_target)


ENDS = {"apart": ends_apart(), "same": ends_same(), "overlapping": ends_overlapping()}


def collect(blocks):
    """(degree, source, target) of all blocks, and the promises that every rule keeps."""
    blocks = list(blocks)
    degree = np.concatenate([block.degree for block in blocks])
    target = np.concatenate([block.target for block in blocks])
    source = np.repeat(np.arange(degree.size), degree)
    assert target.dtype == np.int32
    assert np.all(np.diff(source * 10**6 + target) >= 0), "sorted by source, then target"
    return degree, source, target


def rng(seed=11):
    return generator(seed, "test")


def n_autapses(ends, source, target):
    return int(np.sum(ends.self_target[source] == target))


def n_repeats(ends, source, target):
    return source.size - np.unique(source * ends.n_target + target).size


@pytest.fixture(params=[1 << 19, 50], ids=["one block", "many blocks"])
def block(request, monkeypatch):
    monkeypatch.setattr(_rules, "BLOCK", request.param)


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize(("autapses", "multapses"), POLICIES)
@pytest.mark.usefixtures("block")
class TestCounts:
    """Exact counts, under each policy."""

    def check_policy(self, ends, source, target, autapses, multapses):
        assert target.min() >= 0 and target.max() < ends.n_target
        shared = np.any(ends.self_target >= 0)
        assert (n_autapses(ends, source, target) > 0) == (autapses and shared)
        assert (n_repeats(ends, source, target) > 0) == multapses

    def test_outdegree(self, name, autapses, multapses):
        ends = ENDS[name]
        blocks = _rules.fixed_outdegree(
            ends, 20, rng(), autapses=autapses, multapses=multapses, where=""
        )
        degree, source, target = collect(blocks)
        assert degree.tolist() == [20] * ends.n_source
        self.check_policy(ends, source, target, autapses, multapses)

    def test_indegree(self, name, autapses, multapses):
        ends = ENDS[name]
        blocks = _rules.fixed_indegree(
            ends, 20, rng(), autapses=autapses, multapses=multapses, where=""
        )
        _, source, target = collect(blocks)
        assert np.bincount(target).tolist() == [20] * ends.n_target
        self.check_policy(ends, source, target, autapses, multapses)

    def test_total(self, name, autapses, multapses):
        ends = ENDS[name]
        blocks = _rules.fixed_total(
            ends, 301, rng(), autapses=autapses, multapses=multapses, where=""
        )
        degree, source, target = collect(blocks)
        assert source.size == 301
        assert degree.size == ends.n_source
        self.check_policy(ends, source, target, autapses, multapses)


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("autapses", [False, True])
@pytest.mark.usefixtures("block")
def test_every_pair_once(name, autapses):
    """All-to-all, and each rule that must take every pair there is."""
    ends = ENDS[name]
    free = ends.free(autapses)
    every = {
        "AllToAll": _rules.all_to_all(ends, autapses=autapses),
        "FixedProbability": _rules.fixed_probability(ends, 1.0, rng(), autapses=autapses),
        "FixedTotal": _rules.fixed_total(
            ends, int(free.sum()), rng(), autapses=autapses, multapses=False, where=""
        ),
    }
    for blocks in every.values():
        degree, source, target = collect(blocks)
        assert degree.tolist() == free.tolist()
        assert n_repeats(ends, source, target) == 0
        assert autapses or n_autapses(ends, source, target) == 0


def test_probability_zero_gives_no_edge():
    degree, _, target = collect(_rules.fixed_probability(ends_apart(), 0.0, rng()))
    assert degree.tolist() == [0] * 40
    assert target.size == 0


def test_all_but_one_target_is_reached():
    """Nearly full rows, where what is left out is drawn."""
    ends = ends_same(12)
    degree, source, target = collect(
        _rules.fixed_outdegree(ends, 10, rng(), multapses=False, where="")
    )
    assert set(degree) == {10}
    assert n_repeats(ends, source, target) == n_autapses(ends, source, target) == 0


@pytest.mark.parametrize(
    ("rule", "n", "multapses"),
    [
        (_rules.fixed_outdegree, 40, False),
        (_rules.fixed_indegree, 40, False),
        (_rules.fixed_total, 40 * 39 + 1, False),
    ],
)
def test_too_few_cells_are_refused(rule, n, multapses):
    with pytest.raises(JtfneError, match="at most"):
        list(rule(ends_same(40), n, rng(), multapses=multapses, where="here"))
    assert collect(rule(ends_same(40), n - 1, rng(), multapses=multapses, where=""))[0].sum() in (
        (n - 1) * 40,
        n - 1,
    )


@pytest.mark.parametrize(
    "rule", [_rules.fixed_outdegree, _rules.fixed_indegree, _rules.fixed_total]
)
def test_a_lone_cell_cannot_avoid_itself(rule):
    with pytest.raises(JtfneError, match="at most 0"):
        list(rule(ends_same(1), 1, rng(), where="here"))
    assert collect(rule(ends_same(1), 3, rng(), autapses=True, where=""))[2].tolist() == [0, 0, 0]
    assert collect(rule(ends_same(1), 0, rng(), where=""))[2].size == 0


RANDOM_RULES = {
    "FixedProbability": lambda ends, r: _rules.fixed_probability(ends, 0.25, r),
    "FixedProbability dense": lambda ends, r: _rules.fixed_probability(ends, 0.75, r),
    "FixedOutdegree": lambda ends, r: _rules.fixed_outdegree(ends, 10, r, where=""),
    "FixedOutdegree distinct": lambda ends, r: _rules.fixed_outdegree(
        ends, 10, r, multapses=False, where=""
    ),
    "FixedOutdegree crowded": lambda ends, r: _rules.fixed_outdegree(
        ends, 24, r, multapses=False, where=""
    ),
    "FixedIndegree": lambda ends, r: _rules.fixed_indegree(ends, 10, r, where=""),
    "FixedIndegree distinct": lambda ends, r: _rules.fixed_indegree(
        ends, 10, r, multapses=False, where=""
    ),
    "FixedTotal": lambda ends, r: _rules.fixed_total(ends, 300, r, where=""),
    "FixedTotal distinct": lambda ends, r: _rules.fixed_total(
        ends, 300, r, multapses=False, where=""
    ),
}


@pytest.mark.parametrize("rule", RANDOM_RULES)
@pytest.mark.parametrize("name", ["apart", "same"])
def test_all_pairs_are_equally_likely(rule, name):
    """Chi-square over pairs, and over the marginals, of 400 draws in one stream.

    The counts of a pair are binomial (or, with fixed margins, less spread), so the statistic over
    pairs is held to its upper tail with the variance of one draw a pair.
    """
    ends = {"apart": ends_apart(30, 30), "same": ends_same(30)}[name]
    r, n_draws = rng(), 400
    count = np.zeros((30, 30))
    for _ in range(n_draws):
        _, source, target = collect(RANDOM_RULES[rule](ends, r))
        np.add.at(count, (source, target), 1)
    possible = ends.self_target[:, None] != np.arange(30)
    assert count[~possible].sum() == 0
    expected = count.sum() / possible.sum()
    once = "distinct" in rule or "crowded" in rule or "Probability" in rule
    spread = expected * (1 - expected / n_draws) if once else expected
    freedom = possible.sum() - 1
    chi2 = np.sum((count[possible] - expected) ** 2) / spread
    assert stats.chi2.sf(chi2, freedom) > P_LEAST
    assert stats.chi2.cdf(chi2, freedom * 0.9) > P_LEAST, "too even to be random"
    for axis in (0, 1):
        assert stats.chisquare(count.sum(axis)).pvalue > P_LEAST


@pytest.mark.parametrize("multapses", [False, True])
def test_total_spreads_over_sources_as_it_should(multapses):
    """Out-degrees are multinomial with repeats, hypergeometric without: their variances differ."""
    ends, n, r = ends_apart(20, 10), 100, rng()
    draws = np.array(
        [
            collect(_rules.fixed_total(ends, n, r, multapses=multapses, where=""))[0]
            for _ in range(2000)
        ]
    )
    assert draws.sum(axis=1).tolist() == [n] * 2000
    variance = n / 20 * (1 - 1 / 20) * (1 if multapses else (200 - n) / (200 - 1))
    assert draws.var() == pytest.approx(variance, rel=0.05)


@pytest.mark.parametrize("p", [0.02, 0.1, 0.6])
def test_successes_are_binomial_and_alike(p):
    """Also where the gaps drawn at first do not reach the end of the block, as in one draw of
    fifty.
    """
    r, n_draws, n = rng(), 10_000, 400
    draws = [_rules.successes(n, p, r) for _ in range(n_draws)]
    law = stats.binom(n, p)
    cut = int(law.isf(0.01))
    assert (
        stats.binomtest(sum(each.size > cut for each in draws), n_draws, law.sf(cut)).pvalue
        > P_LEAST
    )
    count = np.bincount(np.concatenate(draws), minlength=n)
    chi2 = np.sum((count - n_draws * p) ** 2) / (n_draws * p * (1 - p))
    assert stats.chi2.sf(chi2, n) > P_LEAST


def test_probability_gives_binomial_outdegrees():
    ends, p = ends_apart(20_000, 50), 0.1
    degree, _, _ = collect(_rules.fixed_probability(ends, p, rng()))
    observed = np.bincount(np.minimum(degree, 12), minlength=13)
    law = stats.binom(50, p)
    expected = 20_000 * np.append(law.pmf(np.arange(12)), law.sf(11))
    assert stats.chisquare(observed, expected).pvalue > P_LEAST


DECAYS = {
    "exponential": (_distance.exponential, lambda x: x),
    "Gaussian": (_distance.gaussian, lambda x: x**2 / 2),
}


@pytest.mark.parametrize("name", DECAYS)
@pytest.mark.parametrize("n_axes", [2, 3])
@pytest.mark.parametrize(
    ("n", "split", "block"), [(300, 10**9, 1 << 19), (600, 1, 100)], ids=["one box", "boxes"]
)
def test_distance_decay_follows_its_curve(name, n_axes, n, split, block, monkeypatch):
    """Chi-square over distance against the sum of all pairs' chances; the same however finely space
    is cut.
    """
    monkeypatch.setattr(_distance, "SPLIT", split)
    monkeypatch.setattr(_distance, "BLOCK", block)
    made, load = DECAYS[name]
    p0, length_mm = 0.6, 0.15
    places = rng().random((n, 3))[:, :n_axes] * [0.5, 0.5, 1.0][:n_axes]
    ends = ends_same(n)
    decay = made(p0, length_mm)
    _, source, target = collect(_distance.distance_decay(ends, decay, places, places, rng(12)))
    assert n_autapses(ends, source, target) == n_repeats(ends, source, target) == 0
    d_mm = np.linalg.norm(places[:, None] - places, axis=2)
    edges_mm = np.linspace(0.0, 0.6, 13)
    chance = p0 * np.exp(-load(d_mm / length_mm))
    np.fill_diagonal(chance, 0.0)
    expected = np.histogram(d_mm, edges_mm, weights=chance)[0]
    variance = np.histogram(d_mm, edges_mm, weights=chance * (1 - chance))[0]
    observed = np.histogram(d_mm[source, target], edges_mm)[0]
    z = (observed - expected)[expected > 20] / np.sqrt(variance[expected > 20])
    assert stats.chi2.sf(np.sum(z**2), z.size) > P_LEAST and z.size >= 5
    # each cell has as many as its neighbourhood allows
    for axis, ends_at in ((1, source), (0, target)):
        z = (np.bincount(ends_at, minlength=n) - chance.sum(axis)) / np.sqrt(
            (chance * (1 - chance)).sum(axis)
        )
        assert stats.chi2.sf(np.sum(z**2), n) > P_LEAST


@pytest.mark.parametrize("name", DECAYS)
def test_distance_decay_between_two_places(name):
    """Cells at two points: the counts of both distances are binomial, with the chance in closed
    form.
    """
    made, load = DECAYS[name]
    ends, length_mm, apart_mm = ends_apart(400, 300), 0.1, 0.25
    source_mm, target_mm = np.zeros((400, 3)), np.zeros((300, 3))
    target_mm[150:, 0] = apart_mm
    blocks = _distance.distance_decay(ends, made(0.4, length_mm), source_mm, target_mm, rng())
    _, _, target = collect(blocks)
    for found, p in (
        (target < 150, 0.4),
        (target >= 150, 0.4 * np.exp(-load(apart_mm / length_mm))),
    ):
        assert stats.binomtest(int(found.sum()), 400 * 150, p).pvalue > P_LEAST


def test_distance_decay_may_take_the_cell_itself():
    ends, places, decay = ends_same(500), np.zeros((500, 3)), _distance.exponential(1.0, 0.1)
    degree, source, target = collect(
        _distance.distance_decay(ends, decay, places, places, rng(), autapses=True)
    )
    assert set(degree) == {500}
    assert n_autapses(ends, source, target) == 500


@pytest.mark.parametrize("rule", RANDOM_RULES)
def test_rules_are_deterministic(rule):
    def once(seed):
        return collect(RANDOM_RULES[rule](ends_same(30), rng(seed)))[2]

    np.testing.assert_array_equal(once(1), once(1))
    assert not np.array_equal(once(1), once(2))


@pytest.mark.parametrize(
    "rule",
    [
        lambda ends, r: _rules.fixed_probability(ends, 0.005, r),
        lambda ends, r: _rules.fixed_total(ends, 2_000_000, r, multapses=False, where=""),
        lambda ends, r: _rules.fixed_outdegree(ends, 100, r, multapses=False, where=""),
    ],
    ids=["FixedProbability", "FixedTotal", "FixedOutdegree"],
)
def test_work_area_is_a_block(rule):
    """20,000 cells, 2 million edges; a dense matrix of bits would take 50 MB, of bytes 400 MB."""
    ends = ends_same(20_000)
    tracemalloc.start()
    n_edges = sum(block.target.size for block in rule(ends, rng()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_edges == pytest.approx(2_000_000, rel=0.01)
    assert peak < 8 * 8 * _rules.BLOCK, "eight int64 arrays over one block"


N = 200_000


def test_normal_has_its_moments():
    x = draw(Normal(mean=87.8, sd=8.78), N, rng(), where="")
    assert x.dtype == np.float32
    assert stats.kstest(x, stats.norm(87.8, 8.78).cdf).pvalue > P_LEAST


def test_lognormal_has_the_moments_of_the_value():
    x = draw(LogNormal(mean=-20.0, sd=10.0), N, rng(), where="").astype(np.float64)
    assert x.max() < 0
    assert x.mean() == pytest.approx(-20.0, abs=5 * 10 / np.sqrt(N))
    assert x.std() == pytest.approx(10.0, rel=0.02)
    sigma = np.sqrt(np.log(1.25))
    assert stats.kstest(-x, stats.lognorm(sigma, scale=20 / np.sqrt(1.25)).cdf).pvalue > P_LEAST


def test_uniform_is_uniform():
    x = draw(Uniform(low=-3.0, high=-1.0), N, rng(), where="")
    assert stats.kstest(x, stats.uniform(-3.0, 2.0).cdf).pvalue > P_LEAST


def test_bounds_redraw_rather_than_clip():
    x = draw(Normal(mean=1.5, sd=0.75, low=0.7, high=3.0), N, rng(), where="")
    assert x.astype(np.float64).min() >= 0.7 and x.max() <= 3.0
    a, b = (0.7 - 1.5) / 0.75, 1.5 / 0.75
    assert stats.kstest(x, stats.truncnorm(a, b, 1.5, 0.75).cdf).pvalue > P_LEAST


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_values_keep_the_sign_of_the_mean(sign):
    x = sign * draw(Normal(mean=sign, sd=1.0), N, rng(), where="")
    assert x.min() >= 0
    assert stats.kstest(x, stats.truncnorm(-1.0, np.inf, 1.0, 1.0).cdf).pvalue > P_LEAST


def test_a_uniform_across_zero_keeps_to_the_side_of_its_middle():
    x = draw(Uniform(low=-1.0, high=3.0), N, rng(), where="")
    assert stats.kstest(x, stats.uniform(0.0, 3.0).cdf).pvalue > P_LEAST


def test_lognormal_bounds_hold_on_the_signed_value():
    x = draw(LogNormal(mean=-20.0, sd=10.0, low=-30.0, high=-10.0), 10_000, rng(), where="")
    assert x.min() >= -30.0 and x.max() <= -10.0


@pytest.mark.parametrize("constant", [2.5, Normal(mean=2.5, sd=0.0)])
def test_a_constant_is_held_once(constant):
    assert draw(constant, 1000, rng(), where="").tolist() == [2.5]


@pytest.mark.parametrize(
    "dist",
    [Normal(mean=1.0, sd=0.1, low=2.0, high=3.0), LogNormal(mean=1.0, sd=0.1, low=2.0, high=3.0)],
)
def test_bounds_that_leave_next_to_nothing_are_refused(dist):
    with pytest.raises(JtfneError, match="keep at least"):
        draw(dist, 10, rng(), where="here")
