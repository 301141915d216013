"""Speed and size, measured on a running hall: ``make bench``. Figures, not tests: nothing here fails by being slow."""
