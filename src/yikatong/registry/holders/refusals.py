"""Why a person is not registered as claimed, and what to do next. Each is raised by the act or rule that decides it."""

from yikatong.core.errors import DomainError
from yikatong.registry.regions.law import ByLaw


class NoGround(ByLaw):
    code, status, articles = "no_ground", 422, ("G5",)
    message = "在本省居住、就业、参加社会保险或享受公共服务的个人可以申领；请选择其中一项并出示证明。"


class OutsideProvince(ByLaw):
    code, status, articles = "outside_province", 422, ("G5",)
    message = "所在区划不在本省或不存在，请填写在本省居住、就业或参保地的区划代码。"


class BadPhone(DomainError):
    code, status = "phone_invalid", 422
    message = "手机号码应为 11 位数字，以 13 至 19 开头，请核对。"


class BirthDateMissing(DomainError):
    code, status = "birth_date_missing", 422
    message = "这种证件的号码不含出生日期，请填写出生日期。"


class BirthDateWrong(DomainError):
    code, status = "birth_date_invalid", 422
    message = "出生日期不能晚于今天或早于 1900 年，请核对。"


class BirthDateDiffers(DomainError):
    code, status = "birth_date_differs", 422
    message = "填写的出生日期与证件号码不一致，请对照证件核对。"


class SexDiffers(DomainError):
    code, status = "sex_differs", 422
    message = "填写的性别与证件号码不一致，请对照证件核对。"


class BadValidity(DomainError):
    code, status = "validity_invalid", 422
    message = "证件有效期须填写起始日期和截止日期；长期有效的只填起始日期，并选择“长期有效”。"


class LongTermNotAllowed(DomainError):
    code, status = "validity_long_term_not_allowed", 422
    message = "居民身份证自年满 46 周岁后申领的才长期有效，请对照证件填写截止日期。"
    article = "《中华人民共和国居民身份证法》第五条"


class CertificateExpired(DomainError):
    """Raised by `validity.expired` with its words and article: an identity card's, else that of who may apply."""

    code, status = "certificate_expired", 422


class NumberKnown(DomainError):
    code = "number_known"
    message = "此人已有公民身份号码，不能再次赋号；号码有误的请办理证件号码变更。"


class NationalityWrong(DomainError):
    code, status = "nationality_invalid", 422
    message = (
        "国籍应为国家名称或三位字母代码，如“法国”或“FRA”；"
        "持护照或外国人永久居留身份证的应填写外国国籍，其他证件为“中国”。"
    )


class BadCategory(DomainError):
    code, status = "category_invalid", 422
    message = "请选择优待类别，并填写证明来源。"


class NotYetElder(DomainError):
    code, status = "elder_too_young", 422
    message = "老年人类别自年满 60 周岁之日起，请核对起始日期。"
    article = "《中华人民共和国老年人权益保障法》第二条"


class CategoryEnded(DomainError):
    code = "category_ended"
    message = "该优待类别在这一日期之前已经终止，不需要再次终止。"


class EndsInThePast(DomainError):
    code, status = "category_end_past", 422
    message = "终止日期不能早于今天：已经享受的优待不因终止而改变。请填写今天或以后的日期。"


class GuardianNeeded(ByLaw):
    code, articles = "guardian_needed", ("O10",)


class NotAWard(ByLaw):
    code, status, articles = "not_a_ward", 422, ("O10",)


class BadGuardianship(DomainError):
    code, status = "guardianship_invalid", 422
    message = "请选择监护依据和证明材料；指定监护人的，须出示指定监护的判决或决定。"


class OwnGuardian(DomainError):
    code, status = "guardian_is_ward", 422
    message = "监护人不能是被监护人本人，请核对证件号码。"


class GuardianTooYoung(DomainError):
    code, status = "guardian_too_young", 422
    message = "监护人应年满 18 周岁，请核对证件号码。"
    article = "《中华人民共和国民法典》第十八条、第二十七条"


class GuardianKnown(DomainError):
    code = "guardian_known"
    message = "此人已登记为该儿童的监护人，不需要再次登记。"


class GuardianshipEnded(DomainError):
    code = "guardianship_ended"
    message = "这项监护关系已经终止，不需要再次终止。"


class ReasonTooShort(DomainError):
    code, status = "reason_too_short", 422
    message = "请填写原因，2 至 100 字；持卡人可以看到。"


class BadProof(DomainError):
    code, status = "proof_invalid", 422
    message = "请选择证明种类，并填写证明编号和出具单位；截止日期应晚于起始日期。"


class ProofExpired(DomainError):
    code, status = "proof_expired", 422
    message = "证明已过有效期或尚未生效，请出示有效的证明。"


class NotAForeigner(DomainError):
    code, status = "work_permit_of_citizen", 422
    message = "外国人工作许可只登记在外国籍持卡人名下，请核对国籍或改选其他证明。"


class PermitEndMissing(DomainError):
    code, status = "work_permit_end_missing", 422
    message = "外国人工作许可须填写截止日期。"


class GroundUnproven(ByLaw):
    code, articles = "ground_unproven", ("G5",)


class AddressTooLong(DomainError):
    code, status = "address_too_long", 422
    message = "通讯地址最多 100 字，请缩短。"
