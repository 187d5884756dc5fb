// Threads and processes: sharing, locking, and every way to end.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { Database } from 'lightning-db';

import { freshDatabase, freshFolder } from './folder.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

/** Starts a worker with a script that has `Database`, `path`, `parentPort` and `assert`. */
function start(script, path) {
  const prelude = `
    const assert = require('node:assert/strict');
    const { parentPort, workerData: path } = require('node:worker_threads');
    const { Database } = require(${JSON.stringify(join(here, '../lib/index.js'))});
    (async () => {${script}})().catch((error) => setImmediate(() => { throw error; }));`;
  return new Worker(prelude, { eval: true, workerData: path });
}

/** What a worker says, and then its exit code. */
function outcome(worker) {
  return new Promise((resolve, reject) => {
    const said = [];
    worker.on('message', (message) => said.push(message));
    worker.on('error', reject);
    worker.on('exit', (code) => resolve([...said, code]));
  });
}

const said = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));

/** Runs a script in a process of its own. */
async function runProcess(script, path, flags = []) {
  const prelude = `const { Database } = require('lightning-db'); const path = process.argv[1];`;
  const { stdout, stderr } = await run(process.execPath, [...flags, '-e', `${prelude}(async () => {${script}})();`, path], { cwd: here });
  assert.equal(stderr, '');
  return stdout.trim();
}

test('workers share one engine, and each handle closes alone', async (t) => {
  const db = await freshDatabase(t, { default_level: 'eventual' });
  const path = db.path;
  const script = `
    const db = await Database.open(path);
    const id = require('node:worker_threads').threadId;
    for (let i = 0; i < 300; i++) db.put(\`\${id}/\${i}\`, 'x');
    await db.put('sum/' + id, 'done');
    for (let i = 0; i < 50; i++) await db.transaction((tx) => {
      const n = Number(tx.getSync('n', { valueEncoding: 'utf8' }) ?? 0);
      tx.put('n', String(n + 1));
    });
    await db.close();
    await assert.rejects(db.get('n'), { code: 'Closed' });`;
  const codes = await Promise.all(Array.from({ length: 4 }, () => outcome(start(script, path))));
  assert.deepEqual(codes, [[0], [0], [0], [0]]);
  assert.equal(db.getSync('n').toString(), '200');
  assert.equal((await db.keys({ prefix: 'sum/' }).all()).length, 4);
  assert.equal((await db.keys().all()).length, 4 * 301 + 1);
});

test('two opens in one thread share, by whatever path', async (t) => {
  const folder = freshFolder(t);
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  const paths = [join(folder, 'real/db'), join(folder, 'link/db'), join(folder, 'link/../real/./db')];
  const handles = await Promise.all(paths.map((path) => Database.open(path)));
  await handles[0].put('a', '1');
  for (const handle of handles) assert.equal(handle.getSync('a').toString(), '1');
  for (const handle of handles) {
    await handle.close();
    assert.throws(() => handle.getSync('a'), { code: 'Closed' });
    for (const other of handles.filter(({ isOpen }) => isOpen)) assert.equal(other.getSync('a').toString(), '1');
  }
  await runProcess(`await (await Database.open(path)).close();`, paths[0]);
  const last = await Database.open(paths[1]);
  for (let i = 0; i < 500; i++) last.put(`${i}`, 'v');
  last.close();
  // Whoever closes again waits until the folder is free.
  await last.close();
  await runProcess(`await (await Database.open(path)).close();`, paths[0]);
});

test('options of a shared engine are those of its first opener', async (t) => {
  const db = await freshDatabase(t, { cache_size: 1 << 21 });
  const { path } = db;
  for (const options of [{}, { cache_size: 1 << 21 }, { mode: 'rw' }, { page_size: 4096 }, { valueEncoding: 'utf8' }]) {
    await (await Database.open(path, options)).close();
  }
  for (const options of [{ cache_size: 1 << 22 }, { page_size: 8192 }, { sync_writes: false }, { page_size: 7 }, { no: 1 }]) {
    await assert.rejects(Database.open(path, options), { code: 'InvalidArgument' }, JSON.stringify(options));
  }
  await db.put('a', '1');
});

