// Errors: kinds, fields, wrong types, and that a bad write is refused alone.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { Database, LightningDbError } from 'lightning-db';

import { freshFolder } from './folder.mjs';

const { native } = createRequire(import.meta.url)('../lib/native.js');
const is = (code) => (error) => error instanceof LightningDbError && error.code === code;

test('every kind has its number, name and whether to try again', () => {
  assert.equal(native.kinds.length, 21);
  for (const [number, name, retryable] of native.kinds) {
    assert.throws(
      () => native.raise(number),
      (error) => {
        assert(error instanceof LightningDbError && error instanceof Error);
        assert.deepEqual([error.number, error.code, error.retryable], [number, name, retryable]);
        assert.equal(error.name, 'LightningDbError');
        assert.match(error.stack, /errors\.test/);
        assert.equal(error.file ?? error.offset ?? error.errno ?? error.cause, undefined);
        return true;
      },
    );
  }
});

test('an error of the system has its number, file and cause', async (t) => {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(Database.open(join(folder, 'file', 'db')), (error) => {
    assert(error instanceof LightningDbError, error);
    assert.equal(error.errno, 20);
    assert(error.cause instanceof Error);
    assert.match(error.file, /file/);
    return true;
  });
});

test('damage has its file and offset, at every kind of read', async (t) => {
  const folder = join(freshFolder(t), 'db');
  const db = await Database.open(folder);
  for (let i = 0; i < 3000; i++) db.put(`key ${i}`, `value ${i}`.repeat(9));
  await db.flush();
  await db.close();
  const table = join(folder, readdirSync(folder).find((name) => name.endsWith('.table')));
  const content = readFileSync(table);
  content[100] ^= 1;
  writeFileSync(table, content);

  const damaged = await Database.open(folder);
  const isDamage = (error) => is('Corruption')(error) && error.file === table && error.offset === 64;
  const reads = [
    () => damaged.get('key 0'),
    async () => damaged.getSync('key 0'),
    () => damaged.getMany(['key 0']),
    async () => damaged.getManySync(['key 0']),
    () => damaged.entries().all(),
    async () => [...damaged.keys()],
    () => damaged.transaction((tx) => tx.get('key 0')),
  ];
  for (const read of reads) await assert.rejects(read, isDamage, read.toString());
  // An error is no end, and stays one.
  const steps = damaged.values()[Symbol.asyncIterator]();
  await assert.rejects(steps.next(), isDamage);
  await assert.rejects(steps.next(), isDamage);
  assert.equal((await damaged.get('key 999')).length, 81);
  await damaged.close();
});

test('wrong types are TypeErrors: thrown by the one half of the calls, rejections of the other', async (t) => {
  const db = await Database.open(join(freshFolder(t), 'db'));
  const tx = db.beginTransaction();
  const snapshot = db.snapshot();
  for (const bad of [undefined, null, 1, NaN, 1n, true, {}, [], Symbol('s'), new Uint16Array(2), new ArrayBuffer(2), () => {}]) {
    const thrown = [
      () => db.getSync(bad),
      () => db.putSync(bad, 'v'),
      () => db.putSync('k', bad),
      () => db.delSync(bad),
      () => db.getManySync([bad]),
      () => db.batchSync([{ type: 'put', key: 'k', value: bad }]),
      () => db.batch().put('k', bad),
      () => tx.put(bad, 'v'),
      () => tx.getSync(bad),
      () => tx.del(bad),
      () => snapshot.getSync(bad),
    ];
    if (bad !== undefined && bad !== null) {
      thrown.push(() => db.entries({ gte: bad }), () => db.entries({ prefix: bad }));
    }
    for (const call of thrown) assert.throws(call, TypeError, `${call} with ${String(bad)}`);
    const rejected = [
      () => db.get(bad),
      () => db.put(bad, 'v'),
      () => db.put('k', bad),
      () => db.del(bad),
      () => db.getMany([bad]),
      () => db.batch([{ type: 'del', key: bad }]),
      () => tx.get(bad),
      () => snapshot.get(bad),
      () => db.backup(bad),
      () => Database.open(bad),
      () => Database.restore(bad, bad),
    ];
    for (const call of rejected) await assert.rejects(call(), TypeError, `${call} with ${String(bad)}`);
  }
  await assert.rejects(db.batch('list'), TypeError);
  await assert.rejects(db.batch(undefined), TypeError);
  await assert.rejects(db.batch([{ type: 'get', key: 'k' }]), TypeError);
  await assert.rejects(db.batch([null]), TypeError);
  await assert.rejects(db.getMany('keys'), TypeError);
  await assert.rejects(db.transaction('work'), TypeError);
  await assert.rejects(db.put('k', 'v', { consistency: 1 }), TypeError);
  await assert.rejects(Database.open(join(db.path, 'x'), { cache_size: [] }), TypeError);
  assert.throws(() => db.entries({ reverse: 'yes' }), TypeError);
  assert.throws(() => db.entries({ limit: 'all' }), TypeError);
  assert.equal((await db.entries().all()).length, 0);
  await db.close();
});

