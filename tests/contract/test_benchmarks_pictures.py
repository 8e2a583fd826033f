"""Pictures of a study's page: the figures are those of the page that MLflow keeps."""

from datetime import datetime, timezone
from importlib.util import find_spec
from io import BytesIO

import plotly.graph_objects as go
import pytest
from PIL import Image

from benchmarks.studies import pictures
from benchmarks.studies.__main__ import picture
from benchmarks.studies.page import PICTURE, Wanted, filled
from benchmarks.studies.pictures import figures_of, save
from orchestrator.errors import UsageError
from orchestrator.figures import PAGE
from orchestrator.figures.page import Section, page
from orchestrator.figures.style import framed
from orchestrator.tracking.port import Comparison, StudySummary

BLOCK = "<!-- picture: gains digits -->\nold\n<!-- end -->"
GAINS = Wanted("gains", "digits", what=PICTURE)


def figure(title='Gain: a </script> & "quotes"'):
    return framed(title, "clients", "gain").add_scatter(x=[1, 2], y=[1.5, None], name="±")


HTML = page(
    "a study", [Section("nothing", None, ["why"]), Section("heat-map", figure(), []), Section("gains", figure(), [])]
)


class Store:
    """A study and a comparison of one name; only the latter has a page."""

    def studies(self):
        return [StudySummary("s" * 32, "digits", datetime(2026, 1, 1, tzinfo=timezone.utc), "FINISHED")]

    def comparisons(self):
        return [Comparison(name * 32, "digits", datetime(2026, 1, 1, tzinfo=timezone.utc)) for name in ("c", "older")]

    def page(self, of, name):
        assert (of, name) == ("c" * 32, PAGE)
        return HTML


@pytest.fixture
def drawn(monkeypatch):
    """Drawing without a browser: a white picture of the size that was asked for."""
    monkeypatch.setattr(pictures, "find_spec", lambda name: name)

    def to_image(figure, kind, width, height, scale):
        Image.new("RGB", (width, height), "white").save(out := BytesIO(), kind)
        return out.getvalue()

    monkeypatch.setattr(go.Figure, "to_image", to_image)


def test_the_figures_of_a_page_are_read_back_as_they_were_drawn():
    found = figures_of(HTML)
    assert list(found) == ["heat-map", "gains"]
    assert all(one.to_plotly_json() == figure().to_plotly_json() for one in found.values())


def test_a_picture_is_that_of_the_latest_comparison_and_its_title_is_the_text(drawn, tmp_path):
    told = picture(GAINS, Store(), tmp_path / "pictures")
    assert told.startswith('![Gain: a   & "quotes"](pictures/digits-gains.png)')
    assert "`cccccccc`" in told
    assert Image.open(tmp_path / "pictures" / "digits-gains.png").size == (pictures.WIDTH, figure().layout.height)


def test_what_was_not_run_has_no_picture(drawn, tmp_path):
    assert picture(Wanted("gains", "other", what=PICTURE), Store(), tmp_path) is None
    assert not any(tmp_path.iterdir())


def test_pictures_that_are_not_to_be_drawn_stay_as_they_are():
    assert filled(BLOCK, lambda one: None if one == GAINS else "") == BLOCK
    assert filled(BLOCK, lambda one: "new") == "<!-- picture: gains digits -->\n\nnew\n\n<!-- end -->"


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        pytest.param(None, "pictures are drawn by kaleido: pip install 'ray-serve-orchestrator", id="no library"),
        pytest.param(RuntimeError("no Chrome\nmore"), "Chrome or Chromium, .* installed: no Chrome$", id="no browser"),
    ],
)
def test_where_nothing_can_draw_it_is_said_what_is_missing(monkeypatch, tmp_path, trouble, says):
    def to_image(*arguments, **options):
        raise trouble

    monkeypatch.setattr(pictures, "find_spec", lambda name: name if trouble else None)
    monkeypatch.setattr(go.Figure, "to_image", to_image)
    with pytest.raises(UsageError, match=says):
        save(figure(), tmp_path / "x.png")


def test_a_figure_that_a_page_does_not_have_is_named(drawn, tmp_path):
    with pytest.raises(UsageError, match="digits has no figure 'spread'; it has heat-map, gains"):
        picture(Wanted("spread", "digits", what=PICTURE), Store(), tmp_path)


@pytest.mark.skipif(find_spec("kaleido") is None, reason="the extra `pictures` is not installed")
def test_a_browser_draws_a_picture_that_is_small(tmp_path):
    try:
        save(figure("Gain"), tmp_path / "x.png")
    except UsageError as error:
        pytest.skip(str(error))
    assert len(set(Image.open(tmp_path / "x.png").convert("RGB").getdata())) > 10
    assert (tmp_path / "x.png").stat().st_size < 150_000
