// Replays conformance cases through the calls that users make.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { Database, Keyspace, LightningDbError } from 'lightning-db';

const { native } = createRequire(import.meta.url)('../lib/native.js');

const BOUNDS = ['gt', 'gte', 'lt', 'lte', 'prefix'];
const SCAN = [...BOUNDS, 'reverse', 'limit'];
/** Fields of each step, beside `op`, `on` and `error`. */
const FIELDS = {
  open: ['as', 'path', 'options'],
  close: [],
  put: ['key', 'value', 'level', 'timeout', 'keyspace'],
  get: ['key', 'is'],
  delete: ['key', 'level', 'timeout', 'keyspace'],
  put_many: ['entries', 'level', 'timeout'],
  get_many: ['keys', 'is'],
  delete_many: ['keys', 'level', 'timeout'],
  batch: ['as'],
  write: ['level', 'timeout'],
  scan: [...SCAN, 'only', 'is', 'either', 'count'],
  count: [...SCAN, 'is'],
  cursor: ['as', ...SCAN],
  next: ['is'],
  snapshot: ['as'],
  transaction: ['as', 'isolation'],
  commit: ['level'],
  abort: [],
  transact: ['as', 'steps', 'interfere', 'fail', 'attempts'],
  backup: ['path'],
  restore: ['source', 'target'],
  flush: [],
  compact: ['cancel', 'progress'],
  clear_cache: [],
  stats: ['is'],
  metrics: ['is', 'at_least'],
  memory_stats: ['is', 'at_least'],
  prometheus: ['contains'],
  create_keyspace: ['as', 'name', 'options'],
  keyspace: ['as', 'name'],
  list_keyspaces: ['is'],
  drop_keyspace: ['name'],
  in: ['as', 'keyspace'],
  ingest: ['entries', 'is'],
  approximate_size: [...SCAN, 'at_least', 'at_most'],
  check: ['path', 'options', 'ok', 'lost'],
  repair: ['path', 'options', 'ok', 'lost'],
  damage: ['file', 'offset', 'xor'],
  write_file: ['path', 'bytes'],
  make_folder: ['path'],
  raise: ['code'],
  disk: ['name', 'command'],
  fail_each: ['disk', 'fault', 'errno', 'errors', 'before', 'steps', 'after', 'at_least'],
};

/** What asks for the number of calls that a fault counts. */
const COUNTERS = { fail: 'calls', 'fail-from': 'calls', 'fail-read': 'reads', 'fail-reads-from': 'reads' };
const MOST_ROUNDS = 5000;

/** Bytes of a case. */
function bytes(form) {
  if (typeof form === 'string') return Buffer.from(form);
  if ('hex' in form) {
    assert.deepEqual(Object.keys(form), ['hex']);
    // Node cuts what it cannot read.
    assert.match(form.hex, /^([0-9a-f]{2})*$/);
    return Buffer.from(form.hex, 'hex');
  }
  assert.deepEqual(Object.keys(form), ['repeat', 'times']);
  return Buffer.from(form.repeat.repeat(form.times));
}

/** A name of a case. */
const text = (form) => bytes(form).toString();

/** Whether a handle has the writes of a database. */
const isStore = (handle) => handle instanceof Database || handle instanceof Keyspace;

const bytesOrNothing = (form) => (form === null ? undefined : bytes(form));

/** One replay of a case. `isSync` says which half of the calls is used. */
class Replay {
  handles = new Map();
  /** What is awaited between two steps of a cursor. */
  cursors = new Map();

  constructor(folder, isSync) {
    this.folder = folder;
    this.isSync = isSync;
  }

  /** Bytes as an argument: text as a string in one half, always a Uint8Array in the other. */
  give(form) {
    if (this.isSync) return typeof form === 'string' ? form : bytes(form);
    return new Uint8Array(bytes(form));
  }

  path(path) {
    return join(this.folder, path);
  }

  async run(steps) {
    for (const step of steps) {
      try {
        await this.step(step);
      } catch (error) {
        error.message = `${JSON.stringify(step).slice(0, 200)}: ${error.message}`;
        throw error;
      }
    }
  }

