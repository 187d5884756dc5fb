// A folder and a database for a test, closed and removed behind it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Database } from 'lightning-db';

/** A fresh folder that is removed at the end of the test. */
export function freshFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'lightning_db_node_'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A fresh database that is closed at the end of the test. */
export async function freshDatabase(t, options) {
  // Hooks run in the order in which they are added: close, then remove.
  let db;
  t.after(() => db?.close());
  return (db = await Database.open(join(freshFolder(t), 'db'), options));
}
