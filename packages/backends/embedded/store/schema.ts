/** States of a (vCon, storage) pair. `dead` pairs have an entry in a dead-letter list. */
export const PENDING = 0;
export const DELIVERED = 1;
export const GIVEN_UP = 2;

export const SCHEMA_VERSION = 1;

/**
 * `queue.state` is 0 waiting (the list as others see it), 1 leased, 2 later (comes back at `due`), 3 suspect (its owner
 * died); `deliveries.state` is one of the above. SQL texts say the numbers, because partial indices match only those.
 *
 * `vcons` is small so that changing a date never rewrites a document; bodies are a rowid table because WITHOUT ROWID
 * halves the rate. Everything refers to a vCon by the number of its row: numbers grow with time, so that the work of
 * one moment stays on few pages, where uuids would scatter it over an index each. Partial indices keep a claim as
 * cheap at a depth of a million as at a thousand; `counters` gives depths without counting: those of lists are kept by
 * `store.count`, once per list and request, those of storages by triggers.
 */
export const SCHEMA = `
CREATE TABLE vcons (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL,
  present INTEGER NOT NULL,
  gone INTEGER NOT NULL DEFAULT 0,
  rev INTEGER NOT NULL,
  submitted TEXT,
  sent TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL DEFAULT 0,
  terms TEXT NOT NULL DEFAULT '[]',
  ttl INTEGER,
  expires_at INTEGER,
  forced INTEGER NOT NULL DEFAULT 0,
  forget_at INTEGER
) STRICT;
CREATE UNIQUE INDEX vcons_uuid ON vcons(uuid);
CREATE INDEX vcons_created ON vcons(created_at, id) WHERE present = 1;
CREATE INDEX vcons_expires ON vcons(expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX vcons_forget ON vcons(forget_at) WHERE forget_at IS NOT NULL;

CREATE TABLE bodies (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;

CREATE TABLE terms (id INTEGER PRIMARY KEY, term TEXT NOT NULL, vcon INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX terms_term ON terms(term, vcon);
CREATE INDEX terms_vcon ON terms(vcon);

CREATE TABLE queue (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  item TEXT NOT NULL,
  vcon INTEGER,
  state INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  token INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  deaths INTEGER NOT NULL DEFAULT 0,
  lone INTEGER NOT NULL DEFAULT 0,
  due INTEGER,
  extras INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX queue_waiting ON queue(list, id) WHERE state = 0;
CREATE INDEX queue_leased ON queue(owner, list) WHERE state = 1;
CREATE INDEX queue_later ON queue(list, due, id) WHERE state = 2;
CREATE INDEX queue_suspect ON queue(list, id) WHERE state = 3;
CREATE INDEX queue_vcon ON queue(vcon) WHERE vcon IS NOT NULL;
CREATE INDEX queue_unknown ON queue(item) WHERE vcon IS NULL;

CREATE TABLE checkpoints (entry INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

CREATE TABLE letters (
  entry INTEGER PRIMARY KEY, dlq TEXT NOT NULL, list TEXT NOT NULL, delivery TEXT, record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX letters_delivery ON letters(dlq, delivery) WHERE delivery IS NOT NULL;

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY,
  vcon INTEGER NOT NULL,
  storage TEXT NOT NULL,
  action TEXT NOT NULL,
  state INTEGER NOT NULL,
  want INTEGER NOT NULL,
  done INTEGER,
  attempt INTEGER NOT NULL DEFAULT 0,
  since INTEGER NOT NULL,
  due INTEGER NOT NULL,
  held_until INTEGER NOT NULL DEFAULT 0,
  lease INTEGER NOT NULL DEFAULT 0,
  chain TEXT NOT NULL,
  dlq TEXT NOT NULL,
  error TEXT
) STRICT;
CREATE UNIQUE INDEX deliveries_pair ON deliveries(vcon, storage);
CREATE INDEX deliveries_due ON deliveries(due) WHERE state = 0;

CREATE TABLE waits (
  id INTEGER PRIMARY KEY, vcon INTEGER NOT NULL, rev INTEGER NOT NULL, required TEXT NOT NULL, egress TEXT NOT NULL
) STRICT;
CREATE INDEX waits_vcon ON waits(vcon);

CREATE TABLE counters (name TEXT NOT NULL, n INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX counters_name ON counters(name);
INSERT INTO counters (name, n) VALUES ('token', 0), ('openings', 0), ('commits', 0);

CREATE TRIGGER queue_extras AFTER DELETE ON queue WHEN old.extras = 1 BEGIN
  DELETE FROM checkpoints WHERE entry = old.id;
  DELETE FROM letters WHERE entry = old.id;
END;
CREATE TRIGGER delivery_comes AFTER INSERT ON deliveries WHEN new.state = 0 BEGIN
  INSERT INTO counters (name, n) VALUES ('storage:' || new.storage, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER delivery_returns AFTER UPDATE OF state ON deliveries WHEN new.state = 0 AND old.state <> 0 BEGIN
  INSERT INTO counters (name, n) VALUES ('storage:' || new.storage, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER delivery_leaves AFTER UPDATE OF state ON deliveries WHEN old.state = 0 AND new.state <> 0 BEGIN
  UPDATE counters SET n = n - 1 WHERE name = 'storage:' || old.storage;
END;
CREATE TRIGGER delivery_goes AFTER DELETE ON deliveries WHEN old.state = 0 BEGIN
  UPDATE counters SET n = n - 1 WHERE name = 'storage:' || old.storage;
END;

PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Tables that came later and that older servers do not miss: made at every opening where they are not there. */
export const ADDITIONS = `
CREATE TABLE IF NOT EXISTS submitters (
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, submitter TEXT NOT NULL, forget_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS submitters_uuid ON submitters(uuid);
CREATE INDEX IF NOT EXISTS submitters_forget ON submitters(forget_at);
`;
