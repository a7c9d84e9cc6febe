"""Makes vectors.npy from texts.json with sentence-transformers (torch on CPU); run by hand, once per model.

python make_reference.py MODEL_FOLDER   (made with torch 2.13.0 and sentence-transformers 6.2.0)
"""

import json
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]

here = Path(__file__).parent
texts = json.loads((here / "texts.json").read_text("utf-8"))
model = SentenceTransformer(sys.argv[1], device="cpu")
vectors = model.encode(texts, batch_size=1, normalize_embeddings=True)
np.save(here / "vectors.npy", vectors.astype(np.float32))
