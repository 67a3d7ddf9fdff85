"""Proofs: expected results of a story, compared with the actual ones and printed."""

from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape


@dataclass(frozen=True, slots=True)
class Proof:
    name: str
    expected: object
    seen: object

    @property
    def holds(self) -> bool:
        return self.expected == self.seen


class Proofs:
    """The proofs of a run; each is printed when it is added."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._proofs: list[Proof] = []

    def add(self, name: str, *, expected: object, seen: object) -> None:
        proof = Proof(name, expected, seen)
        self._proofs.append(proof)
        if proof.holds:
            self.console.print(f"  [green]✓[/] {escape(name)}: [bold]{_shown(seen)}[/]")
            return
        self.console.print(f"  [red]✗ {escape(name)}[/]")
        self.console.print(f"    [red]expected {_shown(expected)}, seen {_shown(seen)}[/]")

    def fault(self, fault: Exception) -> None:
        """Record a failed proof for a story that did not run to its end."""
        self.add("the story runs to its end", expected="no fault", seen=repr(fault))

    @property
    def exit_code(self) -> int:
        return 0 if self._proofs and all(proof.holds for proof in self._proofs) else 1

    def conclude(self) -> None:
        held = sum(proof.holds for proof in self._proofs)
        colour = "red" if self.exit_code else "green"
        self.console.print(f"\n[bold {colour}]{held} of {len(self._proofs)} proofs hold[/]")


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return escape(", ".join(str(part) for part in value) or "none")
    return escape(str(value))
