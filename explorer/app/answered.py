"""What of a network at rest is on screen already: the views' next wish is asked for only as far as it is new."""

from explorer.runs import Look, merged
from explorer.session.probe_session import ProbeRequest


class Answered:
    """What is on screen of a network at rest, so that it is not asked again."""

    def __init__(self, request: ProbeRequest | None = None, changed_ns: int | None = None) -> None:
        """Nothing yet, of what a request is about; None for what nothing is known of.

        Args:
            changed_ns: when the file of its weights was written last.
        """
        self._request = request
        self._changed_ns = changed_ns
        self.look = Look()

    def is_of(self, request: ProbeRequest, changed_ns: int | None) -> bool:
        """Whether a request is about the same network, weights, as old as these, and images."""
        known = self._request
        return known is not None and is_alike(request, known) and changed_ns == self._changed_ns

    def add(self, look: Look) -> None:
        """Take what is on screen now."""
        if self._request is not None:
            self.look = merged((look, self.look), look.probes, look.current)

    def forget_beyond(self, wanted: Look) -> None:
        """Keep only what is still wanted."""
        self.look = self.look.beyond(self.look.beyond(wanted))


def is_alike(request: ProbeRequest, other: ProbeRequest) -> bool:
    """Whether both are about the same network, weights and images, whatever is looked at."""
    return (
        request.architecture is other.architecture
        and (request.weights, request.seed, request.data, request.normalization)
        == (other.weights, other.seed, other.data, other.normalization)
        and (request.look.probes, request.look.current) == (other.look.probes, other.look.current)
    )
