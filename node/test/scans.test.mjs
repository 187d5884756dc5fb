// Scans as iterators: both protocols, early ends, closing, signals.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freshDatabase } from './folder.mjs';

const COUNT = 1500;

async function filled(t, { flush = false } = {}) {
  const db = await freshDatabase(t, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  const key = (i) => String(i).padStart(6, '0');
  await db.batch(Array.from({ length: COUNT }, (_, i) => ({ type: 'put', key: key(i), value: `v${i}` })));
  if (flush) await db.flush();
  return { db, keys: Array.from({ length: COUNT }, (_, i) => key(i)) };
}

const closed = { code: 'Closed' };

for (const flush of [false, true]) {
  test(`every way of walking gives every entry once, ${flush ? 'from tables' : 'from memory'}`, async (t) => {
    const { db, keys } = await filled(t, { flush });
    const asynchronous = [];
    for await (const key of db.keys()) asynchronous.push(key);
    assert.deepEqual(asynchronous, keys);
    assert.deepEqual([...db.keys()], keys);
    assert.deepEqual(await db.keys().all(), keys);
    assert.deepEqual((await db.keys({ reverse: true }).all()).reverse(), keys);
    const together = db.keys()[Symbol.asyncIterator]();
    const steps = await Promise.all(Array.from({ length: COUNT + 3 }, () => together.next()));
    assert.deepEqual(steps.slice(0, COUNT).map(({ value }) => value), keys);
    assert.deepEqual(steps.slice(COUNT), Array(3).fill({ done: true, value: undefined }));
  });
}

test('one scan may be walked by both protocols, each taking what is left', async (t) => {
  const { db, keys } = await filled(t);
  const scan = db.keys();
  const [sync, async_] = [scan[Symbol.iterator](), scan[Symbol.asyncIterator]()];
  const seen = [];
  for (let i = 0; i < COUNT / 2; i++) seen.push(sync.next().value, (await async_.next()).value);
  assert.deepEqual(seen, keys);
  assert.deepEqual(sync.next(), { done: true, value: undefined });
  const other = db.keys();
  const pending = other[Symbol.asyncIterator]().next();
  assert.throws(() => other[Symbol.iterator]().next(), { code: 'InvalidArgument' });
  assert.equal((await pending).value, keys[0]);
});

test('leaving early closes: with break, with an error, with return', async (t) => {
  const { db } = await filled(t);
  const ends = [
    async (scan) => {
      for await (const _ of scan) break;
    },
    async (scan) => {
      for (const _ of scan) break;
    },
    async (scan) => {
      await assert.rejects(async () => {
        for await (const _ of scan) throw new Error('own');
      }, /own/);
    },
    async (scan) => {
      const steps = scan[Symbol.asyncIterator]();
      await steps.next();
      assert.deepEqual(await steps.return(7), { done: true, value: 7 });
    },
    async (scan) => scan.close(),
  ];
  for (const end of ends) {
    const scan = db.keys();
    assert.equal((await db.stats()).snapshots, 1);
    await end(scan);
    assert.equal((await db.stats()).snapshots, 0);
    assert.throws(() => [...scan], closed);
    await assert.rejects(scan.all(), closed);
  }
});

test('a scan that is walked to its end holds nothing', async (t) => {
  const { db } = await filled(t);
  const scan = db.keys({ limit: 3 });
  assert.equal((await scan.all()).length, 3);
  assert.equal((await db.stats()).snapshots, 0);
  assert.deepEqual([...scan], []);
});

test('closing the database ends scans at the next step, entries at hand or not', async (t) => {
  const { db } = await filled(t);
  const [sync, async_, whole, ended] = [db.keys(), db.keys(), db.keys(), db.keys({ limit: 1 })];
  const syncSteps = sync[Symbol.iterator]();
  const asyncSteps = async_[Symbol.asyncIterator]();
  assert.equal(syncSteps.next().done, false);
  assert.equal((await asyncSteps.next()).done, false);
  [...ended];
  const underWay = asyncSteps.next();
  const all = whole.all();
  const closing = db.close();
  assert.throws(() => syncSteps.next(), closed);
  await assert.rejects(asyncSteps.next(), closed);
  assert.throws(() => [...ended], closed);
  await assert.rejects(all, closed);
  await underWay;
  await closing;
  assert.throws(() => syncSteps.next(), closed);
});

test('closing between the pages of a running walk is an error, never a short end', async (t) => {
  const { db } = await filled(t, { flush: true });
  let seen = 0;
  await assert.rejects(async () => {
    for await (const _ of db.keys()) {
      if (++seen === 20) db.close();
    }
  }, closed);
  assert(seen >= 20 && seen < COUNT);
});

test('a scan sees the instant of the call that made it', async (t) => {
  const { db, keys } = await filled(t);
  const before = db.keys();
  await db.del(keys[0]);
  await db.flush();
  await db.compact();
  assert.equal((await before.all()).length, COUNT);
  assert.equal((await db.keys().all()).length, COUNT - 1);
});

test('a scan of a snapshot or transaction goes on behind its end', async (t) => {
  const { db, keys } = await filled(t);
  const snapshot = db.snapshot();
  const steps = snapshot.keys()[Symbol.iterator]();
  steps.next();
  snapshot.close();
  assert.equal([...steps].length, COUNT - 1);
  assert.throws(() => snapshot.keys(), closed);
  const tx = db.beginTransaction();
  tx.put('zzz', 'own');
  const walked = tx.entries({ gte: keys[COUNT - 2] });
  assert.deepEqual((await walked.all()).map(([key]) => key), [...keys.slice(-2), 'zzz']);
  tx.abort();
});

test('a signal ends a scan with its reason', async (t) => {
  const { db } = await filled(t);
  const control = new AbortController();
  let seen = 0;
  await assert.rejects(
    async () => {
      for await (const _ of db.keys({ signal: control.signal })) if (++seen === 3) control.abort(new Error('enough'));
    },
    /enough/,
  );
  assert.equal(seen, 3);
  assert.throws(() => [...db.keys({ signal: AbortSignal.abort() })], { name: 'AbortError' });
  assert.equal((await db.stats()).snapshots, 0);
});

test('disposal closes, where the runtime knows it', async (t) => {
  const { db } = await filled(t);
  for (const handle of [db.keys(), db.snapshot(), db.beginTransaction()]) {
    if (Symbol.dispose) handle[Symbol.dispose]();
    else handle.close();
    if (Symbol.asyncDispose) await handle[Symbol.asyncDispose]();
  }
  assert.equal((await db.stats()).snapshots, 0);
  if (Symbol.asyncDispose) await db[Symbol.asyncDispose]();
  else await db.close();
  assert.equal(db.isOpen, false);
});

test('a key is there or not, in memory and on disk, through every handle', async (t) => {
  const db = await freshDatabase(t);
  const store = await db.createKeyspace('k');
  await db.put('disk', 'x'.repeat(100_000));
  await db.flush();
  await db.clearCache();
  await db.put('memory', '');
  await store.put('other', '1');
  const [snapshot, tx] = [db.snapshot(), db.beginTransaction()];
  await db.del('memory');
  tx.put('own', '1');
  const there = [
    [db, ['disk'], ['memory', 'own', 'other', '']],
    [snapshot, ['disk', 'memory'], ['own', 'other']],
    [tx, ['disk', 'memory', 'own'], ['other']],
    [store, ['other'], ['disk']],
    [tx.keyspace(store), ['other'], ['disk']],
  ];
  for (const [handle, present, absent] of there) {
    for (const key of present) assert.deepEqual([await handle.has(key), handle.hasSync(key)], [true, true], key);
    for (const key of absent) assert.deepEqual([await handle.has(key), handle.hasSync(key)], [false, false], key);
  }
  // What a transaction asked for counts as read.
  await db.put('disk', 'new');
  await assert.rejects(tx.commit(), { code: 'Conflict' });
  await assert.rejects(db.has('k'.repeat(70_000)), { code: 'InvalidArgument' });
  await db.close();
  await assert.rejects(db.has('disk'), { code: 'Closed' });
});
