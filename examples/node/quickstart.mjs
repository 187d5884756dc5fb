// The first steps: put, get, delete, a batch and a scan.
//
// node examples/node/quickstart.mjs [FOLDER]

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { Database } from 'lightning-db';

import { workFolder } from './folder.mjs';

const db = await Database.open(join(workFolder(), 'quickstart'), { keyEncoding: 'utf8', valueEncoding: 'utf8' });

await db.put('hello', 'world');
assert.equal(await db.get('hello'), 'world');

await db.del('hello');
assert.equal(await db.get('hello'), undefined);

// A batch is applied whole or not at all.
await db.batch([
  { type: 'put', key: 'user:1', value: 'Alice' },
  { type: 'put', key: 'user:2', value: 'Bob' },
  { type: 'put', key: 'user:3', value: 'Charlie' },
]);

for await (const [key, value] of db.entries({ gte: 'user:1', lt: 'user:3' })) {
  console.log(`${key} = ${value}`);
}

await db.close();
