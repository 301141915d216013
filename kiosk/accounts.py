"""Staff accounts: who may sit at the console. Everything here is written in kiosk.db by its one writer.

There is no default password. Where no administrator is, the kiosk leaves a token in
``<home>/first-admin-token`` (mode 0600) and says so in its log; whoever can read that file owns the hall and
makes the first administrator with it, once, at ``/console/first``. The *file* is the token's only home: no
copy of it is kept in a notebook, which also lets ``linli admin-token`` remake it while the kiosk runs (a
notebook has one writer, and that is the kiosk).

Sessions are opaque: the cookie is a random word, the notebook holds its SHA-256. An idle session is *locked*,
not ended, because a locked screen must still ring.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from devices.faults import OrderRefused
from gateway.house import TOKEN_FILE
from kiosk import account_rows as rows
from kiosk.passwords import hash_password, is_worn, make_password, verify
from kiosk.rules import account as rules
from kiosk.rules.account import Role

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

#: Touches are written at most this often: a person typing must not wear out the card.
ACTIVE_EVERY_MS = 15_000


class TooManyTries(OrderRefused):
    """Wrong passwords too often. ``wait_ms`` says when to come back."""

    def __init__(self, wait_ms: int) -> None:
        seconds = -(-wait_ms // 1000)
        zh = f"{seconds} 秒" if seconds < 120 else f"{-(-seconds // 60)} 分钟"
        en = f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
        super().__init__(
            f"密码错的次数太多，请 {zh}后再试。忘记密码请找管理员重设。",
            f"Too many wrong passwords; try again in {en}. Forgotten? An administrator can reset it.",
        )
        self.wait_ms = wait_ms


@dataclass(frozen=True, slots=True)
class Session:
    """Who sits at a console. ``locked``: the screen is covered and only rings."""

    session_hash: str
    staff_id: int
    name: str
    role: Role
    locked: bool
    must_change: bool
    ends_ms: int
    locks_ms: int
    #: may look at residents' medical notes
    medical: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff, as the page "staff" lists them."""

    staff_id: int
    name: str
    role: Role
    must_change: bool
    created_ms: int
    created_by: str
    disabled_ms: int | None
    last_active_ms: int | None
    medical: bool = False


# ---------------------------------------------------------------- the first administrator


def make_first_token(home: Path) -> Path:
    """Write a new one-time token into ``home`` and answer where. The old one is worth nothing from then on.

    Called by the kiosk at start and by ``linli admin-token``, both only while :func:`needs_first` says so. Run as
    root (``sudo linli admin-token``), the file is given to the owner of ``home``, so that the kiosk can read it.
    """
    path, new = home / TOKEN_FILE, home / f"{TOKEN_FILE}.new"
    owner = home.stat()
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(make_password(groups=5) + "\n")
    new.replace(path)
    return path


def needs_first(connection: sqlite3.Connection) -> bool:
    """True while nobody can sign in as administrator."""
    found = connection.execute(
        "SELECT 1 FROM staff WHERE role = 'admin' AND disabled_ms IS NULL LIMIT 1"
    ).fetchone()
    return found is None


# ---------------------------------------------------------------- the book of accounts


