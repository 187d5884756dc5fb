// Writes: order, visibility, transactions that meet, upkeep beside them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freshDatabase } from './folder.mjs';

const open = (t, options) => freshDatabase(t, { keyEncoding: 'utf8', valueEncoding: 'utf8', ...options });

test('a sync write comes behind puts that are under way', async (t) => {
  const db = await open(t);
  for (let round = 0; round < 200; round++) {
    const level = { consistency: ['eventual', 'quorum', 'strong'][round % 3] };
    const puts = [db.put('k', 'first', level), db.put('k', 'second'), db.put('other', 'x', level)];
    switch (round % 4) {
      case 0:
        db.putSync('k', 'last', level);
        break;
      case 1:
        db.batchSync([{ type: 'put', key: 'k', value: 'last' }], level);
        break;
      case 2:
        db.batch().put('k', 'last').writeSync(level);
        break;
      default: {
        const tx = db.beginTransaction();
        tx.put('k', 'last');
        tx.commitSync(level);
      }
    }
    assert.equal(db.getSync('k'), 'last');
    await Promise.all(puts);
    assert.equal(await db.get('k'), 'last');
  }
});

test('asynchronous writes keep the order of their calls', async (t) => {
  const db = await open(t, { default_level: 'eventual' });
  for (let round = 0; round < 100; round++) {
    const tx = db.beginTransaction({ isolation: 'snapshot' });
    tx.put(`t${round}`, '1');
    const done = [
      db.put('k', '1'),
      db.batch([{ type: 'put', key: 'k', value: '2' }]),
      db.put('k', '3', { consistency: 'quorum' }),
      db.batch().put('k', '4').write(),
      db.del('k'),
      tx.commit(),
      db.put('k', '5'),
    ];
    await Promise.all(done);
    assert.equal(db.getSync('k'), '5');
  }
});

test('what a promise has promised is visible, in this turn and the next', async (t) => {
  const db = await open(t, { default_level: 'quorum' });
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      for (let n = 0; n < 5; n++) {
        await db.put(`k${i}`, `${n}`);
        assert.equal(db.getSync(`k${i}`), `${n}`);
        assert.equal(await db.get(`k${i}`), `${n}`);
      }
    }),
  );
});

test('puts of more than fit into one hand-over', async (t) => {
  const db = await open(t, { valueEncoding: 'buffer', default_level: 'quorum' });
  const big = Buffer.alloc(3 << 20, 7);
  const puts = [db.put('big', big), db.put('text', 'é'.repeat(1 << 20))];
  for (let i = 0; i < 20_000; i++) puts.push(db.put(`k${i}`, `v${i}`));
  big.fill(8);
  await Promise.all(puts);
  assert(db.getSync('big').equals(Buffer.alloc(3 << 20, 7)));
  assert.equal(db.getSync('text').length, 2 << 20);
  assert.equal((await db.keys().all()).length, 20_002);
});

test('a value of more than the limit is refused before it is copied', async (t) => {
  const db = await open(t);
  const huge = new Uint8Array(2 ** 30 + 1);
  await assert.rejects(db.put('k', huge), { code: 'InvalidArgument' });
  assert.throws(() => db.putSync('k', huge), { code: 'InvalidArgument' });
  const tx = db.beginTransaction();
  assert.throws(() => tx.put('k', huge), { code: 'InvalidArgument' });
  tx.abort();
});

test('transactions that meet lose nothing', async (t) => {
  const db = await open(t, { valueEncoding: 'json', default_level: 'eventual' });
  await db.put('n', 0);
  let attempts = 0;
  const tasks = Array.from({ length: 20 }, async () => {
    for (let i = 0; i < 10; i++) {
      await db.transaction(async (tx) => {
        attempts += 1;
        tx.put('n', (await tx.get('n')) + 1);
        await null;
      });
    }
  });
  await Promise.all(tasks);
  assert.equal(await db.get('n'), 200);
  assert(attempts > 200, `${attempts}: nothing met`);
  assert.equal((await db.stats()).active_transactions, 0);
});

test('a transaction that has ended does not count any more', async (t) => {
  const db = await open(t, { max_active_transactions: 1, default_level: 'eventual' });
  for (let i = 0; i < 3000; i++) {
    const tx = db.beginTransaction();
    tx.put('k', `${i}`);
    await tx.commit();
  }
});

test('a transaction by hand gets its Conflict, and has ended', async (t) => {
  const db = await open(t);
  const tx = db.beginTransaction();
  assert.equal(tx.getSync('k'), undefined);
  tx.put('k', 'mine');
  await db.put('k', 'theirs');
  await assert.rejects(tx.commit(), { code: 'Conflict', retryable: true });
  assert.throws(() => tx.getSync('k'), { code: 'Closed' });
  await assert.rejects(tx.commit(), { code: 'Closed' });
  assert.equal(db.getSync('k'), 'theirs');
  assert.equal((await db.stats()).active_transactions, 0);
});

test('a transaction stops at its signal, and takes itself back when its work throws', async (t) => {
  const db = await open(t);
  const control = new AbortController();
  const aborted = db.transaction(
    async (tx) => {
      tx.put('k', '1');
      control.abort();
    },
    { signal: control.signal },
  );
  await assert.rejects(aborted, { name: 'AbortError' });
  await assert.rejects(
    db.transaction((tx) => {
      tx.put('k', '1');
      throw new Error('own');
    }),
    /own/,
  );
  assert.equal(db.getSync('k'), undefined);
  assert.equal((await db.stats()).active_transactions, 0);
});

test('upkeep sees the puts in front of it, and disturbs nobody', async (t) => {
  const db = await open(t, { memtable_size: 1 << 16 });
  const work = [];
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 300; i++) work.push(db.put(`k${i}`, `${round}`.repeat(100), { consistency: 'quorum' }));
    work.push(db.flush(), db.compact(), db.clearCache(), db.stats());
    work.push(db.getMany(Array.from({ length: 300 }, (_, i) => `k${i}`)));
    await new Promise(setImmediate);
  }
  await Promise.all(work);
  db.put('behind', '1');
  await db.flush();
  assert.equal((await db.stats()).memtable_bytes < 1 << 16, true);
  assert.equal(await db.get('behind'), '1');
  assert.equal((await db.keys().all()).length, 301);
});

test('a failed batch is there to be written again', async (t) => {
  const db = await open(t);
  const batch = db.batch().put('a', '1').del('b');
  await assert.rejects(batch.write({ consistency: 'none' }), { code: 'InvalidArgument' });
  assert.throws(() => batch.writeSync({ consistency: 'none' }), { code: 'InvalidArgument' });
  assert.equal(batch.length, 2);
  await batch.write();
  assert.equal(batch.length, 0);
  assert.throws(() => batch.put('k'.repeat(70_000), ''), { code: 'InvalidArgument' });
  assert.equal(batch.put('c', '3').clear().put('d', '4').length, 1);
  batch.writeSync();
  assert.deepEqual(await db.keys().all(), ['a', 'd']);
  batch.close();
  assert.throws(() => batch.put('e', '5'), { code: 'Closed' });
});
