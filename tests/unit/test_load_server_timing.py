import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.load.server_timing import parse_server_timing

NAN = math.nan


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


def answer(header):
    """A raw answer with this header, or without it where it is empty."""
    return HEAD + (b"Server-Timing: " + header + b"\r\n" if header else b"") + b"Date: today\r\n\r\nok"


def rows(*headers):
    return rows_of_answers(*map(answer, headers))


def rows_of_answers(*answers):
    times = parse_server_timing(answers)
    columns = (times.queue_s, times.batch_wait_s, times.compute_s, times.batch_size)
    return np.column_stack(columns)


def accuracies(*headers):
    return parse_server_timing([*map(answer, headers)]).accuracy.tolist()


def lengths(*headers):
    times = parse_server_timing([*map(answer, headers)])
    return np.column_stack((times.tokens, times.padding))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(
            b"queue;dur=1.2, batch;dur=0.8, compute;dur=3.1, batch-size;desc=8",
            [0.0012, 0.0008, 0.0031, 8],
            id="all entries",
        ),
        pytest.param(
            b"batch-size;desc=8, compute;dur=3.1,queue;dur=1.2,batch;dur=0.8",
            [0.0012, 0.0008, 0.0031, 8],
            id="another order",
        ),
        pytest.param(b"cdn;dur=9, compute;dur=3, cache2, batch;dur=2", [NAN, 0.002, 0.003, NAN], id="unknown entries"),
        pytest.param(b"queue;desc=x;dur=1, compute;dur=2;x=3", [0.001, NAN, 0.002, NAN], id="more parameters"),
        pytest.param(b'queue;desc="a,b;dur=7";dur=1', [0.001, NAN, NAN, NAN], id="separators in quotes"),
        pytest.param(b'batch-size;desc="16"', [NAN, NAN, NAN, 16], id="quoted number"),
        pytest.param(b"Queue ; DUR = 1 ,\tcompute;dur=2", [0.001, NAN, 0.002, NAN], id="case and blanks"),
        pytest.param(b"queue;dur=1e-05, batch;dur=.5", [1e-8, 0.0005, NAN, NAN], id="notations"),
        pytest.param(b"compute;dur=1, compute;dur=2", [NAN, NAN, 0.002, NAN], id="the last one counts"),
        pytest.param(b"myqueue;dur=1, queue2;dur=1, a=queue;dur=1", [NAN] * 4, id="names are whole"),
        pytest.param(b"queue;dur=fast, batch;dur=, compute;dur, batch-size;desc=1x", [NAN] * 4, id="no numbers"),
        pytest.param(b"queue;dur=-1, batch;dur=1.2.3, compute;dur=nan", [NAN] * 4, id="no durations"),
        pytest.param(b';;,=,\xff"', [NAN] * 4, id="garbage"),
        pytest.param(b"", [NAN] * 4, id="no header"),
    ],
)
def test_a_header_is_read_by_the_standards_grammar(header, expected):
    np.testing.assert_allclose(rows(header), [expected])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(b"batch-size;desc=8, tokens;desc=60, padding;desc=12", [60, 12], id="both"),
        pytest.param(b"tokens;desc=60, batch-size;desc=8", [60, NAN], id="one of them"),
        pytest.param(b"queue;dur=1, batch-size;desc=8", [NAN, NAN], id="none"),
    ],
)
def test_the_lengths_of_items_are_read_where_they_are_told(header, expected):
    np.testing.assert_allclose(lengths(header, header), [expected, expected])
    np.testing.assert_allclose(lengths(header, b"compute;dur=1"), [expected, [NAN, NAN]])


def test_no_headers_make_empty_columns():
    assert rows().shape == (0, 4)


def test_rows_stay_with_their_answers_when_headers_are_missing_or_differ():
    timed = b"queue;dur=1, batch;dur=2, compute;dur=3, batch-size;desc=4"
    found = rows(b"", timed, b"compute;dur=7", b"", b"broken", timed)
    full = [0.001, 0.002, 0.003, 4]
    np.testing.assert_allclose(found, [[NAN] * 4, full, [NAN, NAN, 0.007, NAN], [NAN] * 4, [NAN] * 4, full])


