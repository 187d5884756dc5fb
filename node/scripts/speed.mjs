// Prints nanoseconds per call, best of many short rounds (so that a busy machine disturbs less), and how many empty native calls and how many
// `Map.get` of JavaScript take as long, both measured in the same run. Usage: node --expose-gc scripts/speed.mjs

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { Database } = require('../lib/index.js');
const { native } = require('../lib/native.js');

const RECORDS = 3000;
const ROUNDS = 60;
const map = new Map();
let sink = 0;
const folder = mkdtempSync(join(tmpdir(), 'lightning_db_speed_'));
const keys = Array.from({ length: RECORDS }, (_, i) => `key ${String(i * 7919 % 1_000_000).padStart(12, '0')}`);
const buffers = keys.map((key) => Buffer.from(key));
const value = 'v'.repeat(100);
const valueBuffer = Buffer.from(value);

/** Nanoseconds of what the others are held against. */
const floors = [];

/** Nanoseconds per item of a run that tells its number of items. */
async function measure(name, run) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    const items = await run(round);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / items);
  }
  const times = floors.map((floor) => (best / floor).toFixed(1).padStart(12));
  console.log(`${name.padEnd(46)} ${best.toFixed(best < 100 ? 1 : 0).padStart(10)} ${times.join(' ')}`);
  return best;
}

const REPEAT = 3;

function sync(call) {
  return () => {
    for (let n = 0; n < REPEAT; n++) for (let i = 0; i < RECORDS; i++) call(i);
    return REPEAT * RECORDS;
  };
}

function flight(count, call) {
  return async (round) => {
    for (let done = 0; done < count; done += RECORDS) {
      const all = [];
      for (let i = 0; i < RECORDS; i++) all.push(call(i, round));
      await Promise.all(all);
    }
    return Math.ceil(count / RECORDS) * RECORDS;
  };
}

async function reads(db, where) {
  const utf8 = { keyEncoding: 'utf8', valueEncoding: 'utf8' };
  const text = Database.openSync(db.path, utf8);
  await measure(`getSync, string key, Buffer (${where})`, sync((i) => db.getSync(keys[i])));
  await measure(`getSync, Buffer key, Buffer (${where})`, sync((i) => db.getSync(buffers[i])));
  await measure(`getSync, string key, string (${where})`, sync((i) => text.getSync(keys[i])));
  await measure(`get, awaited, Buffer (${where})`, async () => {
    for (let i = 0; i < RECORDS; i++) await db.get(keys[i]);
    return RECORDS;
  });
  const some = keys.slice(0, 100);
  await measure(`getManySync of 100, a key, Buffers (${where})`, () => {
    for (let n = 0; n < 20; n++) db.getManySync(some);
    return 2000;
  });
  await measure(`getManySync of 100, a key, strings (${where})`, () => {
    for (let n = 0; n < 20; n++) text.getManySync(some);
    return 2000;
  });
  for (const [name, handle] of [['Buffers', db], ['strings', text]]) {
    await measure(`for of entries, an item, ${name} (${where})`, () => {
      let items = 0;
      for (const _ of handle.entries()) items++;
      return items;
    });
    await measure(`for await entries, an item, ${name} (${where})`, async () => {
      let items = 0;
      for await (const _ of handle.entries()) items++;
      return items;
    });
    await measure(`all(), an item, ${name} (${where})`, async () => {
      return (await handle.entries().all()).length;
    });
    await measure(`range of 100, for of, a range, ${name} (${where})`, () => {
      for (let n = 0; n < 20; n++) for (const _ of handle.entries({ gte: keys[n], limit: 100 }));
      return 20;
    });
    await measure(`range of 100, all(), a range, ${name} (${where})`, async () => {
      for (let n = 0; n < 20; n++) await handle.entries({ gte: keys[n], limit: 100 }).all();
      return 20;
    });
  }
  text.closeSync();
}

try {
  let db = Database.openSync(join(folder, 'db'));
  keys.forEach((key, i) => map.set(key, i));
  console.log(`${'call'.padEnd(46)} ${'ns'.padStart(10)} ${'empty calls'.padStart(12)} ${'Map.get'.padStart(12)}`);
  const empty = await measure('an empty native call', sync(() => native.nothing()));
  const get = await measure('Map.get of JavaScript', sync((i) => (sink += map.get(keys[i]))));
  floors.push(empty, get);
  for (const consistency of ['eventual', 'quorum']) {
    const options = { consistency };
    await measure(`put, 3000 in flight, ${consistency}, strings`, flight(3000, (i) => db.put(keys[i], value, options)));
    await measure(`put, 3000 in flight, ${consistency}, Buffers`, flight(3000, (i) => db.put(buffers[i], valueBuffer, options)));
    await measure(`put, awaited, ${consistency}`, async () => {
      for (let i = 0; i < 100; i++) await db.put(keys[i], value, options);
      return 100;
    });
    await measure(`putSync, ${consistency}`, () => {
      for (let i = 0; i < 300; i++) db.putSync(keys[i], value, options);
      return 300;
    });
    await measure(`batch of 1000, a put, ${consistency}`, async () => {
      await db.batch(keys.slice(0, 1000).map((key) => ({ type: 'put', key, value })), options);
      return 1000;
    });
    await measure(`transaction of get and put, ${consistency}`, async () => {
      for (let i = 0; i < 100; i++) {
        await db.transaction((tx) => {
          tx.getSync(keys[i]);
          tx.put(keys[i], value);
        }, options);
      }
      return 100;
    });
  }
  db.closeSync();
  rmSync(join(folder, 'db'), { recursive: true });
  // One version of each key.
  db = Database.openSync(join(folder, 'db'));
  await db.batch(keys.map((key) => ({ type: 'put', key, value })));
  await reads(db, 'memory');
  await db.flush();
  await db.compact();
  await reads(db, 'tables');
  await measure('get of what is not in memory, awaited', async () => {
    for (let i = 0; i < 20; i++) {
      await db.clearCache();
      await db.get(keys[(i * 37) % RECORDS]);
    }
    return 20;
  });
  db.closeSync();
} finally {
  rmSync(folder, { recursive: true });
}
