"""Write a roster of invented people: mixed certificates, and some two rows of a hundred with a fault of every kind.

python scripts/make_roster.py roster.csv --encoding gb18030
python scripts/make_roster.py roster.xlsx --xlsx --rows 50000 --seed 7
"""

import argparse
import csv
import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

import xlsxwriter

from yikatong.core import gb18030
from yikatong.registry.regions import profile

HEADERS = (
    "证件类型", "证件号码", "姓名", "性别", "出生日期", "国籍", "手机号码", "所在区划", "通讯地址", "银行",
    "领卡网点", "领取方式", "监护人姓名", "监护人证件号码",
)  # fmt: skip
Row = dict[str, str]
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "样例试演示造虚拟甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥䶮㛃𬭊"
FAULT_SHARE = 0.02
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _with_check(body: str) -> str:
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True)) % 11]


class Maker:
    """Makes rows; the same seed makes the same rows."""

    def __init__(self, province: str, seed: int, today: date) -> None:
        self.dice, self.today = Random(seed), today  # noqa: S311 - invented people
        found = profile.load(province)
        self.cities = [city.code for city in found.cities if not city.partner]
        self.banks = [bank.code for bank in found.banks]
        self.seen: set[str] = set()

    def rows(self, count: int) -> Iterator[Row]:
        spoilers = list(SPOILERS)
        last: Row | None = None
        for number in range(count):
            row = self.person()
            if self.dice.random() < FAULT_SHARE:
                spoil = spoilers[number % len(spoilers)]
                row = spoil(row, last or row)
            elif row["证件类型"] == "居民身份证":
                last = dict(row)
            yield row

    def person(self) -> Row:
        kind = self.dice.choices(["A", "M", "D", "J", "K", "C"], weights=[90, 3, 2, 2, 1, 2])[0]
        born = date(1940, 1, 1) + timedelta(days=self.dice.randrange(80 * 365))
        city = self.dice.choice(self.cities)
        row = dict.fromkeys(HEADERS, "") | {
            "姓名": self.dice.choice(SURNAMES) + "".join(self.dice.sample(GIVEN, self.dice.randint(1, 2))),
            "手机号码": f"1{self.dice.randint(30, 99)}{self.dice.randrange(10**8):08d}",
            "所在区划": city,
            "通讯地址": f"示例街道虚构路{self.dice.randint(1, 999)}号",
            "银行": self.dice.choice(self.banks),
            "领取方式": self.dice.choice(["自取", "邮寄", ""]),
        }
        return row | self.certificate(kind, city, born) | self.guardian(born, city)

    def certificate(self, kind: str, city: str, born: date) -> Row:
        sex, sequence = self.dice.choice(["男", "女"]), self.dice.randrange(1, 500) * 2
        told = {"性别": sex, "出生日期": self.spelling(born)}
        tail = f"{born:%Y%m%d}{sequence - (sex == '男'):03d}"
        match kind:
            case "A":
                return told | {
                    "证件类型": "居民身份证",
                    "证件号码": self.new(lambda: _with_check(city + tail)),
                }
            case "M":
                region = self.dice.choice(["810000", "820000", "830000"])
                number = self.new(lambda: _with_check(region + tail))
                return told | {"证件类型": "港澳台居民居住证", "证件号码": number}
            case "D":
                number = self.new(lambda: _with_check("9" + city[:2] + "840" + tail))
                return told | {"证件类型": "外国人永久居留身份证", "证件号码": number, "国籍": "USA"}
            case "J":
                number = self.fresh(lambda: self.dice.choice("HM") + f"{self.dice.randrange(10**8):08d}")
                return told | {"证件类型": "港澳居民来往内地通行证", "证件号码": number}
            case "K":
                number = self.fresh(lambda: f"{self.dice.randrange(10**8):08d}")
                return told | {"证件类型": "台湾居民来往大陆通行证", "证件号码": number}
            case _:
                number = self.fresh(lambda: f"E{self.dice.randrange(10**8):08d}")
                return told | {
                    "证件类型": "护照",
                    "证件号码": number,
                    "国籍": self.dice.choice(["FRA", "JPN"]),
                }

    def new(self, make: Callable[[], str]) -> str:
        """A number not used yet: another sequence for the same day and sex."""
        number = make()
        while number in self.seen:
            body = number[:14] + f"{(int(number[14:17]) + 2) % 1000:03d}"
            number = _with_check(body)
        self.seen.add(number)
        return number

    def fresh(self, make: Callable[[], str]) -> str:
        while (number := make()) in self.seen:
            pass
        self.seen.add(number)
        return number

    def spelling(self, born: date) -> str:
        forms = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y.%m.%d", "")
        form = self.dice.choices(forms, weights=[6, 2, 2, 1, 1, 0])[0]
        return born.strftime(form)

    def guardian(self, born: date, city: str) -> Row:
        if (self.today - born).days > 17 * 365:
            return {}
        body = f"{city}19850101{self.dice.randrange(1, 999):03d}"
        return {"监护人姓名": "虚构家长", "监护人证件号码": _with_check(body)}


