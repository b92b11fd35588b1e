"""The section "Brain data quality" of the report, and its figure."""

import re

import numpy as np
import pytest
from markupsafe import Markup

import planted
from rulealign.report import page as report_page
from rulealign.report import quality
from rulealign.report.inline import inline
from rulealign.report.quality_panel import panel
from rulealign.report.style import COLOURS
from rulealign.report.vega import save
from rulealign.rsa.quality.rows import filled
from rulealign.rsa.quality.table import quality_table
from rulealign.store import read_csv, write_h5
from scene import scene

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
    save(quality.panels(table), quality.data(table), folder / "q.svg", "quality")
    figure = inline(folder / "q.svg", "figure0", quality.caption(table), "brain data quality")
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
    [agreement] = quality.panels(given)
    assert agreement.name == "agreement-between-subjects"
    drawing = scene(agreement.drawing, quality.data(given))
    assert len(drawing.of("symbol")) == 42
    assert len(drawing.of("rect")) == 2  # the means of two ROIs


def colour(name, names=SUBJECTS):
    return COLOURS[names.index(name)]


def test_curves_are_the_tables_and_bars_one_standard_error(faulty):
    table, data = filled(faulty), quality.data(faulty)
    panels = {one.name: one.drawing for one in quality.panels(faulty)}
    names = list(panels)
    assert names[:2] == ["dissimilarity-by-lag-in-V1", "shift-test-in-V1"]
    assert names[4:] == ["agreement-between-subjects", "noise-ceilings-of-voxels"]
    for name, check, items in (
        ("dissimilarity-by-lag-in-IT", "lag", range(1, 11)),
        ("shift-test-in-IT", "shift", range(-5, 6)),
    ):
        about = {"subject": "sub-03", "roi": "IT"}
        mean, error = (
            np.array([planted.value(table, check=kind, item=str(n), **about) for n in items])
            for kind in (check, f"{check}_error")
        )
        drawing = scene(panels[name], data)
        points = sorted(drawing.of("symbol", colour("sub-03")), key=lambda item: item["x"])
        assert [drawing.y(item["y"]) for item in points] == pytest.approx(mean, abs=1e-6)
        steps = np.diff([item["x"] for item in points])
        assert steps == pytest.approx([steps[0]] * len(steps))
        bars = sorted(drawing.of("rule", colour("sub-03")), key=lambda item: item["x"])
        ends = [sorted(drawing.y(item[end]) for end in ("y", "y2")) for item in bars]
        expected = np.transpose([mean - error, mean + error])
        np.testing.assert_allclose(ends, expected, atol=1e-6)


def test_agreement_is_filled_for_all_pairs_and_open_across_runs(faulty):
    table, data = filled(faulty), quality.data(faulty)
    panels = {one.name: one.drawing for one in quality.panels(faulty)}
    drawing = scene(panels["agreement-between-subjects"], data)
    pairs = ["sub-01 and 02", "sub-01 and 03", "sub-02 and 03"]
    own = drawing.of("symbol", colour("sub-01 and 02", pairs))
    about = {"check": "agreement", "subject": "sub-01", "other": "sub-02"}
    for item, look in (("all", "fill"), ("cross_run", "stroke")):
        points = [one for one in own if one.get(look) == COLOURS[0]]
        points.sort(key=lambda one: one["x"])
        expected = [planted.value(table, item=item, roi=roi, **about) for roi in ("V1", "IT")]
        assert [drawing.y(one["y"]) for one in points] == pytest.approx(expected, abs=1e-6)


def test_the_same_table_gives_the_same_bytes(faulty, tmp_path):
    for name in ("one.svg", "other.svg"):
        save(quality.panels(faulty), quality.data(faulty), tmp_path / name, "quality")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
