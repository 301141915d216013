"""Staff accounts in a real notebook, with a clock that is held."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.faults import OrderRefused
from gateway.house import TOKEN_FILE
from gateway.notebook import Notebook, open_reader
from kiosk.accounts import Accounts, Session, TooManyTries, make_first_token, needs_first
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ROOT, Clock

PASSWORD = ADMIN_PASSWORD
FROM = "10.0.0.7"


class Book:
    """A notebook, a clock and the accounts over them."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock = home, Clock()
        self.notebook = Notebook(home / "kiosk.db", ROOT / "kiosk" / "schema")
        self.reader = open_reader(home / "kiosk.db")
        self._lock = threading.Lock()
        self.accounts = Accounts(self._write, lambda: self.reader, self.clock, home)

    def _write(self, work):
        with self._lock:
            return self.notebook.write(work)

    def token(self) -> str:
        return make_first_token(self.home).read_text(encoding="ascii").strip()

    def admin(self) -> Session:
        return self.session(self.accounts.first(self.token(), ADMIN, PASSWORD, FROM))

    def now(self, session: Session) -> Session:
        """The same session as the notebook has it now."""
        found = self.accounts.session_of_hash(session.session_hash)
        assert found is not None
        return found

    def session(self, cookie: str) -> Session:
        session = self.accounts.session(cookie)
        assert session is not None
        return session


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path)
    yield book
    book.reader.close()
    book.notebook.close()


# ---------------------------------------------------------------- the first administrator


def test_the_first_administrator_comes_in_by_a_token_that_works_once(book: Book) -> None:
    assert needs_first(book.reader)
    token = book.token()
    file = book.home / TOKEN_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token.encode() not in (book.home / "kiosk.db").read_bytes()

    session = book.session(book.accounts.first(token, ADMIN, PASSWORD, FROM))

    assert (session.name, session.role, session.must_change) == (ADMIN, "admin", False)
    assert not file.exists()
    assert not needs_first(book.reader)
    with pytest.raises(OrderRefused, match="That token is wrong or was used"):
        book.accounts.first(token, "second", PASSWORD, FROM)


def test_a_token_file_that_comes_back_makes_no_second_administrator(book: Book) -> None:
    book.admin()
    (book.home / TOKEN_FILE).write_text("kept-from-backup\n", encoding="ascii")
    with pytest.raises(OrderRefused, match="There is an administrator already"):
        book.accounts.first("kept-from-backup", "second", PASSWORD, FROM)


