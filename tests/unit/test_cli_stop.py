"""The first signal interrupts, later ones do not, and the handlers are given back."""

from __future__ import annotations

import signal

import pytest

from orchestrator.cli.stop import SIGNALS, StopSignals


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_interrupts_and_the_clean_up_after_it_is_not_cut_short(number):
    heard = []
    with StopSignals(lambda: heard.append("patience")):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.raise_signal(number)
        assert heard == ["patience"]


def test_handlers_are_given_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopSignals(lambda: None):
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_signals_that_a_library_took_can_be_taken_back():
    with StopSignals(lambda: None) as stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.arm()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
