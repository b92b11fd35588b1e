"""The page in a real browser: it answers, asks for nothing, and fits a phone.

Left out where there is no Chromium, or no Playwright.
"""

import base64
import shutil
import subprocess

import numpy as np
import pytest
from scipy.spatial.distance import squareform

import claim_files
from made_report import FACTS, make
from rulealign.claims.evaluate import evaluate
from rulealign.report.claims_overview import draw_claims
from rulealign.report.page import write_page
from rulealign.report.page_figures import ReportFigure
from rulealign.report.shown import palette
from rulealign.store import read_csv

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRAWN = "document.documentElement.dataset.drawn"


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the page is not looked at in a browser")
    with sync_api.sync_playwright() as playwright:
        # a page of this project needs no sandbox, which containers do not have
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def made(project, tmp_path_factory):
    folder, study, tables, figures, shown = make(project, tmp_path_factory.mktemp("browser"))
    names = ["claims", "claims_summary", "specification_curves"]
    (folder / "planned").mkdir()
    drop, less = claim_files.DROP, claim_files.LESS
    files = claim_files.write_all(folder / "planned")
    evaluate(*files, claim_files.settings(drop, less), *(folder / f"{name}.csv" for name in names))
    tables = tables | {name: read_csv(folder / f"{name}.csv") for name in names}
    files = {"each": folder / "c.svg", "every": folder / "o.svg"}
    draw_claims(tables["claims"], tables["claims_summary"], **files)
    for group, path in zip(("claims", "overview"), files.values(), strict=True):
        figures = [*figures, ReportFigure(path, "Curves.", group, "curves")]
    page = folder / "r.html"
    write_page(page, study=study, tables=tables, figures=figures, shown=shown, facts=FACTS)
    return page, study, tables, shown


@pytest.fixture(scope="module")
def opened(browser, made):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    _open(page, made[0])
    return page


def _open(page, path, address=""):
    page.set_default_timeout(300_000)  # machines may be busy with other tests
    page.goto("about:blank")
    page.goto(f"file://{path}{address}")
    page.wait_for_function(f"{DRAWN} !== undefined")


def _choose(page, param, value):
    before = page.evaluate(DRAWN)
    page.locator(f"[data-param={param}]").select_option(label=value)
    page.wait_for_function(f"{DRAWN} !== '{before}'")


def _points(page, figure="trajectory"):
    # what hovering says, which browsers give to those who cannot see it, too
    kind = "'image mark'" if figure == "maps" else "point"
    told = page.locator(f"[data-figure={figure}] [aria-roledescription={kind}]").evaluate_all(
        "all => all.map(one => [one.closest('.panel').dataset.panel, one.ariaLabel])"
    )
    return sorted(({"panel": panel, **_pairs(words)} for panel, words in told), key=str)


def _pairs(words):
    return dict(one.split(": ", 1) for one in words.replace("−", "-").split("; "))


def test_it_opens_without_a_request_or_a_word_on_the_console(opened, made):
    assert opened.asked == ["about:blank", f"file://{made[0]}"] or opened.asked == [
        f"file://{made[0]}"
    ]
    assert opened.said == []


def test_what_is_drawn_is_in_the_tables(opened, made):
    _, study, tables, _ = made
    shown = _points(opened)
    assert len(shown) >= len(study.rules) * len(study.layer_map)
    table = tables["alignment"].query("convention == 'per_subject'")
    for name, value in study.report.view.model_dump().items():
        table = table[table[name].isin([value, "vector"])]
    keys = ["roi", "rule", "layer", "epoch"]
    known = table.assign(epoch=table["epoch"].astype(str)).set_index(keys)["score"]
    for one in shown:
        roi = one["panel"].partition("--")[2]
        expected = known[roi, one["rule"], one["layer"], one["epoch"]]
        assert float(one["score"]) == pytest.approx(expected, abs=6e-4)


def test_every_choice_changes_what_is_drawn_and_the_address(opened, made):
    seen = set()
    for choice in opened.locator("select[data-param]").all():
        param = choice.get_attribute("data-param")
        of_claims = param in ("claim", "order") or param.startswith("only_")
        figure = "claims" if of_claims else "trajectory"
        figure = "maps" if param == "mapped_rule" else figure
        before = _points(opened, figure)
        first, *others = choice.locator("option").all_text_contents()
        _choose(opened, param, others[-1])
        chosen, address = _points(opened, figure), opened.url.partition("#")[2]
        assert chosen != before, param
        assert f"{param}=" in address
        _choose(opened, param, first)
        assert _points(opened, figure) == before, param
        seen.add(address)
        if param in ("layer", "claim"):  # and the address alone gives the same view
            _open(opened, made[0], f"#{address}")
            assert _points(opened, figure) == chosen
            _open(opened, made[0])
    assert len(seen) >= 10


def _rdms(page):
    # what each picture of an RDM is of, and its pixels: those of the panel of conv1 and V1
    return page.locator("[data-panel='rdms-conv1--V1'] image").evaluate_all(
        """all => all.map(one => {
            const image = new Image(), canvas = document.createElement("canvas");
            image.src = one.href.baseVal;
            return image.decode().then(() => {
                [canvas.width, canvas.height] = [image.width, image.height];
                canvas.getContext("2d").drawImage(image, 0, 0);
                return [one.ariaLabel, ...canvas.getContext("2d").getImageData(0, 0, image.width,
                    image.height).data].filter((_, at) => at === 0 || at % 4 === 1);
            });
        }).reduce((all, one) => all.then((found) => one.then((last) => [...found, last])),
            Promise.resolve([]))"""
    )


