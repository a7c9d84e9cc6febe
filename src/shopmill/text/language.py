"""Which language a text is in, with a confidence; from bundled data, offline, the same on every run."""

from collections.abc import Sequence

import pyarrow as pa
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from shopmill.text.strings import Texts, as_list

# ISO 639-1. The fewer the candidates, the surer a short text; zxx is text without language, such as sizes and prices.
_CODES = "en de fr es it pt nl sv da no fi pl cs sk hu ro bg el tr ru uk ar he fa hi ja zh ko id vi th zxx"
LANGUAGES = tuple(_CODES.split())
LEAST_CONFIDENCE = 0.5
MOST_CHARACTERS = 5_000  # a language shows in the first page; a hostile megabyte must not cost seconds

SCHEMA = pa.schema(
    [pa.field("lang", pa.string()), pa.field("lang_confidence", pa.float64(), metadata={"unit": "probability"})]
)


class LanguageDetector:
    """Detects one of `languages`; below `least_confidence`, as short texts often are, none."""

    def __init__(
        self, languages: Sequence[str] | None = LANGUAGES, *, least_confidence: float = LEAST_CONFIDENCE
    ) -> None:
        self.least_confidence = least_confidence
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages(languages)

    def detect(self, text: str) -> tuple[str | None, float]:
        """Return the language, or None when unsure, and the probability of the best guess in [0, 1]."""
        language, confidence = self._identifier.classify(text[:MOST_CHARACTERS])
        rounded = round(float(confidence), 4)
        known = rounded >= self.least_confidence and language != "zxx"
        return (language if known else None), rounded

    def detect_texts(self, texts: Texts) -> pa.RecordBatch:
        """Detect a column: SCHEMA's columns, in order. A null or empty text has neither language nor confidence."""
        found = [self.detect(text) if text else (None, None) for text in as_list(texts)]
        columns = [pa.array([f[0] for f in found], pa.string()), pa.array([f[1] for f in found], pa.float64())]
        return pa.record_batch(columns, schema=SCHEMA)
