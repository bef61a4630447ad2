"""国籍: codes of three letters and their Chinese names (GB/T 2659.1, ISO 3166-1). Pure."""

from typing import Final

_TABLE: Final = """
AFG阿富汗 ALB阿尔巴尼亚 DZA阿尔及利亚 AND安道尔 AGO安哥拉 ATG安提瓜和巴布达 ARG阿根廷 ARM亚美尼亚 AUS澳大利亚
AUT奥地利 AZE阿塞拜疆 BHS巴哈马 BHR巴林 BGD孟加拉国 BRB巴巴多斯 BLR白俄罗斯 BEL比利时 BLZ伯利兹 BEN贝宁 BTN不丹
BOL玻利维亚 BIH波斯尼亚和黑塞哥维那 BWA博茨瓦纳 BRA巴西 BRN文莱 BGR保加利亚 BFA布基纳法索 BDI布隆迪 CPV佛得角
KHM柬埔寨 CMR喀麦隆 CAN加拿大 CAF中非 TCD乍得 CHL智利 CHN中国 COL哥伦比亚 COM科摩罗 COG刚果（布） COD刚果（金）
COK库克群岛 CRI哥斯达黎加 CIV科特迪瓦 HRV克罗地亚 CUB古巴 CYP塞浦路斯 CZE捷克 DNK丹麦 DJI吉布提 DMA多米尼克
DOM多米尼加 ECU厄瓜多尔 EGY埃及 SLV萨尔瓦多 GNQ赤道几内亚 ERI厄立特里亚 EST爱沙尼亚 SWZ斯威士兰 ETH埃塞俄比亚
FJI斐济 FIN芬兰 FRA法国 GAB加蓬 GMB冈比亚 GEO格鲁吉亚 DEU德国 GHA加纳 GRC希腊 GRD格林纳达 GTM危地马拉 GIN几内亚
GNB几内亚比绍 GUY圭亚那 HTI海地 VAT梵蒂冈 HND洪都拉斯 HUN匈牙利 ISL冰岛 IND印度 IDN印度尼西亚 IRN伊朗 IRQ伊拉克
IRL爱尔兰 ISR以色列 ITA意大利 JAM牙买加 JPN日本 JOR约旦 KAZ哈萨克斯坦 KEN肯尼亚 KIR基里巴斯 PRK朝鲜 KOR韩国
KWT科威特 KGZ吉尔吉斯斯坦 LAO老挝 LVA拉脱维亚 LBN黎巴嫩 LSO莱索托 LBR利比里亚 LBY利比亚 LIE列支敦士登 LTU立陶宛
LUX卢森堡 MDG马达加斯加 MWI马拉维 MYS马来西亚 MDV马尔代夫 MLI马里 MLT马耳他 MHL马绍尔群岛 MRT毛里塔尼亚
MUS毛里求斯 MEX墨西哥 FSM密克罗尼西亚联邦 MDA摩尔多瓦 MCO摩纳哥 MNG蒙古 MNE黑山 MAR摩洛哥 MOZ莫桑比克 MMR缅甸
NAM纳米比亚 NRU瑙鲁 NPL尼泊尔 NLD荷兰 NZL新西兰 NIC尼加拉瓜 NER尼日尔 NGA尼日利亚 NIU纽埃 MKD北马其顿 NOR挪威
OMN阿曼 PAK巴基斯坦 PLW帕劳 PSE巴勒斯坦 PAN巴拿马 PNG巴布亚新几内亚 PRY巴拉圭 PER秘鲁 PHL菲律宾 POL波兰
PRT葡萄牙 QAT卡塔尔 ROU罗马尼亚 RUS俄罗斯 RWA卢旺达 KNA圣基茨和尼维斯 LCA圣卢西亚 VCT圣文森特和格林纳丁斯
WSM萨摩亚 SMR圣马力诺 STP圣多美和普林西比 SAU沙特阿拉伯 SEN塞内加尔 SRB塞尔维亚 SYC塞舌尔 SLE塞拉利昂 SGP新加坡
SVK斯洛伐克 SVN斯洛文尼亚 SLB所罗门群岛 SOM索马里 ZAF南非 SSD南苏丹 ESP西班牙 LKA斯里兰卡 SDN苏丹 SUR苏里南
SWE瑞典 CHE瑞士 SYR叙利亚 TJK塔吉克斯坦 TZA坦桑尼亚 THA泰国 TLS东帝汶 TGO多哥 TON汤加 TTO特立尼达和多巴哥
TUN突尼斯 TUR土耳其 TKM土库曼斯坦 TUV图瓦卢 UGA乌干达 UKR乌克兰 ARE阿拉伯联合酋长国 GBR英国 USA美国 URY乌拉圭
UZB乌兹别克斯坦 VUT瓦努阿图 VEN委内瑞拉 VNM越南 YEM也门 ZMB赞比亚 ZWE津巴布韦 XXA无国籍
"""
#: Name by code.
NAMES: Final = {entry[:3]: entry[3:] for entry in _TABLE.split()}
_CODES: Final = {name: code for code, name in NAMES.items()}


def name_of(code: str) -> str:
    """The Chinese name; the code itself where there is none, e.g. of an older passport."""
    return NAMES.get(code, code)


def code_of(text: str) -> str:
    """The code for a code or a Chinese name, in capitals; "" for what is neither."""
    plain = text.strip()
    return plain.upper() if plain.upper() in NAMES else _CODES.get(plain, "")
