"""Turn taking between offers and answers."""

from pymeet.rooms.offers import ANSWER_S, OfferTurn


def test_an_offer_waits_for_the_answer_to_the_one_before() -> None:
    """Two offers in flight would have the client answer a description that is no longer there."""
    turn = OfferTurn()
    turn.want()
    assert turn.is_due(0.0)
    number = turn.sent(1, 0.0)

    turn.want()
    assert not turn.is_due(0.1)

    assert turn.answered(number) == 1
    assert turn.is_due(0.2)


def test_an_offer_waits_ten_seconds_at_most() -> None:
    """A client that never answers must not stop its own updates for ever."""
    turn = OfferTurn()
    turn.want()
    turn.sent(1, 0.0)
    turn.want()

    assert not turn.is_due(ANSWER_S - 0.01)
    assert turn.is_due(ANSWER_S)


def test_only_the_newest_offer_can_be_answered_and_only_once() -> None:
    """The answer to an older offer describes something else."""
    turn = OfferTurn()
    turn.want()
    old = turn.sent(1, 0.0)
    turn.want()
    new = turn.sent(2, 20.0)

    assert turn.answered(old) is None
    assert turn.answered(new) == 2
    assert turn.answered(new) is None


def test_numbers_go_on_when_the_connection_is_replaced() -> None:
    """A late answer to the first connection must not be taken for one to its successor, which counts from one again."""
    turn = OfferTurn()
    turn.want()
    old = turn.sent(1, 0.0)
    turn.start_over()
    turn.want()
    new = turn.sent(1, 1.0)

    assert old != new
    assert turn.answered(old) is None


def test_nothing_is_offered_unasked() -> None:
    """Every offer costs the client a negotiation."""
    turn = OfferTurn()

    assert not turn.is_due(1e9)