def test_of_two_people_with_the_same_token_one_gets_in(book: Book) -> None:
    token, answers = book.token(), []
    ready = threading.Barrier(2)

    def one(name: str) -> None:
        ready.wait()
        try:
            answers.append(book.session(book.accounts.first(token, name, PASSWORD, name)).name)
        except OrderRefused:
            answers.append("refused")

    both = [threading.Thread(target=one, args=(name,)) for name in ("a one", "b two")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(answers)[-1] == "refused"
    assert len(book.accounts.members()) == 1


def test_an_empty_token_opens_nothing_even_without_a_file(book: Book) -> None:
    for token in ("", "  ", "\n"):
        with pytest.raises(OrderRefused, match="That token is wrong"):
            book.accounts.first(token, ADMIN, PASSWORD, FROM)


def test_guessing_the_token_is_limited_too(book: Book) -> None:
    book.token()
    for guess in ("a", "b", "c"):
        with pytest.raises(OrderRefused, match="That token is wrong"):
            book.accounts.first(guess, ADMIN, PASSWORD, FROM)
    with pytest.raises(TooManyTries):
        book.accounts.first("d", ADMIN, PASSWORD, FROM)


def test_a_short_password_costs_no_try(book: Book) -> None:
    token = book.token()
    for _ in range(5):
        with pytest.raises(OrderRefused, match="at least 8"):
            book.accounts.first(token, ADMIN, "short", FROM)
    assert book.session(book.accounts.first(token, ADMIN, PASSWORD, FROM)).role == "admin"


# ---------------------------------------------------------------- wrong passwords


def wrong(book: Book, times: int, name: str = ADMIN, address: str = FROM) -> None:
    for _ in range(times):
        with pytest.raises(OrderRefused, match="The name or the password is wrong"):
            book.accounts.sign_in(name, "not the password", address)


def test_three_wrong_passwords_a_minute_then_even_the_right_one_waits(book: Book) -> None:
    book.admin()
    wrong(book, 3)
    with pytest.raises(TooManyTries) as refused:
        book.accounts.sign_in(ADMIN, PASSWORD, FROM)
    assert refused.value.why_en.startswith("Too many wrong passwords; try again in 60 seconds")
    book.clock.go(s=60)
    assert book.accounts.session(book.accounts.sign_in(ADMIN, PASSWORD, FROM))


def test_somebody_elses_wrong_passwords_do_not_shut_me_out(book: Book) -> None:
    book.admin()
    wrong(book, 3, address="10.6.6.6")
    assert book.accounts.session(book.accounts.sign_in(ADMIN, PASSWORD, FROM))


def test_the_right_password_forgets_the_wrong_ones(book: Book) -> None:
    book.admin()
    for _ in range(4):
        wrong(book, 2)
        book.accounts.sign_in(ADMIN, PASSWORD, FROM)
    assert book.accounts.session(book.accounts.sign_in(ADMIN, PASSWORD, FROM))


def test_pulling_the_plug_buys_no_more_tries(book: Book) -> None:
    book.admin()
    wrong(book, 3)
    again = Accounts(book.notebook.write, lambda: book.reader, book.clock, book.home)
    with pytest.raises(TooManyTries):
        again.sign_in(ADMIN, PASSWORD, FROM)


def test_a_name_that_nobody_has_is_refused_and_limited_in_the_same_words(book: Book) -> None:
    book.admin()
    wrong(book, 3, name="nobody")
    with pytest.raises(TooManyTries):
        book.accounts.sign_in("nobody", "x", FROM)


# ---------------------------------------------------------------- sessions


def test_the_notebook_holds_no_cookie(book: Book) -> None:
    cookie = book.accounts.first(book.token(), ADMIN, PASSWORD, FROM)
    kept = b"".join(path.read_bytes() for path in book.home.iterdir() if path.is_file())
    assert cookie.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_an_idle_screen_locks_after_15_minutes_and_a_password_opens_it(book: Book) -> None:
    session = book.admin()
    book.clock.go(min=14.9)
    assert not book.now(session).locked
    book.clock.go(min=0.2)
    locked = book.now(session)
    assert locked.locked

    book.accounts.active(locked)  # nothing but the password unlocks
    assert book.now(session).locked
    with pytest.raises(OrderRefused, match="That password is wrong"):
        book.accounts.unlock(locked, "wrong", FROM)
    book.accounts.unlock(locked, PASSWORD, FROM)
    assert not book.now(session).locked


def test_a_person_at_the_screen_puts_off_the_lock(book: Book) -> None:
    session = book.admin()
    for _ in range(4):
        book.clock.go(min=10)
        book.accounts.active(book.now(session))
    assert not book.now(session).locked


def test_a_session_ends_after_12_hours_however_busy(book: Book) -> None:
    session = book.admin()
    for _ in range(71):
        book.clock.go(min=10)
        book.accounts.active(book.now(session))
    book.clock.go(min=10)
    assert book.accounts.session_of_hash(session.session_hash) is None


def test_signing_out_ends_the_session(book: Book) -> None:
    session = book.admin()
    book.accounts.sign_out(session)
    assert book.accounts.session_of_hash(session.session_hash) is None


def test_a_changed_password_ends_all_other_sessions(book: Book) -> None:
    first = book.admin()
    second = book.session(book.accounts.sign_in(ADMIN, PASSWORD, FROM))
    third = book.session(book.accounts.change_password(second, PASSWORD, "a new one, quite long", FROM))
    assert book.accounts.session_of_hash(first.session_hash) is None
    assert book.accounts.session_of_hash(second.session_hash) is None
    assert book.accounts.session_of_hash(third.session_hash) is not None
    wrong(book, 1)


# ---------------------------------------------------------------- what an administrator does


def test_a_handed_over_password_must_be_changed(book: Book) -> None:
    handed = book.accounts.add(book.admin(), "李强", "staff")
    session = book.session(book.accounts.sign_in("李强", handed, FROM))
    assert (session.role, session.must_change) == ("staff", True)
    mine = book.session(book.accounts.change_password(session, handed, "my own sentence", FROM))
    assert not mine.must_change


def test_a_disabled_account_is_out_at_once_and_cannot_come_back(book: Book) -> None:
    admin = book.admin()
    handed = book.accounts.add(admin, "李强", "staff")
    session = book.session(book.accounts.sign_in("李强", handed, FROM))
    book.accounts.set_disabled(admin, session.staff_id, True)
    assert book.accounts.session_of_hash(session.session_hash) is None
    with pytest.raises(OrderRefused, match="The name or the password is wrong"):
        book.accounts.sign_in("李强", handed, FROM)
    book.accounts.set_disabled(admin, session.staff_id, False)
    assert book.accounts.session(book.accounts.sign_in("李强", handed, FROM))


def test_the_last_administrator_stays(book: Book) -> None:
    admin = book.admin()
    with pytest.raises(OrderRefused, match="You cannot disable your own account"):
        book.accounts.set_disabled(admin, admin.staff_id, True)
    handed = book.accounts.add(admin, "second", "admin")
    second = book.session(book.accounts.sign_in("second", handed, FROM))
    book.accounts.set_disabled(second, admin.staff_id, True)
    assert not needs_first(book.reader)
    with pytest.raises(OrderRefused, match="You cannot disable your own account"):
        book.accounts.set_disabled(second, second.staff_id, True)


def test_two_accounts_cannot_have_the_same_name(book: Book) -> None:
    admin = book.admin()
    book.accounts.add(admin, "Li Qiang", "staff")
    with pytest.raises(OrderRefused, match="There is an account of that name already"):
        book.accounts.add(admin, "ＬＩ qiang", "staff")


def test_a_password_typed_as_a_name_is_kept_nowhere(book: Book) -> None:
    book.admin()
    wrong(book, 1, name=PASSWORD)
    wrong(book, 1, name=f" {ADMIN} ")
    kept = "\n".join(book.notebook.connection.iterdump())
    assert PASSWORD not in kept
    refused = [subject for _, _, what, subject, _ in book.accounts.journal() if what == "sign_in_refused"]
    assert refused == [ADMIN, ""], "a name that we know is noted as it is ours"
    assert book.reader.execute("SELECT count(*) FROM login_attempts").fetchone()[0] == 2


def test_the_journal_says_who_did_what_and_no_password(book: Book) -> None:
    admin = book.admin()
    handed = book.accounts.add(admin, "李强", "staff")
    wrong(book, 1, name="李强")
    lines = [(by, what, subject) for _, by, what, subject, _ in book.accounts.journal()]
    assert lines == [
        ("", "sign_in_refused", "李强"),
        (ADMIN, "staff_added", "李强"),
        (ADMIN, "first_admin", ""),
    ]
    assert handed not in str(book.accounts.journal())
