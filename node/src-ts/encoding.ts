import { inspect } from 'node:util';

import { invalid } from './error';
import type { Bytes } from './native';

/**
 * How keys and values are given and taken: `'buffer'` (the default) gives `Buffer`s, `'utf8'` strings, `'json'` whatever
 * JSON can say. `'buffer'` and `'utf8'` both take strings and `Uint8Array`s. A string with a lone surrogate, which has no UTF-8, is `InvalidArgument`.
 */
export type Encoding = 'buffer' | 'utf8' | 'json';

/** What an encoding gives. */
export type Decoded<E extends Encoding> = E extends 'buffer' ? Buffer : E extends 'utf8' ? string : any;

/** What an encoding takes. */
export type Encodable<E extends Encoding> = E extends 'json' ? any : string | Uint8Array;

/** How the keys and values of a call are given. */
export interface EncodingOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> {
  keyEncoding?: KE;
  valueEncoding?: VE;
}

/** @internal The encoding of an option, or the one that holds otherwise. */
export function checkEncoding<E extends Encoding>(name: string, encoding: unknown, otherwise: E): E {
  if (encoding === undefined) return otherwise;
  if (encoding !== 'buffer' && encoding !== 'utf8' && encoding !== 'json') {
    throw invalid(`${name} is ${String(encoding)}: known are buffer, utf8, json`);
  }
  return encoding as E;
}

/** @internal What the library takes. It refuses whatever is neither a string nor a `Uint8Array`. */
export function encode(input: unknown, encoding: Encoding): Bytes {
  return encoding === 'json' ? stringify(input) : (input as Bytes);
}

function stringify(input: unknown): string {
  const text = JSON.stringify(input) as string | undefined;
  if (text === undefined) throw new TypeError(`JSON has no form of ${inspect(input)}, a key or value of encoding 'json'`);
  return text;
}

/** @internal Text as its encoding has it; `key` is for the error. */
export function decodeText(text: string, encoding: Encoding, key: unknown): unknown {
  return encoding === 'json' ? parse(text, 'value of key', key) : text;
}

/** @internal The key of JSON text. */
export function decodeKey(text: string): unknown {
  return parse(text, 'key', text);
}

function parse(text: string, what: string, key: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = inspect(key, { maxStringLength: 100, maxArrayLength: 50, breakLength: Infinity });
    throw new SyntaxError(`the ${what} ${shown} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** @internal A part of a buffer as its encoding has it; a Buffer shares the memory. */
export function decodeBytes(bytes: Buffer, start: number, end: number, encoding: Encoding, key?: unknown): unknown {
  return encoding === 'buffer' ? bytes.subarray(start, end) : decodeText(bytes.toString('utf8', start, end), encoding, key);
}
