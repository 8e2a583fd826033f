"""Mixed payloads: which requests are sent, how often, and in which order."""

from collections import Counter
from itertools import pairwise

import pytest

from orchestrator.errors import PayloadError
from orchestrator.workload.mix import LONGEST, SHORTEST, mixed
from orchestrator.workload.payloads import make_payloads
from orchestrator.workload.plan import Workload
from orchestrator.workload.precheck import check_payloads

NOWHERE = "http://127.0.0.1:9/nobody"


@pytest.mark.parametrize(
    ("weights", "counts"),
    [
        pytest.param([1, 1], [5000, 5000], id="alike"),
        pytest.param([3, 1], [7500, 2500], id="three to one"),
        pytest.param([1, 1, 1], [3334, 3333, 3333], id="thirds"),
        pytest.param([0.0001, 0.9999], [1, 9999], id="the rarest"),
        pytest.param([7], [10_000], id="one part"),
    ],
)
def test_each_part_has_its_share_to_the_request(weights, counts):
    parts = [[name] for name in "abc"[: len(weights)]]
    sequence = mixed(parts, weights, seed=0)
    assert [Counter(sequence)[name] for (name,) in parts] == counts


def test_the_order_is_random_and_depends_on_the_seed_alone():
    first, again, other = (mixed(["a", "b"], [1, 1], seed) for seed in (1, 1, 2))
    assert first == again != other
    changes = sum(one != next_one for one, next_one in pairwise(first))
    assert changes == pytest.approx(SHORTEST / 2, rel=0.05)  # neither in blocks nor in turn


def test_the_items_of_a_part_follow_each_other_in_turn():
    sequence = mixed(["abc", "x"], [1, 1], seed=0)
    assert "".join(sequence).replace("x", "").startswith("abcabc")


def test_a_sequence_is_long_enough_for_every_item():
    rare = [f"item {number}" for number in range(200)]
    sequence = mixed([rare, ["often"]], [1, 99], seed=0)
    assert len(sequence) == 20_000
    assert set(sequence) == {*rare, "often"}


def test_a_mix_that_would_have_to_be_too_long_is_refused():
    with pytest.raises(ValueError, match=f"each of the 20,000 payloads of part 1 was sent, and at most {LONGEST:,}"):
        mixed([["often"], range(20_000)], [99, 1], seed=0)


@pytest.fixture
def two_files(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"1\n2\n")
    (tmp_path / "b.jsonl").write_bytes(b"3\n")
    return tmp_path


def test_the_parts_of_a_mix_are_sent_each_in_its_own_way(two_files):
    mix = [
        {"payloads": "a.jsonl", "weight": 3, "path": "/a", "headers": {"X-Tenant": "a"}},
        {"payloads": "b.jsonl", "path": "/b", "method": "PUT"},
    ]
    payloads = make_payloads(Workload(mix=mix), NOWHERE, two_files)
    sent = Counter((payload.body, payload.path, payload.method) for payload in payloads)
    assert sent == {(b"1", "/a", "POST"): 3750, (b"2", "/a", "POST"): 3750, (b"3", "/b", "PUT"): 2500}
    assert len({id(payload) for payload in payloads}) == 3
    assert payloads == make_payloads(Workload(mix=mix), NOWHERE, two_files)
    assert payloads != make_payloads(Workload(mix=mix, seed=1), NOWHERE, two_files)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        pytest.param({"payloads": "c.jsonl"}, r"^workload\.mix\[1\]\.payloads: .*c\.jsonl: No such file", id="no file"),
        pytest.param({"payloads": "json:none"}, r"^workload\.mix\[1\]\.payloads: json has no", id="no function"),
        pytest.param(
            {"payloads": "b.jsonl", "path": "/a b"}, r"^workload\.mix\[1\]: payload 0: a path", id="a path with a space"
        ),
        pytest.param({"model": "m"}, r"^workload\.mix\[1\]: GET .* no answer", id="no application"),
    ],
)
def test_what_is_wrong_with_a_part_is_told_at_its_place(two_files, part, says):
    with pytest.raises(PayloadError, match=says):
        make_payloads(Workload(mix=[{"payloads": "a.jsonl"}, part]), NOWHERE, two_files)


def test_the_parts_of_a_mix_are_checked_before_anything_is_started(two_files):
    good = {"payloads": "a.jsonl"}
    check_payloads(Workload(mix=[good, {"model": "asked later"}]), two_files)
    with pytest.raises(PayloadError, match=r"^workload\.mix\[1\]\.payloads: .*c\.npz: No such file"):
        check_payloads(Workload(mix=[good, {"payloads": "c.npz"}]), two_files)


def test_a_part_with_too_many_payloads_for_its_weight_is_an_error(two_files):
    (two_files / "many.jsonl").write_bytes(b"1\n" * 101)
    mix = [{"payloads": "a.jsonl", "weight": 9998}, {"payloads": "many.jsonl", "weight": 1}]
    with pytest.raises(PayloadError, match=r"^workload\.mix: with its weight, it would take 1,009,899 requests"):
        make_payloads(Workload(mix=mix), NOWHERE, two_files)
