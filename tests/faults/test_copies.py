"""Data that appear twice are named, and stop the study unless it says why."""

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError
from scipy.stats import spearmanr

from rulealign.config.study import Reason
from rulealign.data.check import check_inputs
from rulealign.data.copies import same_rdms
from rulealign.data.images.training_set import build
from rulealign.data.training_sets.image_folder import ImageFolder
from rulealign.errors import DataError
from rulealign.plan.settings.training import TrainingSetSettings
from rulealign.store import read_csv, write_h5

IDS = ["ant", "bee", "cat", "dog", "emu"]
N_PAIRS = 10
WHY = "a pilot, scanned twice"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pictures(rng):
    return rng.integers(0, 256, (len(IDS), 8, 8, 3), dtype=np.uint8)


class Inputs:
    """Stimulus sets and brain RDMs, as prepared; to be changed before they are checked."""

    def __init__(self, folder, rng):
        self.folder = folder
        self.images = {("grey", 8): pictures(rng), ("white", 8): pictures(rng)}
        names = [(subject, roi) for subject in ("01", "02", "03") for roi in ("V1", "IT")]
        self.rdms = {name: rng.random(N_PAIRS) for name in names}
        self.responses = {}

    def check(self, **copies):
        stimuli = [self.folder / f"stim-{s}_px-{size}_images.h5" for s, size in self.images]
        brain = [self.folder / f"sub-{s}_roi-{r}_rdm.h5" for s, r in self.rdms]
        contents = [*self.images.values(), *self.rdms.values()]
        for path, content in zip([*stimuli, *brain], contents, strict=True):
            name = "images" if content.ndim > 1 else "rdm"
            about = {"size": content.shape[1]} if content.ndim > 1 else {}
            ids = {"stimulus": IDS}
            write_h5(path, {name: content}, ids=ids, settings={}, attributes=about)
        responses = [self.folder / f"sub-{s}_roi-{r}_responses.h5" for s, r in self.responses]
        for path, content in zip(responses, self.responses.values(), strict=True):
            write_h5(path, {"responses": content.astype(np.float32)}, ids={}, settings={})
        output = self.folder / "inputs.csv"
        reasons = {key.replace("__", "-"): why for key, why in copies.items()}
        check_inputs(stimuli, brain, responses, output, reasons)
        return read_csv(output)


@pytest.fixture
def inputs(tmp_path, rng):
    return Inputs(tmp_path, rng)


def test_different_data_pass_and_no_copy_is_listed(inputs):
    # another subject who agrees well is no copy
    inputs.rdms["02", "V1"] = inputs.rdms["01", "V1"] + 0.01 * inputs.rdms["02", "V1"]
    table = inputs.check()
    assert set(table["kind"]) == {"stimuli", "brain RDM"}
    assert table["copy"].isna().all()


@pytest.mark.parametrize(
    "change",
    [
        lambda rdm: rdm,
        lambda rdm: 100 * rdm,
        lambda rdm: rdm.astype(np.float32),
        lambda rdm: rdm + 1,
    ],
    ids=["as it is", "in percent", "single precision", "as similarity"],
)
@pytest.mark.parametrize("copy", [("02", "V1"), ("01", "IT"), ("03", "IT")])
def test_an_rdm_that_is_there_twice_is_named_with_the_remedy(inputs, copy, change):
    inputs.rdms[copy] = change(inputs.rdms["01", "V1"])
    name = f"sub-{copy[0]}_roi-{copy[1]}"
    message = rf'^{name}: its RDM is that of sub-01_roi-V1\. .*`copies: {{"{name}": "the reason'
    with pytest.raises(DataError, match=message):
        inputs.check()


KEEP_ORDER = {
    "squared": np.square,
    "roots": np.sqrt,
    "logarithms": np.log,
    "ranks": lambda rdm: np.argsort(np.argsort(rdm)) + 1.0,
    "two decimals": lambda rdm: np.round(rdm, 2),
    "one decimal": lambda rdm: np.round(rdm, 1),
}


@pytest.mark.parametrize("change", KEEP_ORDER.values(), ids=KEEP_ORDER)
@pytest.mark.parametrize("n_pairs", [45, 4186])
def test_an_rdm_whose_pairs_are_in_the_order_of_another_is_its_copy(rng, change, n_pairs):
    one, other = rng.random((2, n_pairs))
    found = same_rdms({"a": one, "b": other, "c": change(one)})
    assert found == {"c": "a"}
    assert same_rdms({"c": change(one), "b": other, "a": one}) == {"a": "c"}


def test_subjects_who_agree_well_and_rdms_of_few_levels_are_no_copies(rng):
    one, noise = rng.random((2, 66))
    assert spearmanr(one, agreeing := one + 0.05 * noise).statistic > 0.98
    assert not same_rdms({"a": one, "b": agreeing})
    categories = np.digitize(one, [0.3, 0.6])  # no pair is in another order than its levels
    assert not same_rdms({"a": categories.astype(float), "b": np.digitize(one, [0.3]) * 1.0})
    few = rng.random(6)
    assert not same_rdms({"a": few, "b": few**2})


