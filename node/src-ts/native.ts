// The functions of the native library, and where it is found.

/** A key, value or bound as the library takes it. */
export type Bytes = string | Uint8Array;

/** What the library gives for a page. */
export type GivenPage = string | Buffer | [string, Buffer] | undefined;

/** The bounds of a scan as the library takes them. */
export type NativeBounds = [
  gt: Bytes | undefined,
  gte: Bytes | undefined,
  lt: Bytes | undefined,
  lte: Bytes | undefined,
  prefix: Bytes | undefined,
  reverse: boolean | undefined,
  limit: number | undefined,
];

/** Options by names and values in turns. */
export type OptionList = unknown[];

/** Sorted entries on their way in. */
export interface NativeIngest {
  add(ticket: number, packed: Uint8Array, length: number): void;
  finish(ticket: number): void;
  end(): void;
}

/** Work on another thread. */
export interface NativeTask {
  stop(): void;
}

/** The functions of an open database. A `store` is 0, or the number of a keyspace; a `target` is one too, or that of a snapshot or transaction. */
export interface NativeDatabase {
  readonly path: string;
  get(key: Bytes, target: number): Buffer | number | undefined;
  getText(key: Bytes, target: number): string | undefined;
  getCached(key: Bytes, target: number): Buffer | number | undefined;
  getTextCached(key: Bytes, target: number): string | number | undefined;
  getAsync(ticket: number, key: Bytes, target: number, text: boolean): void;
  getMany(keys: Uint8Array, length: number, lengths: Uint32Array, target: number): Buffer | number;
  getManyCached(keys: Uint8Array, length: number, lengths: Uint32Array, target: number): Buffer | number;
  has(key: Bytes, target: number): number;
  hasCached(key: Bytes, target: number): number;
  hasAsync(ticket: number, key: Bytes, target: number): void;
  getManyAsync(ticket: number, keys: Uint8Array, length: number, target: number): void;
  write(
    ticket: number,
    packed: Uint8Array,
    length: number,
    level: string | undefined,
    timeout: number | undefined,
    stores: number[] | undefined,
  ): void;
  writeSync(
    packed: Uint8Array,
    length: number,
    level: string | undefined,
    timeout: number | undefined,
    stores: number[] | undefined,
  ): void;
  scan(target: number, ...bounds: NativeBounds): number;
  count(ticket: number, store: number, ...bounds: NativeBounds): void;
  approximateSize(ticket: number, store: number, ...bounds: NativeBounds): void;
  fill(scan: number, form: number, values: boolean): GivenPage;
  fillAsync(ticket: number, scan: number, form: number, values: boolean): void;
  endScan(scan: number): void;
  snapshot(store: number): number;
  begin(store: number, isolation: string | undefined): number;
  through(target: number, store: number): number;
  transactionPut(target: number, key: Bytes, value: Bytes): void;
  transactionDelete(target: number, key: Bytes): void;
  commit(ticket: number, target: number, level: string | undefined): void;
  commitSync(target: number, level: string | undefined): void;
  pause(attempt: number): number | undefined;
  abort(target: number): void;
  end(target: number): void;
  createKeyspace(ticket: number, name: string, options: OptionList): void;
  createKeyspaceSync(name: string, options: OptionList): void;
  keyspace(name: string): number;
  ingest(store: number): NativeIngest;
  listKeyspaces(): string[];
  dropKeyspace(ticket: number, name: string): void;
  dropKeyspaceSync(name: string): void;
  flush(ticket: number): void;
  compact(ticket: number, steps: number | undefined): NativeTask;
  clearCache(): void;
  backup(ticket: number, target: string): void;
  stats(): Record<string, unknown>;
  metrics(): Record<string, unknown>;
  memoryStats(): Record<string, unknown>;
  prometheus(labels: string[]): string;
  close(ticket: number): void;
  closeSync(): void;
}

/** The library. */
export interface Native {
  readonly version: string;
  readonly kinds: readonly (readonly [number: number, name: string, retryable: boolean])[];
  readonly options: readonly (readonly [name: string, takes: string, about: string])[];
  readonly maxKeyLength: number;
  readonly maxValueLength: number;
  /** Figures, with what they say, by the type that has them. */
  readonly figures: Readonly<Record<string, readonly (readonly [name: string, meaning: string])[]>>;
  /** Numbers that are constants in `generated.ts`. */
  readonly wire: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly slabItemLength: number;
  readonly words: number;
  setUp(
    createError: (
      number: number,
      message: string,
      file: string | undefined,
      offset: number | undefined,
      errno: number | undefined,
      cause: string | undefined,
    ) => Error,
    settle: (ticket: number, error: Error | undefined, value: unknown) => boolean,
    words: Uint32Array,
  ): void;
  setSlab(slab: Uint8Array): void;
  open(ticket: number, path: string, options: OptionList): void;
  openSync(path: string, options: OptionList): NativeDatabase;
  restore(ticket: number, source: string, target: string): void;
  check(ticket: number, path: string, options: OptionList, steps: number | undefined): void;
  repair(ticket: number, path: string, options: OptionList, steps: number | undefined): void;
  nothing(): void;
  raise(number: number): never;
}

// Each binary has a `require` of its own with a literal path, which bundlers can follow.
const BINARIES: Record<string, [name: string, load: () => Native][]> = {
  'linux-x64': [
    ['lightning-db.linux-x64-gnu.node', () => require('../lightning-db.linux-x64-gnu.node')],
    ['lightning-db.linux-x64-musl.node', () => require('../lightning-db.linux-x64-musl.node')],
  ],
  'linux-arm64': [
    ['lightning-db.linux-arm64-gnu.node', () => require('../lightning-db.linux-arm64-gnu.node')],
    ['lightning-db.linux-arm64-musl.node', () => require('../lightning-db.linux-arm64-musl.node')],
  ],
  'darwin-x64': [['lightning-db.darwin-x64.node', () => require('../lightning-db.darwin-x64.node')]],
  'darwin-arm64': [['lightning-db.darwin-arm64.node', () => require('../lightning-db.darwin-arm64.node')]],
  'win32-x64': [['lightning-db.win32-x64-msvc.node', () => require('../lightning-db.win32-x64-msvc.node')]],
  'win32-arm64': [['lightning-db.win32-arm64-msvc.node', () => require('../lightning-db.win32-arm64-msvc.node')]],
};

const VARIABLE = 'LIGHTNING_DB_NATIVE';

function load(): Native {
  const named = process.env[VARIABLE];
  const platform = `${process.platform}-${process.arch}`;
  const candidates: [string, () => Native][] = named
    ? [[`${named} (from ${VARIABLE})`, () => require(named)]]
    : (BINARIES[platform] ?? []);
  const failures: string[] = [];
  let cause: unknown;
  for (const [name, attempt] of candidates) {
    try {
      return attempt();
    } catch (error) {
      cause ??= error;
      failures.push(`  ${name}: ${String((error as Error).message).split('\n')[0]}`);
    }
  }
  const tried = failures.length > 0 ? `Looked for:\n${failures.join('\n')}` : 'There is no binary for it.';
  throw new Error(
    `lightning-db: no native library for ${platform}, Node ${process.version}. ${tried}\n` +
      `Set ${VARIABLE} to the path of one that was built elsewhere.`,
    { cause },
  );
}

export const native: Native = load();
