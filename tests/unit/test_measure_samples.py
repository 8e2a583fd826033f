import numpy as np
import pytest

from orchestrator.measure.samples import Outcome, Samples
from tests.fakes.queues import to_samples


def part(scheduled, latency):
    return to_samples(np.array(scheduled, np.float64), np.array(latency, np.float64))


def test_parts_are_merged_in_order_of_completion():
    merged = Samples.concat([part([0.0, 1.0], [0.5, 0.5]), part([0.2, 0.4], [0.1, 2.0])])
    assert merged.done_s.tolist() == pytest.approx([0.3, 0.5, 1.5, 2.4])
    assert merged.scheduled_s.tolist() == [0.2, 0.0, 1.0, 0.4]
    assert {name: column.dtype for name, column in merged.columns().items()} == {
        name: column.dtype for name, column in part([0.0], [1.0]).columns().items()
    }


def test_rows_that_end_together_stay_in_the_order_of_their_parts():
    assert Samples.concat([part([0.5], [0.5]), part([0.0], [1.0])]).scheduled_s.tolist() == [0.5, 0.0]


@pytest.mark.parametrize("parts", [[], [part([], [])], [part([], []), part([], [])]])
def test_no_rows_make_no_rows(parts):
    assert len(Samples.concat(parts)) == 0


def test_lateness_of_the_client_is_kept_apart_from_that_of_the_server():
    rows = part([1.0, 2.0], [0.5, 0.5])
    late = Samples(**{**rows.columns(), "sent_s": np.array([1.1, np.nan]), "outcome": np.uint8([0, Outcome.UNSENT])})
    assert late.response_time_s.tolist() == pytest.approx([0.5, 0.5])
    assert late.send_lag_s.tolist() == pytest.approx([0.1, np.nan], nan_ok=True)
    assert late.uncorrected_s.tolist() == pytest.approx([0.4, np.nan], nan_ok=True)
    assert late.ok.tolist() == [True, False]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Samples(**{**part([0.0], [1.0]).columns(), "sent_s": np.zeros(2)})