  async step(step) {
    const { op, on = 'db', error, ...fields } = step;
    assert(op in FIELDS, `unknown op ${op}`);
    for (const field of Object.keys(fields)) assert(FIELDS[op].includes(field), `${op} has no field ${field}`);
    if (op === 'open' && error === 'Locked' && fields.options?.test_disk === undefined) return this.openElsewhere(fields);
    const call = async () => this[op](this.handles.get(on), fields, on);
    if (error === undefined) return call();
    const expected = native.kinds.find(([, name]) => name === error);
    assert(expected, `unknown error ${error}`);
    await assert.rejects(call, (thrown) => {
      assert(thrown instanceof LightningDbError, `${thrown?.stack}`);
      assert.deepEqual([thrown.number, thrown.code, thrown.retryable], expected, thrown.message);
      assert(thrown.message.startsWith(`${error}: `), thrown.message);
      if (error === 'Corruption' && op !== 'raise') assert(thrown.file && typeof thrown.offset === 'number', thrown.message);
      return true;
    });
  }

  async open(_, { as, path, options = {} }) {
    const opened = this.isSync
      ? Database.openSync(this.path(path), options)
      : await Database.open(this.path(path), options);
    this.handles.set(as, opened);
  }

  /** What opens a folder in one process shares it; it is another process that gets `Locked`. */
  openElsewhere({ path, options = {} }) {
    const script = `
      const { Database } = require('lightning-db');
      Database.open(process.argv[1], JSON.parse(process.argv[2])).then(
        () => console.log('opened'),
        (error) => console.log(error.code, error.number, error.retryable));`;
    const output = execFileSync(process.execPath, ['-e', script, this.path(path), JSON.stringify(options)], {
      cwd: dirname(fileURLToPath(import.meta.url)),
      encoding: 'utf8',
    });
    assert.equal(output, 'Locked 6 true\n');
  }

  async close(handle) {
    if (handle instanceof Database && this.isSync) return handle.closeSync();
    return handle.close();
  }

  /** Options of what is added to a batch, or put in a transaction. */
  added({ keyspace }) {
    return keyspace === undefined ? undefined : { keyspace: this.handles.get(keyspace) };
  }

  put(handle, { key, value, level, timeout, ...rest }) {
    const [k, v] = [this.give(key), this.give(value)];
    if (!isStore(handle)) return void handle.put(k, v, this.added(rest));
    const options = { consistency: level, timeout };
    return this.isSync ? handle.putSync(k, v, options) : handle.put(k, v, options);
  }

  delete(handle, { key, level, timeout, ...rest }) {
    if (!isStore(handle)) return void handle.del(this.give(key), this.added(rest));
    const options = { consistency: level, timeout };
    return this.isSync ? handle.delSync(this.give(key), options) : handle.del(this.give(key), options);
  }

  async get(handle, { key, is }) {
    const found = this.isSync ? handle.getSync(this.give(key)) : await handle.get(this.give(key));
    assert.notEqual(is, undefined, 'a get without its result');
    assert.deepEqual(found, bytesOrNothing(is));
  }

  async get_many(handle, { keys, is }) {
    const given = keys.map((key) => this.give(key));
    const found = this.isSync ? handle.getManySync(given) : await handle.getMany(given);
    assert.deepEqual(found, is.map(bytesOrNothing));
  }

  many(handle, operations, { level, timeout }) {
    const options = { consistency: level, timeout };
    return this.isSync ? handle.batchSync(operations, options) : handle.batch(operations, options);
  }

  put_many(handle, { entries, ...how }) {
    const put = ([key, value]) => ({ type: 'put', key: this.give(key), value: this.give(value) });
    return this.many(handle, entries.map(put), how);
  }

  delete_many(handle, { keys, ...how }) {
    return this.many(handle, keys.map((key) => ({ type: 'del', key: this.give(key) })), how);
  }

  batch(handle, { as }) {
    this.handles.set(as, handle.batch());
  }

  async write(handle, { level, timeout }) {
    const options = { consistency: level, timeout };
    if (this.isSync) handle.writeSync(options);
    else await handle.write(options);
    assert.equal(handle.length, 0);
  }

  scanOptions(fields) {
    const options = { reverse: fields.reverse, limit: fields.limit };
    for (const name of BOUNDS) if (name in fields) options[name] = this.give(fields[name]);
    return options;
  }

