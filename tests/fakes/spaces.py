"""Spaces that more than one test searches."""

from orchestrator.space import Space, parse_knob

LINE = Space(knobs={"x": parse_knob({"uniform": [0, 1]})})
MIXED = Space(
    knobs={
        "engine": parse_knob({"condition": {"onnx": {"threads": {"randint": [1, 5]}}, "torch": None}}),
        "layout": parse_knob({"choice": ["nchw", "nhwc", "blocked"]}),
        "batch": parse_knob({"choice": [1, 2, 4, 8, 16]}),
    }
)
