"""Registered clients expire, failures are told at a limited rate, /sync waits for what is open."""

from __future__ import annotations

from gan808.control.osc.clients import SHARES, Clients, Limit, Limits, Outstanding

ONE, TWO, THREE = ("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.1", 3)


def test_silent_clients_expire_and_a_sign_of_life_renews() -> None:
    clients = Clients(expiry_s=10.0)
    clients.add(ONE, ONE, 0.0)
    clients.add(TWO, TWO, 0.0)
    clients.renew(TWO, 8.0)
    assert clients.current(9.0) == [ONE, TWO]
    assert clients.current(11.0) == [TWO]
    clients.renew(ONE, 11.0)
    assert clients.current(12.0) == [TWO], "who has expired must register again"
    assert clients.current(19.0) == []


def test_who_only_listens_is_renewed_by_its_host() -> None:
    clients = Clients(expiry_s=10.0)
    clients.add(TWO, ONE, 0.0)
    clients.renew(THREE, 8.0)
    assert clients.current(17.0) == [TWO]
    clients.renew(("192.0.2.1", 3), 17.0)
    assert clients.current(18.0) == []


def test_only_so_many_clients_until_one_leaves() -> None:
    clients = Clients(limit=2, expiry_s=10.0)
    clients.add(ONE, ONE, 0.0)
    clients.add(TWO, TWO, 0.5)
    clients.renew(ONE, 1.0)
    clients.add(THREE, THREE, 2.0)
    assert set(clients.current(2.0)) == {ONE, THREE}, "the one silent longest has gone"
    clients.add(ONE, ONE, 3.0)  # who is in may register again
    assert set(clients.current(3.0)) == {ONE, THREE}


def test_expired_clients_make_room() -> None:
    clients = Clients(limit=1, expiry_s=10.0)
    clients.add(ONE, ONE, 0.0)
    clients.add(TWO, TWO, 10.0)
    assert clients.current(10.0) == [TWO]


def test_a_limit_allows_a_burst_and_then_the_rate() -> None:
    limit = Limit(rate_hz=10.0, burst=3)
    assert [limit.allows(100.0) for _ in range(4)] == [True, True, True, False]
    assert [limit.allows(100.2) for _ in range(3)] == [True, True, False]
    assert [limit.allows(200.0) for _ in range(4)] == [True, True, True, False]


def test_sync_waits_for_the_sender_s_own_commands_only() -> None:
    outstanding, told = Outstanding(8), []
    first, other = outstanding.begin(ONE), outstanding.begin(TWO)
    second = outstanding.begin(ONE)
    assert first is not None
    assert second is not None
    assert other is not None
    assert outstanding.when_done(ONE, lambda: told.append("one"))
    later = outstanding.begin(ONE)
    outstanding.end(second)
    assert told == []
    outstanding.end(first)
    assert told == ["one"], "neither TWO's nor a later command is waited for"
    assert later is not None
    outstanding.end(later)
    assert told == ["one"]


def test_sync_with_nothing_open_answers_at_once() -> None:
    outstanding, told = Outstanding(8), []
    assert outstanding.when_done(ONE, lambda: told.append("now"))
    assert told == ["now"]


def test_only_so_many_commands_may_be_open() -> None:
    """For one sender, and for all; one that has filled its share leaves the others theirs."""
    outstanding = Outstanding(1)
    tickets = [outstanding.begin(("127.0.0.1", port)) for port in range(SHARES + 1)]
    assert None not in tickets[:SHARES]
    assert tickets[SHARES] is None
    assert outstanding.begin(ONE) is None
    outstanding.end(tickets[1])  # type: ignore[arg-type]
    assert outstanding.begin(ONE) is not None
    outstanding.end(4711)


def test_many_who_wait_cost_little_and_have_an_end() -> None:
    """Each /sync waits for what was begun before it and is told once; the room is given back."""
    outstanding, told = Outstanding(1000), []
    tickets = [outstanding.begin(ONE) for _ in range(1000)]
    waiting = [outstanding.when_done(ONE, lambda n=n: told.append(n)) for n in range(1001)]
    assert waiting == [True] * 1000 + [False]
    for ticket in reversed(tickets):
        assert told == []
        outstanding.end(ticket)  # type: ignore[arg-type]
    assert told == list(range(1000))
    assert outstanding.when_done(ONE, lambda: told.append("last"))
    assert told[-1] == "last"


def test_each_host_has_a_limit_of_its_own() -> None:
    limits = Limits(rate_hz=1.0, burst=2, hosts=2)
    assert [limits.allows("a", 0.0) for _ in range(3)] == [True, True, False]
    assert limits.allows("b", 0.0)
    assert not limits.allows("a", 0.0), "it is still known"
    assert [limits.allows("c", 0.0) for _ in range(2)] == [True, True]
    assert not limits.allows("a", 0.0), "b was seen longer ago"
    assert limits.allows("b", 0.0)
