"""Holders of the demonstration: 20,000 invented people of every category and certificate."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from yikatong.cli.demo.plan import Loading, Person
from yikatong.core.clock import day_of
from yikatong.core.copying import copy_in
from yikatong.core.fields import blind_index
from yikatong.registry.holders import certificates
from yikatong.registry.holders.models import Category, Certificate, Holder
from yikatong.registry.holders.rules import birthday

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾"
    "丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤"
    "尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "一川山水云月星岚松竹梅兰荷桂枫桐柏溪泉江河海涛浩然子轩雨晨思远嘉怡欣悦明辉建国志强秀英桂芳"
    "玉兰淑珍德华永福长安文博学勤俊杰海燕小红春生秋实冬青夏阳若初安宁知行可心乐天佳禾予希"
)
RARE = ["张䶮", "李𬭊", "王㛃", "赵𫖯"]
MINORITY = ["阿依古丽·买买提", "扎西·顿珠", "卓玛·央金", "吉克·阿木", "迪丽努尔·艾合买提江"]
FOREIGN = ["Ana Example", "Ben Sample", "Chloe Demo", "Davi Muster"]
NATIONS = ["840", "826", "250", "276"]  # ISO 3166 numeric, in numbers of the new permanent residence card
ALPHA3 = {"840": "USA", "826": "GBR", "250": "FRA", "276": "DEU"}
MINORITY_ETHNICITIES = ["03", "04", "05", "07", "15"]  # 回 藏 维吾尔 彝 土家, GB/T 3304
PHONE_PREFIX = "1990"


def load_people(loading: Loading) -> None:
    dice, today = loading.dice("people"), day_of(loading.at)
    people = loading.people = [_person(loading, dice, today, index) for index in range(loading.sizes.holders)]
    loading.known = _known(people)
    copy_in(person.holder for person in people)
    copy_in(_certificate(person, loading) for person in people)
    copy_in(category for person in people for category in person.categories)


def _known(people: list[Person]) -> list[Person]:
    """A young and an old holder whom everybody may try, with names that everybody finds."""
    first = [one for one in people[:100] if one.kind == "A" and one.holder.ground == "residence"]
    young = next(one for one in first if 25 <= one.age <= 45)
    old = next(one for one in first if one.age >= 65)
    for one, name in ((young, "王芳"), (old, "张建国")):
        one.holder.name = one.holder.name_original = name
    return [young, old]


def _person(loading: Loading, dice: Random, today: date, index: int) -> Person:
    county = loading.counties[index % len(loading.counties)].code
    age = dice.choices(
        [dice.randint(0, 15), dice.randint(16, 59), dice.randint(60, 96)], weights=[16, 62, 22]
    )[0]
    born = today.replace(year=today.year - age, day=1) - timedelta(days=dice.randint(0, 330))
    sex = dice.choice("12")
    kind, number, nationality = _number(dice, county, born, sex, index)
    holder = Holder(
        name=(name := _name(dice, kind, index)),
        name_original=name,
        social_security_number=number,
        social_security_index=blind_index("social_security", number),
        sex=sex,
        birth_date=born,
        nationality=nationality,
        ethnicity=dice.choice(MINORITY_ETHNICITIES) if "·" in name else ("01" if kind == "A" else ""),
        division_code=county,
        phone=(phone := f"{PHONE_PREFIX}{index:07d}"),
        phone_index=blind_index("phone", phone),
        address=f"示例街道 {index % 900 + 1} 号",
        ground=dice.choices(["residence", "work", "insurance", "services"], weights=[70, 15, 12, 3])[0],
        created_at=loading.at - timedelta(days=dice.randint(30, 3_000)),
    )
    person = Person(holder=holder, number=number, kind=kind, age=age)
    person.categories = list(_categories(person, dice, loading.at))
    return person


def _number(dice: Random, county: str, born: date, sex: str, index: int) -> tuple[str, str, str]:
    """Certificate kind, number with a valid check character, nationality."""
    order = f"{index % 500 * 2 + (1 if sex == '1' else 0):03d}"
    chance = dice.random()
    if chance < 0.012:
        body = f"{dice.choice(('810000', '820000', '830000'))}{born:%Y%m%d}{order}"
        return "M", body + certificates.check_character(body), "CHN"
    if chance < 0.020:
        nation = dice.choice(NATIONS)
        body = f"9{county[:2]}{nation}{born:%Y%m%d}{order}"
        return "D", body + certificates.check_character(body), ALPHA3[nation]
    if chance < 0.025:
        return "C", f"E{index:08d}", dice.choice(list(ALPHA3.values()))
    body = f"{county}{born:%Y%m%d}{order}"
    return "A", body + certificates.check_character(body), "CHN"


def _name(dice: Random, kind: str, index: int) -> str:
    if kind in {"C", "D"}:
        return f"{FOREIGN[index % len(FOREIGN)]}"
    if dice.random() < 0.002:
        return dice.choice(RARE)
    if dice.random() < 0.03:
        return dice.choice(MINORITY)
    return dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choices([1, 2], weights=[18, 82])[0]))


def _categories(person: Person, dice: Random, at: datetime) -> Iterator[Category]:
    today = day_of(at)

    def category(kind: str, source: str, *, ends: bool = False) -> Category:
        return Category(
            holder=person.holder,
            kind=kind,
            valid_from=today - timedelta(days=400),
            valid_until=today + timedelta(days=300) if ends else None,
            source=source,
            evidence="示例证照",
            state=Category.State.ON,
            created_at=at - timedelta(days=398),
            created_by="平台",
        )

    if person.age >= 60:
        yield category(Category.Kind.ELDER, "licence")
    if 6 <= person.age <= 22 and dice.random() < 0.8:
        yield category(Category.Kind.STUDENT, "education", ends=True)
    if dice.random() < 0.03:
        yield category(Category.Kind.DISABLED, "disabled")
    if person.age >= 20 and dice.random() < 0.02:
        yield category(Category.Kind.VETERAN, "veterans")
    if dice.random() < 0.025:
        yield category(Category.Kind.LOW_INCOME, "civil", ends=True)


def _certificate(person: Person, loading: Loading) -> Certificate:
    return Certificate(
        holder=person.holder,
        kind=person.kind,
        number=person.number,
        number_index=blind_index("certificate", f"{person.kind}:{person.number}"),
        **_validity(person, day_of(loading.at)),
        created_at=loading.at,
    )


def _validity(person: Person, today: date) -> dict[str, date | bool]:
    """As the law issues an identity card at each age: five, ten or twenty years, then 长期; others five years."""
    begins = max(person.holder.birth_date, today - timedelta(days=400))
    if person.kind == "A" and person.age >= 48:
        return {"valid_from": begins, "is_long_term": True}
    years = 5 if person.kind != "A" or person.age < 18 else 10 if person.age < 28 else 20
    return {"valid_from": begins, "valid_until": birthday(begins, years)}
