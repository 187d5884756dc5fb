// Options that no call knows are refused: a bound that is not taken would be a scan of everything.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { Database } from 'lightning-db';

import { freshDatabase, freshFolder } from './folder.mjs';

/** Calls with options, each with an option that it knows. */
function calls(db) {
  const [tx, snapshot, batch] = [db.beginTransaction(), db.snapshot(), db.batch()];
  const reading = (handle) => [
    (options) => handle.get('k', options),
    (options) => handle.getSync('k', options),
    (options) => handle.has('k', options),
    (options) => handle.hasSync('k', options),
    (options) => handle.getMany(['k'], options),
    (options) => handle.getManySync(['k'], options),
    (options) => handle.entries(options),
    (options) => handle.keys(options),
    (options) => handle.values(options),
  ];
  const encoding = { keyEncoding: 'utf8' };
  const level = { consistency: 'eventual' };
  const list = [{ type: 'put', key: 'k', value: 'v' }];
  return [
    ...[db, snapshot, tx].flatMap(reading).map((call) => [call, encoding]),
    [(options) => db.count(options), { limit: 1 }],
    [(options) => db.put('k', 'v', options), level],
    [(options) => db.putSync('k', 'v', options), level],
    [(options) => db.del('k', options), level],
    [(options) => db.delSync('k', options), level],
    [(options) => db.batch(list, options), level],
    [(options) => db.batchSync(list, options), level],
    [(options) => tx.put('k', 'v', options), encoding],
    [(options) => tx.del('k', options), encoding],
    [(options) => batch.put('k', 'v', options), encoding],
    [(options) => batch.del('k', options), encoding],
    [(options) => batch.write(options), level],
    [(options) => batch.writeSync(options), level],
    [(options) => db.beginTransaction(options).abort(), { isolation: 'snapshot' }],
    [(options) => db.transaction(() => {}, options), { isolation: 'snapshot', ...level, signal: undefined }],
    [(options) => db.beginTransaction().commit(options), level],
    [(options) => db.beginTransaction().commitSync(options), level],
  ];
}

test('an option that is not known, and options that are no object, are TypeErrors in every call', async (t) => {
  const db = await freshDatabase(t);
  for (const [call, good] of calls(db)) {
    const known = Object.keys(good)[0];
    await assert.rejects(async () => call({ ...good, start: 'user:' }), (error) => {
      assert(error instanceof TypeError, `${call}: ${error}`);
      assert.match(error.message, /unknown option start: known are /);
      assert(error.message.includes(known), error.message);
      return true;
    }, call.toString());
    for (const bad of ['user:', null, 7, true, () => {}, ['user:'], Buffer.from('user:'), Buffer.alloc(0)]) {
      await assert.rejects(async () => call(bad), TypeError, `${call} with ${String(bad)}`);
    }
  }
  assert.equal(await db.count(), 0);
  for (const [call, good] of calls(db)) await call(good);
});

test('a call that is refused rejects where it would give a promise', async (t) => {
  const db = await freshDatabase(t);
  for (const call of [() => db.get('k', 'utf8'), () => db.put('k', 'v', { sync: true }), () => db.count('user:'), () => db.batch([], 1)]) {
    await assert.rejects(call(), TypeError);
  }
  await assert.rejects(Database.open(join(freshFolder(t), 'db'), ['mode']), TypeError);
});

test('bounds that are null, and what is no signal, are TypeErrors', async (t) => {
  const db = await freshDatabase(t);
  for (const name of ['gt', 'gte', 'lt', 'lte', 'prefix']) {
    assert.throws(() => db.keys({ [name]: null }), TypeError, name);
    assert.deepEqual(await db.keys({ [name]: undefined }).all(), []);
  }
  for (const signal of [7, null, {}]) {
    assert.throws(() => db.keys({ signal }), TypeError);
    await assert.rejects(db.transaction(() => {}, { signal }), TypeError);
  }
});

test('a count ends with its signal', async (t) => {
  const db = await freshDatabase(t);
  await assert.rejects(db.count({ signal: AbortSignal.abort() }), { name: 'AbortError' });
  const control = new AbortController();
  const count = db.count({ signal: control.signal });
  control.abort();
  await assert.rejects(count, { name: 'AbortError' });
});

test('handles are not made with new', async (t) => {
  const db = await freshDatabase(t);
  assert.throws(() => new Database(db.path), { name: 'TypeError', message: 'use Database.open(path)' });
  const ways = [
    [db.snapshot(), 'db.snapshot()'],
    [db.beginTransaction(), 'db.beginTransaction()'],
    [db.batch(), 'db.batch()'],
    [db.keys(), 'db.entries()'],
  ];
  for (const [handle, way] of ways) {
    assert.throws(() => new handle.constructor(db, {}), { name: 'TypeError', message: `use ${way}` });
    handle.close();
  }
});

test('labels stand on every line of the metrics', async (t) => {
  const db = await freshDatabase(t);
  const text = await db.prometheus({ database: 'or"ders', 'odd-name': 'x' });
  assert(text.includes('\nlightning_db_scans_total{database="or\\"ders",odd_name="x"} 0\n'), text.slice(0, 300));
  for (const labels of [null, 'x', [], { a: 1 }]) await assert.rejects(db.prometheus(labels), TypeError);
});
