"""Write a number of a spreadsheet as its format means it: a date, a percentage, a plain figure."""

import re
from datetime import UTC, datetime, timedelta

from lxml.etree import _Element as Element

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_GENERAL = "General"
# The formats that have a number and no text in the file; only those that change the meaning.
_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    **dict.fromkeys((14, 15, 16, 17), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 45, 46, 47), "hh:mm:ss"),
    22: "yyyy-mm-dd hh:mm",
}
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_DAY = re.compile(r"[yd]", re.IGNORECASE)
_TIME = re.compile(r"[hs]", re.IGNORECASE)
_LAST_DAY = 2_958_465  # 9999-12-31


class Formats:
    """The number formats of a workbook, by the style of a cell."""

    def __init__(self, root: Element | None, epoch_1904: bool) -> None:
        self.epoch_1904 = epoch_1904
        self._codes: list[str] = []
        if root is None:
            return
        own = {element.get("numFmtId", ""): element.get("formatCode", "") for element in root.iter(f"{S}numFmt")}
        for element in root.iterfind(f"{S}cellXfs/{S}xf"):
            identity = element.get("numFmtId", "0")
            built_in = _BUILT_IN.get(int(identity) if identity.isdecimal() else 0, _GENERAL)
            self._codes.append(own.get(identity, built_in))

    def of(self, style: str) -> str:
        known = style.isdecimal() and int(style) < len(self._codes)
        return self._codes[int(style)] if known else _GENERAL


def shown(value: str, code: str, epoch_1904: bool = False) -> str:
    """The number `value` under the format `code`; dates as 2026-01-31, whatever the local custom."""
    try:
        number = float(value)
    except ValueError:
        return value
    bare = _QUOTED.sub("", code.partition(";")[0])
    has_day = bool(_DAY.search(bare)) and bare != _GENERAL
    has_time = bool(_TIME.search(bare)) and bare != _GENERAL
    if (has_day or has_time) and 0 <= number <= _LAST_DAY:
        return _moment(number, has_day, has_time, epoch_1904)
    if "%" in bare:
        return f"{_plain(number * 100)}%"
    return _plain(number)


def _moment(number: float, has_day: bool, has_time: bool, epoch_1904: bool) -> str:
    # Day 60 is 29 February 1900, which never was; the epoch is right from day 61 on.
    epoch = datetime(1904, 1, 1, tzinfo=UTC) if epoch_1904 else datetime(1899, 12, 30, tzinfo=UTC)
    moment = epoch + timedelta(seconds=round(number * 86_400))
    form = " ".join(["%Y-%m-%d"] * has_day + ["%H:%M"] * has_time)
    return moment.strftime(form)


def _plain(number: float) -> str:
    """Fifteen digits, which is what a spreadsheet keeps: 0.3 and not 0.30000000000000004."""
    text = f"{number:.15g}"
    return f"{number:.0f}" if "e+" in text and abs(number) < 1e21 else text
