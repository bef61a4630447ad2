"""Refusals about people's records."""

from datetime import date, timedelta

from tests.refusals.stage import Stage
from tests.refusals.table import refuses, way
from tests.registry.conftest import id_number
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders import actions, certificates, names, queries
from yikatong.registry.holders import refusals as rules
from yikatong.registry.holders.actions import life, merging, records
from yikatong.registry.holders.validity import Validity

way(records.AlreadyRegistered, lambda s: (s.enter(), s.enter()))
way(rules.NoGround, lambda s: s.enter(ground="tourism"))
way(rules.OutsideProvince, lambda s: s.enter(division_code="110101"))
way(rules.BadPhone, lambda s: s.enter(phone="12345"))
way(rules.BirthDateMissing, lambda s: s.foreigner(birth_date=None))
way(rules.BirthDateWrong, lambda s: s.foreigner(birth_date=date(1850, 1, 1)))
way(rules.BirthDateDiffers, lambda s: s.enter(birth_date=date(1991, 1, 1)))
way(rules.SexDiffers, lambda s: s.enter(sex="1"))
way(rules.NationalityWrong, lambda s: s.enter(nationality="FRA"))
way(rules.BadValidity, lambda s: s.enter(validity=Validity(date(2016, 5, 1))))
way(
    rules.LongTermNotAllowed,
    lambda s: s.enter(validity=Validity(date(2016, 5, 1), None, is_long_term=True)),
)
way(rules.CertificateExpired, lambda s: s.enter(validity=Validity(date(2006, 5, 1), date(2026, 5, 1))))
way(rules.AddressTooLong, lambda s: s.enter(address="长" * 101))
way(certificates.BadCertificate, lambda s: s.enter(kind="Z"))
way(certificates.WrongLength, lambda s: s.enter(number="51010719900307012"))
way(certificates.WrongCharacters, lambda s: s.enter(number="5101071990O3070129"))
way(certificates.WrongChecksum, lambda s: s.enter(number="510107199003070128"))
way(certificates.WrongBirthDate, lambda s: s.enter(number=id_number(1, born="19900230")))
way(certificates.UnknownRegion, lambda s: s.enter(number=id_number(1, region="109999")))
way(certificates.OldNumber, lambda s: s.enter(number="510107900307012"))
way(certificates.OtherKind, lambda s: s.enter(number=id_number(1, region="810000")))
way(names.NameMissing, lambda s: s.enter(name=" "))
way(names.NameCharacter, lambda s: s.enter(name="王芳1"))
way(names.NameSeparator, lambda s: s.enter(name="·王芳"))
way(names.NameTooLong, lambda s: s.enter(name="长" * 60))
way(life.NothingChanged, lambda s: cards.change_name(s.enter().pk, name="王芳", **s.proven, **s.who))
way(life.EvidenceMissing, lambda s: cards.change_name(s.enter().pk, name="王方", evidence="", **s.who))
way(
    life.NotANewNumber,
    lambda s: cards.change_number(s.foreigner().pk, number=id_number(3), **s.proven, **s.who),
)
way(
    life.WrongDeathDate,
    lambda s: cards.record_death(s.enter().pk, on=s.today + timedelta(days=1), **s.proven, **s.who),
)
way(life.NotEnded, lambda s: cards.restore(s.enter().pk, reason="登记有误", **s.chief))
way(records.HolderEnded, lambda s: cards.change_name(s.dead().pk, name="王方", **s.proven, **s.who))


@refuses(records.CertificateOfAnother)
def _(s: Stage) -> None:
    actions.link_certificate(s.enter(1).pk, kind="A", number=s.enter(2).social_security_number, **s.who)


@refuses(records.AlreadyLinked)
def _(s: Stage) -> None:
    actions.link_certificate(s.enter(1).pk, kind="A", number=id_number(1), **s.who)


