"""Texts per second and peak memory of the encoder, and of sentence-transformers where it can be imported.

python benchmarks/encode.py [--texts 2000] [--threads 2] [--rounds 3] [--reference-python PATH]
python benchmarks/encode.py --provider cuda --texts 100000      # fp32 and fp16 on a GPU, beside the reference on the same card

Each contender runs in a process of its own, in turns, on the same seeded texts; the best round counts. The reference
may live in another environment (`pip install torch sentence-transformers`), named by its Python; without it, only
shopmill's own figures are printed. Look at the load of the machine first: torch suffers far more from neighbours.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

FABRICS = ["jersey", "cotton", "denim", "viscose", "linen", "wool", "fleece", "satin", "corduroy", "jacquard"]
RIVAL = "sentence-transformers"
PRECISIONS = {"cpu": ("fp32", "int8"), "cuda": ("fp32", "fp16")}
KINDS = ["dress", "top", "skirt", "blouse", "cardigan", "jacket", "shirt", "jumper", "coat", "vest"]
_DETAILS = (
    "long sleeves|buttons at the front|a round neckline|narrow shoulder straps|an elasticated waist|a zip at the back|"
    "side pockets|a detachable belt|ribbed cuffs and hem|a yoke with pleats|slits in the sides|wide, flared legs|"
    "a high waist|a lined bodice|a printed motif on the front"
)
DETAILS = _DETAILS.split("|")


def catalogue(count: int) -> list[str]:
    """Descriptions of 8 to 44 words, 37 tokens on average, as a fashion shop writes them."""
    chance = random.Random(0)
    return [_article(chance) for _ in range(count)]


def _article(chance: random.Random) -> str:
    details = chance.sample(DETAILS, chance.randint(1, 10))
    item = f"{chance.choice(FABRICS)} {chance.choice(KINDS)}"
    return f"Soft {item} with {', '.join(details)}. Size {chance.randint(32, 48)}."


SHOPMILL = """
from shopmill.text.encoder import Encoder
from shopmill.text.model import find_model
model = find_model(cache=Path(job["cache"]), precision=job["contender"])
encoder = Encoder(model, threads=job["threads"], provider=job["provider"])
assert encoder.provider == job["provider"], f"{job['provider']} cannot be used here"
encode = encoder.encode
"""
REFERENCE = """
import torch
from sentence_transformers import SentenceTransformer
torch.set_num_threads(job["threads"])
model = SentenceTransformer(job["model"], device=job["provider"])
if job["contender"].endswith("fp16"):
    model.half()
batch = 32 if job["provider"] == "cpu" else 1024  # on the GPU: the quickest of 128, 256, 512, 1024 and 2048
encode = lambda texts: model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
"""
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
job = json.load(open(sys.argv[1]))
{load}
encode(job["texts"][:50])
started = time.perf_counter()
encode(job["texts"])
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps([len(job["texts"]) / seconds, peak]))
"""


def measure(python: str, load: str, job: dict[str, object]) -> tuple[float, int]:
    """Texts per second and peak memory in MiB of one process."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        command = [python, "-c", PROGRAM.format(load=load), file.name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    rate, peak = json.loads(done.stdout.splitlines()[-1])
    return rate, peak


def has_reference(python: str) -> bool:
    return (
        subprocess.run([python, "-c", "import sentence_transformers"], capture_output=True, check=False).returncode == 0
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--provider", choices=list(PRECISIONS), default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference-python", default=sys.executable)
    chosen = parser.parse_args()

    from shopmill.text.model import default_model

    with tempfile.TemporaryDirectory() as cache:
        folder = default_model(Path(cache)).tokenizer.parent
        job = {
            "texts": catalogue(chosen.texts),
            "threads": chosen.threads,
            "provider": chosen.provider,
            "cache": cache,
            "model": str(folder),
        }
        precisions = PRECISIONS[chosen.provider]
        contenders = dict.fromkeys(precisions, (sys.executable, SHOPMILL))
        if has_reference(chosen.reference_python):
            contenders |= {
                f"{RIVAL} {precision}": (chosen.reference_python, REFERENCE)
                for precision in precisions
                if precision != "int8"  # which it has no own way to compute
            }
        for name, contender in contenders.items():  # makes the ONNX files, warms the disk
            measure(*contender, {**job, "contender": name, "texts": catalogue(50)})
        rounds: dict[str, list[tuple[float, int]]] = {name: [] for name in contenders}
        for _ in range(chosen.rounds):
            for name, contender in contenders.items():
                rounds[name].append(measure(*contender, {**job, "contender": name}))
    report(rounds)


def report(rounds: dict[str, list[tuple[float, int]]]) -> None:
    """A line for each contender; `times` is its rate over that of the reference in the same precision, else in fp32."""
    best = {name: max(rate for rate, _ in results) for name, results in rounds.items()}
    print(f"{'':28}{'texts/s':>9}{'times':>8}{'peak MiB':>10}   all rounds")
    for name, results in rounds.items():
        rate = best[name]
        reference = best.get(f"{RIVAL} {name.split()[-1]}", best.get(f"{RIVAL} fp32"))
        times = f"{rate / reference:.1f}" if reference else "-"
        every = " ".join(f"{rate:.0f}" for rate, _ in results)
        print(f"{name:28}{rate:9.0f}{times:>8}{max(peak for _, peak in results):10}   {every}")


if __name__ == "__main__":
    main()
