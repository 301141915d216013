"""The words of finding an item and of the keyboard on the glass: key → (Chinese, English)."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "find_title": ("要办什么？打几个字母就行", "What do you need? A few letters will do"),
    "find_hint": ("漏水、laonianzheng、lnz 都可以", "leak, loushui, ls: any of these"),
    "find_do": ("找", "Find"),
    "find_clear": ("清空", "Clear"),
    "find_examples": ("大家常找的，点一下就行", "Often looked for: just touch one"),
    "find_by": ("也叫“{name}”", "also “{name}”"),
    "find_count": ("找到 {n} 项，最像的在前面", "{n} found, the nearest first"),
    "find_none": ("没有找到“{q}”", "Nothing found for “{q}”"),
    "find_none_do": (
        "换个说法，少打几个字母，或按“叫人帮忙”，有人来帮您",
        "Try another word, fewer letters, or press “Call for help”",
    ),
    "find_all": ("看全部事项", "All services"),
    "find_cut": ("太长了，只看前 {n} 个字", "Too long: only the first {n} signs were looked at"),
    "find_strange": ("里面有不能用的符号，已经去掉", "Signs that cannot be used were left out"),
    "find_loading": ("正在找…", "Looking…"),
    "find_lost": (
        "现在找不到：连不上系统。您打的字还在，几秒后自动再试；也可以按“叫人帮忙”",
        "The system does not answer. What you typed stays; it is tried again in some seconds. Or press “Call for help”",
    ),
    # the keyboard
    "kb_name": ("屏幕键盘", "Keyboard on the screen"),
    "kb_choices": ("选字", "Choose the word"),
    "kb_space": ("空格", "Space"),
    "kb_back": ("删除", "Delete"),
    "kb_digits": ("数字", "123"),
    "kb_letters": ("字母", "abc"),
    "kb_zh": ("中文", "Chinese"),
    "kb_en": ("英文", "English"),
    "kb_done": ("完成", "Done"),
    "kb_before": ("上一页", "Earlier"),
    "kb_next": ("更多", "More"),
    "kb_typed": ("已打 {letters}", "Typed {letters}"),
    "kb_full": ("写满了，放不下更多", "Full: no more fits here"),
    "kb_lost": ("字出不来，先用字母也可以", "No characters now: letters will do"),
    "kb_signs": ("-/栋单元室号楼，。", "-/.,?!@#&+"),
}
