// Transactions: two tasks move money between accounts; a conflict is retried, nothing is lost.
//
// node examples/node/transfer.mjs [FOLDER]

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { Database } from 'lightning-db';

import { workFolder } from './folder.mjs';

const db = await Database.open(join(workFolder(), 'transfer'), { keyEncoding: 'utf8', valueEncoding: 'json' });

/** Moves an amount; `false` if there is not enough. */
function transfer(from, to, amount) {
  return db.transaction(async (tx) => {
    const available = (await tx.get(from)) ?? 0;
    if (available < amount) return false;
    tx.put(from, available - amount);
    tx.put(to, ((await tx.get(to)) ?? 0) + amount);
    return true;
  });
}

async function often(from, to, amount) {
  for (let i = 0; i < 100; i++) await transfer(from, to, amount);
}

await db.put('alice', 1000);
await db.put('bob', 1000);
await Promise.all([often('alice', 'bob', 7), often('bob', 'alice', 5)]);

const [alice, bob] = await db.getMany(['alice', 'bob']);
console.log(`alice ${alice}, bob ${bob}, together ${alice + bob}`);
assert.deepEqual([alice, bob], [800, 1200]);

await db.close();