def _set(**changes: str) -> Callable[[Row, Row], Row]:
    return lambda row, _last: row | changes


def _bad_check(row: Row, _last: Row) -> Row:
    number = row["证件号码"]
    if len(number) != 18:
        return row | {"证件号码": "1"}
    return row | {"证件号码": number[:17] + ("0" if number[17] != "0" else "1")}


def _child(row: Row, _last: Row) -> Row:
    number = _with_check("51010020200101" + f"{(int(row['手机号码'][-3:]) | 1):03d}")
    changes = {"证件类型": "居民身份证", "证件号码": number, "性别": "男", "出生日期": "", "国籍": ""}
    return row | changes | {"监护人姓名": "", "监护人证件号码": ""}


#: Every kind of fault a row can have by itself, and the repetition of an earlier row.
SPOILERS: tuple[Callable[[Row, Row], Row], ...] = (
    _bad_check,
    lambda row, _: row | {"证件类型": "居民身份证", "证件号码": row["证件号码"][:12]},
    _set(证件类型="居民身份证", 证件号码="51010019900231123X"),
    _set(证件类型="居民身份证", 证件号码=_with_check("51010019900231123"), 国籍=""),
    _set(证件类型="居民身份证", 证件号码=_with_check("99010019900301123")),
    _set(证件类型="居民身份证", 证件号码="510100900301123"),
    _set(证件类型="居民身份证", 证件号码="5.10107E+17"),
    _set(证件类型="驾驶证"),
    _set(证件号码=""),
    _set(姓名=""),
    _set(姓名="示例123"),
    _set(姓名="·示例"),
    _set(姓名="示例" * 20),
    _set(手机号码="02812345678"),
    _set(手机号码=""),
    _set(出生日期="1899-01-01"),
    _set(出生日期="九零年三月"),
    _set(性别="甲"),
    _set(国籍="中华"),
    _set(所在区划="110000"),
    _set(所在区划=""),
    _set(银行="不存在的银行"),
    _set(领卡网点="没有这个网点"),
    _set(领取方式="派送"),
    _set(领取方式="邮寄", 通讯地址=""),
    _child,
    lambda _row, last: dict(last),
)


def as_csv(rows: Iterator[Row], encoding: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEADERS)
    writer.writeheader()
    writer.writerows(rows)
    return gb18030.encode(out.getvalue()) if encoding == "gb18030" else out.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterator[Row]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("名册")
        for at, header in enumerate(HEADERS):
            sheet.write_string(0, at, header)
        for line, row in enumerate(rows, start=1):
            for at, header in enumerate(HEADERS):
                if row[header] == "5.10107E+17":
                    sheet.write_number(line, at, 510107199003070025)
                elif row[header]:
                    sheet.write_string(line, at, row[header])
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--encoding", choices=["gb18030", "utf-8"], default="utf-8")
    parser.add_argument("--xlsx", action="store_true")
    parser.add_argument("--province", default="sichuan")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rows = Maker(chosen.province, chosen.seed, date(2026, 11, 21)).rows(chosen.rows)
    data = as_xlsx(rows) if chosen.xlsx else as_csv(rows, chosen.encoding)
    chosen.file.write_bytes(data)
    print(f"{chosen.file}: {chosen.rows} 行，{len(data):,} 字节")


if __name__ == "__main__":
    main()