class Accounts:
    """The accounts of one hall.

    :param write: runs work in one transaction of kiosk.db and returns when it is on disk.
    :param read: gives a read-only connection to kiosk.db.
    :param now_ms: the wall clock, UTC milliseconds.
    :param home: where the first administrator's token lies.
    """

    def __init__(
        self,
        write: Callable[[Work[Any]], Any],
        read: Callable[[], sqlite3.Connection],
        now_ms: Callable[[], int],
        home: Path,
    ) -> None:
        self._write_any = write
        self._read = read
        self._now_ms = now_ms
        self._home = home

    def _write(self, work: Work[T]) -> T:
        return cast(T, self._write_any(work))

    # ---- signing in and out

    def first(self, token: str, name: str, password: str, address: str) -> str:
        """Make the first administrator with the token, once. Answers the new session's cookie."""
        now_ms = self._now_ms()
        _refuse_if(rules.what_is_wrong_with_name(name))
        _refuse_if(rules.what_is_wrong_with_password(password, name))
        self._count_try("first administrator", address, now_ms)
        try:
            real = (self._home / TOKEN_FILE).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            real = ""
        given = token.strip().casefold().encode()
        if not real or not hmac.compare_digest(given, real.encode()):
            raise OrderRefused(
                "令牌不对，或者已经用过。请看日志里写的文件；需要新令牌：linli admin-token",
                "That token is wrong or was used. See the file named in the log; for a new one: linli admin-token",
            )
        hashed = hash_password(password)

        def work(connection: sqlite3.Connection) -> str:
            # Asked again inside the transaction: of two people with the same token only one gets through.
            if not needs_first(connection):
                raise OrderRefused(
                    "已经有管理员了，请直接登录。", "There is an administrator already: sign in."
                )
            staff_id = rows.insert_staff(
                connection, name, "admin", hashed, False, "first-admin-token", now_ms
            )
            rows.forget_tries(connection, "first administrator", address)
            rows.note(connection, now_ms, rows.clean_name(name), "first_admin")
            return rows.open_session(connection, staff_id, address, now_ms)

        cookie = self._write(work)
        (self._home / TOKEN_FILE).unlink(missing_ok=True)
        return cookie

    def sign_in(self, name: str, password: str, address: str, old_cookie: str = "") -> str:
        """Answers the new session's cookie. The browser's former session, if any, ends.

        :raises TooManyTries: before any hashing.
        :raises OrderRefused: one text for an unknown name, a wrong password and a disabled account.
        """
        now_ms, key = self._now_ms(), rules.name_key(name)[:64]
        self._count_try(key, address, now_ms)
        row = (
            self._read()
            .execute(
                "SELECT staff_id, name, password_hash, disabled_ms FROM staff WHERE name_key = ?", (key,)
            )
            .fetchone()
        )
        right = verify(row[2] if row else "", password)
        if row is None or row[3] is not None or not right:
            # Only a name that we know is noted: what stands in the wrong field is often the password.
            known = row[1] if row is not None else ""
            self._write(
                lambda connection: rows.note(connection, now_ms, "", "sign_in_refused", known, address)
            )
            raise _wrong_password()
        staff_id, real_name, old_hash = row[0], row[1], row[2]
        better = hash_password(password) if is_worn(old_hash) else old_hash

        def work(connection: sqlite3.Connection) -> str:
            # The account may have been disabled, or its password changed, while we were hashing.
            same = connection.execute(
                "SELECT 1 FROM staff WHERE staff_id = ? AND password_hash = ? AND disabled_ms IS NULL",
                (staff_id, old_hash),
            ).fetchone()
            if same is None:
                raise _wrong_password()
            if better != old_hash:
                connection.execute(
                    "UPDATE staff SET password_hash = ? WHERE staff_id = ?", (better, staff_id)
                )
            rows.forget_tries(connection, key, address)
            rows.end_session(connection, rows.hash_of(old_cookie), "signed in again", now_ms)
            rows.note(connection, now_ms, real_name, "sign_in", "", address)
            return rows.open_session(connection, staff_id, address, now_ms)

        return self._write(work)

    def sign_out(self, session: Session) -> None:
        now_ms = self._now_ms()

        def work(connection: sqlite3.Connection) -> None:
            rows.end_session(connection, session.session_hash, "signed out", now_ms)
            rows.note(connection, now_ms, session.name, "sign_out")

        self._write(work)

    def session(self, cookie: str) -> Session | None:
        """Who this cookie is, or None. Asking does not count as activity."""
        return self.session_of_hash(rows.hash_of(cookie)) if cookie else None

    def session_of_hash(self, session_hash: str) -> Session | None:
        row = (
            self._read()
            .execute(
                "SELECT s.staff_id, s.created_ms, s.active_ms, s.locked_ms, p.name, p.role, p.must_change, p.medical"
                " FROM staff_sessions s JOIN staff p USING (staff_id)"
                " WHERE s.session_hash = ? AND s.ended_ms IS NULL AND p.disabled_ms IS NULL",
                (session_hash,),
            )
            .fetchone()
        )
        now_ms = self._now_ms()
        if row is None or rules.is_over(row[1], now_ms):
            return None
        return Session(
            session_hash=session_hash,
            staff_id=row[0],
            name=row[4],
            role=row[5],
            locked=rules.is_locked(row[2], row[3], now_ms),
            must_change=bool(row[6]),
            ends_ms=row[1] + rules.ENDS_AFTER_MS,
            locks_ms=row[2] + rules.IDLE_AFTER_MS,
            medical=rules.may_see_medical(row[5], bool(row[7])),
        )

    def active(self, session: Session) -> None:
        """A person did something. A locked session stays locked: only the password opens it."""
        now_ms = self._now_ms()
        if session.locked or now_ms - (session.locks_ms - rules.IDLE_AFTER_MS) < ACTIVE_EVERY_MS:
            return
        self._write(
            lambda connection: connection.execute(
                "UPDATE staff_sessions SET active_ms = ? WHERE session_hash = ? AND locked_ms IS NULL",
                (now_ms, session.session_hash),
            )
        )

    def lock(self, session: Session) -> None:
        now_ms = self._now_ms()
        self._write(
            lambda connection: connection.execute(
                "UPDATE staff_sessions SET locked_ms = ? WHERE session_hash = ?",
                (now_ms, session.session_hash),
            )
        )

    def unlock(self, session: Session, password: str, address: str) -> None:
        """:raises OrderRefused: the password is wrong; wrong ones count as at the door."""
        now_ms, key = self._now_ms(), rules.name_key(session.name)
        self._check_own(session, password, address, now_ms)

        def work(connection: sqlite3.Connection) -> None:
            rows.forget_tries(connection, key, address)
            connection.execute(
                "UPDATE staff_sessions SET locked_ms = NULL, active_ms = ?"
                " WHERE session_hash = ? AND ended_ms IS NULL",
                (now_ms, session.session_hash),
            )
            rows.note(connection, now_ms, session.name, "unlock", "", address)

        self._write(work)

    def change_password(self, session: Session, old: str, new: str, address: str) -> str:
        """Answers a new cookie; every other session of this person ends."""
        now_ms = self._now_ms()
        _refuse_if(rules.what_is_wrong_with_password(new, session.name))
        if new == old:
            raise OrderRefused("新密码和旧密码一样。", "The new password is the old one.")
        self._check_own(session, old, address, now_ms)
        hashed = hash_password(new)

        def work(connection: sqlite3.Connection) -> str:
            connection.execute(
                "UPDATE staff SET password_hash = ?, must_change = 0, password_changed_ms = ? WHERE staff_id = ?",
                (hashed, now_ms, session.staff_id),
            )
            rows.forget_tries(connection, rules.name_key(session.name), address)
            rows.end_all(connection, session.staff_id, "password changed", now_ms)
            rows.note(connection, now_ms, session.name, "password_changed")
            return rows.open_session(connection, session.staff_id, address, now_ms)

        return self._write(work)

    # ---- what an administrator does

    def add(self, by: Session, name: str, role: str) -> str:
        """Answers the password to hand over; it must be changed at the first sign-in."""
        _refuse_if(rules.what_is_wrong_with_name(name))
        if role not in rules.ROLES:
            raise OrderRefused("没有这个角色。", f"There is no role {role!r}.")
        password, now_ms = make_password(), self._now_ms()
        hashed = hash_password(password)

        def work(connection: sqlite3.Connection) -> None:
            try:
                rows.insert_staff(connection, name, role, hashed, True, by.name, now_ms)
            except sqlite3.IntegrityError as twice:
                raise OrderRefused(
                    "已经有同名的账号。", "There is an account of that name already."
                ) from twice
            rows.note(connection, now_ms, by.name, "staff_added", rows.clean_name(name), role)

        self._write(work)
        return password

    def reset(self, by: Session, staff_id: int) -> str:
        """A new password to hand over; all sessions of that person end."""
        password, now_ms = make_password(), self._now_ms()
        hashed = hash_password(password)

        def work(connection: sqlite3.Connection) -> None:
            name = rows.name_of(connection, staff_id)
            connection.execute(
                "UPDATE staff SET password_hash = ?, must_change = 1, password_changed_ms = ? WHERE staff_id = ?",
                (hashed, now_ms, staff_id),
            )
            rows.end_all(connection, staff_id, "password reset", now_ms)
            rows.note(connection, now_ms, by.name, "password_reset", name)

        self._write(work)
        return password

    def set_disabled(self, by: Session, staff_id: int, disabled: bool) -> None:
        """Disable (sessions end at once) or enable again. Nobody is deleted: the journal names them."""
        now_ms = self._now_ms()

        def work(connection: sqlite3.Connection) -> None:
            name = rows.name_of(connection, staff_id)
            if disabled and staff_id == by.staff_id:
                raise OrderRefused("不能停用自己的账号。", "You cannot disable your own account.")
            connection.execute(
                "UPDATE staff SET disabled_ms = ? WHERE staff_id = ?",
                (now_ms if disabled else None, staff_id),
            )
            if disabled and needs_first(connection):
                raise OrderRefused("至少要留一位管理员。", "At least one administrator must remain.")
            if disabled:
                rows.end_all(connection, staff_id, "disabled", now_ms)
            rows.note(connection, now_ms, by.name, "staff_disabled" if disabled else "staff_enabled", name)

        self._write(work)

    def set_medical(self, by: Session, staff_id: int, granted: bool) -> None:
        """Whether this person may look at residents' medical notes; it holds from the next request on."""
        now_ms = self._now_ms()

        def work(connection: sqlite3.Connection) -> None:
            name = rows.name_of(connection, staff_id)
            connection.execute("UPDATE staff SET medical = ? WHERE staff_id = ?", (int(granted), staff_id))
            rows.note(
                connection, now_ms, by.name, "medical_granted" if granted else "medical_withdrawn", name
            )

        self._write(work)

    def members(self) -> list[Member]:
        found = self._read().execute(
            "SELECT staff_id, name, role, must_change, created_ms, created_by, disabled_ms,"
            " (SELECT max(active_ms) FROM staff_sessions s WHERE s.staff_id = staff.staff_id), medical"
            " FROM staff ORDER BY disabled_ms IS NOT NULL, name_key"
        )
        return [
            Member(
                r[0], r[1], r[2], bool(r[3]), r[4], r[5], r[6], r[7], rules.may_see_medical(r[2], bool(r[8]))
            )
            for r in found
        ]

    # ---- the journal

    def note(self, by: str, what: str, subject: str = "", detail: str = "") -> None:
        """Write one line of who did what. No resident's name, no password."""
        now_ms = self._now_ms()
        self._write(lambda connection: rows.note(connection, now_ms, by, what, subject, detail))

    def journal(self, most: int = 200) -> list[tuple[int, str, str, str, str]]:
        """The last lines, newest first: (at_ms, by, what, subject, detail)."""
        found = self._read().execute(
            "SELECT at_ms, by_name, what, subject, detail FROM staff_journal ORDER BY line_id DESC LIMIT ?",
            (most,),
        )
        return [tuple(row) for row in found]

    # ---- inside

    def _count_try(self, key: str, address: str, now_ms: int) -> None:
        """Counted before the hashing, in one transaction: a hundred tries at once are a hundred tries."""
        tried = rows.tried(key, address)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM login_attempts WHERE at_ms <= ?", (now_ms - rules.LONGEST_WINDOW_MS,)
            )
            tries = connection.execute(
                "SELECT name_key, at_ms FROM login_attempts WHERE address = ?", (address,)
            ).fetchall()
            of_pair = [at_ms for name, at_ms in tries if name == tried]
            if wait_ms := rules.wait_before_try_ms(of_pair, [at_ms for _, at_ms in tries], now_ms):
                raise TooManyTries(wait_ms)
            connection.execute(
                "INSERT INTO login_attempts(name_key, address, at_ms) VALUES (?, ?, ?)",
                (tried, address, now_ms),
            )

        self._write(work)

    def _check_own(self, session: Session, password: str, address: str, now_ms: int) -> None:
        self._count_try(rules.name_key(session.name), address, now_ms)
        row = (
            self._read()
            .execute("SELECT password_hash FROM staff WHERE staff_id = ?", (session.staff_id,))
            .fetchone()
        )
        if not verify(row[0], password):
            raise OrderRefused("密码不对。", "That password is wrong.")


def _refuse_if(wrong: rules.Say | None) -> None:
    if wrong is not None:
        raise OrderRefused(wrong.zh, wrong.en)


def _wrong_password() -> OrderRefused:
    return OrderRefused("姓名或密码不对。", "The name or the password is wrong.")
