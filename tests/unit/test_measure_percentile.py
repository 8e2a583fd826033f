"""How percentiles are named, and read back."""

import re

import pytest

from orchestrator.measure.percentile import WRITTEN, digits, percent_of, share_below, shown


@pytest.mark.parametrize(
    ("written", "name", "share", "percent", "text"),
    [
        ("p99", "latency_p99_ms", 0.99, 99, "p99"),
        ("p99.9", "latency_p999_ms", 0.999, 99.9, "p99.9"),
        ("p999", "latency_p999_ms", 0.999, 99.9, "p99.9"),
        ("p99.9900", "latency_p9999_ms", 0.9999, 99.99, "p99.99"),
        ("p50.0", "latency_p50_ms", 0.5, 50, "p50"),
        ("p75", "latency_p75_ms", 0.75, 75, "p75"),
        ("p05", "latency_p05_ms", 0.05, 5, "p05"),
    ],
)
def test_a_percentile_has_one_name_however_it_is_written(written, name, share, percent, text):
    assert re.fullmatch(WRITTEN, written)
    assert f"latency_{digits(written)}_ms" == name
    assert (share_below(name), percent_of(name), shown(name)) == (share, percent, text)


@pytest.mark.parametrize("written", ["p5", "p100", "p00", "p99.", "99", "p99.99999", "pp99", "p9.9"])
def test_what_could_be_mistaken_is_no_percentile(written):
    assert not re.fullmatch(WRITTEN, written)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("latency_mean_ms", "mean"),
        ("throughput_rps", "throughput_rps"),
        ("send_lag_p99_ms", "send_lag_p99_ms"),
        ("latency_p9_ms", "p9"),
    ],
)
def test_other_figures_are_no_percentiles_of_latency(figure, text):
    assert (share_below(figure), percent_of(figure), shown(figure)) == (None, None, text)
