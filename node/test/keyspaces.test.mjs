// Keyspaces, and what else goes through handles, beyond the conformance cases.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { Database, Keyspace } from 'lightning-db';

import { freshDatabase, freshFolder } from './folder.mjs';

const is = (code) => (error) => error.code === code || assert.fail(`${code} expected: ${error.stack}`);

test('writes of one turn go each to its own keyspace, in the order of the calls', async (t) => {
  const db = await freshDatabase(t, { valueEncoding: 'utf8', keyEncoding: 'utf8' });
  const [a, b] = [await db.createKeyspace('a'), db.createKeyspaceSync('b')];
  const puts = [];
  for (let i = 0; i < 30; i++) puts.push([db, a, b][i % 3].put('k', `${i}`));
  puts.push(a.del('none'));
  b.putSync('last', 'of all');
  assert.equal(b.getSync('k'), '29');
  await Promise.all(puts);
  assert.deepEqual([db.getSync('k'), a.getSync('k'), b.getSync('k')], ['27', '28', '29']);
  assert.deepEqual([await db.count(), await a.count(), await b.count()], [1, 1, 2]);
});

test('a keyspace that is dropped or closed takes nobody along', async (t) => {
  const db = await freshDatabase(t);
  const [a, b] = [await db.createKeyspace('a'), await db.createKeyspace('b')];
  await db.dropKeyspace('a');
  const [bad, good] = [a.put('k', 'v'), db.put('k', 'v')];
  const written = b.put('k', 'v');
  b.close();
  b.close();
  await assert.rejects(bad, is('NotFound'));
  await Promise.all([good, written]);
  await assert.rejects(b.put('k', 'v'), is('Closed'));
  assert.throws(() => b.getSync('k'), /Closed: the keyspace is closed/);
  assert.deepEqual((await db.keyspaceSync('b').getMany(['k'])).map(String), ['v']);
});

