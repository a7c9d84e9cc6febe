import re
import unicodedata

import pytest
from hostile import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from shopmill.text.clean import clean, clean_texts, duplicate_key


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  A\tgood\r\n dress \u00a0 ", "A good dress"),
        ("<p>Nice<br/>dress</p><!-- x -->", "Nice dress"),
        ("<script>alert('x')</script>ok<style>p {}</style>", "ok"),
        ("&lt;b&gt;bold&lt;/b&gt; &amp; caf&eacute;", "bold & café"),
        ("I <3 it, 5 > 4 and 3 < 4", "I <3 it, 5 > 4 and 3 < 4"),
        ("see https://shop.example/a?b=c#d, and www.example.com/x.", "see , and ."),
        ("HTTP://EXAMPLE.COM", ""),
        ("e\u0301", "é"),
        ("I’m “sure” it isn´t 5′7″", "I'm \"sure\" it isn't 5'7\""),
        ("isn\x92t \x93so\x94 \x96 it\x85 5\x80", 'isn\'t "so" – it 5€'),
        ("isn\u00e2\x80\x99t", "isn't"),
        ("isnâ€™t â€œsoâ€\x9d â€“ cafÃ©", 'isn\'t "so" – cafÃ©'),
        ("isn\\'t I\\'d 5\\'7", "isn't I'd 5\\'7"),
        ("isn\u055at isn\ua78ct isn\u02b9t isn\u05f3t ז\u05f3קט", "isn't isn't isn't isn't ז\u05f3קט"),
        ("ＶＥＲＹ ｇｏｏｄ １２ ，很好！", "VERY good 12 ，很好！"),
        ("i&amp;#39;d &lt;b&gt;buy&lt;/b&gt;", "i'd buy"),
        ("I am usually <S but this time >M", "I am usually <S but this time >M"),
        ("1234567www.example.com 看www.example.com", "[phone] 看"),
        ("看https://example.com/a很好", "看 很好"),
        ("tom@gm\u200dail.com t\u200bom@gmail.com", "[email] [email]"),
        ("می\u200cخواهم ❤\ufe0f", "می\u200cخواهم ❤\ufe0f"),
        ("ｔｏｍ＠ｇｍａｉｌ．ｃｏｍ", "[email]"),
        ("&#" + "1" * 5000, "&#[phone]"),
        ("zero\u200bwidth \u202eturned\u202c bell\x07", "zerowidth turned bell"),
        ("👩‍👩‍👧 I love it 💘", "👩‍👩‍👧 I love it 💘"),
        ("CASE stays!!! :)", "CASE stays!!! :)"),
        ("", ""),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@given(st.text(max_size=200))
def test_cleaning_leaves_one_form(text: str) -> None:
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == " ".join(cleaned.split())
    assert not re.search(r"[\x00-\x1f\x7f]", cleaned)
    assert clean(cleaned) == cleaned


ADDRESS = re.compile(r"[a-zA-Z0-9]@[a-zA-Z0-9-]+[.][a-zA-Z]")
CHARACTERS = "\\â€™“\x92ab1@.&%+'\"-_/:; ()[]<>=0#{漢é\u200b\u200d\u0301’＠０"
WORDS = (
    "@a.b (at) @1.2 mailto: %40 @gmail.com &amp; &lt; &#64; <b> </b> http:// www. 1234567 2020-01-01 <!-- --> tel 34"
)
PIECES = st.sampled_from([*CHARACTERS, *WORDS.split()])


@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_address_survives_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert not ADDRESS.search(cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_address_is_masked_whatever_stands_around_it(before: str, after: str) -> None:
    assert "@example.com" not in clean(f"{before} ann@example.com {after}")
    assert "123-4567" not in clean(f"{before} 555-123-4567 {after}")


HOSTILE = [
    "\u200d",
    "\ufe0f漢",
    "&amp;lt;",
    "a",
    "<",
    "<a",
    "<script>",
    "<script>x</script",
    "<!--",
    "</",
    "@",
    "a@",
    "a@b.",
    "a.b@",
    "a(at)b(dot)",
    "(at)",
    "1",
    "1 ",
    "1-",
    "+1(",
    "2020-01-",
    "http://",
    "http://.",
    "www.",
    "&",
    "&amp;",
    "&#",
    "&#x1",
    " ",
    "\t\n",
    "\u0315\u0300",
    "\u0344",
    "e\u0301",
    "\U0001f469\u200d",
    "é'",
    "%+",
    "漢",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_megabyte_takes_linear_time(piece: str) -> None:
    assert_linear(clean, piece)


def test_a_column_keeps_its_order_and_nulls() -> None:
    batch = clean_texts(["<b>Two Words</b>", None, "", " <br> http://x.example "])
    assert batch.to_pylist() == [
        {"text_clean": "Two Words", "text_lower": "two words", "n_chars": 9, "n_words": 2},
        {"text_clean": None, "text_lower": None, "n_chars": 0, "n_words": 0},
        {"text_clean": None, "text_lower": None, "n_chars": 0, "n_words": 0},
        {"text_clean": None, "text_lower": None, "n_chars": 0, "n_words": 0},
    ]


def test_duplicates_share_a_key() -> None:
    assert duplicate_key("Great dress!!") == duplicate_key("great, DRESS")
    assert duplicate_key("Straße") == duplicate_key("STRASSE")
    assert duplicate_key("great dress") != duplicate_key("dress great")
    assert duplicate_key("It isn't") == duplicate_key(clean("it isn’t!"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("💘", "😡"), ("Dress 👍", "Dress 👎"), ("Dress :)", "Dress :("), ("कि", "की"), ("dress", "dress ❤"), ("!", "?")],
)
def test_texts_that_differ_in_what_they_say_are_no_duplicates(one: str, other: str) -> None:
    assert duplicate_key(one) != duplicate_key(other)
