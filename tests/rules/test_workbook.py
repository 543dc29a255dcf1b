"""Workbooks: what is written comes back, nothing becomes a formula, and what cannot be read is named."""

import io
import re
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.finding import Refused
from engine.language import render
from rules.workbook import BOUNDS, Bounds, Cell, Hint, Sheet, read_workbook, write_workbook


def one(*rows: tuple[Cell, ...], columns: tuple[str, ...] = ("甲", "乙")) -> bytes:
    return write_workbook([Sheet(title="规则", columns=columns, rows=rows)])


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def changed(data: bytes, part: str, old: str, new: str) -> bytes:
    members = parts(data)
    assert old.encode() in members[part], members[part].decode()
    return packed(members | {part: members[part].replace(old.encode(), new.encode())})


def refused(data: bytes, bounds: Bounds = BOUNDS) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        read_workbook(data, bounds)
    for finding in caught.value.findings:
        assert render(finding.message, "zh-CN") != render(finding.message, "en")
    return [(finding.path, finding.message.key) for finding in caught.value.findings]


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from("=+-@\t\r\n'_x000D_"),
    min_size=1,
    max_size=30,
)
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    TEXT,
    st.booleans(),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**6), 10**6, places=4),
    st.dates(date(1900, 3, 1), date(9999, 12, 30)),
    st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 30)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001
)


def same(read: Cell, wrote: Cell) -> bool:
    if type(wrote) is datetime and (wrote.hour, wrote.minute, wrote.second) == (0, 0, 0):
        return read == wrote.date()
    if isinstance(wrote, Decimal):
        return not isinstance(read, (str, float)) and read == wrote
    return type(read) is type(wrote) and read == wrote


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8))
def test_what_is_written_comes_back(rows: list[tuple[Cell, ...]]) -> None:
    [sheet] = read_workbook(one(*rows, columns=("甲", "=乙", "丙")))
    assert (sheet.title, sheet.columns) == ("规则", ("甲", "=乙", "丙"))
    kept = [(number, row) for number, row in enumerate(rows, start=2) if any(value is not None for value in row)]
    assert [row.number for row in sheet.rows] == [number for number, _ in kept]
    for read, (_, wrote) in zip(sheet.rows, kept, strict=True):
        assert all(map(same, read.cells, wrote)), (read.cells, wrote)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-0.10", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0", "'x"])
def test_no_text_becomes_a_formula(text: str) -> None:
    data = one((text, "x"))
    xml = parts(data)["xl/worksheets/sheet1.xml"].decode()
    cell = re.search('<c r="A2"[^>]*>', xml)
    assert cell
    assert 't="inlineStr"' in cell[0]
    assert "<f" not in xml
    style = re.search('s="([0-9]+)"', cell[0])
    assert style
    used = re.findall("<xf [^>]*>", parts(data)["xl/styles.xml"].decode().split("<cellXfs")[1])[int(style[1])]
    assert 'quotePrefix="1"' in used
    assert 'numFmtId="49"' in used  # text
    assert openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]["A2"].data_type == "s"
    assert read_workbook(data)[0].rows[0].cells == (text, "x")


def test_numbers_are_written_exactly() -> None:
    xml = parts(one((Decimal("-0.10"), Decimal("123456789012345")), (Decimal("0.123456789012345"), 2**70)))
    sheet = xml["xl/worksheets/sheet1.xml"].decode()
    assert re.search('<c r="A2"[^>]*t="n"[^>]*><v>-0.10</v>', sheet)
    assert re.search('<c r="B2"[^>]*t="n"[^>]*><v>123456789012345</v>', sheet)
    assert re.search('<c r="A3"[^>]*t="n"[^>]*><v>0.123456789012345</v>', sheet)
    assert re.search(f'<c r="B3"[^>]*t="inlineStr"[^>]*><is><t>{2**70}</t>', sheet)
    assert 'formatCode="0.00"' in xml["xl/styles.xml"].decode() or 'numFmtId="2"' in xml["xl/styles.xml"].decode()


