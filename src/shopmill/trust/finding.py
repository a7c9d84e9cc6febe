"""What `shopmill verify` says of a store: a finding for each difference."""

from dataclasses import asdict, dataclass

REPAIR = "Run `shopmill repair`."
AGAIN = "Verify again when the registry works."
"""Ways out that several findings have."""


@dataclass(frozen=True)
class Finding:
    """A difference: where it is, what is wrong, and what to do about it."""

    dataset: str
    as_of: str
    where: str
    fault: str
    way_out: str

    def document(self) -> dict[str, str]:
        """As JSON has it."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """In one line."""
        return f"{self.where} {self.fault}. {self.way_out}"