test('numbers and words out of range are InvalidArgument', async (t) => {
  const folder = freshFolder(t);
  const db = await Database.open(join(folder, 'db'));
  for (const limit of [-1, 1.5, NaN, -Infinity]) assert.throws(() => db.entries({ limit }), is('InvalidArgument'));
  assert.deepEqual(await db.entries({ limit: Infinity }).all(), []);
  assert.throws(() => db.entries({ gt: 'a', gte: 'a' }), is('InvalidArgument'));
  assert.throws(() => db.entries({ keyEncoding: 'hex' }), is('InvalidArgument'));
  assert.throws(() => db.getSync('k', { valueEncoding: 'utf-8' }), is('InvalidArgument'));
  await assert.rejects(db.get('k', { valueEncoding: 7 }), is('InvalidArgument'));
  await assert.rejects(db.put('k', 'v', { consistency: 'Strong' }), is('InvalidArgument'));
  assert.throws(() => db.putSync('k', 'v', { consistency: '' }), is('InvalidArgument'));
  assert.throws(() => db.beginTransaction({ isolation: 'none' }), is('InvalidArgument'));
  const bad = [
    { cache_size: -1 }, { cache_size: NaN }, { cache_size: 0.5 }, { cache_size: -(2n ** 70n) }, { cache_size: '1' },
    { page_size: 1000 }, { cache_sise: 1 }, { mode: 'w' }, { checkpoint_interval: -1 }, { checkpoint_interval: Infinity },
    { keyEncoding: 'hex' }, { valueEncoding: null },
  ];
  for (const options of bad) {
    await assert.rejects(Database.open(join(folder, 'other'), options), is('InvalidArgument'), JSON.stringify(options, String));
    assert.throws(() => Database.openSync(join(folder, 'other'), options), is('InvalidArgument'));
  }
  const other = await Database.open(join(folder, 'other'), { cache_size: 2n ** 21n, checkpoint_interval: 1.5, sync_writes: undefined });
  await other.close();
  await db.close();
});

test('a write that is refused is refused alone', async (t) => {
  const db = await Database.open(join(freshFolder(t), 'db'));
  const long = 'k'.repeat(65536);
  const outcomes = await Promise.allSettled([
    db.put('a', '1'),
    db.put(long, '2'),
    db.put('é'.repeat(32768), '2'),
    db.put('b', '3'),
    db.put(5, '4'),
    db.del(long),
    db.put('c', '5', { consistency: 'all' }),
    db.put('d', '6', { consistency: 'eventual' }),
    db.put('k'.repeat(65535), '7'),
  ]);
  assert.deepEqual(
    outcomes.map(({ reason }) => reason?.code ?? reason?.constructor.name),
    [undefined, 'InvalidArgument', 'InvalidArgument', undefined, 'TypeError', 'InvalidArgument', 'InvalidArgument', undefined, undefined],
  );
  assert.deepEqual((await db.keys({ keyEncoding: 'utf8' }).all()).map((key) => key.slice(0, 2)), ['a', 'b', 'd', 'kk']);
  await db.close();
});

test('a closed handle says Closed everywhere, and closes again in silence', async (t) => {
  const folder = freshFolder(t);
  const db = await Database.open(join(folder, 'db'));
  await db.put('a', '1');
  const [tx, snapshot, batch, scan] = [db.beginTransaction(), db.snapshot(), db.batch().put('b', '2'), db.entries()];
  await db.close();
  const thrown = [
    () => db.getSync('a'), () => db.putSync('a', '1'), () => db.delSync('a'), () => db.getManySync(['a']),
    () => db.batchSync([]), () => batch.writeSync(), () => db.entries(), () => db.snapshot(), () => db.beginTransaction(),
    () => tx.put('a', '1'), () => tx.getSync('a'), () => tx.commitSync(), () => tx.abort(), () => snapshot.getSync('a'),
    () => snapshot.entries(), () => [...scan],
  ];
  for (const call of thrown) assert.throws(call, is('Closed'), call.toString());
  const rejected = [
    () => db.get('a'), () => db.put('a', '1'), () => db.del('a'), () => db.getMany(['a']), () => db.batch([]),
    () => batch.write(), () => db.transaction(() => {}), () => db.backup(join(folder, 'b')), () => db.flush(),
    () => db.compact(), () => db.clearCache(), () => db.stats(), () => tx.get('a'), () => tx.commit(), () => scan.all(),
  ];
  for (const call of rejected) await assert.rejects(call(), is('Closed'), call.toString());
  await Promise.all([db.close(), db.close()]);
  db.closeSync();
  tx.close();
  snapshot.close();
  scan.close();
  assert.equal(db.isOpen, false);
  mkdirSync(join(folder, 'x'));
});

test('Closed says what is closed', async (t) => {
  const db = await Database.open(join(freshFolder(t), 'db'));
  const [tx, snapshot, batch, scan] = [db.beginTransaction(), db.snapshot(), db.batch(), db.entries()];
  tx.abort();
  for (const handle of [snapshot, batch, scan]) handle.close();
  assert.throws(() => tx.getSync('k'), { code: 'Closed', message: /the transaction is closed/ });
  assert.throws(() => tx.keys(), /the transaction is closed/);
  assert.throws(() => snapshot.getSync('k'), { code: 'Closed', message: /the snapshot is closed/ });
  assert.throws(() => snapshot.keys(), /the snapshot is closed/);
  assert.throws(() => batch.put('k', 'v'), /the batch is closed/);
  assert.throws(() => [...scan], /the scan is closed/);
  await db.close();
  assert.throws(() => db.getSync('k'), /the database is closed/);
});