  async scan(handle, { only, is, either, count, ...fields }) {
    const scan = handle[only ?? 'entries'](this.scanOptions(fields));
    const found = this.isSync ? [...scan] : await scan.all();
    assert.equal([is, either, count].filter((result) => result !== undefined).length, 1, 'a scan has one result');
    if (count !== undefined) return assert.equal(found.length, count);
    const lists = (either ?? [is]).map((list) => list.map((entry) => (only ? bytes(entry) : entry.map(bytes))));
    // Where there is a choice, the last one tells what is wrong.
    assert.deepEqual(found, lists.find((list) => isDeepStrictEqual(found, list)) ?? lists.at(-1));
  }

  async count(handle, { is, ...fields }) {
    assert.equal(await handle.count(this.scanOptions(fields)), is);
  }

  cursor(handle, { as, ...fields }) {
    const scan = handle.entries(this.scanOptions(fields));
    this.handles.set(as, scan);
    this.cursors.set(as, this.isSync ? scan[Symbol.iterator]() : scan[Symbol.asyncIterator]());
  }

  async next(_, { is }, on) {
    const { done, value } = await this.cursors.get(on).next();
    assert.deepEqual(done ? null : value, is === null ? null : is.map(bytes));
  }

  snapshot(handle, { as }) {
    this.handles.set(as, handle.snapshot());
  }

  transaction(handle, { as, isolation }) {
    this.handles.set(as, handle.beginTransaction({ isolation }));
  }

  commit(handle, { level }) {
    return this.isSync ? handle.commitSync({ consistency: level }) : handle.commit({ consistency: level });
  }

  abort(handle) {
    handle.abort();
  }

  async transact(handle, { as, steps, interfere = [], fail = false, attempts }) {
    let made = 0;
    const own = new Error('of the callback');
    const run = handle.transaction(async (tx) => {
      made += 1;
      this.handles.set(as, tx);
      await this.run(steps);
      const named = steps.map(({ as }) => as).filter((name) => name !== undefined);
      if (made === 1) await this.run(interfere);
      for (const name of named) {
        const handle = this.handles.get(name);
        if (handle !== undefined) await this.close(handle);
        this.handles.delete(name);
      }
      if (fail) throw own;
    });
    if (fail) await assert.rejects(run, (error) => error === own);
    else await run;
    assert.equal(made, attempts);
  }

  backup(handle, { path }) {
    return handle.backup(this.path(path));
  }

  restore(_, { source, target }) {
    return Database.restore(this.path(source), this.path(target));
  }

  flush(handle) {
    return handle.flush();
  }

  async compact(handle, { cancel = false, progress }) {
    if (!cancel && progress === undefined) return handle.compact();
    const told = [];
    const onProgress = (step) => {
      told.push(step);
      return !cancel;
    };
    await handle.compact({ onProgress });
    assert.equal(told.length > 0, progress);
    const { bytes_in, bytes_done } = told.at(-1);
    assert.equal(bytes_done, bytes_in);
  }

  async create_keyspace(handle, { as, name, options }) {
    const made = this.isSync
      ? handle.createKeyspaceSync(text(name), options)
      : await handle.createKeyspace(text(name), options);
    assert.equal(made.name, text(name));
    this.handles.set(as, made);
  }

  async keyspace(handle, { as, name }) {
    this.handles.set(as, this.isSync ? handle.keyspaceSync(text(name)) : await handle.keyspace(text(name)));
  }

  async list_keyspaces(handle, { is }) {
    const names = this.isSync ? handle.listKeyspacesSync() : await handle.listKeyspaces();
    assert.deepEqual(names, is.map(text));
  }

  drop_keyspace(handle, { name }) {
    return this.isSync ? handle.dropKeyspaceSync(text(name)) : handle.dropKeyspace(text(name));
  }

  in(handle, { as, keyspace }) {
    this.handles.set(as, handle.keyspace(this.handles.get(keyspace)));
  }

  async ingest(handle, { entries, is }) {
    const pairs = entries.map(([key, value]) => [this.give(key), this.give(value)]);
    assert.equal(await handle.ingest(pairs), is);
  }

  async approximate_size(handle, { at_least = 0, at_most = Infinity, ...fields }) {
    const size = await handle.approximateSize(this.scanOptions(fields));
    assert(size >= at_least && size <= at_most, `${size} bytes`);
  }

  check(_, step) {
    return this.examine('check', step);
  }

  repair(_, step) {
    return this.examine('repair', step);
  }

  async examine(call, { path, options, ok, lost }) {
    const report = await Database[call](this.path(path), options);
    assert.equal(report.ok, ok, JSON.stringify(report));
    assert.equal(report.problems.length === 0, ok);
    if (lost !== undefined) assert.equal(report.repair?.lost.length ?? 0, lost, JSON.stringify(report));
  }

