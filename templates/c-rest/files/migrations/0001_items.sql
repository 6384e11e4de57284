-- Items, in the order in which they were made. `position` is that order; clients see `id` alone.
CREATE TABLE items (
	position   INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	name       TEXT NOT NULL,
	quantity   INTEGER NOT NULL CHECK (quantity >= 0),
	created_at TEXT NOT NULL,
	updated_at TEXT NOT NULL
);
