// Made by `make generate-node` from src-ts.

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
