"""Names of items on small tiles: where a Chinese name may be parted, and English names that fit.

On a 10.1-inch panel 31 tiles have 25 x 20 mm each: in letters of 6 mm (smaller ones cannot be read by who needs them)
four hanzi or eight Latin letters a line, three lines. The keys are the names as the catalogue ships them: a name that
staff have changed is shown as they wrote it. The full English name stands on the item's own page.
"""

from __future__ import annotations

from markupsafe import Markup, escape

#: Parts of at most four hanzi that belong together.
_PARTS = """
党员组织/关系接转 流动党员/报到登记 入党申请/受理 党费收缴 在职党员/双报到 困难党员/关怀帮扶 群众点单/与议事/提议
最低生活/保障申请 临时救助/申请 残疾人证/与两项/补贴 高龄津贴/与老年/优待证 居民养老/保险办理 居民医保/与异地/就医
就业失业/登记 公租房/保障申请 生育登记/与育儿/补贴 流动人口/与居住证 退役军人/服务 社区证明/出具 人民调解/与法律/咨询
健康小屋/与老年/体检 老年助餐/与敲门/关爱 群众诉求/与来访/登记 公共设施/与渗漏/报修 电梯故障/应急报告 噪声与/邻里投诉
门禁卡与/停车登记 装饰装修/登记 物业费/缴纳与/票据 维修资金/与业主/事务 环境卫生/与消防/隐患
亲属关系/证明 居民身份/信息证明 户口登记/项目变更/申请证明 居民养犬/证明 无犯罪/记录证明 社区戒毒/康复人员/证明
人员失踪/证明 婚姻状况/证明 疾病状况/证明 残疾状况/证明 婚育状况/证明 居民就业/状况证明 居民个人/档案证明 居民财产/证明
遗产/继承权/证明 市场主体/住所证明 证件遗失/证明 指定/监护人 居住情况/说明 家庭困难/情况说明 本地清单/上的其他/证明
"""
_PARTED = {name.replace("/", ""): name.split("/") for name in _PARTS.split()}

#: A hyphen is where a word may be parted.
_SHORT = {
    "Transfer of Party membership": "Party trans-fer",
    "Registration of mobile Party members": "Visiting mem-bers",
    "Application to join the Party": "Join the Party",
    "Payment of Party dues": "Party dues",
    "In-service members report to community": "Mem-bers report",
    "Support for Party members in hardship": "Hard-ship help",
    "Resident orders and public-matter proposals": "Your ideas",
    "Minimum living allowance (dibao)": "Income support",
    "Temporary (emergency) assistance": "Urgent relief",
    "Disability certificate and allowances": "Disa-bility card",
    "Senior allowance and senior card": "Senior card",
    "Residents' pension insurance": "Pension",
    "Residents' medical insurance and care elsewhere": "Medical cover",
    "Employment and unemployment registration": "Jobs",
    "Public rental housing application": "Public housing",
    "Birth registration and childcare subsidy": "Birth and child",
    "Migrant registration and residence permit": "Resi-dence permit",
    "Services for veterans": "Vet-erans",
    "Community certificates": "Certifi-cates",
    "Mediation and legal advice": "Legal advice",
    "Health cabin and senior check-ups": "Health check",
    "Senior meals and door-knock care": "Senior meals",
    "Residents' requests and visit log": "Tell the hall",
    "Repairs to shared facilities and leaks": "Leaks, repairs",
    "Lift fault and entrapment report": "Lift fault",
    "Noise and neighbour complaints": "Noise",
    "Access cards and parking": "Cards, parking",
    "Renovation registration": "Reno-vation",
    "Property fees and receipts": "Fees, receipts",
    "Repair fund and owners' affairs": "Repair fund",
    "Environment and fire-safety hazards": "Litter, fire risk",
    "Proof of drug rehabilitation": "Proof of drug rehabili-tation",
    "Certificate of no criminal record": "Certifi-cate of no criminal record",
    "Proof for changing household data": "Proof for changing house-hold data",
}


def short_name_en(name_en: str) -> str:
    """What stands on a small tile for the item of this English name; soft hyphens where a word may be parted."""
    return _SHORT[name_en].replace("-", "\u00ad") if name_en in _SHORT else name_en


def parted_zh(name_zh: str) -> Markup:
    """A Chinese name with ``<wbr>`` where its line may end; one that is not known ends anywhere."""
    return Markup("<wbr>").join(escape(part) for part in _PARTED.get(name_zh, [name_zh]))
