"""Proofs: what a story must lead to, compared with what was seen, and printed either way."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Proofs:
    """Every proof of a run; prints each as it comes."""

    console: Console
    all: list[Proof] = field(default_factory=list)

    def add(self, name: str, *, expected: object, seen: object) -> None:
        proof = Proof(name, expected, seen)
        self.all.append(proof)
        if proof.holds:
            self.console.print(f"  [green]✓[/] {escape(name)}: [bold]{_shown(seen)}[/]")
            return
        self.console.print(f"  [red]✗ {escape(name)}[/]")
        self.console.print(f"    [red]expected {_shown(expected)}, seen {_shown(seen)}[/]")

    def fault(self, fault: Exception) -> None:
        """A story that could not be played to its end proves nothing."""
        self.add("this is played to its end", expected="no fault", seen=repr(fault))

    @property
    def exit_code(self) -> int:
        return 0 if self.all and all(proof.holds for proof in self.all) else 1

    def conclude(self) -> None:
        held = sum(proof.holds for proof in self.all)
        colour = "red" if self.exit_code else "green"
        self.console.print(f"\n[bold {colour}]{held} of {len(self.all)} proofs hold[/]")


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return escape(", ".join(str(part) for part in value) or "none")
    return escape(str(value))