test('closing and opening at the same time', async (t) => {
  const path = join(freshFolder(t), 'db');
  const task = async (n) => {
    for (let i = 0; i < 20; i++) {
      const db = n % 2 ? await Database.open(path) : Database.openSync(path);
      await db.put(`${n}/${i}`, 'x', { consistency: 'eventual' });
      if (i % 3) await db.close();
      else db.closeSync();
    }
  };
  await Promise.all([0, 1, 2, 3].map(task));
  const db = await Database.open(path);
  assert.equal((await db.keys().all()).length, 80);
  await db.close();
});

test('another process gets Locked, and the folder when it is free', async (t) => {
  const db = await freshDatabase(t);
  const script = `
    await Database.open(path).then(() => console.log('opened'), (error) => console.log(error.code, error.message.includes(path)));
    try { Database.openSync(path); console.log('opened'); } catch (error) { console.log(error.code); }`;
  assert.equal(await runProcess(script, db.path), 'Locked true\nLocked');
  await db.close();
  assert.equal(await runProcess(script, db.path), 'opened\nopened');
});

test('an idle database does not keep a process, a pending write does', async (t) => {
  const path = join(freshFolder(t), 'db');
  assert.equal(await runProcess(`await Database.open(path); console.log('end');`, path), 'end');
  await runProcess(`const db = await Database.open(path); db.entries(); db.snapshot(); db.beginTransaction();`, path);
  const writes = `const db = await Database.open(path); await db.put('first', '');
    for (let i = 0; i < 5000; i++) db.put('k' + i, 'v', { consistency: ['strong', 'quorum', 'eventual'][i % 3] });`;
  await runProcess(writes, path);
  const db = await Database.open(path);
  assert.equal((await db.keys().all()).length, 5001);
  await db.close();
});

test('process.exit, an uncaught error and a sync exit with everything open', async (t) => {
  const path = join(freshFolder(t), 'db');
  const all = `const db = await Database.open(path);
    for (let i = 0; i < 3000; i++) db.put('k' + i, 'v'.repeat(100), { consistency: 'eventual' });
    await db.put('acknowledged', '1', { consistency: 'eventual' });
    const open = [db.entries(), db.snapshot(), db.beginTransaction(), db.batch().put('x', 'y')];
    open[2].put('z', '1');
    const steps = db.keys()[Symbol.asyncIterator]();
    await steps.next();
    steps.next(); db.flush(); db.compact(); db.get('k1'); db.put('pending', '1');`;
  await runProcess(`${all} process.exit(0);`, path);
  await runProcess(`${all} setImmediate(() => process.exit(0));`, path);
  await assert.rejects(runProcess(`${all} throw new Error('uncaught');`, path), /uncaught/);
  const db = await Database.open(path);
  assert.equal(db.getSync('acknowledged').toString(), '1');
  assert.equal(db.getSync('z'), undefined);
  await db.close();
});

test('what was acknowledged in memory is kept by process.exit', async (t) => {
  const path = join(freshFolder(t), 'db');
  for (let round = 0; round < 5; round++) {
    const script = `const db = await Database.open(path, { default_level: 'eventual' });
      for (let i = 0; i < 2000; i++) db.put('${round}/' + i, 'v'.repeat(200));
      await db.put('${round}/last', 'v');
      process.exit(0);`;
    await runProcess(script, path);
  }
  const db = await Database.open(path);
  assert.equal((await db.keys().all()).length, 5 * 2001);
  await db.close();
});

