// Memory that is shared with the native library: the slab, where it puts values, and some words.
//
// A value becomes a Buffer without an ArrayBuffer of its own, which would cost ten times the read.

import { markAsUntransferable } from 'node:worker_threads';

import { createError } from './error';
import { Word } from './generated';
import { native } from './native';
import { settle } from './settle';

const SLAB_LENGTH = 64 * 1024;
/** From here on a slab may lack room for an item. */
const FULL = SLAB_LENGTH - native.slabItemLength;

/** Given to nobody else: the native library writes here without asking. */
export const words = new Uint32Array(native.words);
/** The slab in use. */
export let slab: Buffer = newSlab();

native.setUp(createError, settle, words);

function newSlab(): Buffer {
  const fresh = Buffer.allocUnsafeSlow(SLAB_LENGTH);
  // Moving one value to a worker must not take the others of the slab with it.
  markAsUntransferable(fresh.buffer);
  native.setSlab(fresh);
  return fresh;
}

/** To be called right before each call that may put something into the slab. A user can have detached it. */
export function makeRoom(): void {
  if (words[Word.Position]! > FULL || slab.length !== SLAB_LENGTH) {
    slab = newSlab();
    words[Word.Position] = 0;
  }
}
