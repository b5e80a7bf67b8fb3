"""When the server may offer: one offer at a time, what changes meanwhile waits for its answer. Pure; docs/protocol.md section 2."""

ANSWER_S = 10.0
"""How long an answer is waited for before the next offer goes out all the same."""


class OfferTurn:
    """The turn taking on one member's receiving connections, one after another. `now` is in seconds.

    Offers are numbered here, on from one connection to the next, so that an answer to a connection that was replaced
    is never taken for one to its successor.
    """

    def __init__(self) -> None:
        self.is_wanted = False
        """Whether something changed that only an offer can tell."""
        self._number = 0
        self._unanswered: int | None = None
        self._sent_at = 0.0

    def want(self) -> None:
        """Something changed that only an offer can tell."""
        self.is_wanted = True

    def is_due(self, now: float) -> bool:
        """Whether an offer should go out now."""
        return self.is_wanted and (self._unanswered is None or now >= self._sent_at + ANSWER_S)

    def sent(self, transport_number: int, now: float) -> int:
        """An offer goes out that its transport numbers so; returns the number by which the member knows it."""
        self.is_wanted = False
        self._number += 1
        self._unanswered = transport_number
        self._sent_at = now
        return self._number

    def answered(self, number: int) -> int | None:
        """The transport's number of the offer that this answers; None when it is not the one that is waited for."""
        if number != self._number:
            return None
        waiting, self._unanswered = self._unanswered, None
        return waiting

    def start_over(self) -> None:
        """No answer will come for what was sent: the client asked anew or has another connection."""
        self._unanswered = None
