"""One plain sentence: what limits a configuration, and which knob to try next. Pure."""

from orchestrator.diagnosis.facts import Facts, facts_of
from orchestrator.diagnosis.rules import Diagnosis, diagnose
from orchestrator.serve_config.settings import Settings, settings_of

__all__ = ["Diagnosis", "Facts", "Settings", "diagnose", "facts_of", "settings_of"]
