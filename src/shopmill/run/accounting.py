"""Counts where the rows of each source table went, in the tables of a run and in what it rejected."""

from collections import defaultdict

from shopmill.declaration import TAKEN_AS_UNKNOWN
from shopmill.engine.profile import part
from shopmill.run.workspace import Workspace
from shopmill.versions.accounts import Account

# Reasons that show a value that does not fit are one reason, whatever the value.
REJECTED = f"""
    select
      source_table,
      case
        when reason like '% does not fit %{TAKEN_AS_UNKNOWN}' then split_part(reason, ': ', 1) || '{TAKEN_AS_UNKNOWN}'
        when reason like '% does not fit %' then split_part(reason, ': ', 1)
        else reason
      end as short_reason,
      count(*) as n
    from rejects
    group by all
    order by all
"""


def take_accounts(workspace: Workspace) -> tuple[Account, ...]:
    """The accounts of all source tables of a run whose tables are staged."""
    run = workspace.run
    if not run.dataset.can_reject:
        return ()
    workspace.begin(reads_all=True)
    queries = run.dataset.accounts
    workspace.prepare([*queries.values(), "select * from rejects"])
    rejected = _rejected(workspace)
    return tuple(
        Account(
            table,
            run.inputs[table].rows,
            used=counts.pop("", 0),
            not_wanted=counts,
            rejected={r: n for r, n in rejected[table].items() if not r.endswith(TAKEN_AS_UNKNOWN)},
            unknown={r: n for r, n in rejected[table].items() if r.endswith(TAKEN_AS_UNKNOWN)},
        )
        for table, query in queries.items()
        for counts in [_counts(workspace, table, query)]
    )


def _counts(workspace: Workspace, table: str, query: str) -> dict[str, int]:
    """Rows by kind; those of no kind are the used ones."""
    with part(f"account of {table}"):
        found = workspace.engine.rows(workspace.compose(query), workspace.bound)
    counts = {row["kind"] or "": int(row["row_count"] or 0) for row in found}
    return {kind: n for kind, n in sorted(counts.items()) if n or not kind}


def _rejected(workspace: Workspace) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in workspace.engine.rows(REJECTED, {}):
        found[row["source_table"]][row["short_reason"]] = int(row["n"])
    return found
