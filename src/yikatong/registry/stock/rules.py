"""Refusals of stock and printing, and the serials of a pack."""

from datetime import timedelta
from typing import Final

from yikatong.core.errors import DomainError, Invalid
from yikatong.registry.regions.law import ByLaw

#: An act begun before midnight has ended by then.
SETTLED_AFTER: Final = timedelta(hours=1)
PACK_MOST: Final = 2_000
#: So many cards spoiled for one holder, and a clerk looks at the printer first.
SPOILED_MOST: Final = 3


class NotAtOnce(ByLaw):
    code, articles = "not_issued_at_once", ("O10",)
    message = "本网点不办理立等可取，请按批次制卡。"


class NoPrinter(DomainError):
    code = "no_printer"
    message = "本网点没有连接制卡打印机，请按批次制卡。"


class NotReadyToPrint(ByLaw):
    """facts: status."""

    code, articles = "case_not_ready_to_print", ("O10",)
    message = "审核通过且银行已开户、未编入批次的受理单才能即时制卡，请核对受理单的当前步骤。"


class OtherOutlet(ByLaw):
    """The holder waits elsewhere; the words name the outlet."""

    code, articles = "printed_elsewhere", ("O10",)


class NoBlanks(ByLaw):
    code, articles = "no_blank_cards", ("O10",)
    message = "本网点没有这家银行的空白卡。请先领入空白卡，或按批次制卡。"


class BlankKnown(DomainError):
    code = "blank_known"
    message = "这段空白卡号中有已经领入的卡，整包没有入库。请核对起始号码和张数。"


class BlankNotHere(DomainError):
    """facts: serial."""

    code = "blank_not_in_stock"


class BadPack(Invalid):
    code = "pack_invalid"
    message = "空白卡号应为 6 至 16 位数字，张数为 1 至 2000。"


class NotPrinting(DomainError):
    code = "print_job_over"
    message = "这项打印任务已经结束，请刷新打印队列。"


class CountMissing(Invalid):
    code = "count_needs_note"
    message = "实盘与账面不符，请填写差异说明。"


class CountOwn(DomainError):
    code, status = "count_four_eyes", 403
    message = "四眼原则：本次盘点由您登记，须由另一名工作人员复核。"


class CountConfirmed(DomainError):
    code = "count_confirmed"
    message = "这次盘点已经复核，不需要再次复核。"


class NoShortage(DomainError):
    code = "no_shortage"
    message = "没有已复核、尚未核销的短少。请先盘点，由另一人复核，再按张核销。"


class CountedAlready(DomainError):
    code = "counted_already"
    message = "今日已经盘点，不需要重复登记。"


def serials(first: str, count: int) -> list[str]:
    """The numbers of a pack, in order and as wide as the first; raises BadPack."""
    if not (first.isascii() and first.isdigit() and 6 <= len(first) <= 16 and 1 <= count <= PACK_MOST):
        raise BadPack
    found = [f"{int(first) + place:0{len(first)}d}" for place in range(count)]
    if len(found[-1]) > len(first):
        raise BadPack
    return found
