import re
from html.parser import HTMLParser
from itertools import product

import numpy as np
import pandas as pd
import pytest

import planted
import report_tables
from complete_studies import complete
from no_claims import without_claims
from rulealign.config.study import load_study
from rulealign.errors import GuardError, StoreError
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import captions
from rulealign.report.describe import describe
from rulealign.report.figures import draw_all
from rulealign.report.page import report_figures, write_page
from rulealign.store import read_csv, write_csv

FACTS = {
    "study_file": "studies/small.yaml",
    "study_fingerprint": "0123456789abcdef",
    "python": "3.11.9",
    "packages": {"numpy": "2.4.6"},
    "code": {"scripts/report.py": "00ff"},
    "inputs": [],
    "machine": "a processor that no page names",
}


class Page(HTMLParser):
    """Tables as rows of cells; a cell is its text and the values of its <data> elements."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.tags, self.words = {}, [], []
        self._rows = self._cell = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag == "table":
            self._rows = self.tables.setdefault(attributes["id"], [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._cell = ["", []]
            self._rows[-1].append(self._cell)
        elif tag == "data":
            self._cell[1].append(float(attributes["value"]))

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None

    def handle_data(self, data):
        self.words.append(data)
        if self._cell is not None:
            self._cell[0] += data


def _study(project):
    settings = complete(project / "workflow_config.yaml")
    first = settings["report"]
    settings["evaluation"] |= {"sizes": [first["size"]], "centring": [first["centring"]]}
    return load_study({**without_claims(settings), "title": "Rules & <ROIs>"})


def _changed(study, **sections):
    """Give the study with some sections in place of its own."""
    return load_study({**study.model_dump(mode="json"), **sections})


def _alignment(study, rng):
    rows, measured = [], study.evaluation
    for rule, stimuli, size, layer, centring, roi, convention in product(
        study.rules,
        study.stimuli,
        (32, 96),  # of which the study has one, as it has of centring
        measured.layers,
        ("centred", "uncentred"),
        study.brain.rois,
        ("per_subject", "mean_rdm"),
    ):
        epochs = [0] if rule.startswith("untrained") else study.training.checkpoints
        descriptors = ["vector"] if layer == "fc1" else measured.descriptors
        for epoch, descriptor in product(epochs, descriptors):
            key = (rule, epoch, stimuli, size, layer, descriptor, centring, roi, convention, "all")
            score = rng.normal(0, 0.1)
            rows.append(
                (*key, 2, 30, 435, 4, score, *(score + np.array([-0.03, 0.04, -0.01, 0.02])))
            )
    columns = (
        "rule,epoch,stimuli,size,layer,descriptor,centring,roi,convention,pairs,"
        "n_seeds,n_stimuli,n_pairs,n_subjects,score,low,high,seed_low,seed_high"
    )
    return pd.DataFrame(rows, columns=columns.split(","))


def _ceilings(study, rng):
    bounds = ["lower", "upper", "null_lower_mean", "null_lower_high"]
    bounds += ["null_upper_mean", "null_upper_high", "upper_any_model", "lower_raw", "upper_raw"]
    rows = []
    for place, roi in enumerate(study.brain.rois):
        row = {"roi": roi, "convention": "per_subject", "pairs": "all", "n_subjects": 4}
        row |= {"distance": "1 - Pearson", "acquisition": "simulated 3T", "repetitions": 6}
        row |= {"n_stimuli": 30, "informative": place > 0, "reason": np.nan}
        row |= {"informative_by": "lower bound of the noise ceiling", "reliability": np.nan}
        rows.append(row | dict(zip(bounds, rng.uniform(0, 0.5, len(bounds)), strict=True)))
    return pd.DataFrame(rows)


def _training(study, rng):
    rows = []
    for rule, seed in product(study.rules, (42, 123)):
        trains = not rule.startswith("untrained")
        for epoch in study.training.checkpoints if trains else [0]:
            loss = np.nan if epoch == 0 else rng.uniform(0.5, 2)
            rows.append((rule, rule, seed, epoch, trains, rng.uniform(), 1000, loss))
    columns = ["rule", "kind", "seed", "epoch", "trains"]
    return pd.DataFrame(rows, columns=[*columns, "held_out_accuracy", "held_out_images", "loss"])


def _diagnostics(study, rng):
    networks = _training(study, rng).drop(columns="loss")
    layers = pd.DataFrame({"layer": ["conv1", "conv2", "conv3", "fc1", "fc2"]})
    layers["convolution"] = layers["layer"].str.startswith("conv")
    table = networks.merge(layers, how="cross").assign(chance=0.1)
    for column in ("weight_change", "dead_units", "angle_to_bp", "effective_rank"):
        table[column] = rng.uniform(0.02, 1, len(table))
    table.loc[~table["trains"], ["angle_to_bp", "effective_rank"]] = np.nan
    table.loc[table["layer"] == "fc2", "dead_units"] = np.nan  # it is not read
    table.loc[(table["rule"] == "fa") & (table["layer"] == "conv2"), "weight_change"] = 0.004
    return table.assign(held_out_accuracy=0.5)


@pytest.fixture(scope="module")
def made(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    study = _study(project)
    rng = np.random.default_rng(8)
    tables = {}
    makers = {"alignment": _alignment, "ceilings": _ceilings, "training": _training}
    for name, make in {**makers, "diagnostics": _diagnostics}.items():
        write_csv(folder / f"{name}.csv", make(study, rng))
        tables[name] = read_csv(folder / f"{name}.csv")
    pairs = [pair.model_dump() for pair in study.layer_map]
    for name, make in {
        "layers": report_tables.layers_of,
        "trajectories": report_tables.courses_of,
        "baselines": report_tables.baselines_of,
    }.items():
        write_csv(folder / f"{name}.csv", make(tables["alignment"], pairs, rng))
        tables[name] = read_csv(folder / f"{name}.csv")
    (folder / "brain").mkdir()
    planted.checked(planted.data_set(0), folder / "brain")
    tables["quality"] = read_csv(folder / "brain" / "quality.csv")
    files = {
        "trajectories": [folder / "t0.svg", folder / "t1.svg"],
        "finals": [folder / "f0.svg", folder / "f1.svg"],
        "accuracy": folder / "a.svg",
        "learning": folder / "l.svg",
        "quality": folder / "q.svg",
    }
    draw_all(tables, FigureSettings.of(study), classes=10, **files)
    figures = report_figures(study, tables, **files)
    return folder, study, tables, figures


@pytest.fixture(scope="module")
def text(made):
    folder, study, tables, figures = made
    write_page(folder / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    return (folder / "r.html").read_text()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def _look_up(made, convention="per_subject", **wanted):
    _, study, tables, _ = made
    view = study.report
    wanted |= {"stimuli": view.stimuli, "size": view.size, "centring": view.centring}
    wanted |= {"convention": convention}
    wanted["descriptor"] = "vector" if wanted["layer"] == "fc1" else view.descriptor
    (row,) = [r for r in tables["alignment"].to_dict("records") if wanted.items() <= r.items()]
    return [row["score"], row["low"], row["high"]]


def _last(study, rule):
    return 0 if rule.startswith("untrained") else study.training.checkpoints[-1]


@pytest.mark.parametrize(
    ("name", "convention"), [("table-final", "per_subject"), ("table-mean-rdm", "mean_rdm")]
)
def test_final_scores_and_intervals_are_the_csvs(made, page, name, convention):
    study, rows = made[1], page.tables[name][1:]
    assert [row[0][0] for row in rows] == list(study.rules)
    for row in rows:
        rule = row[0][0]
        assert row[1][1] == [_last(study, rule)]
        for cell, pair in zip(row[2:], study.layer_map, strict=True):
            wanted = {"rule": rule, "epoch": _last(study, rule), **pair.model_dump()}
            assert cell[1] == _look_up(made, convention, **wanted)


def test_scores_by_epoch_are_the_csvs(made, page):
    study, rows = made[1], page.tables["table-epochs"][1:]
    trained = [rule for rule in study.rules if not rule.startswith("untrained")]
    expected = len(study.rules) - len(trained)
    assert len(rows) == expected + len(trained) * len(study.training.checkpoints)
    for row in rows:
        for cell, pair in zip(row[2:], study.layer_map, strict=True):
            assert cell[1] == _look_up(
                made, rule=row[0][0], epoch=row[1][1][0], **pair.model_dump()
            )


def test_ceilings_are_the_csvs_with_their_null_and_flag(made, page):
    table, rows = made[2]["ceilings"], page.tables["table-ceilings"][1:]
    lower = ["lower", "null_lower_mean", "null_lower_high"]
    upper = ["upper", "null_upper_mean", "null_upper_high"]
    upper += ["upper_any_model", "lower_raw", "upper_raw"]
    for row, (_, expected) in zip(rows, table.iterrows(), strict=True):
        assert [row[0][0], row[1][0]] == [expected["roi"], "all pairs"]
        assert [cell[1][0] for cell in row[2:5]] == list(expected[lower])
        assert row[5][0] == ("yes" if expected["informative"] else "no")
        assert [cell[1][0] for cell in row[6:]] == list(expected[upper])


def test_accuracies_are_the_csvs_mean_and_range(made, page):
    _, study, tables, _ = made
    rows = page.tables["table-accuracy"][1:]
    for row in rows:
        for cell, epoch in zip(row[1:], study.training.checkpoints, strict=True):
            if row[0][0].startswith("untrained") and epoch:
                assert cell == ["does not train", []]
                continue
            one, other = [
                r["held_out_accuracy"]
                for r in tables["training"].to_dict("records")
                if (r["rule"], r["epoch"]) == (row[0][0], epoch)
            ]
            expected = [(one + other) / 2, min(one, other), max(one, other)]
            assert cell[1] == pytest.approx(expected, abs=1e-12)


def test_a_rule_that_did_not_learn_is_named_before_its_alignment_and_in_its_table(page, text):
    words = " ".join("".join(page.words).split())
    said = "⚠ Not every rule learned: fa does not learn: not all conv layers move (conv2 0.40%)."
    assert said in words
    assert text.index("Not every rule learned") < text.index('id="last"') < text.index(">Did each")
    rows = {row[0][0]: row for row in page.tables["table-learning"][1:]}
    assert rows["fa"][1][0].startswith("⚠ does not learn")
    assert rows["bp"][1][0] == "✓ learns"
    assert rows["untrained"][1][0] == "– does not train"
    assert rows["fa"][4] == ["⚠ 0.4%", [0.004]]


def test_where_all_learned_there_is_no_warning(made, tmp_path):
    _, study, tables, figures = made
    tables = {**tables, "diagnostics": tables["diagnostics"].assign(weight_change=0.5)}
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    text = (tmp_path / "r.html").read_text()
    assert "Not every rule learned" not in text
    assert "does not learn" not in text


def test_what_is_shown_is_the_value_rounded_once(text):
    found = re.findall(r'<data value="([^"]+)">([^<]+)</data>(%?)', text)
    assert len(found) > 100
    for value, shown, unit in found:
        shown = shown.replace("−", "-")
        decimals = len(shown.partition(".")[2])
        exact = float(value) * (100 if unit else 1)
        assert abs(float(shown) - exact) <= 0.5 * 10**-decimals + 1e-12
        assert decimals in ((1,) if unit else (0, 1, 3))


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(page, text):
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "image"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name == "src" or name.startswith("on")]
        href = attributes.get("href", "#")
        assert href.startswith("#") or (tag == "a" and href.startswith("https://doi.org/"))
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))


def test_ids_are_unique_and_every_reference_has_its_target(page, text):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = re.findall(r'(?:href="#|url\(#|aria-labelledby=")([^")]+)', text)
    assert targets
    assert set(targets) <= set(ids)


def test_every_picture_has_words_and_its_own_panel(made, page):
    figures, pairs = made[3], made[1].layer_map
    pictures = [a for tag, a in page.tags if tag == "svg" and a.get("role") == "img"]
    # accuracy has one panel; learning has change and angle of 3 layers, and the rank of 4; quality
    # has lags and shifts of 2 ROIs, agreement and noise ceilings
    assert len(pictures) == (len(figures) - 3) * len(pairs) + 1 + 10 + 6
    assert pictures[0]["aria-label"].startswith(
        f"{pairs[0].layer} → {pairs[0].roi}. Alignment over training: "
    )
    boxes = [tuple(map(float, a["viewbox"].split())) for a in pictures[: len(pairs)]]
    assert len(set(boxes)) == len(pairs)
    assert len({box[2:] for box in boxes}) == 1


def test_images_that_nobody_saw_in_the_scanner_are_said_to_be_that(made):
    # a background in place of the one that people saw: planted in one of two sets
    _, study, tables, *_ = made
    shown = study.model_dump(mode="json")["stimuli"]["shown"]
    white = shown | {"background": "white", "as_shown": False}
    study = _changed(study, stimuli={"shown": shown, "white": white})
    said = dict(describe(study, tables)["Stimuli"])
    assert "background: white; as shown to subjects: no" in said["white"]
    assert "as shown to subjects: yes" in said["shown"]


def test_the_page_says_what_was_run_and_on_what(made, page):
    study, words = made[1], " ".join("".join(page.words).split())
    assert "Rules & <ROIs>" in words
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in (
        page.tags
    )
    for phrase in (
        study.question,
        "Generated: shaped, textured objects",
        "as shown to subjects: yes",
        "simulated 3T. 4 subjects; distance: 1 - Pearson; 6 trials per image averaged",
        "Nobody was measured",
        "30 stimuli, 435 pairs, 4 subjects, 2 seeds",
        "Pairs of stimuliall pairs: 435 pairs",
        f"{study.statistics.bootstrap_draws} resamples of the stimuli",
        "0123456789abcdef",
        "numpy 2.4.6",
        "Training imagesGenerated by rulealign",
        "Brain dataGenerated by rulealign",
    ):
        assert phrase in words
    assert "Every number" not in words
    assert "ceilings are written from the result tables, the settings from the study" in words


def test_one_of_a_thing_is_written_in_the_singular(made, tmp_path):
    _, study, tables, figures = made
    once = study.training.model_dump() | {"seeds": [42], "checkpoints": [0], "fewer_seeds": {}}
    study = _changed(study, training=once)
    training = tables["training"]
    tables = {
        "alignment": tables["alignment"].assign(n_seeds=1, n_subjects=1),
        "ceilings": tables["ceilings"].assign(n_subjects=1, repetitions=1),
        "training": training[training["seed"] == 42].assign(held_out_images=1),
        "diagnostics": tables["diagnostics"].query("seed == 42 and epoch == 0"),
        "quality": tables["quality"],
        "layers": tables["layers"].query("epoch == 0").assign(n_seeds=1),
    }
    views = len(study.views())
    files = {"trajectories": [figures[0].path] * views, "finals": [figures[1].path] * views}
    files |= {"accuracy": figures[-3].path, "learning": figures[-2].path}
    figures = report_figures(study, tables, **files, quality=figures[-1].path)
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    words = " ".join("".join(Page((tmp_path / "r.html").read_text()).words).split())
    for phrase in (
        "1 network per rule: 42",
        "after epoch 0",
        "simulated 3T. 1 subject; distance: 1 - Pearson; 1 trial per image",
        "30 stimuli, 435 pairs, 1 subject, 1 seed.",
        "Accuracy on 1 held-out image, in evaluation mode. Thick: mean over 1 seed;",
    ):
        assert phrase in words
    assert not re.search(
        r"\b1 (networks|subjects|seeds|stimuli|trials|images|held-out im\w+s)", words
    )


def test_the_page_names_datasets_own_files_and_generated_data(project, made, tmp_path):
    _, study, tables, figures = made
    other = complete(project / "studies" / "cichy92.yaml")
    shown = {**other["stimuli"]["grey"], "source": "data/<mine>/x.mat"}
    study = _changed(study, training_set=other["training_set"], stimuli={"shown": shown})
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    section = (tmp_path / "r.html").read_text().partition('<section id="sources">')[2]
    words = " ".join("".join(Page(section.partition("</section>")[0]).words).split())
    for phrase in (
        "cifar10CIFAR-10, the official arrays for Python. To cite: Krizhevsky (2009).",
        "Licence: None is stated by the publisher",
        "data/<mine>/x.matThe user's own files.",
        "Brain dataGenerated by rulealign",
    ):
        assert phrase in words


def test_ceilings_of_another_convention_do_not_come_onto_the_page(made, tmp_path):
    _, study, tables, figures = made
    tables = {**tables, "ceilings": tables["ceilings"].assign(convention="mean_rdm")}
    with pytest.raises(GuardError, match=r"mean_rdm.*per_subject"):
        write_page(tmp_path / "r", study=study, tables=tables, figures=figures, facts=FACTS)
    assert not (tmp_path / "r").exists()


def test_the_page_says_over_which_pairs_scores_and_ceilings_are(made, text, tmp_path):
    _, study, tables, figures = made
    assert "nobody saw within one run" not in text
    both = [tables["ceilings"], tables["ceilings"].assign(pairs="cross_run", lower=0.0625)]
    across = {"alignment": tables["alignment"].assign(pairs="cross_run", n_pairs=400)}
    for name in ("layers", "trajectories", "baselines"):
        across[name] = tables[name].assign(pairs="cross_run")
    tables = {**tables, **across, "ceilings": pd.concat(both)}
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    page = Page((tmp_path / "r.html").read_text())
    words = " ".join("".join(page.words).split())
    for phrase in (
        "per_subject, pairs in different runs, last checkpoint of each rule",
        "per_subject, pairs in different runs, every checkpoint",
        "Scores are over pairs in different runs.",
        "Pairs of stimulipairs in different runs: 400 pairs",
        "only pairs count that nobody saw within one run",
    ):
        assert phrase in words
    rows = page.tables["table-ceilings"][1:]
    kinds = [row[1][0] for row in rows]
    rois = len(study.brain.rois)
    assert kinds == ["all pairs"] * rois + ["pairs in different runs"] * rois
    assert {row[2][1][0] for row in rows[rois:]} == {0.0625}
    caption = captions.final(study, across["alignment"], study.report)
    assert "(per_subject, pairs in different runs), mean over seeds" in caption
    assert "noise ceiling over the same pairs" in caption
    assert "30 stimuli, 400 pairs, 4 subjects, 2 seeds." in caption


def test_ceilings_over_other_pairs_do_not_come_onto_the_page(made, tmp_path):
    _, study, tables, figures = made
    across = tables["alignment"].assign(pairs="cross_run")
    for faulty in (across, pd.concat([across, tables["alignment"]])):
        tables = {**tables, "alignment": faulty}
        with pytest.raises(GuardError, match=r"'all', 'cross_run'"):
            write_page(tmp_path / "r", study=study, tables=tables, figures=figures, facts=FACTS)
    assert not (tmp_path / "r").exists()


def test_a_copy_of_a_training_set_is_not_called_official(made, tmp_path):
    _, study, tables, figures = made
    copy = {"kind": "image-folder", "source": "cifar10-jpeg", "image_size": 32}
    study = _changed(study, training_set=copy)
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    text = (tmp_path / "r.html").read_text()
    assert "archive “cifar10-jpeg”. They are not the official arrays" in text


def test_the_same_tables_give_the_same_bytes(made, text, tmp_path):
    _, study, tables, figures = made
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    assert (tmp_path / "r.html").read_text() == text


def test_missing_values_are_called_not_measured(made, tmp_path):
    _, study, tables, figures = made
    alignment, training = tables["alignment"].copy(), tables["training"].copy()
    alignment.loc[alignment["rule"] == "bp", ["score", "low", "high"]] = np.nan
    training.loc[training["rule"] == "fa", "held_out_accuracy"] = np.nan
    tables = {**tables, "alignment": alignment, "training": training}
    write_page(tmp_path / "r.html", study=study, tables=tables, figures=figures, facts=FACTS)
    page = Page((tmp_path / "r.html").read_text())
    (bp,) = [row for row in page.tables["table-final"] if row[0][0] == "bp"]
    assert {cell[0] for cell in bp[1:]} == {"not measured"}
    (fa,) = [row for row in page.tables["table-accuracy"] if row[0][0] == "fa"]
    assert {cell[0] for cell in fa[1:]} == {"not measured"}
    assert not re.search(r"\bnan\b", " ".join(page.words), re.IGNORECASE)


def test_a_file_that_is_no_figure_is_named(made, tmp_path):
    _, study, tables, figures = made
    (tmp_path / "x.svg").write_text("<svg></svg>")
    for path in (tmp_path / "x.svg", tmp_path / "absent.svg"):
        broken = [figures[0]._replace(path=path), *figures[1:]]
        with pytest.raises(StoreError, match=f"{path.name}: is no figure"):
            write_page(tmp_path / "r", study=study, tables=tables, figures=broken, facts=FACTS)
    assert not (tmp_path / "r").exists()
