"""Declarations: parameters as they are given, and every dataset in order."""

from decimal import Decimal

import pytest

from shopmill import datasets
from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError
from shopmill.run.checks import row_rules
from shopmill.source.contract import TABLES


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("integer", "3", 3),
        ("integer", 3, 3),
        ("decimal", "0.10", Decimal("0.10")),
        ("decimal", 0.1, Decimal("0.1")),
        ("text", "x", "x"),
        ("boolean", "True", True),
        ("boolean", False, False),
    ],
)
def test_a_parameter_is_read_as_its_type(kind: str, given: object, expected: object) -> None:
    assert Parameter("p", kind, 0, "a parameter").parse(given) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("integer", "3.5"), ("integer", True), ("integer", None), ("decimal", "NaN"), ("decimal", "Infinity"),
     ("decimal", "x"), ("decimal", ""), ("boolean", "yes"), ("boolean", 1), ("integer", 11), ("decimal", "-1")],
)  # fmt: skip
def test_anything_else_is_refused_by_name(kind: str, given: object) -> None:
    with pytest.raises(InvalidInputError, match="Parameter p="):
        Parameter("p", kind, 0, "a parameter", 0, 10).parse(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("integer", 2**63), ("integer", -(2**63) - 1), ("decimal", "1e400"), ("decimal", "1e18"), ("decimal", "1e-19"),
     ("decimal", "0.1234567890123456789")],
)  # fmt: skip
def test_a_number_that_no_engine_holds_is_refused(kind: str, given: object) -> None:
    with pytest.raises(InvalidInputError, match=r"Parameter p=.* too (large|fine)"):
        Parameter("p", kind, 0, "a parameter").parse(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given"), [("integer", 2**63 - 1), ("decimal", "-999999999999999999.999999999999999999")]
)
def test_the_largest_numbers_are_read(kind: str, given: object) -> None:
    assert str(Parameter("p", kind, 0, "a parameter").parse(given)) == str(given)  # type: ignore[arg-type]


def test_a_choice_is_one_of_its_values() -> None:
    mode = Parameter("mode", "text", "ordered", "how", choices=("ordered", "strict", "any"))
    assert mode.parse("strict") == "strict"
    with pytest.raises(
        InvalidInputError, match=r"mode='strikt' must be one of ordered, strict, any. Did you mean 'strict'"
    ):
        mode.parse("strikt")
    with pytest.raises(InvalidInputError, match=r"must be one of ordered, strict, any\.$"):
        mode.parse("")


def test_a_list_names_choices_in_any_order() -> None:
    languages = Parameter("languages", "text", "", "which", choices=("de", "en", "pt"), is_list=True)
    assert languages.parse("") == ""
    assert languages.parse(" pt,en , pt") == "en,pt"
    with pytest.raises(InvalidInputError, match=r"languages='en,pr' must be a list of de, en, pt"):
        languages.parse("en,pr")


def test_the_default_of_every_parameter_is_allowed() -> None:
    for declared in datasets.load_all():
        assert declared.parse_parameters({p.name: p.default for p in declared.all_parameters}) == (
            declared.parse_parameters({})
        )


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_told() -> None:
    with pytest.raises(InvalidInputError, match=r"no parameter 'wieght'.*view_weight"):
        datasets.load("user_item_interactions").parse_parameters({"wieght": 1})


def test_an_unknown_dataset_is_refused_and_the_known_ones_are_told() -> None:
    with pytest.raises(InvalidInputError, match=r"no dataset 'x'.*user_item_interactions"):
        datasets.load("x")


@pytest.mark.parametrize("name", datasets.names())
def test_a_declaration_is_whole(name: str) -> None:
    dataset = datasets.load(name)
    published = [table.name for table in dataset.tables]
    assert dataset.name == name
    assert sorted(table for task in dataset.tasks for table in task.tables) == sorted(published)
    assert dataset.can_reject == bool(dataset.inputs)  # who reads the shop's rows judges them
    assert {needed.table for needed in dataset.inputs} <= set(TABLES)
    facts = [needed for needed in dataset.inputs if TABLES[needed.table].is_fact]
    assert not facts or any(needed.is_fresh for needed in facts)
    for table in dataset.tables:
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert set(table.key) <= set(names)
        assert all(column.meaning for column in table.columns)
        assert all(column.required for column in table.columns if column.name in table.key)
        rules = [rule.name for rule in row_rules(table)]
        assert len(set(rules)) == len(rules)
    for parameter in dataset.parameters:
        assert parameter.parse(str(parameter.default)) == parameter.default


@pytest.mark.parametrize("name", datasets.names())
def test_what_narrows_a_table_is_a_table_on_the_way_that_comes_before_it(name: str) -> None:
    dataset = datasets.load(name)
    computed = [table for task in dataset.tasks for table in task.tables]
    for narrowed in (table for table in dataset.tables if table.narrowed_by):
        table = dataset.table(narrowed.narrowed_by)
        assert not table.published
        assert not table.narrowed_by
        assert [(column.name, column.type) for column in table.columns] == [("day", "date")]
        assert computed.index(table.name) < computed.index(narrowed.name)
