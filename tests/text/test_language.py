import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shopmill.text.language import NO_LANGUAGE, LanguageDetector
from shopmill.text.languages import KNOWN, USUAL, writable


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The fabric is thinner than I expected.", "en"),
        ("Der Stoff ist dünner, als ich erwartet hatte.", "de"),
        ("Le tissu est plus fin que prévu.", "fr"),
        ("La tela es más fina de lo que esperaba.", "es"),
        ("Jag älskar den här klänningen", "sv"),
        ("Платье из мягкого хлопка", "ru"),
        ("とても着心地がいいです", "ja"),
    ],
)
def test_detects(detector: LanguageDetector, text: str, language: str) -> None:
    found, confidence = detector.detect(text)
    assert found == language
    assert 0.5 <= confidence <= 1


@pytest.mark.parametrize("text", ["ok", "👍", "12345", "XL", "[email] [phone]"])
def test_a_text_too_short_to_tell_has_no_language(detector: LanguageDetector, text: str) -> None:
    found, confidence = detector.detect(text)
    assert found is None
    assert confidence < 0.5


def test_the_threshold_is_a_parameter() -> None:
    assert LanguageDetector(least_confidence=0).detect("Love it")[0] == "en"
    assert LanguageDetector(least_confidence=0.99).detect("Très joli")[0] is None


@pytest.mark.parametrize("text", ["Perfect!", "Love it", "ok", "So comfy", "XL", "Great product"])
def test_a_short_text_is_in_the_language_that_the_shop_expects(text: str) -> None:
    assert LanguageDetector(["en"]).detect(text) == ("en", 1.0)


@pytest.mark.parametrize(
    ("text", "language"),
    [("Perfect!", "en"), ("Love it", "en"), ("Adorei", "pt"), ("Muito bom", "pt"), ("Não gostei", "pt")],
)
def test_of_several_expected_languages_the_likeliest_is_taken(text: str, language: str) -> None:
    assert LanguageDetector(["en", "pt"]).detect(text)[0] == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Stoff ist dünner, als ich erwartet hatte.", "de"),
        ("很好", "zh"),
        ("良い", "ja"),
        ("Хорошо", None),
        ("👍", None),
        ("12345", None),
        ("[email] [phone]", None),
    ],
)
def test_what_is_clearly_not_expected_is_not_taken_for_it(text: str, language: str | None) -> None:
    assert LanguageDetector(["en"]).detect(text)[0] == language


def test_a_script_decides_between_expected_languages() -> None:
    assert LanguageDetector(["en", "ru"]).detect("Хорошо") == ("ru", 1.0)
    assert "en" not in writable("Хорошо")
    assert {"en", "zh"} <= writable("iPhone很好")


def test_every_known_language_can_be_expected() -> None:
    detector = LanguageDetector(KNOWN)
    assert set(detector._identifier.nb_classes) == {*KNOWN, NO_LANGUAGE}
    assert detector.detect("El vestit és molt maco i la tela és de bona qualitat.")[0] == "ca"


def test_two_detectors_do_not_share_their_languages(detector: LanguageDetector) -> None:
    LanguageDetector(["ca"])
    assert detector.detect("The fabric is thinner than I expected.")[0] == "en"
    assert set(detector._identifier.nb_classes) == {*USUAL, NO_LANGUAGE}


@pytest.mark.parametrize(("expected", "least"), [("en", 1), ("en,pt", 0.9), ("en,sv", 0.95), ("de,en", 0.9)])
def test_short_reviews_in_expected_languages_mostly_get_theirs(expected: str, least: float) -> None:
    languages = expected.split(",")
    with (Path(__file__).parent / "reference" / "short_reviews.csv").open(encoding="utf-8") as file:
        reviews = [(row["language"], row["text"]) for row in csv.DictReader(file) if row["language"] in languages]
    detector = LanguageDetector(languages)
    assert sum(detector.detect(text)[0] == language for language, text in reviews) >= least * len(reviews)


SHORT = Path(__file__).parent / "reference" / "short_reviews.csv"


@pytest.mark.parametrize("expected", ["", "en,pt"])
def test_no_portuguese_review_is_taken_for_english(expected: str) -> None:
    """Nor, where nothing is expected, any other that is not English: it would have a sentiment."""
    detector = LanguageDetector([code for code in expected.split(",") if code])
    with SHORT.open(encoding="utf-8") as file:
        reviews = [(row["language"], row["text"]) for row in csv.DictReader(file) if row["language"] != "en"]
    asked = [text for language, text in reviews if language == "pt" or not expected]
    assert len(asked) == (20 if expected else len(reviews))
    assert [text for text in asked if detector.detect(text)[0] == "en"] == []


@pytest.mark.parametrize(
    "text",
    [
        "Adorei", "Péssimo", "Obrigado", "Tudo certo", "Ótimo produto", "Gute Qualität", "Empfehlenswert", "Slecht",
        "Stor i storleken", "J'adore", "Veste bene", "Me encanta", "Talla grande", "Rápido",
    ],
)  # fmt: skip
def test_what_is_far_likelier_in_another_language_is_not_the_expected_one(text: str) -> None:
    assert LanguageDetector(["en"]).detect(text)[0] != "en"


def test_words_that_say_nothing_are_in_none_of_several_expected_languages() -> None:
    assert LanguageDetector(["en", "pt"]).detect("Bom")[0] is None
    assert LanguageDetector(["en"]).detect("ok")[0] == "en"


def test_a_column_keeps_its_order_and_nulls(detector: LanguageDetector) -> None:
    rows = detector.detect_texts(["The colour is as in the picture.", None, ""]).to_pylist()
    assert [row["lang"] for row in rows] == ["en", None, None]
    assert [row["lang_confidence"] is None for row in rows] == [False, True, True]


PROGRAM = """
from shopmill.text.language import LanguageDetector
words = "the soft dress der weiche Stoff la robe douce tela suave".split()
texts = [" ".join(words[i * k % len(words)] for k in range(i * 7)) for i in range(60)]
print(LanguageDetector().detect_texts(texts).to_pylist())
"""


def test_the_threads_of_the_matrix_library_change_nothing() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(found) == 1
    assert b"lang" in found.pop()
