"""The report of an `ape run price`: a JSON record, two plots and a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from offchain.files import write_whole
from offchain.report.figures import png
from offchain.report.page import Picture, Section, render_page
from scripts._mde.figures import gains_figure, ways_figure
from scripts._mde.record import Record
from scripts._mde.sheets import money_sheet, sellers_sheet, ways_sheet
from scripts._stage.gas import calls_sheet


def write(record: Record, folder: Path) -> list[Path]:
    """Writes page, plots and record; the files written."""
    pictures = [
        Picture(png(gains_figure(record)), "Price of each set against what training on it brings.")
    ]
    sections = [
        Section("Sellers", tuple(pictures), (sellers_sheet(record),)),
        Section("Money", (), (money_sheet(record),)),
        Section("Gas", (), (calls_sheet(record.calls, record.gas_price_gwei),)),
    ]
    if record.ways:
        spent = Picture(png(ways_figure(record)), "What one budget brings, spent in three ways.")
        pictures.append(spent)
        sections.insert(1, Section("One budget", (spent,), (ways_sheet(record),)))
    said = [("buyer", record.remarks), *((one.name, one.remarks) for one in record.sellers)]
    remarks = tuple(f"{name}: {line}" for name, lines in said for line in lines)
    if remarks:
        sections.append(Section("Remarks", lines=remarks))
    options = tuple((name, str(value)) for name, value in record.options.items())
    facts = (("Contract", record.contract), ("Artefact", record.artefact), *options)
    sections.append(Section("Settings", facts=facts))
    page = render_page(
        f"price, {record.story}", headline(record), verdict(record), not record.wrong, sections
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "price.html", folder / "gains.png", folder / "ways.png"]
    write_whole(files[0], page.encode())
    for file, picture in zip(files[1:], pictures, strict=False):
        write_whole(file, picture.png)
    files = files[: 1 + len(pictures)]
    files.append(folder / "price.json")
    write_whole(files[-1], (json.dumps(asdict(record), indent=2) + "\n").encode())
    return files


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
