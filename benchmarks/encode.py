"""Texts per second, seconds of the processor and peak memory of the encoder and its rivals, and how near their vectors are.

python benchmarks/encode.py [--texts 2000] [--threads 2] [--rounds 3] [--reference-python PATH] [--openvino-python PATH]
    [--fastembed-python PATH] [--model2vec-python PATH]
python benchmarks/encode.py --provider cuda --texts 100000      # fp32 and fp16 on a GPU, beside the reference on the same card

Each contender runs in a process of its own, in turns, on the same seeded texts; the best round counts. A rival lives in
another environment, named by its Python (`pip install torch sentence-transformers`; `openvino nncf tokenizers`; `fastembed`;
`"model2vec[distill]"`); without one, only shopmill's own figures are printed. Nothing is fetched from a hub. Look at the load
of the machine first: torch suffers far more from neighbours. On a busy one compare the milliseconds of the processor.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from shopmill.text.model import Model

Vectors = npt.NDArray[np.float32]
NEIGHBOURS = 10
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
OPENVINO = """
import os
os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np, openvino
from tokenizers import Tokenizer
core = openvino.Core()
tokenizer = Tokenizer.from_file(job["model"] + "/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
def ids_of(texts):
    return [one.ids for one in tokenizer.encode_batch(texts)]
graph = core.read_model(job["onnx"])
if job["contender"].endswith("int8"):
    kept = Path(job["cache"]) / "openvino-int8.xml"
    if not kept.exists():
        import nncf
        rows = nncf.Dataset([np.array([ids], np.int32) for ids in ids_of(job["calibration"])])
        openvino.save_model(nncf.quantize(graph, rows, model_type=nncf.ModelType.TRANSFORMER), kept)
    graph = core.read_model(kept)
precision = "f32"  # as its own default is bf16 where the processor has it
threads = {"INFERENCE_NUM_THREADS": job["threads"], "PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
compiled = core.compile_model(graph, "CPU", threads)
queue = openvino.AsyncInferQueue(compiled, job["threads"])
def done(request, place):
    vectors, rows = place
    hidden = request.get_output_tensor().data.mean(axis=1)
    vectors[rows] = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
queue.set_callback(done)
def encode(texts):  # as shopmill: texts of equal length together, 512 tokens at once, for its graph has no mask
    ids = ids_of(texts)
    by_length = {}
    for row, one in enumerate(ids):
        by_length.setdefault(len(one), []).append(row)
    vectors = np.zeros((len(texts), 384), np.float32)
    for length, rows in sorted(by_length.items(), reverse=True):
        step = max(1, 512 // length)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            queue.start_async([np.array([ids[row] for row in part], np.int32)], (vectors, part))
    queue.wait_all()
    return vectors
"""
FASTEMBED = """
import os
os.environ["HF_HUB_OFFLINE"] = "1"
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
file = job["contender"].split()[-1] + ".onnx"
TextEmbedding.add_custom_model(
    model="shopmill", pooling=PoolingType.MEAN, normalization=True, sources=ModelSource(hf="shopmill/none"), dim=384,
    model_file=file,
)
model = TextEmbedding("shopmill", threads=job["threads"], specific_model_path=job["masked"])
encode = lambda texts: list(model.embed(texts))
"""
MODEL2VEC = """
import os
os.environ["HF_HUB_OFFLINE"] = "1"
from model2vec import StaticModel
kept = Path(job["cache"]) / "model2vec"
if not kept.exists():
    from model2vec.distill import distill
    distill(model_name=job["model"], device="cpu").save_pretrained(kept)
model = StaticModel.from_pretrained(kept)
encode = lambda texts: model.encode(texts)
"""
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
job = json.load(open(sys.argv[1]))
{load}
import numpy as np
encode(job["texts"][:50])
used, started = time.process_time(), time.perf_counter()
found = encode(job["texts"])
seconds, used = time.perf_counter() - started, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)
status = Path("/proc/self/status")
if status.exists():  # where ru_maxrss of a child is that of its parent at least
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) // 2**10
if hasattr(found, "column"):
    found = found.column("embedding").to_pylist()
np.save(job["vectors"], np.array(found, np.float32))
print(json.dumps([len(job["texts"]) / seconds, used * 1000 / len(job["texts"]), peak]))
"""


@dataclass(frozen=True)
class Cost:
    """Texts per second, milliseconds of the processor for a text, and MiB at most."""

    rate: float
    cpu_ms: float
    peak_mib: int


def measure(python: str, load: str, job: dict[str, object]) -> tuple[Cost, Vectors]:
    """What one process took, and its vectors."""
    with tempfile.TemporaryDirectory() as folder:
        file, vectors = Path(folder) / "job.json", Path(folder) / "vectors.npy"
        file.write_text(json.dumps({**job, "vectors": str(vectors)}))
        command = [python, "-c", PROGRAM.format(load=load), str(file)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{job['contender']} failed:\n{done.stderr[-2000:]}")
        return Cost(*json.loads(done.stdout.splitlines()[-1])), np.load(vectors)


def can_import(python: str, package: str) -> bool:
    return (
        bool(python)
        and not subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode
    )


def with_mask(model: "Model", cache: Path, folder: Path) -> None:
    """Writes the product's graph as fastembed feeds one: numbers of 64 bits, and a mask, for it fills texts up to one length."""
    import onnx

    from shopmill.text.model import quantized

    whole = onnx.load(model.onnx)
    graph = whole.graph
    shape = [dimension.dim_param for dimension in graph.input[0].type.tensor_type.shape.dim]
    for node in graph.node:
        node.input[:] = ["ids_32" if name == "input_ids" else name for name in node.input]
        if node.op_type == "Attention":
            node.input.append("mask_32")  # its fourth input, after what is attended, weights and bias
    del graph.input[:]
    for place, (fed, read) in enumerate({"input_ids": "ids_32", "attention_mask": "mask_32"}.items()):
        graph.input.append(onnx.helper.make_tensor_value_info(fed, onnx.TensorProto.INT64, shape))
        graph.node.insert(place, onnx.helper.make_node("Cast", [fed], [read], to=onnx.TensorProto.INT32))
    folder.mkdir()
    for file in model.tokenizer.parent.glob("*.json"):
        (folder / file.name).symlink_to(file)
    onnx.save(whole, folder / "fp32.onnx")
    (folder / "int8.onnx").symlink_to(quantized(replace(model, onnx=folder / "fp32.onnx"), cache).onnx)


def contenders_of(chosen: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """The Python and the program of each contender that can be had."""
    precisions = PRECISIONS[chosen.provider]
    found = dict.fromkeys(precisions, (sys.executable, SHOPMILL))
    if can_import(chosen.reference_python, "sentence_transformers"):  # which has no own way to compute int8
        found |= {f"{RIVAL} {p}": (chosen.reference_python, REFERENCE) for p in precisions if p != "int8"}
    if can_import(chosen.openvino_python, "openvino"):
        found |= {f"openvino {p}": (chosen.openvino_python, OPENVINO) for p in precisions}
    if can_import(chosen.fastembed_python, "fastembed"):
        found |= {f"fastembed {p}": (chosen.fastembed_python, FASTEMBED) for p in precisions}
    if can_import(chosen.model2vec_python, "model2vec"):
        found["model2vec"] = (chosen.model2vec_python, MODEL2VEC)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--provider", choices=list(PRECISIONS), default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference-python", default=sys.executable)
    for rival in ("openvino", "fastembed", "model2vec"):
        parser.add_argument(f"--{rival}-python", default="", help=f"the Python of an environment that has {rival}")
    chosen = parser.parse_args()

    from shopmill.text.model import default_model

    contenders = contenders_of(chosen)
    with tempfile.TemporaryDirectory() as cache:
        model = default_model(Path(cache))
        job = {
            "texts": catalogue(chosen.texts),
            "calibration": catalogue(chosen.texts + 300)[chosen.texts :],
            "threads": chosen.threads,
            "provider": chosen.provider,
            "cache": cache,
            "model": str(model.tokenizer.parent),
            "onnx": str(model.onnx),
            "masked": f"{cache}/masked",
        }
        if chosen.fastembed_python:
            with_mask(model, Path(cache), Path(f"{cache}/masked"))
        for name, contender in contenders.items():  # makes the files of the models, warms the disk
            measure(*contender, {**job, "contender": name, "texts": catalogue(50)})
        rounds: dict[str, list[Cost]] = {name: [] for name in contenders}
        vectors: dict[str, Vectors] = {}
        for _ in range(chosen.rounds):
            for name, contender in contenders.items():
                cost, vectors[name] = measure(*contender, {**job, "contender": name})
                rounds[name].append(cost)
    report(rounds, vectors)


def report(rounds: dict[str, list[Cost]], vectors: dict[str, Vectors]) -> None:
    """A line for each contender; `times` is its rate over that of the reference in the same precision, else in fp32."""
    best = {name: max(cost.rate for cost in costs) for name, costs in rounds.items()}
    print(
        f"{'':28}{'texts/s':>9}{'times':>8}{'ms of the processor':>21}{'peak MiB':>10}{'cosine':>8}{'recall@10':>11}   all rounds"
    )
    for name, costs in rounds.items():
        reference = best.get(f"{RIVAL} {name.split()[-1]}", best.get(f"{RIVAL} fp32"))
        times = f"{best[name] / reference:.1f}" if reference else "-"
        ours = vectors["fp32"]
        near = f"{cosine(vectors[name], ours):.4f}" if vectors[name].shape == ours.shape else "-"
        used, peak = min(cost.cpu_ms for cost in costs), max(cost.peak_mib for cost in costs)
        every = " ".join(f"{cost.rate:.0f}" for cost in costs)
        print(
            f"{name:28}{best[name]:9.0f}{times:>8}{used:21.2f}{peak:10}{near:>8}{recall(vectors[name], ours):11.3f}   {every}"
        )


def cosine(found: Vectors, ours: Vectors) -> float:
    """The mean cosine to the vectors of shopmill in fp32."""
    return float(np.mean(np.sum(found * ours, axis=1)))


def recall(found: Vectors, ours: Vectors) -> float:
    """The share of each text's ten nearest others in fp32 that are among its ten nearest by these vectors."""
    return float(np.mean([len(a & b) / NEIGHBOURS for a, b in zip(_nearest(found), _nearest(ours), strict=True)]))


def _nearest(vectors: Vectors) -> list[set[int]]:
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2)
    return [set(row) for row in np.argpartition(similarity, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].tolist()]


if __name__ == "__main__":
    main()
