"""Files of a mapping: one SELECT, with the parts that it asks for."""

from pathlib import Path

import pytest

from shopmill.errors import InvalidInputError
from shopmill.source.select_file import read_select


def test_parts_come_before_the_select(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "placed.sql").write_text("-- orders\nselect 1 as id;\n")
    (tmp_path / "parts" / "sold.sql").write_text("select id from placed")
    (tmp_path / "orders.sql").write_text("-- with placed, sold\n-- more\nselect id as order_id from sold;")
    assert read_select(tmp_path / "orders.sql") == (
        "with placed as (\n-- orders\nselect 1 as id\n),\nsold as (\nselect id from placed\n)\n"
        "select * from (\n-- with placed, sold\n-- more\nselect id as order_id from sold\n) as mapped"
    )


def test_a_select_without_parts_is_itself(tmp_path: Path) -> None:
    (tmp_path / "orders.sql").write_text("-- with care\nwith one as (select 1 as id) select id from one")
    with pytest.raises(InvalidInputError, match="asks for the part care"):
        read_select(tmp_path / "orders.sql")
    (tmp_path / "orders.sql").write_text("-- With care: with one\nwith one as (select 1 as id) select id from one")
    assert read_select(tmp_path / "orders.sql").startswith("-- With care")


def test_a_part_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "orders.sql").write_text("-- with placed\nselect id from placed")
    with pytest.raises(
        InvalidInputError, match=r"orders\.sql asks for the part placed, and .*parts/placed\.sql does not exist"
    ):
        read_select(tmp_path / "orders.sql")
