// Names of options. A misspelt one would change what a call means: a bound that is not taken is a scan of everything.

const ENCODINGS = ['keyEncoding', 'valueEncoding'];
const BOUNDS = ['gt', 'gte', 'lt', 'lte', 'prefix'];
const known = (...names: string[]): ReadonlySet<string> => new Set(names);

/** Of a read. */
export const READ = known(...ENCODINGS);
/** Of a read that gives no value. */
export const READ_KEY = known('keyEncoding');
/** Of a put, a delete or a list of writes. */
export const WRITE = known(...ENCODINGS, 'consistency', 'timeout');
/** Of what is added to a transaction. */
export const ADD = READ;
/** Of what is added to a batch. */
export const ADD_TO_BATCH = known(...ENCODINGS, 'keyspace');
/** Of the write of a batch. */
export const WRITE_BATCH = known('consistency', 'timeout');
/** Of a commit. */
export const COMMIT = known('consistency');
/** Of a keyspace that is there. */
export const KEYSPACE = READ;
/** Of a compaction. */
export const COMPACT = known('onProgress', 'signal');
/** Of a scan or a count. */
export const SCAN = known(...BOUNDS, 'reverse', 'limit', ...ENCODINGS, 'signal');
/** Of a transaction by hand. */
export const BEGIN = known('isolation');
/** Of a transaction that is run. */
export const RUN = known('isolation', 'consistency', 'signal');

/** Throws what is no object of options. */
export function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options) || ArrayBuffer.isView(options)) {
    throw new TypeError('options are an object');
  }
}

/** Throws what is no object, and names that are not known. To be called where there are options at all. */
export function checkOptions(options: object, names: ReadonlySet<string>): void {
  checkObject(options);
  for (const name in options) {
    if (!names.has(name)) throw new TypeError(`unknown option ${name}: known are ${[...names].join(', ')}`);
  }
}

/** Throws bounds that are null, which would be none, and what is no signal. */
export function checkScanOptions(options: object): void {
  checkOptions(options, SCAN);
  const given = options as Record<string, unknown>;
  for (const name of BOUNDS) if (given[name] === null) throw new TypeError(`${name} is null`);
  checkSignal(given.signal);
}

/** Throws what is no function. */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} is a function`);
}

/** Throws what is no signal. */
export function checkSignal(signal: unknown): void {
  // One of another realm or library is one too.
  const isSignal = typeof (signal as AbortSignal | null | undefined)?.aborted === 'boolean';
  if (signal !== undefined && !isSignal) throw new TypeError('signal is an AbortSignal');
}
