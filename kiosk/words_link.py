"""The words of a signed link's page: key → (Chinese, English). Read on a telephone, in a hurry, by a neighbour."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "title": ("有人需要帮助", "Somebody needs help"),
    "other_language": ("English", "中文"),
    "since": ("{time} 开始，已 {minutes} 分钟", "since {time}, {minutes} min"),
    "ask": ("{name}，您好。您能去吗？", "Hello, {name}. Can you go?"),
    "accept": ("我来了", "On my way"),
    "accept_more": ("点了以后会看到地址和电话", "then you see the address and the telephone numbers"),
    "yours": ("您已接单", "You have taken it"),
    "yours_elsewhere": ("{name} 已接单", "{name} has taken this call"),
    "yours_more": (
        "地址在接单的那部手机上，或在短信里。看不到请打电话到大厅。",
        "The address is on the telephone that took it, or in the short message. Else telephone the hall.",
    ),
    "where": ("地址", "Where"),
    "who": ("谁", "Who"),
    "access": ("怎么进门", "How to get in"),
    "key_holder": ("钥匙在", "The key is with"),
    "call_person": ("打电话给老人", "Call the elder"),
    "call_key": ("打电话给拿钥匙的人", "Call the key holder"),
    "call_family": ("打电话给家属", "Call the family"),
    "call_120": ("有危险打 120", "In danger call 120"),
    "arrived": ("到了", "I am there"),
    "arrived_at": ("{name} {time} 已到", "{name} arrived at {time}"),
    "how_to_close": (
        "办完以后请告诉服务大厅结果，由值班人员办结。",
        "When it is done tell the hall how it ended: the staff on duty close the call.",
    ),
    "taken": ("{name} 已经接了这个呼叫", "{name} has already taken this call"),
    "taken_more": (
        "谢谢您。需要帮手时会再通知您。",
        "Thank you. You will hear again if more help is needed.",
    ),
    "over": ("这个呼叫已经办结，谢谢", "This call is closed, thank you"),
    "old": ("链接已过期，请看最新的消息", "This link is too old: look for the newest message"),
    "forged": ("链接无效，请从消息里重新打开", "This is no link of ours: open it from the message again"),
    "gone": ("您已不在值班名单里，请联系服务大厅", "You are not on the list any more: ask the hall"),
    "many": ("试得太多了，请一分钟后再试", "Too many attempts: try again in a minute"),
    "away": (
        "大厅的系统暂时没有回答，请直接打电话到大厅",
        "The hall's system does not answer just now: please telephone the hall",
    ),
}


def say(key: str, lang: str, /, **gaps: object) -> str:
    """A text in a language, with its gaps filled."""
    zh, en = WORDS[key]
    return (en if lang == "en" else zh).format(**gaps)
