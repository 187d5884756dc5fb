// A backup of a database in use, and its restore into a new folder.
//
// node examples/node/backup.mjs [FOLDER]

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { Database } from 'lightning-db';

import { workFolder } from './folder.mjs';

const folder = workFolder();

const db = await Database.open(join(folder, 'original'), { valueEncoding: 'utf8' });
await db.put('color', 'green');

const monday = join(folder, 'backups', 'monday');
await db.backup(monday);
console.log(`backup ${monday}`);

// What is written later is not in the backup.
await db.put('color', 'blue');

await Database.restore(monday, join(folder, 'restored'));
const restored = await Database.open(join(folder, 'restored'), { valueEncoding: 'utf8' });
assert.equal(await restored.get('color'), 'green');
assert.equal(await db.get('color'), 'blue');

await restored.close();
await db.close();
