import pytest
from hostile import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from shopmill.text.phones import PHONE, mask_phones


@pytest.mark.parametrize(
    "number",
    [
        "+49 30 1234567",
        "+ 49 30 1234567",
        "+687 20.12.34",
        "(555) 123-4567",
        "555-123-4567",
        "555.123.4567",
        "555_123_4567",
        "0049 (0)30 / 123 456 78",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "01-23-45-67-89",
        "12 34 56 78",
        "070-123 45 67",
        "5551234",
        "+15551234567",
        "555\u2013123\u20134567",
        "555\u2212123\u22124567",
        "٠١٢٣٤٥٦٧٨٩",
        "०९८७६५४३२१",
        "０９０－１２３４－５６７８",
        "０９０ー１２３４ー５６７８",
        "（０３）１２３４－５６７８",
        "090・1234・5678",
        "555-123-4567 555-987-6543",
        "22 123 45 67",
        "0\u20e37\u20e30\u20e31\u20e32\u20e33\u20e34\u20e35\u20e36\u20e37\u20e3",
        "070,123,45,67",
        "070;123;4567",
        "070|123|4567",
        "070:123:4567",
        "070=123=4567",
        "070\\123\\4567",
        "(070),123,4567",
    ],
)
def test_a_telephone_number_is_masked(number: str) -> None:
    assert mask_phones(f"reach me: {number}, please") == f"reach me: {PHONE}, please"


@pytest.mark.parametrize(
    "before", ["Tel.", "Nr.", "tel:", "Tel", "电话", "手机号", "電話は", "№", "x,", "#", "p", "Ж", "/", "'"]
)
def test_what_stands_right_before_a_number_does_not_hide_it(before: str) -> None:
    assert mask_phones(f"{before}0701234567") == f"{before}{PHONE}"
    assert mask_phones(f"{before}13812345678") == f"{before}{PHONE}"


@pytest.mark.parametrize(
    "text",
    [
        "bought on 2020-09-22 or 22.09.2020, 10/10",
        "1920 1080",
        "1920-1080 or 1366 768, upright 1080 1920",
        "1920*1080, 2560*1440",
        "120*80*200",
        "20200922",
        "20200922-20200930, 20200922 20200923",
        "20200922 101500, 20200922_1015, 20200922101500",
        "22092020",
        "2020-09-22 10:15:30, 2020.09.22 10:15",
        "2019/20 2020/21, 2019-20 2020-21",
        "163-50-80",
        "163-50-80, 170-86-60-90",
        "13 03 2018",
        "01 03 2018",
        "13. 03. 2018",
        "Sept 22 2020 2021",
        "2018 03 13",
        "12.03.18 13.03.18",
        "2019-2020 collection, size 38-40",
        "2015 2016 2017",
        "(1533-1592)",
        "1821 -1881",
        "ISBN: 3-499-22670-1, EAN 4006381333931",
        "2015/2016/2017",
        "29.99 or 1,299.00, not 3 for 20",
        "19.99 29.99 39.99",
        "19.99-29.99",
        "$1234567",
        "1234567 €",
        "1234567 kr",
        "1,299,000.00",
        "12.345.678,90 kr",
        "3.14159265",
        "3,14159265",
        "1000000 times, 1 000 000 times, 1.000.000 times",
        "5'7 and 130 lbs, 34-26-36",
        "5'3 120-123lbs",
        "5'3 120 34 26 36",
        "5 ft 3 120 lbs",
        "34-29-38/39",
        "86-66-94 / 90",
        "100-86-106",
        "173/60/85",
        "120 130 140 lbs",
        "34 36 38 40",
        "0 2 4 6 8 10 12",
        "1 2 3 4 5 6 7",
        "38-40 40-42",
        "10/10 10/10",
        "10 / 10 10 / 10",
        "4.5 4.5 5.0 3.5",
        "isbn no. 0-306-40615-2, ISSN 2049-3630, ISBN:978-3-16-148410-0",
        "barcode 4006381333931, SKU: 01087750, sku#1234567",
        "art. nr 0108775015, item no. 12345678, item #12345678, Artikelnummer: 0108775015",
        "version 10.15.7.19, iOS 14.4.2.10, IP 192.168.100.200",
        "59.329323 18.068581",
        "59.329323, -18.068581",
        "22/09/2020-25/09/2020",
        "22/09/2020 - 25/09/2020",
        "22.9.-25.9.2020",
        "22-09-20 23-09-20",
        "2.500.000 VND, ₽1234567, 1234567円, ₩1234567, 1234567 руб",
        "10 000 - 15 000 mAh",
        "32/34 33/34",
        "1/2 3/4 1/4 1/8",
        "9-17 10-16 12-15",
        "RGB 255 255 255",
        "01:02:03:04, 02,04,06,08,10",
        "123456",
    ],
)
def test_what_is_no_telephone_number_stays(text: str) -> None:
    assert mask_phones(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("2020-09-22 0701234567", f"2020-09-22 {PHONE}"),
        ("0701234567 120 lbs", f"{PHONE} 120 lbs"),
        ("5'3 555-123-4567", f"5'3 {PHONE}"),
        ("5 0701234567", PHONE),
        ("(555 1234567) ok", f"({PHONE}) ok"),
        ("tel 34 36 38 40", f"tel {PHONE}"),
        ("0701234567, 34 36 38 40", f"{PHONE}, 34 36 38 40"),
        ("19.99 0701234567", f"19.99 {PHONE}"),
        ("this item 0701234567", f"this item {PHONE}"),
        ("sku +46701234567", f"sku {PHONE}"),
        ("version 0701234567", f"version {PHONE}"),
        ("order no 1234567", f"order no {PHONE}"),
        ("06/12 34/56", PHONE),
        ("22-33 44-55", PHONE),
        ("20200922 0701234567", f"20200922 {PHONE}"),
        ("20200922 +46 70 1234567", f"20200922 {PHONE}"),
        ("01092020 0701234567", PHONE),
        ("(030) 20200922", PHONE),
        ("tel 20200922", f"tel {PHONE}"),
        ("tel 1920 1080", f"tel {PHONE}"),
        ("20201322", PHONE),
        ("20200932", PHONE),
        ("1921 1080", PHONE),
        ("123-45-67", PHONE),
        ("163-50-08", PHONE),
        ("+7 163-50-80", PHONE),
    ],
)
def test_only_the_number_is_masked(text: str, masked: str) -> None:
    assert mask_phones(text) == masked


@given(st.text(alphabet="0123456789 ./-,()+'$lbs٣", max_size=40))
def test_masking_again_changes_nothing(text: str) -> None:
    masked = mask_phones(text)
    assert mask_phones(masked) == masked


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_number_is_masked_whatever_stands_around_it(before: str, after: str) -> None:
    assert "555-123-4567" not in mask_phones(f"{before} +1 555-123-4567 {after}")


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "1-",
        "+1(",
        "2020-01-",
        "1 000 ",
        "10/10 ",
        "(",
        "+",
        "1.2,",
        "5'3 ",
        "9.99 ",
        "2015 ",
        "٣",
        "34 36 38 40 lbs ",
        "0\u20e3",
        "01,",
        "070:123:",
        "9-17 ",
        "1/2 ",
        "12.3456 ",
        "20200922 ",
        "20200922",
        "20200922-1015-",
        "120*",
        "163-50-",
        "1920 1080 ",
    ],
)
def test_a_hostile_megabyte_takes_linear_time(piece: str) -> None:
    assert_linear(mask_phones, piece)