def test_numbers_that_a_spreadsheet_wrote_are_what_was_typed() -> None:
    data = one((Decimal("0.5"), "x"))
    for written, meant in {
        "0.28999999999999998": Decimal("0.29"),
        "-0.10000000000000001": Decimal("-0.1"),
        "1.0000000000000001E-5": Decimal("0.00001"),
        "98.599999999999994": Decimal("98.6"),
        "3": 3,
        "3.0": 3,
        "2E2": 200,
    }.items():
        [sheet] = read_workbook(changed(data, "xl/worksheets/sheet1.xml", "<v>0.5</v>", f"<v>{written}</v>"))
        read = sheet.rows[0].cells[0]
        assert (read, type(read)) == (meant, type(meant))
    for written, key in {
        "1e300": "workbook.digits",
        "1234567890123456": "workbook.digits",
        "NaN": "workbook.cell",
    }.items():
        assert refused(changed(data, "xl/worksheets/sheet1.xml", "<v>0.5</v>", f"<v>{written}</v>")) == [
            ("规则!A2", key)
        ]


def test_sheets_look_like_something_to_fill_in() -> None:
    hints = (Hint(note="单位代码", text=True), Hint(options=("是", "否")))
    data = write_workbook([Sheet(title="主体", columns=("代码", "启用"), rows=(("牵头部门" * 5, "是"),), hints=hints)])
    page = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:B2"
    assert page["A1"].font.bold
    assert page["A1"].comment.text == "单位代码"
    assert page.data_validations.dataValidation[0].formula1 == '"是,否"'
    assert page.column_dimensions["A"].width == 42
    assert page.column_dimensions["A"].number_format == "@"
    assert read_workbook(data)[0].rows[0].cells == ("牵头部门" * 5, "是")


