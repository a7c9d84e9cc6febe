import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from shopmill.errors import StoreError
from shopmill.text.cache import EmbeddingCache, embed, folder_of, in_shard, text_hash, text_hashes
from shopmill.text.encoder import Encoder
from shopmill.versions.store import Store

TEXTS = [f"red dress number {i}" for i in range(100)]


class Counting:
    """A real store that counts what is read and written, and can lose the race for a key."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.created: list[str] = []
        self.was_read: list[str] = []
        self.before_create: Callable[[], object] = lambda: None

    def keys(self, prefix: str) -> list[str]:
        return self.store.keys(prefix)

    def read(self, key: str) -> bytes:
        self.was_read.append(key)
        return self.store.read(key)

    def create(self, key: str, data: bytes) -> bool:
        action, self.before_create = self.before_create, lambda: None
        action()
        done = self.store.create(key, data)
        self.created += [key] if done else []
        return done


@pytest.fixture
def files(tmp_path: Path) -> Counting:
    return Counting(Store(str(tmp_path)))


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def test_the_hash_is_the_databases(encoder: Encoder) -> None:
    text = "Größe 38 - ok 🙂"
    row = duckdb.connect().execute("select sha256(?)", [text]).fetchone()
    assert row == (text_hash(text),)
    assert text_hashes([text, None]).to_pylist() == [hashlib.sha256(text.encode()).hexdigest(), None]


def test_one_changed_text_in_a_hundred_encodes_only_that(encoder: Encoder, files: Counting) -> None:
    cache = EmbeddingCache(files, encoder)
    first = embed(TEXTS, encoder, cache)
    assert (first.encoded, first.cached) == (100, 0)
    changed = embed([*TEXTS[:-1], "something else"], encoder, cache)
    assert (changed.encoded, changed.cached) == (1, 99)
    assert changed.table.slice(0, 99).equals(first.table.slice(0, 99))


def test_a_second_run_encodes_and_writes_nothing_and_gives_the_same_bytes(encoder: Encoder, files: Counting) -> None:
    first = embed(TEXTS, encoder, EmbeddingCache(files, encoder))
    written = list(files.created)
    second = embed(TEXTS, encoder, EmbeddingCache(files, encoder))
    assert (second.encoded, second.cached) == (0, 100)
    assert files.created == written
    assert as_bytes(second.table) == as_bytes(first.table)


def test_vectors_are_those_of_the_encoder_in_the_order_of_the_texts(encoder: Encoder, files: Counting) -> None:
    texts = ["blue", "red", "blue", None, "", "a " * 300]
    found = embed(pa.array(texts), encoder, EmbeddingCache(files, encoder))
    assert found.encoded == 4
    assert found.table.drop_columns("text_hash").to_pylist() == encoder.encode(texts).to_pylist()
    assert found.table["text_hash"].to_pylist() == text_hashes(texts).to_pylist()


def test_no_texts_give_no_rows(encoder: Encoder, files: Counting) -> None:
    found = embed([], encoder, EmbeddingCache(files, encoder))
    assert (found.table.num_rows, found.encoded, found.cached) == (0, 0, 0)
    assert files.created == []


def test_another_model_or_precision_has_its_own_vectors(
    encoder: Encoder, int8_encoder: Encoder, files: Counting
) -> None:
    embed(["red"], encoder, EmbeddingCache(files, encoder))
    assert embed(["red"], int8_encoder, EmbeddingCache(files, int8_encoder)).encoded == 1
    assert folder_of("a", "b") != folder_of("b", "a")


def test_a_lost_race_leaves_each_text_once_and_both_with_the_winners_vector(encoder: Encoder, files: Counting) -> None:
    cache = EmbeddingCache(files, encoder)
    other = EmbeddingCache(files.store, encoder)
    files.before_create = lambda: embed(["red", "green"], encoder, other)
    embed(["red", "blue"], encoder, cache)
    stored = [other.find(text_hashes([text])).num_rows for text in ("red", "green", "blue")]
    assert stored == [1, 1, 1]
    assert files.store.keys(cache.folder) == [f"{cache.folder}/0000000{i}.parquet" for i in (0, 1)]


def test_many_writers_at_once(encoder: Encoder, files: Counting) -> None:
    caches = [EmbeddingCache(files.store, encoder) for _ in range(4)]
    found: dict[int, bytes] = {}

    def work(i: int) -> None:
        found[i] = as_bytes(embed(TEXTS[i * 5 : 40 + i * 5], encoder, caches[i]).table.slice(20 - i * 5, 20))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found.values())) == 1
    assert caches[0].find(text_hashes(TEXTS[:55])).num_rows == 55


def test_a_killed_run_goes_on_where_it_was(encoder: Encoder, files: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopmill.text.cache.TEXTS_PER_FILE", 30)

    def stop_at_the_third(done: int, total: int) -> None:
        assert total == 100
        if done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(TEXTS, encoder, EmbeddingCache(files, encoder), stop_at_the_third)
    again = embed(TEXTS, encoder, EmbeddingCache(files, encoder))
    assert (again.encoded, again.cached) == (40, 60)


def test_a_file_is_looked_into_once_and_its_vectors_are_read_only_where_wanted(
    encoder: Encoder, files: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopmill.text.cache.TEXTS_PER_FILE", 10)
    cache = EmbeddingCache(files, encoder)
    embed(TEXTS[:50], encoder, cache)
    assert sorted(files.was_read) == files.created, "each once, for its vectors: what is in them was known"
    files.was_read.clear()
    embed(["something else"], encoder, cache)
    assert files.was_read == files.created[-1:]
    files.was_read.clear()
    fresh = EmbeddingCache(files, encoder)
    for _ in range(3):
        fresh.missing(text_hashes(TEXTS))
    assert files.was_read == files.created


def test_a_spoiled_file_is_named(encoder: Encoder, files: Counting) -> None:
    cache = EmbeddingCache(files, encoder)
    files.store.create(f"{cache.folder}/00000000.parquet", b"not parquet")
    with pytest.raises(StoreError, match=r"00000000\.parquet is no file of embeddings"):
        embed(["red"], encoder, cache)


def test_every_text_is_in_exactly_one_shard() -> None:
    hashes = text_hashes([*TEXTS, None])
    marks = [in_shard(hashes, i, 3).to_pylist() for i in range(3)]
    assert [sum(column) for column in zip(*marks, strict=True)] == [1] * 100 + [0]
    assert min(sum(mark) for mark in marks) > 15
