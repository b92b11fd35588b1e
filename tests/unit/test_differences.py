"""Where two settings differ, in words."""

import pytest

from rulealign.rerun.differences import WIDTH, differences

ITEM = {"roi": "V1", "about": "x" * 100, "plus": [{"rule": "fa", "epoch": 2}], "smallest": 1}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (
            [ITEM | {"label": "a", "smallest": 2}, ITEM | {"label": "b"}],
            ["claims.a.smallest: 1 -> 2"],
        ),
        (
            [ITEM | {"label": "a"}, ITEM | {"label": "b", "plus": [{"rule": "fa", "epoch": 0}]}],
            ["claims.b.plus.epoch: 2 -> 0"],
        ),
        ([ITEM | {"label": "a"}], ["claims.b: gone, was "]),
        ([{"label": "c"}, ITEM | {"label": "a"}, ITEM | {"label": "b"}], ["claims.c: new, "]),
        (
            [ITEM | {"label": "b"}, ITEM | {"label": "a"}],
            ['claims: order ["a", "b"] -> ["b", "a"]'],
        ),
    ],
)
def test_items_with_labels_are_compared_by_them(new, expected):
    old = [ITEM | {"label": "a"}, ITEM | {"label": "b"}]
    found = list(differences({"claims": old}, {"claims": new}))
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_of_items_without_labels_those_that_only_one_side_has_are_compared():
    old = [{"x": 1}, {"x": 2}]
    assert list(differences(old, [{"x": 1}, {"x": 3}], "k")) == ["k.x: 2 -> 3"]
    assert list(differences(old, [{"x": 1}, {"y": 5}, {"x": 2}])) == ['a list: new, {"y": 5}']
    assert list(differences(old, [{"x": 2}])) == ['a list: gone, was {"x": 1}']
    assert list(differences(old, old[::-1], "k")) == [
        'k: order ["{\\"x\\":1}", "{\\"x\\":2}"] -> ["{\\"x\\":2}", "{\\"x\\":1}"]'
    ]
    assert list(differences([*old, *old], [*old, old[0]])) == ['a list: gone, was {"x": 2}']
    twice = [{"label": "a"}, {"label": "a", "x": 1}]
    assert list(differences(twice, twice[:1])) == ['a list: gone, was {"label": "a", "x": 1}']
    many = list(range(100))
    assert list(differences(many, [*many[:50], "50", *many[51:]])) == ["a list: 50 -> '50'"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a" * 500 + "b", "a" * 500 + "c"),
        ("a" * 500, "a" * 501),
        ("a" * 59, "a" * 70),
        ("a" * 57 + "...", "a" * 80),
        (1, "1"),
        (True, "true"),
        ("", '""'),
        (["x" * 80, "y"], ["x" * 80, "z"]),
    ],
)
def test_what_differs_differs_in_print_and_stays_short(old, new):
    (line,) = differences(old, new, "key")
    before, after = line.split(": ", 1)[1].split(" -> ")
    assert before != after
    assert len(line) < 2 * WIDTH + 30


def test_types_differ_though_values_are_equal():
    assert list(differences({"x": 1}, {"x": True})) == ["x: 1 -> true"]
    assert list(differences({"x": [1, {"y": 2}]}, {"x": [1, {"y": 2}]})) == []
    assert len(next(differences({"x": "a" * 500}, {"x": ""}))) < 80