def test_rdms_are_those_of_the_checkpoint_that_is_chosen(opened, made):
    shown, slider = made[3], opened.locator("[data-param=checkpoint]")
    table = shown.rdms[(shown.rdms["layer"] == "conv1") & (shown.rdms["roi"] == "V1")]
    red = np.array([colour[0] for colour in palette()])
    for at in (len(shown.epochs) - 1, 0):
        before = opened.evaluate(DRAWN)
        if at == 0:
            slider.fill("0")
            opened.wait_for_function(f"{DRAWN} !== '{before}'")
            assert "checkpoint=0" in opened.url
        rows = table[table["still"] | (table["checkpoint"] == at)]
        drawn = _rdms(opened)
        assert [_pairs(one[0])["RDM of"] for one in drawn] == list(rows["shown"])
        for (_, *pixels), codes in zip(drawn, rows["codes"], strict=True):
            square = squareform(np.frombuffer(base64.b64decode(codes), np.uint8))
            np.testing.assert_array_equal(pixels, red[square.ravel()])
    assert slider.get_attribute("aria-valuetext") == str(shown.epochs[0])
    slider.fill(str(len(shown.epochs) - 1))


def test_screen_readers_are_told_what_pictures_are_of_and_not_their_bytes(opened):
    labels = opened.locator(".panel image").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert len(labels) > 10
    assert not [one for one in labels if not one or "base64" in one]


def test_hovering_an_rdm_names_the_pair_and_its_rank(opened, made):
    shown = made[3]
    rows = shown.rdms[(shown.rdms["layer"] == "conv1") & (shown.rdms["shown"] == "brain")]
    square = squareform(np.frombuffer(base64.b64decode(rows["codes"].iloc[0]), np.uint8))
    picture = opened.locator("[data-panel='rdms-conv1--V1'] image").first
    picture.scroll_into_view_if_needed()
    side = len(shown.stimuli)
    box = picture.bounding_box()
    at = {"x": box["width"] * 7.5 / side, "y": box["height"] * 3.5 / side}
    picture.hover(position=at)
    rank = round(100 * int(square[3, 7]) / 254)
    said = opened.locator("[data-pairs]").text_content()
    assert said == f"{shown.stimuli[3]} and {shown.stimuli[7]}: less alike than {rank} % of pairs"


def test_a_claim_of_the_matrix_opens_its_curve(opened, made):
    before = opened.evaluate(DRAWN)
    opened.locator("#table-matrix a", has_text="less").click()
    opened.wait_for_function(f"{DRAWN} !== '{before}'")
    table = made[2]["claims"].query("claim == 'less' and verdict != 'missing'")
    effects = sorted(float(one["effect"]) for one in _points(opened, "claims"))
    assert effects == pytest.approx(sorted(table["effect"]), abs=6e-4)
    assert opened.locator("#curve").evaluate("one => one.getBoundingClientRect().top") < 900


def test_the_first_screen_has_the_answers_the_whole_figure_and_the_limits(browser, made):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    _open(page, made[0])
    boxes = page.locator("#answers dt, #answers .live svg, #answers h2, #answers .first li")
    ends = boxes.evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    assert len(ends) > 6
    assert max(ends) < 1000
    # what each row of the figure says in numbers is not cut
    cut = page.locator("#answers .live svg").evaluate(
        """svg => [...svg.querySelectorAll("text")].filter((one) =>
            one.getBoundingClientRect().right > svg.getBoundingClientRect().right).length"""
    )
    assert cut == 0
    page.close()


def test_nothing_is_wider_than_a_phone(browser, made):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    _open(page, made[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_on_paper_and_without_scripts_the_figures_of_the_file_stand(browser, made):
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"file://{made[0]}")
    assert page.locator(".still").first.is_visible()
    assert not page.locator(".choices").first.is_visible()
    page.close()
    page = browser.new_page()
    _open(page, made[0])
    assert not page.locator(".still").first.is_visible()
    assert not page.locator(".on-paper").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".still").first.is_visible()
    assert not page.locator(".live").first.is_visible()
    page.close()


PAPER = {"A4": (210, 297), "Letter": (216, 279)}
"""Millimetres."""
MARGIN, DOTS = 12, 96 / 25.4


@pytest.mark.parametrize("paper", PAPER)
def test_nothing_is_cut_on_paper(browser, made, paper):
    width, height = ((side - 2 * MARGIN) * DOTS for side in PAPER[paper])
    page = browser.new_page(viewport={"width": int(width), "height": int(height)})
    _open(page, made[0])
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= int(width)
    figures = page.locator(".still svg").evaluate_all(
        "all => all.map(one => [one.getBoundingClientRect(), getComputedStyle(one).breakInside])"
    )
    shown = [(box, inside) for box, inside in figures if box["height"]]
    assert len(shown) > 20
    for box, inside in shown:
        assert box["right"] <= width
        assert box["height"] <= height
        assert inside == "avoid"
    wide = page.locator("table").evaluate_all(
        "all => all.map(one => [one.id, one.getBoundingClientRect().right])"
    )
    assert [name for name, right in wide if right > width] == []
    wide = page.locator("pre").evaluate_all(
        "all => all.map(one => one.scrollWidth - one.clientWidth)"
    )
    assert len(wide) > 0
    assert max(wide) <= 0  # nobody can scroll
    assert not page.locator("#table-code").is_visible()  # a dozen pages
    assert page.locator(".on-paper").is_visible()
    pages = page.pdf(format=paper)
    assert pages.startswith(b"%PDF")
    page.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """Give the file of axe-core, which looks for what keeps users from reading a page."""
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
    try:
        subprocess.run([*command, "axe-core@4.10.3"], check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"axe-core could not be installed: the page is not checked with it ({error})")
    return folder / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, made, axe, scheme):
    page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
    _open(page, made[0])
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.add_script_tag(path=str(axe))
    found = page.evaluate("axe.run().then((all) => all.violations)")
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
    page.close()
