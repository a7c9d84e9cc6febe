import os
import subprocess
import sys

import pytest

from shopmill.text.language import LANGUAGES, LanguageDetector


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


def test_the_candidates_are_a_parameter() -> None:
    assert LanguageDetector(["en", "de"]).detect("Le tissu est plus fin que prévu.")[0] in {"en", "de", None}
    with pytest.raises(ValueError, match="Unknown language"):
        LanguageDetector(["xx"])


def test_two_detectors_do_not_share_their_languages(detector: LanguageDetector) -> None:
    LanguageDetector(["de"])
    assert detector.detect("The fabric is thinner than I expected.")[0] == "en"
    assert "en" in LANGUAGES


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