test('encodings are those of the database unless a keyspace has its own', async (t) => {
  const db = await freshDatabase(t, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  const plain = await db.createKeyspace('plain');
  const json = await db.createKeyspace('json', { keyEncoding: 'json', valueEncoding: 'json' });
  await db.batch([
    { type: 'put', key: 'a', value: 'text' },
    { type: 'put', key: { id: 1 }, value: [1], keyspace: json },
    { type: 'put', key: 'b', value: 'text', keyspace: plain },
  ]);
  await db.batch().put({ id: 2 }, [2], { keyspace: json }).del('b', { keyspace: plain }).put('c', '3').write();
  assert.deepEqual(await json.entries().all(), [[{ id: 1 }, [1]], [{ id: 2 }, [2]]]);
  assert.deepEqual([await plain.count(), await db.keys().all()], [0, ['a', 'c']]);
  const tx = db.beginTransaction();
  tx.keyspace(json).put({ id: 3 }, { of: 'tx' });
  assert.deepEqual(tx.keyspace(json).getSync({ id: 3 }), { of: 'tx' });
  await tx.keyspace(plain).commit();
  assert.deepEqual(db.snapshot().keyspace(json).getSync({ id: 3 }), { of: 'tx' });
  assert.throws(() => tx.keyspace(json).getSync({ id: 3 }), is('Closed'));
});

test('a keyspace lives as long as what was made from it', { skip: !globalThis.gc }, async (t) => {
  const db = await freshDatabase(t, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  db.createKeyspaceSync('k');
  const made = () => {
    const k = db.keyspaceSync('k');
    return [db.batch().put('a', '1', { keyspace: k }), k.batch().put('b', '2')];
  };
  const batches = made();
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const batch of batches) await batch.write();
  assert.deepEqual(await db.keyspaceSync('k').keys().all(), ['a', 'b']);
});

test('what is no keyspace is a TypeError', async (t) => {
  const db = await freshDatabase(t);
  for (const keyspace of ['k', {}, db, null, 7]) {
    assert.throws(() => db.batch().put('a', 'b', { keyspace }), TypeError);
    await assert.rejects(db.batch([{ type: 'del', key: 'a', keyspace }]), TypeError);
    assert.throws(() => db.snapshot().keyspace(keyspace), TypeError);
    assert.throws(() => db.beginTransaction().keyspace(keyspace), TypeError);
  }
  assert.throws(() => new Keyspace(db, 'default'), { name: 'TypeError', message: 'use db.keyspace(name)' });
  for (const name of [7, undefined, Symbol('k')]) await assert.rejects(db.createKeyspace(name), TypeError);
  await assert.rejects(db.createKeyspace('k', ['page_size']), TypeError);
  assert.throws(() => db.keyspaceSync('default', { page_size: 512 }), TypeError);
  assert.deepEqual(db.listKeyspacesSync(), ['default']);
});

test('a timeout is a number of milliseconds, and refuses its own write alone', async (t) => {
  const db = await freshDatabase(t);
  for (const timeout of [-1, NaN]) {
    const [bad, good] = [db.put('a', '1', { timeout }), db.put('b', '2')];
    await assert.rejects(bad, is('InvalidArgument'));
    await good;
    assert.throws(() => db.putSync('a', '1', { timeout }), is('InvalidArgument'));
    await assert.rejects(db.batch().del('b').write({ timeout }), is('InvalidArgument'));
  }
  await assert.rejects(db.put('a', '1', { timeout: '5' }), TypeError);
  await assert.rejects(db.beginTransaction().commit({ timeout: 5 }), TypeError);
  await Promise.all([db.put('a', '1', { timeout: 0 }), db.put('c', '1', { timeout: 1e300 }), db.del('b', { timeout: Infinity })]);
  assert.deepEqual((await db.keys().all()).map(String), ['a', 'c']);
});

test('what a progress callback throws, false, and a signal stop a compaction', async (t) => {
  const db = await freshDatabase(t);
  const fill = async () => {
    await db.put('a', 'x'.repeat(1000));
    await db.flush();
  };
  await fill();
  const own = new Error('of the callback');
  const onProgress = () => {
    throw own;
  };
  await assert.rejects(db.compact({ onProgress }), (error) => error === own);
  await assert.rejects(db.compact({ onProgress: () => false }), is('Cancelled'));
  const control = new AbortController();
  const reason = new Error('of the signal');
  await assert.rejects(db.compact({ onProgress: () => control.abort(reason), signal: control.signal }), (error) => error === reason);
  await assert.rejects(db.compact({ signal: control.signal }), (error) => error === reason);
  await assert.rejects(db.compact({ onProgress: 7 }), TypeError);
  await assert.rejects(db.compact({ signal: 7 }), TypeError);
  await db.compact({ onProgress: undefined });
});

test('a compaction whose progress is told does not keep closeSync waiting', async (t) => {
  const db = await freshDatabase(t);
  await db.put('a', 'x');
  let closes = 0;
  const compaction = db.compact({
    onProgress: () => {
      closes += 1;
      db.closeSync();
    },
  });
  await compaction.catch(is('Cancelled'));
  assert(closes > 0 && !db.isOpen);
});

test('a database that is only read sees what was there when it was opened, and shares no engine', async (t) => {
  const db = await freshDatabase(t, { valueEncoding: 'utf8' });
  await db.put('a', '1');
  const first = await Database.open(db.path, { mode: 'r', valueEncoding: 'utf8', cache_size: 2 << 20 });
  await db.put('a', '2');
  const second = Database.openSync(db.path, { mode: 'r', valueEncoding: 'utf8' });
  assert.deepEqual([first.getSync('a'), second.getSync('a')], ['1', '2']);
  await first.close();
  await assert.rejects(second.put('a', '3'), is('ReadOnly'));
  await db.put('a', '3');
  assert.equal(await second.get('a'), '2');
  second.closeSync();
});

test('the progress of a check is told, and what its callback throws comes through', async (t) => {
  const path = join(freshFolder(t), 'db');
  const db = await Database.open(path);
  await db.put('a', '1');
  await assert.rejects(Database.check(path), is('Locked'));
  await db.close();
  const steps = [];
  const report = await Database.check(path, { onProgress: (step) => steps.push(step) });
  assert.equal(steps.at(-1).done, report.bytes);
  assert.deepEqual([report.ok, report.problems, report.notes, report.repair], [true, [], [], undefined]);
  const own = new Error('of the callback');
  const onProgress = () => {
    throw own;
  };
  await assert.rejects(Database.repair(path, { onProgress }), (error) => error === own);
  await assert.rejects(Database.check(path, 7), TypeError);
});

test('an ingest takes iterables of both kinds, whole or not at all', async (t) => {
  const db = await freshDatabase(t, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  const k = await db.createKeyspace('k', { comparator: 'decimal' });
  const count = 20_000;
  const key = (i) => String(i).padStart(8, '0');
  async function* later(n) {
    for (let i = 0; i < n; i++) yield [key(i), 'x'.repeat(50)];
  }
  const own = new Error('of the iterable');
  function* failing() {
    for (let i = 0; i < count; i++) yield [key(i), 'x'.repeat(50)];
    throw own;
  }
  await assert.rejects(db.ingest(failing()), (error) => error === own);
  await assert.rejects(db.ingest([['b', ''], ['a', '']]), is('InvalidArgument'));
  await assert.rejects(db.ingest([['b', '1'], ['c'.repeat(70_000), '']]), is('InvalidArgument'));
  for (const entries of [undefined, null, 7, {}, 'ab', [['a']], [7]]) await assert.rejects(db.ingest(entries), TypeError);
  assert.equal(await db.count(), 0);
  const put = db.put(key(7), 'older');
  assert.equal(await db.ingest(later(count)), count);
  await put;
  assert.deepEqual([await db.count(), db.getSync(key(7))], [count, 'x'.repeat(50)]);
  assert.equal(await k.ingest(new Map([['9', 'nine'], ['10', 'ten']])), 2);
  assert.deepEqual(await k.keys().all(), ['9', '10']);
  assert.equal(await db.ingest([]), 0);
  const closing = later(count);
  await closing.next();
  await assert.rejects(db.ingest({ async *[Symbol.asyncIterator]() { yield ['a', 'b']; db.closeSync(); yield ['c', 'd']; } }), is('Closed'));
});
