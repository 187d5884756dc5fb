// Reads of single keys and of many, for databases, snapshots and transactions.

import { decodeBytes, decodeText, encode, type Encoding } from './encoding';
import { Found, Word } from './generated';
import { makeRoom, slab, words } from './memory';
import type { Bytes, NativeDatabase } from './native';
import { PackedKeys } from './pack';
import { ask } from './settle';

/** A promise of more keys than this does not look at memory first: that would take the event loop too long. */
const MANY = 256;

/** Reads a key; waits for the disk if it must. */
export function getSync(
  native: NativeDatabase,
  target: number,
  key: unknown,
  keyEncoding: Encoding,
  valueEncoding: Encoding,
): unknown {
  const encoded = encode(key, keyEncoding);
  if (valueEncoding === 'buffer') {
    makeRoom();
    const start = words[Word.Position]!;
    const found = native.get(encoded, target);
    return typeof found === 'number' ? slab.subarray(start, start + found) : found;
  }
  const text = native.getText(encoded, target);
  return valueEncoding === 'utf8' || text === undefined ? text : decodeText(text, valueEncoding, key);
}

/** Reads a key: at once if the answer is in memory, on another thread if not. */
export function get(
  native: NativeDatabase,
  target: number,
  key: unknown,
  keyEncoding: Encoding,
  valueEncoding: Encoding,
): Promise<unknown> {
  try {
    const encoded = encode(key, keyEncoding);
    if (valueEncoding === 'buffer') {
      makeRoom();
      const start = words[Word.Position]!;
      const found = native.getCached(encoded, target);
      if (found === Found.NotCached) return getElsewhere(native, target, encoded, valueEncoding);
      return Promise.resolve(typeof found === 'number' ? slab.subarray(start, start + found) : found);
    }
    const text = native.getTextCached(encoded, target);
    if (typeof text === 'number') return getElsewhere(native, target, encoded, valueEncoding);
    return Promise.resolve(text === undefined ? undefined : decodeText(text, valueEncoding, key));
  } catch (error) {
    return Promise.reject(error);
  }
}

function getElsewhere(native: NativeDatabase, target: number, key: Bytes, encoding: Encoding): Promise<unknown> {
  if (encoding === 'buffer') return ask((ticket) => native.getAsync(ticket, key, target, false));
  return ask<unknown, string | undefined>(
    (ticket) => native.getAsync(ticket, key, target, true),
    (text) => (text === undefined ? undefined : decodeText(text, encoding, key)),
  );
}

/** Whether a key is present; waits for the disk if it must. */
export function hasSync(native: NativeDatabase, target: number, key: unknown, keyEncoding: Encoding): boolean {
  return native.has(encode(key, keyEncoding), target) === 1;
}

/** The same in a promise: at once if the answer is in memory, on another thread if not. */
export async function has(native: NativeDatabase, target: number, key: unknown, keyEncoding: Encoding): Promise<boolean> {
  const encoded = encode(key, keyEncoding);
  const found = native.hasCached(encoded, target);
  return found === Found.NotCached ? ask((ticket) => native.hasAsync(ticket, encoded, target)) : found === 1;
}

const packed = new PackedKeys();
let lengths = new Uint32Array(1024);

/** Gives an own list of the keys. */
function pack(keys: readonly unknown[], encoding: Encoding): unknown[] {
  if (!Array.isArray(keys)) throw new TypeError('keys are an array');
  // A getter or `toJSON` of the user may read too: it must not find us half-way.
  const own: unknown[] = keys.slice();
  const encoded = encoding === 'json' ? own.map((key) => encode(key, encoding)) : (own as Bytes[]);
  packed.clear();
  for (let i = 0; i < encoded.length; i++) packed.add(encoded[i]!);
  if (own.length > lengths.length) lengths = new Uint32Array(2 * own.length);
  return own;
}

function unpack(
  bytes: Buffer,
  start: number,
  keys: readonly unknown[],
  lengths: Uint32Array,
  encoding: Encoding,
): unknown[] {
  const values: unknown[] = [];
  for (let i = 0, at = start; i < keys.length; i++) {
    const length = lengths[i]!;
    if (length === Found.Absent) {
      values.push(undefined);
    } else {
      values.push(decodeBytes(bytes, at, at + length, encoding, keys[i]));
      at += length;
    }
  }
  return values;
}

/** Reads many keys as of one instant. */
export function getManySync(
  native: NativeDatabase,
  target: number,
  keys: readonly unknown[],
  keyEncoding: Encoding,
  valueEncoding: Encoding,
): unknown[] {
  const own = pack(keys, keyEncoding);
  makeRoom();
  const found = native.getMany(packed.buffer, packed.length, lengths, target);
  return typeof found === 'number'
    ? unpack(slab, found, own, lengths, valueEncoding)
    : unpack(found, 0, own, lengths, valueEncoding);
}

/** The same in a promise. */
export async function getMany(
  native: NativeDatabase,
  target: number,
  keys: readonly unknown[],
  keyEncoding: Encoding,
  valueEncoding: Encoding,
): Promise<unknown[]> {
  const own = pack(keys, keyEncoding);
  if (own.length <= MANY) {
    makeRoom();
    const found = native.getManyCached(packed.buffer, packed.length, lengths, target);
    if (typeof found !== 'number') return unpack(found, 0, own, lengths, valueEncoding);
    if (found !== Found.NotCached) return unpack(slab, found, own, lengths, valueEncoding);
  }
  return ask(
    (ticket) => native.getManyAsync(ticket, packed.buffer, packed.length, target),
    ([all, bytes]: [Buffer, Buffer]) => {
      const lengths = new Uint32Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.length));
      return unpack(bytes, 0, own, lengths, valueEncoding);
    },
  );
}
