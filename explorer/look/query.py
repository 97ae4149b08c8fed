"""The words one finds layers with: a name, a type, a shape, or a comparison like `kernel>3`. All that are given hold.

    conv 3x3            a name, type or shape with these letters
    type:conv           the type holds these letters; `type=Conv2d` is exactly it; so are name, block and category
    kernel>3 stride=2   any hyper-parameter by its name or short name; of a pair, one number that fits is enough
    out=56 in>=112      shapes that leave and arrive: `out=56` is any axis, `out=56x56` the last, `out=64x56x56` all
    params>1M macs>100M rf>=100 memory>4MB channels=64
    is:error is:frozen  also warning, output, input
    -type:relu          not that

What a part asks is `query_terms`' to say; nothing here knows where layers are shown. No Qt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.inference import Inference
from explorer.look.query_numbers import QueryError
from explorer.look.query_terms import EXAMPLES, Subject, Term, negated, term

__all__ = ["EXAMPLES", "Query", "QueryError", "Subject", "matching", "parse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query that was understood."""

    text: str
    terms: tuple[Term, ...]
    needs_memory: bool
    """Whether a term asks for `Subject.kept_bytes`."""

    def positions(self, subjects: Sequence[Subject]) -> Sequence[int]:
        """Where among the subjects those stand that it finds, in their order; without terms all of them."""
        found: Sequence[int] = range(len(subjects))
        for test in self.terms:
            found = [at for at in found if test(subjects[at])]
        return found


def matching(query: Query, inference: Inference, kept_bytes: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """The ids of the layers that a query finds, in the network's order; of a query without terms none.

    Args:
        kept_bytes: what training keeps of each node for one image, where the query needs that.
    """
    if not query.terms:
        return ()
    kept, reports = kept_bytes or {}, inference.nodes
    subjects = [Subject(node_id, report, kept.get(node_id)) for node_id, report in reports.items()]
    return tuple(subjects[at].node_id for at in query.positions(subjects))


def parse(text: str) -> Query:
    """Understand a query.

    Raises:
        QueryError: a part that means nothing; the message names it and says what would fit.
    """
    terms, needs_memory = [], False
    for part in text.split():
        is_negated = part.startswith("-") and len(part) > 1
        test, field = term(part[1:] if is_negated else part)
        needs_memory = needs_memory or field == "memory"
        terms.append(negated(test) if is_negated else test)
    return Query(text=text, terms=tuple(terms), needs_memory=needs_memory)
