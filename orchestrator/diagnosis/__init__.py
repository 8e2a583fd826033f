"""One plain sentence: what limits a configuration, and which knob to try next. Pure."""

from orchestrator.diagnosis.facts import Facts, Settings, facts_of, settings_of
from orchestrator.diagnosis.rules import Diagnosis, diagnose

__all__ = ["Diagnosis", "Facts", "Settings", "diagnose", "facts_of", "settings_of"]
