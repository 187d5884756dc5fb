// Compiled by the tests and never run: what the types say. Each line under `@ts-expect-error` must be refused.

import { Database, LightningDbError, type ErrorCode, type PutOptions, type Reader, type Scan, type ScanOptions, type Snapshot, type Transaction } from 'lightning-db';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

export async function calls(): Promise<void> {
  const db = await Database.open('x', { cache_size: 2n ** 30n, default_level: 'quorum', checkpoint_interval: 0.5, mode: 'rw' });
  const value = await db.get('k');
  same<typeof value, Buffer | undefined>(true);
  const text = db.getSync(new Uint8Array(1), { valueEncoding: 'utf8' });
  same<typeof text, string | undefined>(true);
  const present = [await db.has('k'), db.hasSync(new Uint8Array(1), { keyEncoding: 'buffer' })];
  same<typeof present, boolean[]>(true);
  const many = await db.getMany(['a', Buffer.from('b')]);
  same<typeof many, (Buffer | undefined)[]>(true);
  for await (const [key, value] of db.entries({ gte: 'a', keyEncoding: 'utf8' })) {
    same<typeof key, string>(true);
    same<typeof value, Buffer>(true);
  }
  for (const key of db.keys({ limit: 1, reverse: true })) same<typeof key, Buffer>(true);

  const named = Database.openSync(new URL('file:///x'), { keyEncoding: 'json', valueEncoding: 'utf8' });
  same<typeof named, Database<'json', 'utf8'>>(true);
  await named.put({ any: ['thing'] }, 'text', { consistency: 'eventual' });
  const found = await named.get(1);
  same<typeof found, string | undefined>(true);
  const all = await named.values().all();
  same<typeof all, string[]>(true);

  const result = await named.transaction(async (tx) => {
    same<typeof tx, Transaction<'json', 'utf8'>>(true);
    tx.put(1, 'one');
    return (await tx.get(1))?.length;
  });
  same<typeof result, number | undefined>(true);
  const snapshot: Snapshot<'json', 'utf8'> = named.snapshot();
  snapshot.close();
  await db.batch([{ type: 'put', key: 'a', value: 'b' }, { type: 'del', key: 'a' }], { consistency: 'strong' });
  await db.batch().put('a', new Uint8Array(1)).del('b').write({ consistency: 'quorum' });
  db.batchSync([]);

  try {
    await Database.restore('a', 'b');
  } catch (error) {
    if (error instanceof LightningDbError) {
      const code: ErrorCode = error.code;
      const { number, file, offset, errno, retryable } = error;
      same<typeof file, string | undefined>(true);
      void [code, number, offset, errno, retryable, error.cause];
    }
  }
  const { total_keys: keys, tables_per_level: tables } = await db.stats();
  void (keys + tables.length);

  // @ts-expect-error a number is no key
  void db.get(1);
  // @ts-expect-error a misspelt option
  void Database.open('x', { cache_sise: 1 });
  // @ts-expect-error no such level
  void db.put('a', 'b', { consistency: 'Strong' });
  // @ts-expect-error the constructor is private
  new Database();
  // @ts-expect-error a delete has no value
  void db.batch([{ type: 'del', key: 'a', value: 'b' }]);
  // @ts-expect-error no such encoding
  db.entries({ keyEncoding: 'hex' });
}

export async function disposal(): Promise<void> {
  await using db = await Database.open('x');
  using snapshot = db.snapshot();
  using scan = snapshot.entries();
  void scan;
}

/** Handles of other encodings are not taken. */
export function handles(bytes: Database, text: Database<'utf8', 'utf8'>): void {
  const readers: Reader<'utf8', 'utf8'>[] = [text, text.snapshot(), text.beginTransaction()];
  const anyOf = (from: Reader<any, any>) => from.getSync('k');
  anyOf(bytes) ?? anyOf(text) ?? readers[0]!.getSync('k');
  // @ts-expect-error its values are strings
  const one: Database = text;
  // @ts-expect-error its values are bytes
  const other: Database<'utf8', 'utf8'> = bytes;
  // @ts-expect-error its keys are strings
  const keys: Database<'buffer', 'utf8'> = text;
  // @ts-expect-error its values are strings
  const snapshot: Snapshot = text.snapshot();
  // @ts-expect-error its values are strings
  const tx: Transaction = text.beginTransaction();
  // @ts-expect-error its values are strings
  const reader: Reader = text;
  void [one, other, keys, snapshot, tx, reader];
}

/** Encodings come from the options that name them, and else from the database. */
export async function options(bytes: Database, text: Database<'utf8', 'utf8'>): Promise<void> {
  const plain: ScanOptions = { gte: 'a', limit: 1 };
  const named: ScanOptions<'utf8', 'json'> = { keyEncoding: 'utf8', valueEncoding: 'json' };
  const textKeys = text.keys(plain);
  same<typeof textKeys, Scan<string>>(true);
  const byteEntries = bytes.beginTransaction().entries(plain);
  same<typeof byteEntries, Scan<[Buffer, Buffer]>>(true);
  const textValues = text.snapshot().values(plain);
  same<typeof textValues, Scan<string>>(true);
  const namedKeys = bytes.keys(named);
  same<typeof namedKeys, Scan<string>>(true);
  same<Awaited<ReturnType<typeof text.count>>, number>(true);
  await text.count(plain);
  // @ts-expect-error a bound of another type
  text.keys({ gt: 5 });
  // @ts-expect-error options that name an encoding say so in their type
  const unsaid: ScanOptions = { keyEncoding: 'utf8' };
  void unsaid;

  const level: PutOptions = { consistency: 'quorum' };
  await text.put('x', 'y', level);
  const batch = text.batch().put('x', { j: 1 }, { valueEncoding: 'json' }).del({ j: 1 }, { keyEncoding: 'json' });
  await batch.write();
  text.beginTransaction().put('x', { j: 1 }, { valueEncoding: 'json' });
  // @ts-expect-error no value of this database
  text.batch().put('x', { j: 1 });
  // @ts-expect-error no bound is called so
  text.keys({ start: 'user:' });
}
