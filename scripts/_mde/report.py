"""The report of an `ape run price`: a page, a record and two pictures."""

from __future__ import annotations

from offchain.report.figures import png
from offchain.report.money import money_sheet
from offchain.report.page import Page, Picture, Section
from scripts._mde.figures import gains_figure, ways_figure
from scripts._mde.record import Record
from scripts._mde.sheets import sellers_sheet, ways_sheet
from scripts._stage.gas import calls_sheet
from scripts._stage.report import Report, as_json


def report_of(record: Record) -> Report:
    """All of it, drawn and ready to be written."""
    pictures = {"gains.png": png(gains_figure(record))}
    gains = Picture(pictures["gains.png"], "Price of each set against what training on it brings.")
    money = money_sheet(record.money, record.currency, record.decimals)
    sections = [
        Section("Sellers", (gains,), (sellers_sheet(record),)),
        Section("Money", sheets=(money,)),
        Section("Gas", sheets=(calls_sheet(record.calls, record.gas_price_gwei),)),
    ]
    if record.ways:
        pictures["ways.png"] = png(ways_figure(record))
        spent = Picture(pictures["ways.png"], "What one budget brings, spent in three ways.")
        sections.insert(1, Section("One budget", (spent,), (ways_sheet(record),)))
    said = [("buyer", record.remarks), *((one.name, one.remarks) for one in record.sellers)]
    if remarks := tuple(f"{name}: {line}" for name, lines in said for line in lines):
        sections.append(Section("Remarks", lines=remarks))
    options = tuple((name, str(value)) for name, value in record.options.items())
    facts = (("Contract", record.contract), ("Artefact", record.artefact), *options)
    sections.append(Section("Settings", facts=facts))
    page = Page(
        title=f"price, {record.story}",
        headline=headline(record),
        verdict=verdict(record),
        good=not record.wrong,
        sections=sections,
    )
    return Report(page, as_json(record), pictures)


def headline(record: Record) -> str:
    """What it came to, in one sentence."""
    bought = [one.name for one in record.sellers if one.paid]
    if not bought:
        return f"{record.title[0].upper()}{record.title[1:]}: nothing was bought."
    before, after = record.accuracy
    return (
        f"The model owner bought from {', '.join(bought)}; its accuracy rose from "
        f"{100 * before:.1f} % to {100 * after:.1f} %."
    )


def verdict(record: Record) -> str:
    """Whether it ended as it should."""
    if record.wrong:
        return f"Not as it should be: {'; '.join(record.wrong)}."
    return "The story ended justly: nobody that kept to the rules lost more than gas."
