"""What an error that nobody has foreseen may say."""

from shopmill.errors import cause_in_a_line


def test_the_cause_is_one_line_and_shows_no_address_that_an_engine_quotes() -> None:
    error = ValueError("Could not convert string 'ada@example.com' to INT64.\nLINE 1: select ...")
    assert cause_in_a_line(error) == "ValueError: Could not convert string ••• to INT64"
    assert cause_in_a_line(KeyError()) == "KeyError"
