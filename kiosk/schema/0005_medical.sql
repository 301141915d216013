-- Who may look at a resident's medical notes besides administrators (kiosk/rules/account.py). Nobody until somebody says so.
ALTER TABLE staff ADD COLUMN medical INTEGER NOT NULL DEFAULT 0 CHECK (medical IN (0, 1));
