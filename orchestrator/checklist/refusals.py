"""Does an application take an argument? By how it refuses another one that nobody takes. Pure."""

from __future__ import annotations

import difflib
import re

from orchestrator.checklist.arguments import UNKNOWN
from orchestrator.checklist.candidates import Candidate
from orchestrator.plain import text

ALIKE = 0.8
"""Of two refusals, name and value of the argument left out: what differs is a hint at some name that is like it."""

_RAISED = re.compile(r"(?:Error|Exception|Exit)\b:? *(.+)", re.DOTALL)


def is_unknown(candidate: Candidate, why: str, refusal: str) -> bool:
    """Whether the candidate's argument was refused as `UNKNOWN` was, whose refusal is given; "" where it was not."""
    if not candidate.asks or not refusal:
        return False
    (value,) = candidate.changes.values()
    ours, theirs = _masked(why, candidate.asks, value), _masked(refusal, UNKNOWN, True)
    return difflib.SequenceMatcher(None, ours, theirs, autojunk=False).ratio() >= ALIKE


def names_it(candidate: Candidate, why: str) -> bool:
    """Whether an error speaks of something that the candidate sets."""
    names = [path.rpartition(".")[2] for path in candidate.changes]
    return any(re.search(rf"\b{re.escape(name)}\b", why) for name in names)


def _masked(sentence: str, name: str, value: object) -> str:
    """What was raised, without what was asked for; what stands before it is Serve's, and always the same."""
    raised = _RAISED.search(sentence)
    sentence = raised[1] if raised else sentence
    for part in (name, text(value), str(value)):
        sentence = re.sub(rf"['\"`]?\b{re.escape(part)}\b['\"`]?", "_", sentence)
    return sentence
