// Every form of reading, with every read failing in turn. Wants a library with the feature `faults`.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { Database } from 'lightning-db';

const { native } = createRequire(import.meta.url)('../../lib/native.js');

const DISK = 'forms';
const VALUE = 'v'.repeat(300);
const KEYS = Array.from({ length: 20 }, (_, number) => `k${String(number).padStart(2, '0')}`);
const ENTRIES = KEYS.map((key) => [key, VALUE]);
const VALUES = KEYS.map(() => VALUE);
const TEXT = { keyEncoding: 'utf8', valueEncoding: 'utf8' };

/** A database in tables of many pages. */
async function loaded(t, options = TEXT) {
  native.testDisk(DISK, 'new 1');
  const db = await Database.open('/forms', { test_disk: DISK, page_size: 512, compression_enabled: false, ...options });
  t.after(() => db.close());
  await db.batch(KEYS.map((key) => ({ type: 'put', key, value: VALUE })));
  await db.flush();
  return db;
}

async function awaited(iterable) {
  const found = [];
  for await (const item of iterable) found.push(item);
  return found;
}

function looped(iterable) {
  const found = [];
  for (const item of iterable) found.push(item);
  return found;
}

/** Steps that are asked for before any of them is answered. */
async function together(scan, count) {
  const iterator = scan[Symbol.asyncIterator]();
  const steps = await Promise.all(Array.from({ length: count + 1 }, () => iterator.next()));
  assert(steps.at(-1).done);
  return steps.slice(0, -1).map(({ value }) => value);
}

/** Some steps of one loop, the rest of another. */
async function mixed(scan) {
  const [first, rest] = [scan[Symbol.iterator](), []];
  for (let i = 0; i < 3; i++) rest.push(first.next().value);
  return [...rest, ...(await awaited(scan))];
}

const FORMS = {
  'for await': [(db) => awaited(db.entries()), ENTRIES],
  'for await of keys': [(db) => awaited(db.keys()), KEYS],
  'for await of values': [(db) => awaited(db.values()), VALUES],
  'for await backward': [(db) => awaited(db.entries({ reverse: true })), [...ENTRIES].reverse()],
  all: [(db) => db.entries().all(), ENTRIES],
  'all keys': [(db) => db.keys().all(), KEYS],
  'all values': [(db) => db.values().all(), VALUES],
  'all of buffers': [(db) => db.keys({ keyEncoding: 'buffer' }).all(), KEYS.map((key) => Buffer.from(key))],
  'all within bounds': [(db) => db.keys({ gt: 'k04', lte: 'k12' }).all(), KEYS.slice(5, 13)],
  'for of': [(db) => looped(db.entries()), ENTRIES],
  'for of keys': [(db) => looped(db.keys()), KEYS],
  'for of values': [(db) => looped(db.values()), VALUES],
  'for of backward': [(db) => looped(db.keys({ reverse: true })), [...KEYS].reverse()],
  'for of buffers': [(db) => looped(db.keys({ keyEncoding: 'buffer' })), KEYS.map((key) => Buffer.from(key))],
  'an array of it': [(db) => [...db.entries()], ENTRIES],
  'Array.from': [(db) => Array.from(db.keys()), KEYS],
  'a Map of it': [(db) => [...new Map(db.entries())], ENTRIES],
  'steps together': [(db) => together(db.keys(), KEYS.length), KEYS],
  'steps of both kinds': [(db) => mixed(db.keys()), KEYS],
  get: [(db) => db.get('k07'), VALUE],
  'get of a key that is absent': [(db) => db.get('k07x'), undefined],
  getSync: [(db) => db.getSync('k07'), VALUE],
  getMany: [(db) => db.getMany(['k19', 'none', 'k00']), [VALUE, undefined, VALUE]],
  getManySync: [(db) => db.getManySync(['k19', 'none', 'k00']), [VALUE, undefined, VALUE]],
  'gets together': [(db) => Promise.all(KEYS.map((key) => db.get(key))), VALUES],
  has: [async (db) => [await db.has('k07'), await db.has('k07x')], [true, false]],
  hasSync: [(db) => [db.hasSync('k07'), db.hasSync('k07x')], [true, false]],
  count: [(db) => db.count(), 20],
  snapshot: [(db) => db.snapshot().entries().all(), ENTRIES],
  'snapshot in for of': [(db) => [...db.snapshot().keys()], KEYS],
  transaction: [(db) => db.transaction((tx) => tx.entries().all()), ENTRIES],
  'transaction in for of': [(db) => db.transaction((tx) => [...tx.keys({ reverse: true })]), [...KEYS].reverse()],
};

for (const [name, [read, expected]] of Object.entries(FORMS)) {
  test(`${name}: an error is never an end`, async (t) => {
    const db = await loaded(t);
    let failed = 0;
    for (let round = 0, isMet = true; isMet; round++) {
      await db.clearCache();
      const first = native.testDisk(DISK, 'reads');
      native.testDisk(DISK, `fail-read ${round} 5`);
      try {
        assert.deepEqual(await read(db), expected);
      } catch (error) {
        if (error.code !== 'Io') throw error;
        failed += 1;
      }
      isMet = native.testDisk(DISK, 'reads') > first + round;
      native.testDisk(DISK, 'heal');
      assert.deepEqual(await db.keys().all(), KEYS);
    }
    assert(failed > 0);
  });
}

test('an error is thrown again, and is no end', async (t) => {
  const db = await loaded(t);
  await db.clearCache();
  const [scan, other] = [db.keys(), db.keys()];
  native.testDisk(DISK, 'fail-reads-from 0 5');
  assert.throws(() => [...scan], { code: 'Io' });
  await assert.rejects(other.all(), { code: 'Io' });
  native.testDisk(DISK, 'heal');
  for (const left of [scan, other]) {
    assert.throws(() => [...left], { code: 'Io' });
    await assert.rejects(awaited(left), { code: 'Io' });
    await assert.rejects(left.all(), { code: 'Io' });
  }
});

test('every put of a turn that was not written is told so', async (t) => {
  const db = await loaded(t);
  native.testDisk(DISK, 'fail 0 5');
  const settled = await Promise.allSettled(KEYS.map((key) => db.put(key, 'new')));
  for (const { status, reason } of settled) {
    assert.equal(status, 'rejected');
    assert(['Io', 'Halted'].includes(reason.code), reason.message);
  }
  await assert.rejects(db.close(), { code: 'Halted' });
});
