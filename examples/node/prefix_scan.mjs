// Keys in order: a prefix as a table, a second prefix as an index, and a snapshot that does not move.
//
// node examples/node/prefix_scan.mjs [FOLDER]

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { Database } from 'lightning-db';

import { workFolder } from './folder.mjs';

const BOOKS = { Emma: 1815, Ulysses: 1922, Dracula: 1897, Beloved: 1987 };

const db = await Database.open(join(workFolder(), 'prefix_scan'), { keyEncoding: 'utf8', valueEncoding: 'utf8' });

// Record and index entry are in one batch, so that they never disagree.
for (const [title, year] of Object.entries(BOOKS)) {
  await db.batch().put(`book/${title}`, String(year)).put(`year/${year}/${title}`, '').write();
}

console.log('by title:');
for await (const [key, year] of db.entries({ prefix: 'book/' })) {
  console.log(`  ${key.slice('book/'.length)}, ${year}`);
}

console.log('of the 20th century, newest first:');
const keys = await db.keys({ gte: 'year/1901', lt: 'year/2001', reverse: true }).all();
const titles = keys.map((key) => key.split('/')[2]);
console.log(`  ${titles.join(', ')}`);
assert.deepEqual(titles, ['Beloved', 'Ulysses']);

const snapshot = db.snapshot();
await db.del('book/Emma');
assert.equal((await snapshot.keys({ prefix: 'book/' }).all()).length, 4);
assert.equal((await db.keys({ prefix: 'book/' }).all()).length, 3);
snapshot.close();

await db.close();
