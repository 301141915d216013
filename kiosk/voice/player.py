"""The program that makes a WAV sound on this machine: pw-play where PipeWire runs, else aplay.

A program of its own and not a library: a sound card that hangs its driver hangs that program, which can be killed, and
never the kiosk. Nothing here needs a network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from devices.clock import mono_s
from devices.faults import OutsideDown
from devices.plan import Voice

#: A card needs up to a second to wake; who has not ended so long after the sound's own length hangs (our choice).
LATE_S = 4.0
#: How often it is looked whether an emergency came: half of what an ear notices as waiting.
LOOK_S = 0.05

Stopped = Callable[[], bool]


class PlayerFault(OutsideDown):
    """Nothing was heard. ``zh`` and ``en`` say to the person on duty why and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def command(voice: Voice, environ: Mapping[str, str] = os.environ) -> list[str]:
    """The program and its options, without the file.

    :raises PlayerFault: none of them is installed here.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    piped = bool(runtime) and (Path(runtime) / "pipewire-0").exists()
    names = {"auto": ["pw-play", "aplay"] if piped else ["aplay", "pw-play"]}.get(
        voice.player, [voice.player]
    )
    for name in names:
        program = shutil.which(name, path=environ.get("PATH"))
        if program is None:
            continue
        if name == "pw-play":
            return [program, *(["--target", voice.device] if voice.device else [])]
        return [program, "-q", *(["-D", voice.device] if voice.device else [])]
    raise PlayerFault(
        f"这台机器上没有播放程序（{'、'.join(names)}）：请安装 alsa-utils；叫号照常显示在屏幕上",
        f"there is no player here ({', '.join(names)}): sudo apt-get install alsa-utils; the screens show the numbers",
    )


def start(argv: list[str], file: Path) -> subprocess.Popen[bytes]:
    """Begin to play a file. `finish` must be called with what is given back.

    :raises PlayerFault: the player could not be started.
    """
    try:
        return subprocess.Popen(
            [*argv, str(file)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as wrong:
        raise PlayerFault(
            f"播放程序打不开（{argv[0]}）：叫号照常显示在屏幕上", f"{argv[0]} cannot be started: {wrong}"
        ) from wrong


def finish(process: subprocess.Popen[bytes], seconds: float, stopped: Stopped) -> bool:
    """Wait until it has played its file of so many seconds. False: ``stopped`` said so in the middle.

    :raises PlayerFault: the player gave up, or hung; with its own last words.
    """
    name = process.args[0] if isinstance(process.args, list) else "the player"
    until_s = mono_s() + seconds + LATE_S
    with process:
        while True:
            try:
                code = process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                late = mono_s() >= until_s
                if not late and not stopped():
                    continue
                process.kill()
                if not late:
                    return False
                raise PlayerFault(
                    "播放程序没有反应：检查音箱和声卡，或重新插拔；叫号照常显示在屏幕上",
                    f"{name} hung and was ended: check loudspeaker and sound card; the screens show the numbers",
                ) from None
            if code == 0:
                return True
            words = (process.stderr.read() if process.stderr else b"").decode("utf-8", "replace").strip()
            raise PlayerFault(
                f"声音放不出来：检查音箱、声卡和 hall.toml 里的 device（{words[:120] or code}）",
                f"{name} failed ({words[:200] or code}): check loudspeaker, sound card and device in hall.toml",
            )
