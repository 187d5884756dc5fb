// Handles that are forgotten: the garbage collector lets them go. Needs --expose-gc.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Database } from 'lightning-db';

import { freshDatabase, freshFolder } from './folder.mjs';

assert.equal(typeof globalThis.gc, 'function', 'the tests need --expose-gc');

/** Collects until something is so. */
async function until(isSo) {
  for (let i = 0; i < 200; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (await isSo()) return true;
  }
  return false;
}

test('forgotten snapshots, transactions and scans are let go', async (t) => {
  const db = await freshDatabase(t);
  await db.put('a', '1');
  (() => {
    for (let i = 0; i < 50; i++) {
      db.snapshot();
      db.beginTransaction().put('k', 'v');
      db.entries();
      db.keys()[Symbol.iterator]().next();
    }
  })();
  const before = await db.stats();
  assert(before.snapshots > 0 && before.active_transactions === 50);
  const isFree = async () => {
    const { snapshots, active_transactions: active } = await db.stats();
    return snapshots + active === 0;
  };
  assert(await until(isFree));
});

test('a scan and a snapshot keep their database, and it goes with them', async (t) => {
  const path = join(freshFolder(t), 'db');
  const script = `const { Database } = require('lightning-db');
    Database.open(process.argv[1]).then(() => console.log('free'), (error) => console.log(error.code));`;
  const elsewhere = () =>
    execFileSync(process.execPath, ['-e', script, path], { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8' }).trim();
  let scan = await (async () => {
    const db = await Database.open(path);
    for (let i = 0; i < 2000; i++) db.put(`k${i}`, 'v', { consistency: 'eventual' });
    await db.put('last', 'v');
    return db.keys();
  })();
  for (let i = 0; i < 5; i++) globalThis.gc();
  assert.equal(elsewhere(), 'Locked');
  assert.equal([...scan].length, 2001);
  scan = undefined;
  assert(await until(() => elsewhere() === 'free'));
});

test('what is pending keeps all that it needs', async (t) => {
  const path = join(freshFolder(t), 'db');
  const pending = [];
  await (async () => {
    const db = await Database.open(path);
    await db.put('a', '1');
    pending.push(db.put('b', '2'), db.transaction(async (tx) => tx.put('c', '3')), db.flush(), db.entries().all());
    db.put('d', '4');
  })();
  for (let i = 0; i < 5; i++) globalThis.gc();
  await Promise.all(pending);
  const db = await Database.open(path);
  assert.equal((await db.keys().all()).join(), 'a,b,c,d');
  await db.close();
});

test('a view of a snapshot keeps it from being forgotten, and ends with it', async (t) => {
  const db = await freshDatabase(t);
  const k = await db.createKeyspace('k');
  await k.put('a', '1');
  const closed = (error) => error.code === 'Closed';
  let view = db.snapshot().keyspace(k).keyspace(k);
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  assert.equal(view.getSync('a', { valueEncoding: 'utf8' }), '1');
  view = undefined;
  assert(await until(async () => (await db.stats()).snapshots === 0));

  const snapshot = db.snapshot();
  view = snapshot.keyspace(k);
  const begun = view.keys();
  snapshot.close();
  assert.throws(() => view.getSync('a'), closed);
  assert.throws(() => view.keyspace(k), closed);
  assert.equal((await begun.all()).join(), 'a');
  assert.equal((await db.stats()).snapshots, 0);
});

test('memory does not grow with reads, scans and handles', async (t) => {
  const db = await freshDatabase(t, { default_level: 'eventual' });
  for (let i = 0; i < 1000; i++) db.put(`k${i}`, 'v'.repeat(100));
  await db.flush();
  const work = async () => {
    for (let i = 0; i < 20_000; i++) db.getSync(`k${i % 1000}`);
    for (let i = 0; i < 30; i++) await db.entries().all();
    for (let i = 0; i < 300; i++) {
      db.snapshot().close();
      await db.transaction((tx) => tx.get('k1'));
      await db.getMany(['k1', 'k2']);
    }
  };
  await work();
  globalThis.gc();
  const before = process.memoryUsage();
  for (let i = 0; i < 5; i++) await work();
  await until(() => process.memoryUsage().arrayBuffers <= before.arrayBuffers + (4 << 20));
  const after = process.memoryUsage();
  assert(after.arrayBuffers <= before.arrayBuffers + (4 << 20), `${before.arrayBuffers} to ${after.arrayBuffers}`);
  assert(after.heapUsed <= before.heapUsed + (16 << 20), `${before.heapUsed} to ${after.heapUsed}`);
});
