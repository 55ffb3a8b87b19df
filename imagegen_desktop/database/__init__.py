"""What the program remembers: jobs, images, styles and small facts, in one SQLite file through Peewee."""
