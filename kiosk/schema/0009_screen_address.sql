-- At which machine a screen was calibrated: who calls for help in its name from elsewhere is not it. '' for a screen that
-- was calibrated before: it calls as another device until a technician has calibrated it again; on this machine: never needed.
ALTER TABLE screens ADD COLUMN address TEXT NOT NULL DEFAULT '';