@pytest.mark.parametrize("change", [lambda values: values, lambda values: 3 * values])
def test_the_responses_of_one_subject_under_two_names_are_named(inputs, rng, change):
    for name in inputs.rdms:
        inputs.responses[name] = rng.standard_normal((50, 30))
    assert inputs.check()["copy"].isna().all()
    # trials of another order make another RDM of the same responses
    inputs.responses["02", "V1"] = change(inputs.responses["01", "V1"])
    message = "^sub-02_roi-V1: its responses are those of sub-01_roi-V1. .*`copies: {"
    with pytest.raises(DataError, match=message):
        inputs.check()
    table = inputs.check(sub__02_roi__V1=WHY).set_index("file")
    assert table.loc["sub-02_roi-V1", "copy"] == "its responses are those of sub-01_roi-V1"


def test_a_reason_lets_a_copy_pass_and_is_recorded(inputs):
    inputs.rdms["02", "V1"] = inputs.rdms["01", "V1"]
    table = inputs.check(sub__02_roi__V1=WHY).set_index("file")
    assert table.loc["sub-02_roi-V1", "reason"] == WHY
    assert table.loc["sub-02_roi-V1", "copy"] == "its RDM is that of sub-01_roi-V1"


def test_a_reason_for_one_copy_does_not_silence_another(inputs):
    inputs.rdms["02", "V1"] = inputs.rdms["03", "IT"] = inputs.rdms["01", "V1"]
    with pytest.raises(DataError, match="^sub-03_roi-IT: its RDM is that of sub-01_roi-V1"):
        inputs.check(sub__02_roi__V1=WHY)


def test_a_reason_for_what_is_no_copy_is_refused(inputs):
    with pytest.raises(DataError, match="copies: 'sub-02_roi-V1' is no copy of anything"):
        inputs.check(sub__02_roi__V1=WHY)


@pytest.mark.parametrize("reason", ["", "yes", "true", "-- !", " ok "])
def test_a_reason_that_is_no_sentence_is_none(reason):
    with pytest.raises(ValidationError):
        TypeAdapter(Reason).validate_python(reason)
    assert TypeAdapter(Reason).validate_python(WHY) == WHY


def test_one_image_under_two_ids_is_named(inputs):
    inputs.images["white", 8][3] = inputs.images["white", 8][1]
    with pytest.raises(DataError, match="^dog: in stim-white, it is the same image as bee"):
        inputs.check()
    assert "dog" in set(inputs.check(dog="shown twice on purpose")["file"])


def test_images_that_are_alike_only_where_they_are_small_pass(inputs, rng):
    small = np.zeros((len(IDS), 4, 4, 3), dtype=np.uint8)
    large = rng.integers(0, 256, (len(IDS), 16, 16, 3), dtype=np.uint8)
    inputs.images |= {("grey", 4): small, ("grey", 16): large}
    assert inputs.check()["copy"].isna().all()


def test_two_stimulus_sets_of_the_same_images_are_named(inputs):
    inputs.images["white", 8] = inputs.images["grey", 8]
    with pytest.raises(DataError, match="^stim-white: it has the images of stim-grey"):
        inputs.check()
    assert "stim-white" in set(inputs.check(stim__white="to see the seeds' noise")["file"])


def training_folder(folder, rng, held_out):
    for split, count in (("train", 3), ("test", 2)):
        for label in ("ant", "bee"):
            (folder / split / label).mkdir(parents=True)
            for place, image in enumerate(pictures(rng)[:count]):
                Image.fromarray(image).save(folder / split / label / f"{place}.png")
    if held_out:
        image = Image.open(folder / "train" / "ant" / "1.png")
        image.save(folder / "test" / "bee" / "1.png", compress_level=1)  # other bytes, same pixels
    return folder


@pytest.mark.parametrize(
    ("copied", "explained"), [(False, False), (True, True), (True, False), (False, True)]
)
def test_held_out_images_that_networks_train_on_are_counted(tmp_path, rng, copied, explained):
    source = training_folder(tmp_path / "images", rng, copied)
    folder = ImageFolder(
        kind="image-folder", source="./images", image_size=8, train_images=6, held_out_images=4
    )
    settings = TrainingSetSettings(training_set=folder, study_seed=1, copies_explained=explained)
    if copied == explained:
        build(settings, source, tmp_path / "set.h5")
        return
    message = (
        "^held-out: 1 of the 4 held-out images of .* are training images too"
        if copied
        else ("'held-out' is no copy of anything")
    )
    with pytest.raises(DataError, match=message):
        build(settings, source, tmp_path / "set.h5")