  async metrics(handle, step) {
    this.figures(await handle.metrics(), step);
  }

  async memory_stats(handle, step) {
    this.figures(await handle.memoryStats(), step);
  }

  figures(found, { is = {}, at_least = {} }) {
    for (const name of [...Object.keys(is), ...Object.keys(at_least)]) assert(name in found, `no figure ${name}`);
    for (const [name, figure] of Object.entries(is)) assert.equal(found[name], figure, name);
    for (const [name, figure] of Object.entries(at_least)) assert(found[name] >= figure, `${name} is ${found[name]}`);
  }

  async prometheus(handle, { contains }) {
    const found = await handle.prometheus();
    assert(found.includes(contains), found);
  }

  clear_cache(handle) {
    return handle.clearCache();
  }

  async stats(handle, { is }) {
    const found = await handle.stats();
    for (const [name, figure] of Object.entries(is)) {
      assert(name in found, `no figure ${name}`);
      assert.deepEqual(found[name] ?? null, figure, name);
    }
  }

  damage(_, { file, offset, xor }) {
    let path = this.path(file);
    const wanted = basename(path);
    if (wanted.startsWith('*')) {
      const found = readdirSync(dirname(path)).filter((name) => name.endsWith(wanted.slice(1)));
      assert.equal(found.length, 1, `${wanted}: ${found}`);
      path = join(dirname(path), found[0]);
    }
    const content = readFileSync(path);
    const at = offset < 0 ? content.length + offset : offset;
    assert(at >= 0 && at < content.length, `offset ${offset} of ${content.length} bytes`);
    assert(Number.isInteger(xor) && xor > 0 && xor < 256, `xor ${xor}`);
    content[at] ^= xor;
    writeFileSync(path, content);
  }

  write_file(_, { path, bytes: content }) {
    writeFileSync(this.path(path), bytes(content));
  }

  make_folder(_, { path }) {
    mkdirSync(this.path(path), { recursive: true });
  }

  raise(_, { code }) {
    native.raise(code);
  }

  disk(_, { name, command }) {
    native.testDisk(name, command);
  }

  async fail_each(_, { at_least, ...parts }) {
    let failed = 0;
    for (let round = 0, isMet = true; isMet; round++) {
      assert(round < MOST_ROUNDS, 'a fault in each of very many rounds');
      const kept = new Set(this.handles.keys());
      try {
        const outcome = await this.round(round, parts);
        isMet = outcome.isMet;
        failed += Number(outcome.isFailed);
      } catch (error) {
        error.message = `round ${round}: ${error.message}`;
        throw error;
      }
      await this.end(kept);
    }
    assert(failed >= at_least, `only ${failed} rounds failed`);
  }

  async round(round, { disk, fault, errno, errors, before = [], steps, after = [] }) {
    await this.run(before);
    const first = native.testDisk(disk, COUNTERS[fault]);
    native.testDisk(disk, `${fault} ${round} ${errno}`);
    let isFailed = false;
    for (const step of steps) {
      assert(!('error' in step), 'a step that fails for another reason');
      try {
        await this.step(step);
      } catch (error) {
        if (!(error instanceof LightningDbError) || !errors.includes(error.code)) throw error;
        isFailed = true;
        break;
      }
    }
    const isMet = native.testDisk(disk, COUNTERS[fault]) > first + round;
    native.testDisk(disk, 'heal');
    await this.run(after);
    return { isFailed, isMet };
  }

  /** Closes all handles but some. One whose disk is gone may fail. */
  async end(kept = new Set()) {
    for (const [name, handle] of [...this.handles].reverse()) {
      if (kept.has(name)) continue;
      try {
        await this.close(handle);
      } catch (error) {
        if (native.testDisk === undefined || !(error instanceof LightningDbError)) throw error;
      }
      this.handles.delete(name);
      this.cursors.delete(name);
    }
  }
}

/** Replays a case in an empty folder. */
export async function replay({ name, steps, options, open = true, ...unknown }, folder, isSync) {
  assert.deepEqual(unknown, {}, `unknown fields in ${name}`);
  const run = new Replay(folder, isSync);
  if (open) await run.open(undefined, { as: 'db', path: 'db', options });
  try {
    await run.run(steps);
  } finally {
    await run.end();
  }
}
