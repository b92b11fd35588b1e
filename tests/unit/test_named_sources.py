"""Sources and paths of a study are refused by their key, before anything is planned."""

import copy

import pytest
from snakemake.io import WILDCARD_REGEX
from snakemake.pathvars import PATHVAR_REGEX

from complete_studies import complete
from rulealign.config.load import load_study
from rulealign.data import sources
from rulealign.errors import ConfigurationError


@pytest.fixture
def study(project, tmp_path):
    """Give a function: changes of a study of given images and RDMs -> the study."""
    plain = complete(project / "studies/cichy92_quick.yaml")
    label = next(iter(plain["stimuli"]))
    roi = next(iter(plain["brain"]["rois"]))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    (tmp_path / "rdms.npz").touch()

    def changed(images=tmp_path / "images", rdms=tmp_path / "rdms.npz"):
        one = copy.deepcopy(plain)
        one["stimuli"][label] = {
            "kind": "folder",
            "source": str(images),
            "background": "grey",
            "as_shown": True,
        }
        one["brain"]["rois"][roi]["source"] = str(rdms)
        return load_study(one)

    changed.images, changed.rdms = f"stimuli.{label}.source", f"brain.rois.{roi}.source"
    return changed


def test_sources_that_fit_are_taken(study):
    sources.require_sources(study())
    sources.refuse_placeholders(study())


def test_a_source_that_is_not_there_is_named_by_its_key(study, tmp_path):
    with pytest.raises(ConfigurationError, match=f"{study.images}: .*no such file or folder"):
        sources.require_sources(study(images=tmp_path / "none"))
    with pytest.raises(ConfigurationError, match=f"{study.rdms}: .*no such file or folder"):
        sources.require_sources(study(rdms=tmp_path / "none.npz"))


def test_an_archive_in_place_of_a_folder_of_images_is_refused_with_the_remedy(study, tmp_path):
    (tmp_path / "images.zip").touch()
    with pytest.raises(ConfigurationError, match=rf"{study.images}: .*images\.zip.*unpack"):
        sources.require_sources(study(images=tmp_path / "images.zip"))


def test_a_folder_in_place_of_a_file_of_rdms_is_refused(study, tmp_path):
    with pytest.raises(ConfigurationError, match=f"{study.rdms}: .*must be a file of RDMs"):
        sources.require_sources(study(rdms=tmp_path / "images"))


ODD = ["{word}", "a{ word , x+}b", "<word>", "{0}", "{a.b}"]
ODD += ["{", "a}b", "{}", "<Word>", "{a b}", "100% [x] (y) $z"]


@pytest.mark.parametrize("name", ODD)
def test_a_path_is_refused_where_snakemake_takes_it_for_a_pattern(study, tmp_path, name):
    taken = WILDCARD_REGEX.search(name) or PATHVAR_REGEX.search(name)
    (tmp_path / name).mkdir()
    named = study(images=tmp_path / name)
    if not taken:
        sources.refuse_placeholders(named)
        return
    with pytest.raises(ConfigurationError, match=f"{study.images}: .*placeholder"):
        sources.refuse_placeholders(named)


def test_a_file_in_a_folder_of_images_is_refused_likewise(study, tmp_path):
    (tmp_path / "images" / "{word}.png").touch()
    with pytest.raises(ConfigurationError, match=f"{study.images}: .*{{word}}.png.*rename"):
        sources.refuse_placeholders(study())
