"""What is kept of an `ape run sell`: a JSON record, two plots and a page."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from offchain.report.figures import png
from offchain.report.money import money_sheet
from offchain.report.page import Page, Picture, Section
from offchain.report.palette import BLUE, GREEN, GREY, ORANGE
from offchain.report.text import amount, percent, plain
from scripts._hide.record import SaleRecord
from scripts._hide.sheets import REFUSED, buyers_sheet, counters_sheet, levels_sheet
from scripts._stage.gas import calls_sheet
from scripts._stage.report import Report, as_json


def report_of(record: SaleRecord, *, good: bool) -> Report:
    """The report of a sale, drawn and ready to be written. good: whether the story ended as it
    should."""
    accuracy, prices = png(accuracy_figure(record)), png(prices_figure(record))
    money = money_sheet(record.money, record.currency, record.decimals)
    page = Page(
        title=record.story,
        headline=headline(record),
        verdict=record.title,
        good=good,
        sections=(
            Section(
                "Levels",
                pictures=(
                    Picture(accuracy, "Accuracy of each level, and what its buyers reached."),
                    Picture(prices, "Price of each level against its accuracy."),
                ),
                sheets=(levels_sheet(record), counters_sheet(record.counters, record.network)),
            ),
            Section("Sales", sheets=(buyers_sheet(record), money)),
            Section("Conclusions", lines=record.conclusions),
            Section("Gas", sheets=(calls_sheet(record.calls, record.gas_price_gwei, REFUSED),)),
            Section("Circumstances", facts=facts(record)),
            Section("Events", lines=record.events),
        ),
    )
    return Report(page, as_json(record), {"accuracy.png": accuracy, "prices.png": prices})


def headline(record: SaleRecord) -> str:
    """How much was sold, in one sentence."""
    sold = sum(buyer.owned > 0 for buyer in record.buyers)
    return (
        f"{sold} of {len(record.buyers)} buyers own a level of {plain(record.dataset)}, "
        f"{len(record.levels)} levels offered."
    )


def facts(record: SaleRecord) -> tuple[tuple[str, str], ...]:
    """Terms and circumstances, as names and values."""
    coin = plain(record.currency)
    rows = {
        "Settlement": record.settlement,
        "Stake": f"{amount(record.stake, record.decimals)} {coin} for each proved fault",
        "Images": f"{record.images} sold, {record.tested} others to test on",
        "Published": f"SHA-256 {record.digest}",
        "Chain": str(record.chain_id),
        "Contract": record.contract,
        "Listing": record.listing,
        "Catalogue": record.catalogue,
        "Refused": ", ".join(record.refused) or "no call",
    }
    return tuple((rows | record.settings).items())


def accuracy_figure(record: SaleRecord) -> Figure:
    """Accuracy bought against accuracy reached: a point for each level that a buyer got."""
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=1, label="as bought")
    designed = [one.designed for one in record.levels]
    verified = [one.verified for one in record.levels]
    axes.plot(designed, verified, "s--", color=ORANGE, label="verified by the seller")
    for one in record.buyers:
        for got in one.learned:
            point = (got.bought, got.reached)
            axes.plot(*point, "o", color=BLUE)
            axes.annotate(one.name, point, xytext=(6, -4), textcoords="offset points", fontsize=8)
    if record.pool is not None:
        better = max(got.bought for one in record.buyers[:2] for got in one.learned)
        axes.plot([better], [record.pool.stripped], "^", color=GREEN, label="colluders, guessing")
    _floor(axes, record, horizontal=True)
    axes.set_xlabel("accuracy bought")
    axes.set_ylabel("accuracy reached on clean test images")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.grid(color="#DDDDDD")
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=3)
    return figure


def prices_figure(record: SaleRecord) -> Figure:
    """Price of each level over its verified accuracy, and what is free."""
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    axes = figure.subplots()
    coins = [one.price / 10**record.decimals for one in record.levels]
    verified = [one.verified for one in record.levels]
    axes.plot(verified, coins, "o-", color=BLUE, label="level")
    for one, coin in zip(record.levels, coins, strict=True):
        axes.annotate(
            f"level {one.number}",
            (one.verified, coin),
            xytext=(6, -10),
            textcoords="offset points",
            fontsize=8,
        )
    _floor(axes, record, horizontal=False)
    axes.set_xlabel("accuracy, verified")
    axes.set_ylabel(f"price [{plain(record.currency)}]", parse_math=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.grid(color="#DDDDDD")
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=3)
    return figure


def _floor(axes: Axes, record: SaleRecord, *, horizontal: bool) -> None:
    """Lines for what nobody has to pay for."""
    line = axes.axhline if horizontal else axes.axvline
    free = record.free
    label = f"best for nothing: {plain(free.name)}, {percent(free.accuracy)}"
    line(free.accuracy, color=GREY, linestyle="--", label=label)
    line(record.masked, color=GREY, linestyle=":", label="published data as it is")
