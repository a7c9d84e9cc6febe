"""How often a short review gets its language, without and with the languages that a shop expects.

    python benchmarks/languages.py

The reviews are 160 of one to five words in eight languages, 20 each, written for this purpose:
tests/text/reference/short_reviews.csv. No public corpus was at hand that labels the language of texts this short.
"""

import csv
from pathlib import Path

from shopmill.text.language import LanguageDetector

REVIEWS = Path(__file__).parent.parent / "tests" / "text" / "reference" / "short_reviews.csv"
EXPECTED = ("", "en", "en,pt", "de,en", "en,fr", "en,sv", "de,en,es,fr,it,nl,pt,sv")


def main() -> None:
    with REVIEWS.open(encoding="utf-8") as file:
        reviews = [(row["language"], row["text"]) for row in csv.DictReader(file)]
    print("expected | reviews in them: right, wrong, none | others: taken for an expected one")
    for expected in EXPECTED:
        languages = expected.split(",") if expected else []
        detector = LanguageDetector(languages)
        found = [(language, detector.detect(text)[0]) for language, text in reviews]
        inside = [(given, got) for given, got in found if given in languages or not languages]
        outside = [got for given, got in found if languages and given not in languages]
        right = sum(given == got for given, got in inside)
        none = sum(got is None for _, got in inside)
        taken = sum(got in languages for got in outside)
        shares = (
            f"{right / len(inside):.0%}, {(len(inside) - right - none) / len(inside):.0%}, {none / len(inside):.0%}"
        )
        print(f"{expected or 'any':24} | {shares:14} | {f'{taken / len(outside):.0%}' if outside else '-'}")


if __name__ == "__main__":
    main()