TIMED = [NAN, NAN, 0.001, NAN]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(HEAD + b"server-timing:compute;dur=1\r\n\r\n", TIMED, id="lower case, no blank"),
        pytest.param(HEAD + b"SERVER-TIMING: \tcompute;dur=1 \r\n\r\n", TIMED, id="upper case, blanks"),
        pytest.param(
            HEAD + b"Server-Timing: compute;dur=1\r\nX: y\r\nServer-Timing: queue;dur=2\r\n\r\n",
            [0.002, NAN, 0.001, NAN],
            id="two are one list",
        ),
        pytest.param(HEAD + b"\r\nx\nServer-Timing: compute;dur=1\r\n\r\n", [NAN] * 4, id="in the body"),
        pytest.param(answer(b"compute;dur=1") + b"\r\n\r\nServer-Timing: compute;dur=2\r\n", TIMED, id="body too"),
        pytest.param(HEAD + b"X-Server-Timing: compute;dur=1\r\n\r\n", [NAN] * 4, id="another header"),
        pytest.param(HEAD + b"Server-Timing:\r\n\r\n", [NAN] * 4, id="empty header"),
        pytest.param(b"", [NAN] * 4, id="no answer"),
    ],
)
def test_the_header_is_found_in_the_head_of_an_answer_and_answers_are_kept_apart(raw, expected):
    np.testing.assert_allclose(rows_of_answers(raw), [expected])
    others = answer(b"compute;dur=5"), answer(b"")
    found = rows_of_answers(others[0], raw, others[1], raw, others[0])
    five = [NAN, NAN, 0.005, NAN]
    np.testing.assert_allclose(found, [five, expected, [NAN] * 4, expected, five])


def test_numbers_are_the_nearest_floats_however_many_digits_they_have():
    texts = ["0.1", "000.300", "1234567.8901", "0.123456789012345678901234567890", "98765432109876543210", "7.", ".5"]
    for text in texts:
        header = f"queue;dur=1, batch;dur=1.5, compute;dur=3, batch-size;desc={text}".encode()
        assert rows(header, header)[:, 3].tolist() == [float(text)] * 2


def test_digits_and_points_in_the_wrong_places_are_not_taken_for_numbers():
    alike = b"queue;dur=1, batch;dur=2.5, compute;dur=3, batch-size;desc=4"
    odd = [
        alike.replace(b"queue", b"queue1").replace(b"dur=1", b"dur="),
        alike.replace(b"dur=2.5", b"dur=.").replace(b"compute", b"compute25"),
        alike.replace(b"dur=3", b"dur="),
        alike.replace(b"; ", b";1 ").replace(b"=4", b"=1e1"),
        alike.replace(b"batch;dur=2.5", b"bat.ch;dur=25"),
    ]
    for line in odd:
        np.testing.assert_array_equal(rows(alike, line, alike), np.vstack([rows(alike), rows(line), rows(alike)]))


def test_answers_are_parsed_in_blocks_without_losing_one():
    count = 10_000
    found = rows(*(b"queue;dur=%d, batch;dur=2, compute;dur=3, batch-size;desc=4" % i for i in range(count)))
    np.testing.assert_allclose(found[:, 0], np.arange(count) / 1000)


values = st.decimals(0, 10_000, places=3).map(str) | st.sampled_from(["1e-3", "", "x", "7.", "1.2.3"])
names = ["queue;dur=", "batch;dur=", "compute;dur=", "batch-size;desc=", "tokens;desc=", "padding;desc=", "total;dur="]
entries = st.permutations(names).flatmap(lambda order: st.integers(4, 7).map(lambda count: order[:count]))


@given(entries, st.lists(st.lists(values, min_size=7, max_size=7), max_size=6))
def test_many_headers_read_together_are_what_each_reads_alone(names, table):
    headers = [", ".join(name + value for name, value in zip(names, line, strict=False)).encode() for line in table]
    for read, columns in ((rows, 4), (lengths, 2)):
        alone = [read(header)[0] for header in headers]
        np.testing.assert_array_equal(read(*headers), np.reshape(alone, (len(headers), columns)))


def test_the_accuracy_of_the_model_is_read_where_it_is_told():
    told = [b"compute;dur=3.1, accuracy;desc=0.98750", b"accuracy;desc=1.00000", b"accuracy;desc=1"]
    assert accuracies(*told) == [0.9875, 1.0, 1.0]
    assert np.isnan(accuracies(b"compute;dur=3.1", b"accuracy;desc=high", b"")).all()
