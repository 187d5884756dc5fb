// Sorted entries, loaded piece by piece.

import { encode, type Encoding } from './encoding';
import { PackedKeys } from './pack';
import type { Source } from './reader';
import { ask } from './settle';

/** Bytes that are handed over at a time. */
const PIECE = 256 * 1024;

type Entries = Iterable<unknown> | AsyncIterable<unknown>;

export async function ingest(source: Source, entries: Entries, keyEncoding: Encoding, valueEncoding: Encoding): Promise<number> {
  const isAsync = typeof (entries as AsyncIterable<unknown> | undefined)?.[Symbol.asyncIterator] === 'function';
  if (!isAsync && typeof (entries as Iterable<unknown> | undefined)?.[Symbol.iterator] !== 'function') {
    throw new TypeError('entries are an iterable or an async iterable');
  }
  const load = source.native.ingest(source.target);
  const packed = new PackedKeys();
  let count = 0;
  const add = (entry: unknown) => {
    if (!Array.isArray(entry) || entry.length !== 2) throw new TypeError('an entry is [key, value]');
    const [key, value] = [encode(entry[0], keyEncoding), encode(entry[1], valueEncoding)];
    packed.add(key);
    packed.addValue(value);
    count += 1;
  };
  const handOver = async () => {
    await ask((ticket) => load.add(ticket, packed.buffer, packed.length));
    packed.clear();
  };
  try {
    if (isAsync) {
      for await (const entry of entries as AsyncIterable<unknown>) {
        add(entry);
        if (packed.length >= PIECE) await handOver();
      }
    } else {
      for (const entry of entries as Iterable<unknown>) {
        add(entry);
        // Awaiting each entry would cost more than the entry.
        if (packed.length >= PIECE) await handOver();
      }
    }
    await handOver();
    source.writer.handOver();
    await ask((ticket) => load.finish(ticket));
    return count;
  } catch (error) {
    load.end();
    throw error;
  }
}
