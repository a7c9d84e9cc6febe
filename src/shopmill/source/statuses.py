"""What datasets that count returns ask of the words of order_status."""

from pathlib import Path

from shopmill.declaration import QueryCheck
from shopmill.vocabulary import MAY_BE_A_RETURN

STATUSES_DECIDED = QueryCheck(
    "order statuses decided",
    "no order that counts as sold has a status that may mean that it came back",
    "warn",
    Path(__file__).parent / "checks" / "order_statuses_decided.sql",
    {"parts": MAY_BE_A_RETURN},
)