test('a batch that finds no room fails alone, though it was to be committed with others', { skip: process.platform !== 'linux' }, async (t) => {
  const path = join(freshFolder(t), 'db');
  // A limit of the process on the size of files, in KiB, stands for a full disk.
  const script = `
    const { Database } = require('lightning-db');
    process.on('SIGXFSZ', () => {});
    (async () => {
      const db = await Database.open(process.argv[1], { default_level: 'quorum' });
      const big = Array.from({ length: 10 }, (_, i) => ({ type: 'put', key: 'big' + i, value: Buffer.alloc(60_000, i) }));
      // Syncs that keep the commit thread busy until the rest waits in a row.
      const level = (i) => ({ consistency: i % 2 ? 'eventual' : 'strong' });
      for (let i = 0; i < 60; i++) db.put('busy', '1', level(i));
      const outcomes = await Promise.allSettled([
        db.batch([{ type: 'put', key: 'a', value: '1' }]), db.batch(big),
        db.batch([{ type: 'put', key: 'b', value: '2' }]),
      ]);
      console.log(outcomes.map(({ reason }) => reason?.code ?? 'done').join(), (await db.keys().all()).join());
    })();`;
  const shell = 'ulimit -f 300; exec "$0" -e "$1" "$2"';
  const { stdout } = await run('bash', ['-c', shell, process.execPath, script, path], { cwd: here });
  assert.equal(stdout.trim(), 'done,NoSpace,done a,b,busy');
});

test('a worker that is terminated with everything open leaves the others alone', async (t) => {
  const db = await freshDatabase(t, { default_level: 'eventual' });
  for (let i = 0; i < 3000; i++) db.put(`k${i}`, 'v');
  await db.flush();
  const script = `
    const db = await Database.open(path);
    const open = [db.snapshot(), db.beginTransaction(), db.batch().put('a', 'b')];
    let n = 0;
    const put = () => db.put('w' + n++, 'v').then(put);
    const walk = async () => { for (;;) for await (const _ of db.entries()); };
    const transact = async () => { for (;;) await db.transaction((tx) => { tx.put('t', tx.getSync('t') ?? ''); }); };
    put(); put(); walk(); walk(); transact(); db.compact();
    parentPort.postMessage('ready');
    setInterval(() => {}, 1000);`;
  for (let round = 0; round < 8; round++) {
    const workers = [start(script, db.path), start(script, db.path)];
    await Promise.all(workers.map(said));
    await new Promise((resolve) => setTimeout(resolve, 5 * round));
    assert.deepEqual(await Promise.all(workers.map((worker) => worker.terminate())), [1, 1]);
  }
  await db.put('after', '1');
  assert.equal(db.getSync('after').toString(), '1');
  const stats = await db.stats();
  assert.deepEqual([stats.active_transactions, stats.snapshots], [0, 0]);
  await db.close();
  await runProcess(`const db = await Database.open(path); await db.get('after'); await db.close();`, db.path);
});

test('a worker that ends by itself lets go of the folder', async (t) => {
  const path = join(freshFolder(t), 'db');
  const script = `
    const db = await Database.open(path);
    await db.put('a', '1');
    db.put('b', '2');
    db.snapshot(); db.beginTransaction(); db.entries();`;
  assert.deepEqual(await outcome(start(script, path)), [0]);
  const found = await runProcess(`const db = await Database.open(path); console.log((await db.keys().all()).join()); await db.close();`, path);
  assert.equal(found, 'a,b');
});

test('the library is loaded again when no thread had it any more', async (t) => {
  const path = join(freshFolder(t), 'db');
  const script = `
    const { Worker } = require('node:worker_threads');
    const worker = () => new Promise((resolve) => new Worker(\`
      const { Database } = require('\${require.resolve('lightning-db')}');
      Database.open(require('node:worker_threads').workerData).then((db) => { db.put('k', 'v'); db.compact(); db.entries().all(); });\`,
      { eval: true, workerData: process.argv[1] }).on('exit', resolve));
    for (let i = 0; i < 5; i++) console.log(await worker());`;
  const { stdout } = await run(process.execPath, ['-e', `(async () => {${script}})()`, path], { cwd: here });
  assert.equal(stdout.trim(), '0\n0\n0\n0\n0');
});
