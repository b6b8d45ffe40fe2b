"""The tables of an `ape run price`, the same in the terminal and on the page."""

from __future__ import annotations

from offchain.mde.report import UNDECIDED
from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, plain, whole
from scripts._mde.record import Record


def sellers_sheet(record: Record) -> Sheet:
    """Efficacy, price, true gain and outcome of each seller."""
    rows = [
        Row(
            (
                one.name,
                one.kind,
                plain(one.outcome),
                whole(one.samples),
                f"{one.score:+.3f}{' ?' if one.undecided else ''}",
                "-" if one.price is None else coins(record, one.price),
                f"{one.gain_loss:+.3f}",
                f"{100 * one.gain_accuracy:+.1f} %",
            ),
            strong=one.paid > 0,
        )
        for one in record.sellers
    ]
    coin = plain(record.currency)
    note = (
        "Efficacy: nats by which the artefact says that the set lowers the validation loss. True "
        "gain: on the test set, of training on this set alone; loss in nats."
    )
    if any(one.undecided for one in record.sellers):
        note += f" Where it says ?, {UNDECIDED}."
    if record.rho is not None:
        note += f" Spearman's rho of price and true gain: {record.rho:.2f}."
    return Sheet(
        "Sellers",
        (
            *("seller", "has", "outcome", "samples", "efficacy"),
            *(f"price ({coin})", "gain, loss", "gain, accuracy"),
        ),
        3,
        tuple(rows),
        note=note,
    )


def ways_sheet(record: Record) -> Sheet:
    """What the same budget brings, spent in three ways at the quoted prices."""
    rows = tuple(
        Row(
            (
                one.name,
                ", ".join(name.removeprefix("seller ") for name in one.sets) or "-",
                coins(record, round(one.cost)),
                f"{one.gain_loss:+.3f}",
                f"{100 * one.gain_accuracy:+.1f} %",
            )
        )
        for one in record.ways
    )
    tried = f" The best of {record.combinations} combinations." if record.combinations else ""
    return Sheet(
        f"One budget of {coins(record, record.budget)} {plain(record.currency)}",
        ("bought", "sellers", "cost", "gain, loss", "gain, accuracy"),
        2,
        rows,
        note="True gains on the test set, which no buyer has before it buys." + tried,
    )


def coins(record: Record, units: int) -> str:
    """An amount of zero or more in whole coins, cut to six places."""
    grain = 10 ** max(0, record.decimals - 6)
    return amount(units // grain * grain, record.decimals)
