import base64
import gzip
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from complete_studies import complete
from made_report import FACTS, make
from rulealign.config.load import load_study
from rulealign.errors import GuardError, StoreError
from rulealign.report import captions
from rulealign.report import page as page_module
from rulealign.report.describe import describe
from rulealign.report.formatting import plain
from rulealign.report.page import write_page
from rulealign.report.page_figures import report_figures


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
        if self.tags and self.tags[-1][0] in ("script", "style"):
            return
        self.words.append(data)
        if self._cell is not None:
            self._cell[0] += data


def _changed(study, **sections):
    """Give the study with some sections in place of its own."""
    return load_study({**study.model_dump(mode="json"), **sections})


@pytest.fixture(scope="module")
def made(project, tmp_path_factory):
    return make(project, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def text(made):
    folder, study, tables, figures, shown = made
    write_page(
        folder / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
    return (folder / "r.html").read_text()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def _look_up(made, convention="per_subject", **wanted):
    _, study, tables, *_ = made
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
    _, study, tables, *_ = made
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
    _, study, tables, figures, shown = made
    tables = {**tables, "diagnostics": tables["diagnostics"].assign(weight_change=0.5)}
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
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


def test_nothing_is_loaded_from_elsewhere(page, text):
    # what scripts ask for is told in a browser: test_browser.py
    tags = {tag for tag, _ in page.tags}
    text = re.sub("<script.*?</script>", "", text, flags=re.DOTALL)
    assert not tags & {"link", "img", "iframe", "object", "embed"}
    for tag, attributes in page.tags:
        if tag == "image":  # it holds its own bytes
            assert attributes["href"].startswith("data:image/")
            continue
        assert not [name for name in attributes if name == "src" or name.startswith("on")]
        href = attributes.get("href", "#")
        links = ("https://doi.org/", "statistics/")  # a reader follows them; nothing is loaded
        assert href.startswith("#") or (tag == "a" and href.startswith(links))
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
    # has lags and shifts of 2 ROIs, agreement and noise ceilings; tiles have one per rule; RDMs and
    # maps have one per pair, as others; filters have one
    rules = len(made[1].rules)
    assert len(pictures) == (len(figures) - 5) * len(pairs) + 1 + 10 + 6 + rules + 1
    name, said, caption = re.split(r": |\. (?=Align)", pictures[0]["aria-label"], maxsplit=2)
    assert name == f"{pairs[0].layer} → {pairs[0].roi}"
    assert caption.startswith("Alignment over training: ")
    at = pairs[0].model_dump()
    for rule in made[1].rules:  # what it shows, in the numbers of the table
        ends = [
            _look_up(made, rule=rule, epoch=epoch, **at)[0] for epoch in (0, _last(made[1], rule))
        ]
        first, last = (plain(score) for score in ends)
        trained = f"{rule} {first} at epoch 0, {last} at epoch {_last(made[1], rule)}"
        assert (trained if _last(made[1], rule) else f"{rule} {first}") in said.split("; ")
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


def test_one_of_a_thing_is_written_in_the_singular(made, tmp_path):
    _, study, tables, figures, shown = made
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
    names = {"rdms": -7, "maps": -6, "filters": -5, "accuracy": -4, "layers": -3, "learning": -2}
    files |= {name: figures[place].path for name, place in names.items()}
    figures = report_figures(study, tables, shown, **files, quality=figures[-1].path)
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
    words = " ".join("".join(Page((tmp_path / "r.html").read_text()).words).split())
    for phrase in (
        "1 network per rule: 42",
        "after epoch 0",
        "simulated 3T. 1 subject; distance: 1 - Pearson; 1 trial per image",
        "30 stimuli, 435 pairs, 1 subject, 1 seed.",
        "Accuracy on 1 held-out image, in evaluation mode. Mean over 1 seed;",
    ):
        assert phrase in words
    assert not re.search(
        r"\b1 (networks|subjects|seeds|stimuli|trials|images|held-out im\w+s)", words
    )


def test_the_page_names_datasets_own_files_and_generated_data(project, made, tmp_path):
    _, study, tables, figures, shown = made
    other = complete(project / "studies" / "cichy92.yaml")
    own = {**other["stimuli"]["grey"], "source": "data/<mine>/x.mat"}
    study = _changed(study, training_set=other["training_set"], stimuli={"shown": own})
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
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
    _, study, tables, figures, shown = made
    tables = {**tables, "ceilings": tables["ceilings"].assign(convention="mean_rdm")}
    with pytest.raises(GuardError, match=r"mean_rdm.*per_subject"):
        write_page(
            tmp_path / "r", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
        )
    assert not (tmp_path / "r").exists()


def test_the_page_says_over_which_pairs_scores_and_ceilings_are(made, text, tmp_path):
    _, study, tables, figures, shown = made
    assert "nobody saw within one run" not in text
    both = [tables["ceilings"], tables["ceilings"].assign(pairs="cross_run", lower=0.0625)]
    across = {"alignment": tables["alignment"].assign(pairs="cross_run", n_pairs=400)}
    for name in ("layers", "trajectories", "baselines"):
        across[name] = tables[name].assign(pairs="cross_run")
    tables = {**tables, **across, "ceilings": pd.concat(both)}
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
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
    _, study, tables, figures, shown = made
    across = tables["alignment"].assign(pairs="cross_run")
    for faulty in (across, pd.concat([across, tables["alignment"]])):
        tables = {**tables, "alignment": faulty}
        with pytest.raises(GuardError, match=r"'all', 'cross_run'"):
            write_page(
                tmp_path / "r",
                study=study,
                tables=tables,
                figures=figures,
                shown=shown,
                facts=FACTS,
            )
    assert not (tmp_path / "r").exists()


def test_a_copy_of_a_training_set_is_not_called_official(made, tmp_path):
    _, study, tables, figures, shown = made
    copy = {"kind": "image-folder", "source": "cifar10-jpeg", "image_size": 32}
    study = _changed(study, training_set=copy)
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
    text = (tmp_path / "r.html").read_text()
    assert "archive “cifar10-jpeg”. They are not the official arrays" in text


def test_the_same_tables_give_the_same_bytes(made, text, tmp_path):
    _, study, tables, figures, shown = made
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
    assert (tmp_path / "r.html").read_text() == text


def test_missing_values_are_called_not_measured(made, tmp_path):
    _, study, tables, figures, shown = made
    alignment, training = tables["alignment"].copy(), tables["training"].copy()
    alignment.loc[alignment["rule"] == "bp", ["score", "low", "high"]] = np.nan
    training.loc[training["rule"] == "fa", "held_out_accuracy"] = np.nan
    tables = {**tables, "alignment": alignment, "training": training}
    write_page(
        tmp_path / "r.html", study=study, tables=tables, figures=figures, shown=shown, facts=FACTS
    )
    page = Page((tmp_path / "r.html").read_text())
    (bp,) = [row for row in page.tables["table-final"] if row[0][0] == "bp"]
    assert {cell[0] for cell in bp[1:]} == {"not measured"}
    (fa,) = [row for row in page.tables["table-accuracy"] if row[0][0] == "fa"]
    assert {cell[0] for cell in fa[1:]} == {"not measured"}
    assert not re.search(r"\bnan\b", " ".join(page.words), re.IGNORECASE)


def test_a_file_that_is_no_figure_is_named(made, tmp_path):
    _, study, tables, figures, shown = made
    (tmp_path / "x.svg").write_text("<svg></svg>")
    for path in (tmp_path / "x.svg", tmp_path / "absent.svg"):
        broken = [figures[0]._replace(path=path), *figures[1:]]
        with pytest.raises(StoreError, match=f"{path.name}: is no figure"):
            write_page(
                tmp_path / "r", study=study, tables=tables, figures=broken, shown=shown, facts=FACTS
            )
    assert not (tmp_path / "r").exists()


def test_the_page_holds_the_very_bytes_of_its_tables(made, tmp_path):
    folder, study, tables, figures, shown = made
    files = {name: folder / f"{name}.csv" for name in ("alignment", "ceilings")}
    write_page(
        tmp_path / "r.html",
        study=study,
        tables=tables,
        figures=figures,
        shown=shown,
        facts=FACTS,
        files=files,
    )
    links = {
        told["download"]: told["href"]
        for tag, told in Page((tmp_path / "r.html").read_text()).tags
        if tag == "a" and "download" in told
    }
    assert set(links) == {"alignment.csv.gz", "ceilings.csv.gz"}
    for name, file in files.items():
        packed = links[f"{name}.csv.gz"].removeprefix("data:application/gzip;base64,")
        assert gzip.decompress(base64.b64decode(packed)) == file.read_bytes()


def test_a_page_that_would_be_too_large_leaves_out_what_it_says(made, text, tmp_path, monkeypatch):
    folder, study, tables, figures, shown = made
    rng = np.random.default_rng(3)
    own = tables["alignment"].query("convention == 'per_subject'").drop(columns="convention")
    every = [own.assign(seed=1, subject=one, score=rng.normal(size=len(own))) for one in range(4)]
    tables = {**tables, "alignment_subjects": pd.concat(every)}
    assert "Left out" not in text
    sizes, pictures = [], []
    for count in range(6):
        monkeypatch.setattr(page_module, "MOST_BYTES", sizes[-1] - 1 if sizes else 10**9)
        write_page(
            tmp_path / "r.html",
            study=study,
            tables=tables,
            figures=figures,
            shown=shown,
            facts=FACTS,
            files={name: folder / f"{name}.csv" for name in ("alignment", "training")},
        )
        smaller = (tmp_path / "r.html").read_text()
        said = "; ".join(page_module.LEFT_OUT[:count])
        assert (f"larger than 8 MB: {said}." in smaller) == (count > 0)
        sizes.append(len(smaller.encode()))
        pictures.append(smaller.count('role="img"'))
        choices = re.findall('data-param="(\\w+)"', smaller)
        assert ("data:application/gzip" in smaller) == (count < 1)
        assert ("the links are dead" in smaller) == (count > 0)
        assert ("checkpoint" in choices) == (count < 3)
        assert ("descriptor" in choices) == (count < 5)
    assert sizes == sorted(sizes, reverse=True)
    # one figure over training and one of the last checkpoint went, a panel per pair in each
    assert pictures[0] == pictures[1]
    assert pictures[1] - pictures[2] == 2 * len(study.layer_map)
    assert pictures[2:] == [pictures[2]] * 4
