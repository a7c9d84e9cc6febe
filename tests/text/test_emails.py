import re

import pytest
from hostile import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from shopmill.text.emails import EMAIL, mask_emails

ADDRESS = re.compile(r"[a-zA-Z0-9]@[a-zA-Z0-9-]+[.][a-zA-Z]")  # as the check of reviews_nlp looks for it


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com",
        "ann.o'hara+shop@mail.example.co.uk",
        "ANN@EXAMPLE.COM",
        "jürgen@müller.example",
        "tom@xn--mnchen-3ya.de",
        "иван@почта.рф",
        "张三@例子.公司",
        "ann!x#y$z=1@example.com",
        '"ann b"@example.com',
        '"ann@b"@example.com',
        "mailto:ann@example.com",
        "ann@[192.168.1.1]",
        "ann@[IPv6:2001:db8::1]",
        "ann [at] example [dot] com",
        "ann(at)example.com",
        "ann {at} example {dot} com",
        "name (at) mail dot com",
        "ann@mail dot com",
        "ann (ät) beispiel (punkt) de",
        "ann at gmail dot com",
        "ann at gmail.com",
        "ann [at] gmail . com",
        "ann at uol dot com dot br",
        "ann{at}example.com",
        "ann%40example.com",
        "=@example.com",
        "ann @ gmail.com",
        "ann@ hotmail . co.uk",
        "ann\uff20example\uff0ecom",
        "ann@qq\u3002com",
        "ann@gmail.com@example.com",
        "a" * 500 + "@example.com",
    ],
)
def test_an_address_is_masked_whole(address: str) -> None:
    assert mask_emails(f"write to {address}, please") == f"write to {EMAIL}, please"
    assert mask_emails(f"<{address}>") == f"<{EMAIL}>"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("tom@gmail.com&anna@gmail.com", "[email]&[email]"),
        ("tom@gmail.com,anna@gmail.com;bo@gmail.com", "[email],[email];[email]"),
        ("tom@gmail.com%20anna@gmail.com", "[email]%[email]"),
        ("tom@gmail.com'anna@gmail.com", "[email]'[email]"),
        ("tom@gmail.com. Thanks", "[email]. Thanks"),
        ("请联系tom@gmail.com谢谢你们", "请联系[email]谢谢你们"),
        ("邮箱:tom@qq.com。谢谢", "邮箱:[email]。谢谢"),
        ("メールはtom@gmail.comまで", "メールは[email]まで"),
        ("문의는 tom@gmail.com으로", "문의는 [email]으로"),
        ("ติดต่อtom@gmail.comได้", "ติดต่อ[email]ได้"),
    ],
)
def test_what_stands_around_an_address_stays(text: str, masked: str) -> None:
    assert mask_emails(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "me@home, @shop, a@b",
        "meet at example dot com",
        "3 dresses@29.99 each",
        "bought @ zara.com",
        "look at me . It is nice",
        "at (at) at",
        'he said "wow" and left',
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert mask_emails(text) == text


PIECES = st.sampled_from(
    [*"ab1@.&%+'\"-_/:; ()[]<>", "@", "@a.b", "(at)", " dot ", "@1.2", "mailto:", "%40", "漢", "é", "@gmail.com"]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_address_survives_and_masking_again_changes_nothing(text: str) -> None:
    masked = mask_emails(text)
    assert not ADDRESS.search(masked)
    assert mask_emails(masked) == masked


@given(st.emails(), st.text(max_size=20), st.text(max_size=20))
def test_any_valid_address_is_masked(address: str, before: str, after: str) -> None:
    assert address not in mask_emails(f"{before} {address} {after}")


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a@",
        "@",
        "a@b.",
        "a.b@",
        "a(at)b(dot)",
        "(at)",
        '"',
        '"@',
        'a"',
        "mailto:",
        "a at gmail",
        "gmail ",
        "@[1",
        "漢@",
        "漢a@",
    ],
)
def test_a_hostile_megabyte_takes_linear_time(piece: str) -> None:
    assert_linear(lambda text: mask_emails(f"{text} @ gmail.com"), piece)
