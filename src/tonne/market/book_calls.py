"""One instruction at a time, for people: the same calls on the fast and on the plain book."""

from __future__ import annotations

from tonne.market.orders import ALL_INSTRUMENTS, Executions, Instruction, Lasting, OrderFlag, OrderKind, Phase, SelfTrade, Side, Verb

__all__ = ["BookCalls"]


class BookCalls:
    """Each call sends one instruction and returns what happened, an array of dtype EXECUTION. `time` 0 means: as the instruction before."""

    def send(self, instruction: Instruction) -> Executions:
        """Send one instruction, whatever its verb."""
        raise NotImplementedError

    def limit(
        self,
        order: int,
        account: int,
        side: Side | int,
        quantity: int,
        price: int,
        instrument: int = 0,
        time: int = 0,
        lasting: Lasting | int = Lasting.DAY,
        display: int = 0,
        self_trade: SelfTrade | int = SelfTrade.CANCEL_NEW,
        flags: OrderFlag | int = OrderFlag.NONE,
        expires: int = 0,
    ) -> Executions:
        """A limit order of `quantity` lots at `price` ticks; `display` makes it an iceberg, `expires` is the last day of a GTD order."""
        return self.send(
            Instruction(order, price, 0, quantity, display, 0, time, account, instrument, expires, flags, Verb.NEW, side, 0, lasting, self_trade)
        )

    def market(
        self,
        order: int,
        account: int,
        side: Side | int,
        quantity: int,
        instrument: int = 0,
        time: int = 0,
        lasting: Lasting | int = Lasting.DAY,
        self_trade: SelfTrade | int = SelfTrade.CANCEL_NEW,
        flags: OrderFlag | int = OrderFlag.NONE,
    ) -> Executions:
        """A market order: at any price; in a call it waits for the uncrossing."""
        kind = OrderKind.MARKET
        return self.send(
            Instruction(order, 0, 0, quantity, 0, 0, time, account, instrument, 0, flags, Verb.NEW, side, kind, lasting, self_trade),
        )

    def stop(
        self,
        order: int,
        account: int,
        side: Side | int,
        quantity: int,
        stop: int,
        price: int = 0,
        instrument: int = 0,
        time: int = 0,
        lasting: Lasting | int = Lasting.DAY,
        display: int = 0,
        self_trade: SelfTrade | int = SelfTrade.CANCEL_NEW,
        flags: OrderFlag | int = OrderFlag.NONE,
        expires: int = 0,
    ) -> Executions:
        """A stop order with the trigger `stop`; with a `price` it is a stop-limit order."""
        kind = OrderKind.STOP_LIMIT if price else OrderKind.STOP
        return self.send(
            Instruction(
                order, price, stop, quantity, display, 0, time, account, instrument, expires, flags, Verb.NEW, side, kind, lasting, self_trade
            )
        )

    def take(self, order: int, account: int, side: Side | int, quantity: int, against: int, instrument: int = 0, time: int = 0) -> Executions:
        """TAKERS_CHOICE: trade up to `quantity` with the resting order `against`; `side` is the taker's."""
        return self.send(Instruction(order, 0, 0, quantity, 0, against, time, account, instrument, 0, 0, Verb.TAKE, side))

    def cancel(self, order: int, account: int, time: int = 0) -> Executions:
        return self.send(Instruction(order=order, account=account, time=time, verb=Verb.CANCEL))

    def amend(self, order: int, account: int, quantity: int = 0, price: int = 0, stop: int = 0, time: int = 0) -> Executions:
        """`quantity`: what shall be left. 0 keeps what is."""
        return self.send(Instruction(order=order, price=price, stop=stop, quantity=quantity, time=time, account=account, verb=Verb.AMEND))

    def mass_cancel(self, account: int, instrument: int = ALL_INSTRUMENTS, time: int = 0) -> Executions:
        return self.send(Instruction(account=account, instrument=instrument, time=time, verb=Verb.MASS_CANCEL))

    def kill(self, account: int, time: int = 0) -> Executions:
        """Cancel all of an account and refuse it until `revive`."""
        return self.send(Instruction(account=account, time=time, verb=Verb.KILL))

    def revive(self, account: int, time: int = 0) -> Executions:
        return self.send(Instruction(account=account, time=time, verb=Verb.REVIVE))

    def begin_phase(self, phase: Phase | int, instrument: int = ALL_INSTRUMENTS, time: int = 0) -> Executions:
        return self.send(Instruction(time=time, instrument=instrument, verb=Verb.PHASE, phase=phase))

    def set_reference(self, reference: int, lowest: int = 0, highest: int = 0, breaker: int = 0, instrument: int = 0, time: int = 0) -> Executions:
        """Reference price, lowest and highest price accepted, ticks of the circuit breaker; 0 means none."""
        return self.send(
            Instruction(price=reference, stop=lowest, display=highest, quantity=breaker, instrument=instrument, time=time, verb=Verb.REFERENCE)
        )

    def end_day(self, day: int, instrument: int = ALL_INSTRUMENTS, time: int = 0) -> Executions:
        """The trading day `day` ends."""
        return self.send(Instruction(expires=day, instrument=instrument, time=time, verb=Verb.EXPIRE))