def spoiled() -> bytes:
    """A workbook as somebody may send it who did not know."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "规则"
    page.append(["甲", "乙"])
    page.append(["x", "=1+1"])
    page.append([None, None, "beside"])
    page["A4"] = "#N/A"
    page["A4"].data_type = "e"
    page["A5"] = "merged"
    page.merge_cells("A5:B6")
    book.create_sheet("藏").sheet_state = "hidden"
    book.create_sheet("深藏").sheet_state = "veryHidden"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_every_cell_that_cannot_be_taken_is_named() -> None:
    assert sorted(refused(spoiled())) == [
        ("深藏", "workbook.hidden"),
        ("藏", "workbook.hidden"),
        ("规则!A4", "workbook.error"),
        ("规则!A5:B6", "workbook.merged"),
        ("规则!B2", "workbook.formula"),
        ("规则!C3", "workbook.untitled"),
    ]


def test_sheets_that_are_passed_by_are_not_looked_into() -> None:
    assert read_workbook(spoiled(), passing={"规则", "藏", "深藏"}) == ()


def test_what_is_no_workbook_is_said() -> None:
    good = parts(one(("x", "y")))
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    for data, key in {
        "代码,名称\nU1,一所\n".encode(): "workbook.csv",
        b"\xef\xbb\xbfa;b\n1;2\n": "workbook.csv",
        old: "workbook.old",
        old + "EncryptedPackage".encode("utf-16-le"): "workbook.protected",
        b"": "workbook.none",
        b"%PDF-1.7 \0": "workbook.none",
        packed({"a.txt": b"x"}): "workbook.none",
        packed({"xl/workbook.bin": b"x"}): "workbook.binary",
        packed(good)[:-200]: "workbook.damaged",
        packed({**good, "xl/workbook.xml": b"<workbook><sheets>"}): "workbook.broken",
        packed({name: held for name, held in good.items() if "sheet1" not in name}): "workbook.broken",
        packed(good, zipfile.ZIP_BZIP2): "workbook.broken",
    }.items():
        assert refused(data) == [("", key)], data[:20]


def test_any_bytes_are_refused_and_never_an_error() -> None:
    good = bytearray(one(("x", Decimal("0.5")), ("=y", date(2026, 3, 1))))
    for at in range(0, len(good), 23):
        spoilt = bytes(good[:at]) + bytes([good[at] ^ 0x55]) + bytes(good[at + 1 :])
        try:
            read_workbook(spoilt)
        except Refused:
            continue


def test_entities_are_never_resolved() -> None:
    doctype = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    external = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for declared in (doctype, external):
        members = parts(one(("x", "y")))
        for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
            spoilt = declared.encode() + re.sub(rb"^<\?xml[^>]*\?>", b"", members[part])
            assert refused(packed(members | {part: spoilt})) == [("", "workbook.doctype")]
        wide = (declared + members["xl/worksheets/sheet1.xml"].decode()).encode("utf-16")
        assert refused(packed(members | {"xl/worksheets/sheet1.xml": wide})) == [("", "workbook.doctype")]


def test_bombs_are_refused_at_once() -> None:
    members = parts(one(("x", "y")))
    zeros = packed(members | {"xl/media/a.bin": bytes(200_000_000)})
    started = time.monotonic()
    assert refused(zeros) == [("", "workbook.expanded")]
    # a part that says it is small and is not: what is unpacked is counted
    sheet = members["xl/worksheets/sheet1.xml"].replace(b"<sheetData>", b"<sheetData>" + b" " * 3_000_000)
    lying = bytearray(packed(members | {"xl/worksheets/sheet1.xml": sheet}))
    at = lying.rfind(b"xl/worksheets/sheet1.xml") - 46
    lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    assert refused(bytes(lying)) == [("", "workbook.broken")]
    assert refused(packed(members | {f"xl/{step}": b"" for step in range(600)})) == [("", "workbook.members")]
    assert refused(packed(members), Bounds(expanded=1_000)) == [("", "workbook.expanded")]
    assert refused(b"PK" + bytes(10_000_000)) == [("", "workbook.large")]
    assert time.monotonic() - started < 2


def test_rows_and_columns_are_bounded() -> None:
    assert refused(one(*[("x", "y")] * 12), Bounds(rows=10)) == [("", "workbook.rows")]
    assert refused(one(("x", "y")), Bounds(columns=1)) == [("", "workbook.columns")]
    assert len(read_workbook(one(*[("x", "y")] * 9), Bounds(rows=10))[0].rows) == 9


def test_texts_that_a_spreadsheet_shares_and_decorates_are_read() -> None:
    data = changed(
        one(("x", "y")),
        "xl/worksheets/sheet1.xml",
        "<is><t>x</t></is>",
        "<is><r><t>绩</t></r><r><t xml:space='preserve'>考 </t></r><rPh sb='0' eb='1'><t>jikao</t></rPh></is>",
    )
    assert read_workbook(data)[0].rows[0].cells == ("绩考 ", "y")
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["共享"])
    book.active.append(["串_x000D_"])
    written = io.BytesIO()
    book.save(written)
    assert read_workbook(written.getvalue())[0].rows[0].cells == ("串\r",)


def test_dates_are_days_and_numbers_are_not() -> None:
    data = one((date(2026, 3, 1), Decimal("0.5")))
    assert read_workbook(data)[0].rows[0].cells == (date(2026, 3, 1), Decimal("0.5"))
    assert refused(changed(data, "xl/worksheets/sheet1.xml", "<v>46082</v>", "<v>60</v>")) == [
        ("规则!A2", "workbook.date")
    ]
    mac = changed(data, "xl/workbook.xml", "<workbookPr ", '<workbookPr date1904="1" ')
    assert read_workbook(mac)[0].rows[0].cells[0] == date(2030, 3, 2)


def test_a_text_too_long_for_a_cell_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="too long"):
        one(("x" * 32_768, ""))
