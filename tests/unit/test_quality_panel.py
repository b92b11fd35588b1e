"""The section "Brain data quality" of the report, and its figure."""

import re

import numpy as np
import pytest
from markupsafe import Markup

import planted
from rulealign.report import page as report_page
from rulealign.report.inline import inline
from rulealign.report.quality import caption, draw_quality
from rulealign.report.quality_panel import panel
from rulealign.rsa.quality.rows import filled
from rulealign.rsa.quality.table import quality_table
from rulealign.store import read_csv, write_h5

SUBJECTS = ["sub-01", "sub-02", "sub-03"]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Give the table of a data set with a shared order, a shifted subject and a copied trial."""
    folder = tmp_path_factory.mktemp("faulty")
    people = planted.data_set(0, orders=[1, 1, 2])
    planted.shared_run_noise(people, ["01", "02"], 0.8)
    planted.delay(people, "03", 1)
    planted.duplicate(people, "02", "V1", 5, 60)
    people.responses["01", "IT"][4, 2] = np.nan
    planted.checked(people, folder)
    return read_csv(folder / "quality.csv")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Give the table of given RDMs: seven subjects, no trials."""
    folder, rng = tmp_path_factory.mktemp("given"), np.random.default_rng(0)
    files = []
    for subject in range(1, 8):
        for roi in ("EVC", "IT"):
            files.append(folder / f"sub-{subject:02d}_roi-{roi}_rdm.h5")
            about = {"distance": "1 - Pearson", "acquisition": "3T fMRI", "repetitions": 0}
            write_h5(
                files[-1],
                {"rdm": np.linspace(0, 1, 66) + 0.3 * rng.uniform(size=66)},
                ids={"stimulus": [f"i{number}" for number in range(12)]},
                settings={},
                attributes={"subject": subject, "roi": roi, **about},
            )
    none = {"trials": {}, "acquisition": {}, "parts": [], "responses": []}
    quality_table(folder / "quality.csv", brain=files, **none, settings=planted.SETTINGS)
    return read_csv(folder / "quality.csv")


def section(table, folder):
    """Write the section alone."""
    draw_quality(table, output=folder / "q.svg")
    figure = inline(folder / "q.svg", "figure0", caption(table), "brain data quality")
    template = report_page._template().environment.get_template("quality.html")
    return template.render(quality=panel(table), figures={"quality": figure})


def words_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def values(cell):
    return [float(value) for value in re.findall(r'<data value="([^"]+)"', str(cell))]


def row_of(table, start):
    """Give the cells of the row that begins with `start`, by their column."""
    (row,) = [row for row in table.rows if row[0] == start]
    return dict(zip(table.head, row, strict=True))


def test_findings_come_first_once_per_fault_and_name_subject_roi_and_fault(faulty, tmp_path):
    made = panel(faulty)
    assert len(made.findings) == 5
    for words in (
        ("sub-01 and sub-02, V1: agreement falls from", "(also in IT)."),
        ("sub-01 (session 1) and sub-02 (session 1) saw the same 48 train", "sessions 3 and 3, te"),
        ("sub-03, V1: shifted by one trial", "(also in IT)."),
        ("sub-02, V1: 1 trial with the responses of an earlier", "trial_id 60 repeats 5."),
        ("sub-01, IT: 1 voxel with values that are not finite", "1004."),
    ):
        assert any(all(one in finding for one in words) for finding in made.findings), words
    text = section(faulty, tmp_path)
    assert text.index("What was found") < text.index("<table")
    assert "No check raised a flag" not in text
    for finding in made.findings:
        assert finding in words_of(text)


def test_the_tables_hold_the_csvs_own_numbers(faulty):
    made, table = panel(faulty), filled(faulty)
    row = row_of(made.tables["table-rois"], "V1, sub-03")
    about = {"subject": "sub-03", "roi": "V1"}
    for column, check, item in (
        ("voxels", "voxels", "number"),
        ("median noise ceiling, test images, %", "noise_ceiling", "median nc_testset"),
        ("neighbours", "lag_test", "difference"),
        ("t", "lag_test", "t"),
        ("other runs", "lag", "other runs"),
        ("peak at shift", "shift_test", "peak"),
    ):
        expected = planted.value(table, check=check, item=item, **about)
        assert values(row[column]) == [pytest.approx(expected, rel=1e-9)], column
    assert "⚠" in row["peak at shift"]
    assert "⚠" not in row["duplicated trials"]
    assert "⚠" in row_of(made.tables["table-rois"], "V1, sub-02")["duplicated trials"]
    fewer = row_of(made.tables["table-rois"], "IT, sub-01")
    assert values(fewer["voxels"]) == [79, 80]
    assert values(fewer["faulty voxels"]) == [1]
    rows = {(row[0], row[1]): row[2:] for row in made.tables["table-agreement"].rows}
    cells = rows["V1", "sub-01 and sub-02"]
    for cell, item in zip(cells, ("all", "cross_run", "drop"), strict=True):
        pair = {"subject": "sub-01", "other": "sub-02", "roi": "V1", "check": "agreement"}
        assert values(cell) == [pytest.approx(planted.value(table, item=item, **pair))]
    assert "⚠" in cells[2]
    assert [row[0] for row in made.tables["table-trials"].rows] == SUBJECTS
    assert row_of(made.tables["table-repetitions"], "sub-02")["images shown 3 times"] == Markup(
        '<data value="16.0">16</data>'
    )
    orders = row_of(made.tables["table-orders"], "sub-01 and sub-02")
    assert values(orders["order, highest ρ"]) == [1]
    assert "⚠" in orders["order, highest ρ"]
    assert "⚠" not in row_of(made.tables["table-orders"], "sub-01 and sub-03")["order, highest ρ"]


