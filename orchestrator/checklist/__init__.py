"""A checklist for the serving of models, gone through on one application: what is tried, and what that answers. Pure.

Each item (`items`) is answered by figures of the baseline (`findings`), by configurations that are tried for it
(`settings`, `arguments`) in turn with the baseline (`rounds`), or by both.
"""

from orchestrator.checklist.answer import Answer, End, Tried, ranked
from orchestrator.checklist.answers import answers, gain_text
from orchestrator.checklist.arguments import of_arguments
from orchestrator.checklist.baseline import facts_of
from orchestrator.checklist.candidates import Candidate, Settled
from orchestrator.checklist.document import checklist_document
from orchestrator.checklist.items import ITEMS, Item, Kind
from orchestrator.checklist.rounds import Rounds, Turn
from orchestrator.checklist.settings import Lacking, of_settings
from orchestrator.checklist.tried import tried
from orchestrator.checklist.versions import Release, releases
from orchestrator.checklist.written import header, promising, written

__all__ = [
    "ITEMS",
    "Answer",
    "Candidate",
    "End",
    "Item",
    "Kind",
    "Lacking",
    "Release",
    "Rounds",
    "Settled",
    "Tried",
    "Turn",
    "answers",
    "checklist_document",
    "facts_of",
    "gain_text",
    "header",
    "of_arguments",
    "of_settings",
    "promising",
    "ranked",
    "releases",
    "tried",
    "written",
]
