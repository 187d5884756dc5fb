// Code of the user that runs in the middle of a call: getters, and steps of both kinds of loop on one scan.

import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { test } from 'node:test';

import { Database } from '../index.mjs';
import { freshDatabase } from './folder.mjs';

const TEXT = { keyEncoding: 'utf8', valueEncoding: 'utf8' };

/** Says its length once more than it is asked for by us, and calls back then. */
class Calling extends Uint8Array {
  get length() {
    const { callback } = this;
    this.callback = undefined;
    callback?.();
    return 0;
  }
}

function calling(text, callback) {
  const bytes = Calling.from(Buffer.from(text));
  bytes.callback = callback;
  return bytes;
}

test('a length of the user is not asked', async (t) => {
  const db = await freshDatabase(t, TEXT);
  await db.put('outer', calling('value', () => db.put('inner', 'I')));
  assert.equal(await db.get('outer'), 'value');
  const batch = db.batch();
  batch.put('in batch', calling('value', () => batch.put('inner', 'I')));
  await batch.write();
  assert.equal(await db.get('in batch'), 'value');
});

test('a read in a getter of a list of keys does not disturb the list', async (t) => {
  const db = await freshDatabase(t, TEXT);
  await db.batch(['a', 'b', 'c'].map((key) => ({ type: 'put', key, value: key.toUpperCase() })));
  const keys = () => {
    const list = ['a', 'b', 'c'];
    Object.defineProperty(list, 1, {
      get() {
        db.getManySync(['c', 'c']);
        return 'b';
      },
    });
    return list;
  };
  assert.deepEqual(db.getManySync(keys()), ['A', 'B', 'C']);
  assert.deepEqual(await db.getMany(keys()), ['A', 'B', 'C']);
});

test('a page that a step of for…of empties is not the end for one of for await', async (t) => {
  const db = await freshDatabase(t, TEXT);
  const count = 400;
  await db.batch(Array.from({ length: count }, (_, i) => ({ type: 'put', key: String(i).padStart(4, '0'), value: 'v' })));
  await db.flush();
  for (let round = 0; round < 10; round++) {
    await db.clearCache();
    const scan = db.keys();
    const sync = scan[Symbol.iterator]();
    const given = [];
    const poke = () => {
      try {
        for (let step = sync.next(); !step.done; step = sync.next()) given.push(step.value);
      } catch (error) {
        assert.equal(error.code, 'InvalidArgument');
      }
    };
    const reads = [];
    for (let i = 0; i < 6; i++) reads.push(db.get(String(i * 7).padStart(4, '0')).then(poke));
    const step = scan[Symbol.asyncIterator]().next();
    for (let i = 0; i < 6; i++) reads.push(db.get(String(i * 11).padStart(4, '0')).then(poke));
    const first = await step;
    await Promise.all(reads);
    if (!first.done) given.push(first.value);
    given.push(...(await scan.all()));
    assert.equal(new Set(given).size, count, `round ${round}`);
    assert.ok(!first.done || given.length === count);
  }
});

test('a folder that takes the place of an open one is not taken for it', async (t) => {
  const db = await freshDatabase(t, TEXT);
  const moved = `${db.path}.moved`;
  renameSync(db.path, moved);
  t.after(() => rmSync(moved, { recursive: true, force: true }));
  mkdirSync(db.path);
  assert.throws(() => Database.openSync(db.path), { code: 'Locked' });
  rmSync(db.path, { recursive: true });
  renameSync(moved, db.path);
  Database.openSync(db.path).closeSync();
});