def test_acquisition_is_what_the_files_state(faulty):
    facts = dict(panel(faulty).acquisition)
    assert facts["sub-01"] == "field strength: not stated in the files that were read"
    assert facts["V1, IT"] == "described as: generated"


def test_clean_data_are_said_to_be_clean(tmp_path):
    planted.checked(planted.data_set(0), tmp_path)
    text = words_of(section(read_csv(tmp_path / "quality.csv"), tmp_path))
    assert "✓ No check raised a flag." in text
    assert "⚠" not in text
    assert "no single trials" not in text


def test_given_rdms_have_agreement_and_their_description_alone(given, tmp_path):
    made = panel(given)
    assert list(made.tables) == ["table-agreement"]
    assert made.acquisition == [("EVC, IT", "described as: 3T fMRI")]
    # 21 pairs of subjects: their mean, lowest and highest
    mean, low, high = values(made.tables["table-agreement"].rows[0][2])
    own = given[(given["roi"] == "EVC") & (given["item"] == "all")]["value"]
    assert len(own) == 21
    assert (mean, low, high) == pytest.approx((own.mean(), own.min(), own.max()))
    text = words_of(section(given, tmp_path))
    assert "RDMs were given, so there are no single trials to check" in text
    figure = draw_quality(given, output=tmp_path / "x.svg")
    assert [ax.get_gid() for ax in figure.axes] == ["panel--agreement-between-subjects"]


def line(ax, label):
    return next(one for one in ax.lines if one.get_label() == label)


def test_curves_are_the_tables_and_bars_one_standard_error(faulty, tmp_path):
    table = filled(faulty)
    figure = draw_quality(faulty, output=tmp_path / "x.svg")
    names = [ax.get_gid().removeprefix("panel--") for ax in figure.axes]
    assert names[:2] == ["dissimilarity-by-lag-in-V1", "shift-test-in-V1"]
    assert names[4:] == ["agreement-between-subjects", "noise-ceilings-of-voxels"]
    panels = dict(zip(names, figure.axes, strict=True))
    for name, check, items in (
        ("dissimilarity-by-lag-in-IT", "lag", range(1, 11)),
        ("shift-test-in-IT", "shift", range(-5, 6)),
    ):
        about = {"subject": "sub-03", "roi": "IT"}
        mean, error = (
            np.array([planted.value(table, check=kind, item=str(n), **about) for n in items])
            for kind in (check, f"{check}_error")
        )
        drawn = line(panels[name], "sub-03")
        assert drawn.get_ydata() == pytest.approx(mean)
        assert np.round(drawn.get_xdata()) == pytest.approx(list(items))
        bars = [s for c in panels[name].collections for s in c.get_segments()]
        for low, high in zip(mean - error, mean + error, strict=True):
            assert any(np.allclose(bar[:, 1], (low, high)) for bar in bars)
    agreement = panels["agreement-between-subjects"]
    filled_markers, open_markers = [
        one for one in agreement.lines if one.get_label() == "sub-01 and 02"
    ]
    about = {"check": "agreement", "subject": "sub-01", "other": "sub-02"}
    for drawn, item in ((filled_markers, "all"), (open_markers, "cross_run")):
        expected = [planted.value(table, item=item, roi=roi, **about) for roi in ("V1", "IT")]
        assert drawn.get_ydata() == pytest.approx(expected)
    assert open_markers.get_markerfacecolor() == "white"


def test_every_panel_stays_in_its_part_of_the_figure(faulty, given, tmp_path):
    for table in (faulty, given):
        figure = draw_quality(table, output=tmp_path / "x.svg")
        rows = -(-len(figure.axes) // 2)
        width = figure.bbox.width / min(2, len(figure.axes))
        height = figure.bbox.height / rows
        for place, ax in enumerate(figure.axes):
            reach, left, down = ax.get_tightbbox(), place % 2 * width, place // 2
            assert left <= reach.x0 < reach.x1 <= left + width
            assert figure.bbox.height - (down + 1) * height <= reach.y0
            assert reach.y1 <= figure.bbox.height - down * height


def test_the_same_table_gives_the_same_bytes(faulty, tmp_path):
    for name in ("one.svg", "other.svg"):
        draw_quality(faulty, output=tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
