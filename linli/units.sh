#!/bin/sh
# `sudo make units`: puts the hall under systemd on this machine. Doing it again brings everything up to date.
# What a technician edits (/etc/linli/hall.toml, /etc/linli/mosquitto.conf, /etc/linli/environment) is never touched.
set -eu
cd "$(dirname "$0")/.."

stop() { printf '%s\n' "linli: $1" >&2; shift; for line in "$@"; do printf '       %s\n' "$line" >&2; done; exit 1; }
[ "$(id -u)" = 0 ] || stop "this needs root: sudo make units   需要 root 权限"
# The units hide /home from the hall's processes (ProtectHome=), so the hall cannot live there.
[ "$(pwd -P)" = /opt/linli ] || stop "the hall must be in /opt/linli, and this is $(pwd -P). 请放到 /opt/linli。" \
    "sudo mv $(pwd -P) /opt/linli && cd /opt/linli && sudo make units"

sh linli/install.sh run
install -d /etc/systemd/system/mosquitto.service.d /etc/sysusers.d /etc/tmpfiles.d /etc/udev/rules.d \
    /etc/chromium/policies/managed /usr/lib/systemd/catalog
install -m 644 systemd/linli*.service systemd/linli*.target systemd/linli*.timer /etc/systemd/system/
install -m 644 systemd/mosquitto.service.d/linli.conf /etc/systemd/system/mosquitto.service.d/
install -m 644 systemd/linli.sysusers /etc/sysusers.d/linli.conf
install -m 644 systemd/linli.tmpfiles /etc/tmpfiles.d/linli.conf
install -m 644 systemd/60-linli-serial.rules /etc/udev/rules.d/
install -m 644 systemd/chromium/linli.json /etc/chromium/policies/managed/
install -m 644 systemd/linli.catalog systemd/linli.zh_CN.catalog /usr/lib/systemd/catalog/
systemd-sysusers
systemd-tmpfiles --create linli.conf
journalctl --update-catalog
systemctl enable linli.target
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if command -v udevadm >/dev/null 2>&1; then udevadm control --reload && udevadm trigger --subsystem-match=tty --subsystem-match=misc; fi
fi
cat <<'WORDS'
linli: the units are installed. Now:   单元已安装。接下来：
       1. sudo nano /etc/linli/hall.toml        printers, panels; [broker] own = false; [virtual] on = false
       2. sudo systemctl restart mosquitto && sudo systemctl start linli.target
       3. sudo /opt/linli/.venv/bin/linli doctor
       The resident's screen on this machine: sudo apt-get install cage xwayland chromium fonts-noto-cjk
                                              sudo systemctl enable --now linli-browser linli-browser-night.timer
WORDS
