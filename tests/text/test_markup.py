import pytest
from hostile import assert_linear

from shopmill.text.markup import unescape, without_tags


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        ("i&#39;d", "i'd"),
        ("i&amp;#39;d", "i'd"),
        ("i&amp;amp;amp;amp;amp;amp;#x27;d", "i'd"),
        ("i&#38;#38;amp;#39;d", "i'd"),
        ("i&#39d", "i'd"),
        ("&lt;3 caf&eacute; &amp; bar", "<3 café & bar"),
        ("&amp;lt;b&amp;gt;", "<b>"),
        ("R&D, tops&not&bottoms, a&b;", "R&D, tops&not&bottoms, a&b;"),
        ("this &amp that", "this & that"),
        ("&#" + "1" * 5000 + ";", "&#" + "1" * 5000 + ";"),
        ("&#x110000;", "\ufffd"),
    ],
)
def test_entities_are_decoded_until_none_is_left(raw: str, decoded: str) -> None:
    assert unescape(raw) == decoded
    assert unescape(decoded) == decoded


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<p>Nice<br/>dress</p><!-- x > <b>y</b> -->", " Nice dress  "),
        ("<script>if (a < b) alert('x')</script>ok<style type='a'>p {}</style >", " ok "),
        ('<a href="x">link</a> <IMG SRC=x>', " link   "),
        ("<input disabled/><TD NoWrap>x", "  x"),
        ("<o:p></o:p><my-tag>a</my-tag>", "   a "),
        ("<!DOCTYPE html><?xml version='1'?><![CDATA[text]]>", "  " + " text "),
        ("<!--[if gte mso 9]><xml>a</xml><![endif]-->ok", " ok"),
    ],
)
def test_tags_and_what_is_not_for_reading_go(raw: str, text: str) -> None:
    assert without_tags(raw) == text


@pytest.mark.parametrize(
    "text",
    [
        "I am usually <S but this time >M",
        "I <3 it, 5 > 4 and 3 < 4",
        "a<b and c>d",
        "<sarcasm>great</sarcasm>",
        "<10 wears, >20 washes",
        "price <i think> 20",
        "<!-- never closed",
        "size<M or size>L",
    ],
)
def test_prose_stays(text: str) -> None:
    assert without_tags(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a",
        "<a ",
        "<a b",
        "<a=",
        "<script>",
        "<script>x</script",
        "<!--",
        "<![",
        "</",
        "&",
        "&amp;",
        "&#",
        "&#x1",
        "&#0",
        "&amp",
    ],
)
def test_a_hostile_megabyte_takes_linear_time(piece: str) -> None:
    assert_linear(lambda text: without_tags(unescape(text)), piece)