@refuses(merging.MergeSelf)
def _(s: Stage) -> None:
    holder = s.enter()
    cards.merge(holder.pk, holder.pk, reason="重复登记", **s.proven, **s.chief)


@refuses(merging.MergeUndone)
def _(s: Stage) -> None:
    merged = s.merged()
    for _again in range(2):
        cards.unmerge(merged.pk, reason="不是同一人", **s.chief)


@refuses(merging.MergeCannotBeUndone)
def _(s: Stage) -> None:
    merged = s.merged()
    cards.record_death(merged.kept_id, on=s.today, **s.proven, **s.who)
    cards.unmerge(merged.pk, reason="不是同一人", **s.chief)


STUDENT = {"kind": "student", "source": "education", "valid_from": date(2026, 9, 1)}

way(rules.BadCategory, lambda s: actions.add_category(s.enter().pk, **STUDENT | {"kind": "rich"}, **s.who))
way(rules.NotYetElder, lambda s: actions.add_category(s.enter().pk, **STUDENT | {"kind": "elder"}, **s.who))


@refuses(actions.CategoryOverlaps)
def _(s: Stage) -> None:
    holder = s.enter()
    for _again in range(2):
        actions.add_category(holder.pk, **STUDENT, **s.who)


@refuses(rules.CategoryEnded)
def _(s: Stage) -> None:
    category = actions.add_category(s.enter().pk, **STUDENT, **s.who)
    for _again in range(2):
        actions.end_category(category.pk, reason="已毕业", **s.who)


@refuses(rules.EndsInThePast)
def _(s: Stage) -> None:
    category = actions.add_category(s.enter().pk, **STUDENT, **s.who)
    actions.end_category(category.pk, on=s.today - timedelta(days=1), reason="已毕业", **s.who)


@refuses(rules.ReasonTooShort)
def _(s: Stage) -> None:
    category = actions.add_category(s.enter().pk, **STUDENT, **s.who)
    actions.end_category(category.pk, reason="", **s.who)


way(rules.NotAWard, lambda s: s.guard(s.enter(2)))
way(rules.BadGuardianship, lambda s: s.guard(s.child(), evidence="appointment"))
way(rules.GuardianTooYoung, lambda s: s.guard(s.child(), number=id_number(4, born="20100101")))
way(rules.GuardianNeeded, lambda s: s.apply(s.child()))


@refuses(rules.GuardianKnown)
def _(s: Stage) -> None:
    child = s.child()
    for _again in range(2):
        s.guard(child)


@refuses(rules.GuardianshipEnded)
def _(s: Stage) -> None:
    guardianship = s.guard(s.child())
    for _again in range(2):
        actions.end_guardianship(guardianship.pk, reason="法院变更", **s.who)


PAPER = {"kind": "employment", "number": "合同 1", "issuer": "示例公司"}
PERMIT = PAPER | {"kind": "work_permit"}

way(rules.BadProof, lambda s: actions.prove(s.enter().pk, **PAPER | {"number": ""}, **s.who))
way(
    rules.ProofExpired,
    lambda s: actions.prove(
        s.enter().pk, **PAPER, valid_from=date(2025, 1, 1), valid_until=date(2026, 1, 1), **s.who
    ),
)
way(rules.NotAForeigner, lambda s: actions.prove(s.enter().pk, **PERMIT, **s.who))
way(rules.PermitEndMissing, lambda s: actions.prove(s.foreigner().pk, **PERMIT, **s.who))
way(rules.GroundUnproven, lambda s: s.apply(s.enter(ground="work")))
way(queries.TooShort, lambda s: queries.find("王", purpose="窗口查找", **s.who))
way(queries.ReasonMissing, lambda s: queries.reveal(s.enter().pk, "phone", reason="", **s.who))


@refuses(rules.OwnGuardian)
def _(s: Stage) -> None:
    child = s.child()
    actions.link_certificate(child.pk, kind="C", number="E12345678", **s.who)
    s.guard(child, kind="C", number="E12345678")
