"""Whether the disk has room for a run, asked before it computes."""

from shopmill.engine.choice import works_in_store
from shopmill.engine.limits import free_bytes, in_words
from shopmill.errors import StoreError
from shopmill.run.run import Run


def refuse_too_little_room(run: Run) -> None:
    """StoreError where scratch space has less room than the inputs take: what is computed of them is written there.

    A cluster that works in the store writes nothing here.
    """
    if works_in_store(run.settings):
        return
    needed = sum(file.bytes for snapshot in run.inputs.values() for file in snapshot.files)
    folder = run.store.scratch_folder
    free = free_bytes(folder)
    if free < needed:
        raise StoreError(
            f"Scratch space in {folder} is too small for {run.dataset.name}: {in_words(free)} are free, and its inputs alone "
            f"have {in_words(needed)}. Free disk, or set SHOPMILL_WORK_FOLDER to a larger one."
        )
