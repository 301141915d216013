"""Which requests there are: one row a kind, each belonging to one item of the catalogue. Pure, and only words.

To add a kind: one row in `KINDS`. The faces, the console, the slip and the tests read this table and nothing else.

What is urgent shows and speaks first what to do. 119, 120 and 110 are facts and stand in `Kind.dial`, but only of kinds
in which somebody may be hurt now: a fire, a gas leak, somebody in a lift. A car on the fire lane is urgent too, but the
fire brigade is not whom one rings for it, and who reads a large 119 where nothing burns believes no number the next
time: there the property's number comes first, and 119 is in the sentence, for the moment when it does burn. The number
of a gas company, of who keeps up the lifts, of the property's desk is the hall's own: `Kind.ask_for` names whose it is,
and a face shows it only where the hall has written it down (`kiosk/content.py`, `phone`), never a guess. Where it has
not, an urgent kind without a number names those that are answered everywhere: `ANYWHERE`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Both:
    """One text in the hall's two languages."""

    zh: str
    en: str

    def say(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request. ``code`` stands in addresses and in ``requests.kind``."""

    code: str
    service_code: str
    zh: str
    en: str
    urgent: bool = False
    """The catalogue's urgent variant of the item: its `urgent_minutes`, and the number first."""
    dial: tuple[str, ...] = ()
    """Numbers that are the same in all of China, the first one said first."""
    ask_for: str = ""
    """Whose number the hall must fill in: "gas", "lift", "property"; "" for nobody's."""
    first: Both | None = None
    """What a person does before anything else."""
    places: tuple[str, ...] = ()
    """Which of `PLACES` are asked; none: where it is does not matter."""
    presets: tuple[Both, ...] = ()
    """Whole sentences for one touch; the hall may put others in their stead (subject ``presets:<code>``)."""
    fields: tuple[str, ...] = ()
    """Our fields in the order in which they are asked; each allowed by the item's ``kiosk_fields``."""

    def say(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


#: place → its words. At home, on the stairs and in a lift somebody must know which building.
PLACES: dict[str, Both] = {
    "home": Both("我家里", "In my home"),
    "stairs": Both("楼道、楼梯", "Stairs or corridor"),
    "lift": Both("电梯", "Lift"),
    "yard": Both("小区院子", "Yard"),
    "garage": Both("车库、停车场", "Garage or car park"),
    "other": Both("别的地方", "Somewhere else"),
}
PLACES_IN_A_BUILDING = frozenset({"home", "stairs", "lift"})

#: Answered all over China, day and night: what an urgent kind names that has no number of its own (police, fire).
ANYWHERE = ("110", "119")

_WHERE = ("building", "unit", "room")
_WHO = ("name", "phone")
_FULL = (*_WHERE, "words", *_WHO)
_REPAIR = ("home", "stairs", "yard", "garage", "other")
_HAZARD = ("stairs", "yard", "garage", "other")

_FIRE = Both(
    "马上离开，不要坐电梯，不要回去拿东西；到外面拨打 119",
    "Leave at once, not by lift, go back for nothing; call 119 from outside",
)
_LANE = Both(
    "车挡住、找不到车主的，也可以打 122；已经起火：马上离开，拨打 119",
    "A car whose driver cannot be found: 122 helps, too. If it is burning: leave at once and call 119",
)
_CHARGING = Both(
    "不要自己去拔、去碰；已经起火：马上离开，拨打 119",
    "Do not unplug or touch it; if it is burning: leave at once and call 119",
)
_BURST = Both(
    "先关上总水阀；水碰到电的，不要去摸",
    "Shut the main tap first; where water meets electricity, touch nothing",
)
_POWER = Both(
    "不要自己动配电箱；有人受伤拨打 120，起火拨打 119",
    "Do not touch the fuse box; injured: call 120, fire: call 119",
)
_GAS = Both(
    "先关阀、开窗，不要开灯、不要打电话；走到室外，再拨打燃气抢修电话或 119",
    "Shut the valve, open the windows, no switches, no calls indoors; go outside, then call the gas company or 119",
)
_TRAPPED = Both(
    "按轿厢里的警铃；拨打电梯应急电话或 119、110；不要扒门，靠边站稳，等人来",
    "Press the alarm in the car; call the lift hotline, 119 or 110; do not force the doors, stand still, help comes",
)
_LIFT = Both(
    "不要再乘这部电梯；有人在里面的，选“电梯困人”",
    "Do not use this lift; if somebody is inside, choose “Trapped in a lift”",
)
_DANGER = Both("人身危险请先拨打 110、119、120", "In danger call 110, 119 or 120 first")


_ALL = (
    # WY-01 公共设施与渗漏报修
    Kind("leak", "WY-01", "漏水", "Water leak", ask_for="property", places=_REPAIR, fields=_FULL, presets=(
        Both("天花板在滴水", "Water drips from the ceiling"), Both("水管接头漏水", "A pipe joint is leaking"),
        Both("墙面渗水、发霉", "The wall is damp and mouldy"),
        Both("卫生间漏到楼下", "The bathroom leaks into the flat below"),
    )),
    Kind("burst", "WY-01", "水管爆了", "Burst pipe", urgent=True, ask_for="property", first=_BURST, places=_REPAIR,
         fields=_FULL, presets=(
        Both("水管爆了，水止不住", "A pipe has burst and the water does not stop"),
        Both("楼道里到处是水", "The stairs are full of water"),
    )),
    Kind("water_off", "WY-01", "停水、水很小", "No water", ask_for="property", places=_REPAIR, fields=_FULL, presets=(
        Both("家里没有水", "There is no water in my home"), Both("整栋楼停水", "The whole building has no water"),
        Both("水压很小", "The pressure is very low"), Both("水发黄、有味道", "The water is yellow or smells"),
    )),
    Kind("power_off", "WY-01", "停电", "No electricity", urgent=True, ask_for="property", first=_POWER,
         places=_REPAIR,
         fields=_FULL, presets=(
        Both("家里没有电", "There is no electricity in my home"),
        Both("整栋楼停电", "The whole building has no power"),
        Both("电箱冒火花、有焦味", "The fuse box sparks or smells burnt"),
    )),
    Kind("drain", "WY-01", "下水堵塞", "Blocked drain", ask_for="property", places=_REPAIR, fields=_FULL, presets=(
        Both("马桶堵了", "The toilet is blocked"), Both("厨房下水堵了", "The kitchen drain is blocked"),
        Both("污水往上冒", "Waste water comes up"), Both("院子里的井盖冒水", "A manhole overflows in the yard"),
    )),
    Kind("light", "WY-01", "路灯、楼道灯", "Lights", ask_for="property", places=_HAZARD, fields=_FULL, presets=(
        Both("楼道灯不亮", "The light on the stairs is out"), Both("路灯不亮", "A street lamp is out"),
        Both("灯一直闪", "A lamp keeps flickering"),
    )),
    Kind("door", "WY-01", "门窗、门禁坏了", "Doors and gates", ask_for="property", places=_REPAIR,
         fields=_FULL, presets=(
        Both("单元门关不上", "The entrance door does not close"),
        Both("单元门打不开", "The entrance door does not open"),
        Both("窗户松动，怕掉下去", "A window is loose and may fall"), Both("扶手、栏杆松了", "A handrail is loose"),
    )),
    Kind("gas", "WY-01", "燃气泄漏", "Gas leak", urgent=True, dial=("119",), ask_for="gas", first=_GAS,
         places=_REPAIR,
         fields=_FULL, presets=(
        Both("闻到燃气味", "It smells of gas"), Both("燃气阀门漏气", "A gas valve is leaking"),
    )),
    # WY-02 电梯故障应急报告: the item may not ask for a note, so that here the presets are all there is to say
    Kind("trapped", "WY-02", "电梯困人", "Trapped in a lift", urgent=True, dial=("119", "110"), ask_for="lift",
         first=_TRAPPED, places=("lift",), fields=(*_WHERE, "phone"), presets=(
        Both("有人困在电梯里", "Somebody is trapped in the lift"),
        Both("里面有老人或孩子", "An old person or a child is inside"),
    )),
    Kind("lift", "WY-02", "电梯坏了", "Lift out of order", urgent=True, ask_for="lift", first=_LIFT, places=("lift",),
         fields=(*_WHERE, "phone"), presets=(
        Both("电梯停了", "The lift does not move"), Both("电梯异响、抖动", "The lift makes noises or shakes"),
        Both("电梯门关不上", "The lift door does not close"), Both("按钮不灵", "The buttons do not work"),
    )),
    # WY-03 噪声与邻里投诉
    Kind("noise", "WY-03", "噪声扰民", "Noise", ask_for="property",
         places=("home", "stairs", "yard", "garage", "other"),
         fields=_FULL, presets=(
        Both("楼上太吵", "The people above are too loud"), Both("装修噪声", "Renovation noise"),
        Both("广场舞声音大", "Loud music of dancers"), Both("狗一直叫", "A dog keeps barking"),
        Both("夜里太吵，睡不着", "Too loud to sleep at night"),
    )),
    # WY-08 环境卫生与消防隐患
    Kind("fire", "WY-08", "着火、冒烟", "Fire or smoke", urgent=True, dial=("119",), first=_FIRE, places=_REPAIR,
         fields=_FULL, presets=(
        Both("家里着火、冒烟", "Fire or smoke in a home"), Both("楼道里着火、冒烟", "Fire or smoke on the stairs"),
        Both("电动车、车辆着火", "An e-bike or a car is burning"), Both("里面还有人", "Somebody is still inside"),
    )),
    Kind("fire_lane", "WY-08", "堵了消防通道", "Blocked fire lane", urgent=True, ask_for="property",
         first=_LANE, places=_HAZARD, fields=_FULL, presets=(
        Both("车停在消防通道上", "A car stands on the fire lane"),
        Both("楼道里堆了东西", "Things are piled up on the stairs"),
        Both("消防门锁着", "A fire door is locked"),
    )),
    Kind("charging", "WY-08", "电动车、飞线充电", "Unsafe e-bike charging", urgent=True, ask_for="property",
         first=_CHARGING, places=_HAZARD, fields=_FULL, presets=(
        Both("从窗户拉线充电", "Charging by a cable from a window"),
        Both("电动车停在楼道里", "An e-bike stands on the stairs"),
        Both("电动车推进电梯", "E-bikes are taken into the lift"),
    )),
    Kind("rubbish", "WY-08", "垃圾、绿化", "Rubbish and greenery", ask_for="property", places=_HAZARD,
         fields=_FULL, presets=(
        Both("垃圾没有清", "Rubbish has not been taken away"), Both("有人乱扔大件垃圾", "Bulky waste was left here"),
        Both("楼道不干净", "The stairs are dirty"), Both("树枝挡路、要断了", "A branch blocks the way or may break"),
    )),
    Kind("falling", "WY-08", "高空抛物", "Things thrown down", ask_for="property", first=_DANGER,
         places=("yard", "other"),
         fields=_FULL, presets=(
        Both("有人往楼下扔东西", "Somebody throws things down"),
        Both("墙皮、瓷砖往下掉", "Plaster or tiles are coming down"),
    )),
    # ZW-16 群众诉求与来访登记
    Kind("complaint", "ZW-16", "反映问题", "A complaint", first=_DANGER, fields=_FULL, presets=(
        Both("邻里有矛盾，想请社区调解", "A quarrel with neighbours: please mediate"),
        Both("对物业服务不满意", "I am not satisfied with the property company"),
        Both("小区公共区域被占用", "Somebody occupies common ground"),
    )),
    Kind("other", "ZW-16", "其他事情", "Something else", places=tuple(PLACES), fields=_FULL, presets=(
        Both("请工作人员联系我", "Please contact me"), Both("请上门看一看", "Please come and have a look"),
    )),
    # DW-07 群众点单与议事提议
    Kind("idea", "DW-07", "提建议、点单", "An idea or a wish", fields=_FULL, presets=(
        Both("想加一些长椅", "More benches, please"), Both("想要更多活动", "More activities, please"),
        Both("想请志愿者帮个忙", "I need a volunteer's help"),
        Both("想开会商量小区的事", "Let us meet about a matter of the compound"),
    )),
    # ZW-15 老年助餐与敲门关爱
    Kind("meal", "ZW-15", "老人订餐", "A meal for an elder", fields=(*_WHERE, *_WHO, "meal_choice")),
    Kind("knock", "ZW-15", "敲门探访", "A regular visit", fields=(*_WHERE, *_WHO)),
    # ZW-14 健康小屋与老年体检
    Kind("health_day", "ZW-14", "预约体检", "A health check", fields=(*_WHO, "birth_year", "preferred_day")),
    # DW-05 在职党员双报到
    Kind("double_report", "DW-05", "党员双报到", "Party member reporting in",
         fields=(*_WHO, "employer_branch", "skills"), presets=()),
)  # fmt: skip

KINDS: dict[str, Kind] = {one.code: one for one in _ALL}


def kinds_of(service_code: str) -> tuple[Kind, ...]:
    """The kinds of one item, in the order in which they are shown; none for an item with tickets."""
    return tuple(one for one in _ALL if one.service_code == service_code)
