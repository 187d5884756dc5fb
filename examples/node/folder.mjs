// The folder that an example works in: the one named by the user, or a fresh one that is removed at the end.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function workFolder() {
  const named = process.argv[2];
  if (named !== undefined) {
    mkdirSync(named, { recursive: true });
    return named;
  }
  const folder = mkdtempSync(join(tmpdir(), 'lightning_db_'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
