// What was forgotten is let go by the garbage collector; what is closed by name is disposed of by `using` too.

import type { NativeDatabase } from './native';

/** Whether a database handle is open, as its scans see it. */
export interface Owner {
  isClosed: boolean;
}

/** What constructors want to be given: users have other ways to a handle. */
export const internal: unique symbol = Symbol('internal');

/** Throws for a constructor that a user has called. */
export function checkInternal(token: unknown, way: string): asserts token is typeof internal {
  if (token !== internal) throw new TypeError(`use ${way}`);
}

/** What ends a handle. */
type End = 'end' | 'endScan';

/** What is left to do for a handle. No closure: that could keep the handle by what it shares with others. */
interface Left {
  native: NativeDatabase;
  end: End;
  number: number;
}

const registry = new FinalizationRegistry<Left>(({ native, end, number }) => {
  try {
    native[end](number);
  } catch {
    // Its database is closed, and took it along.
  }
});

/** Ends the native part of a handle when the handle is forgotten. */
export function watch(handle: object, native: NativeDatabase, end: End, number: number): void {
  registry.register(handle, { native, end, number }, handle);
}

/** The handle has been closed. */
export function unwatch(handle: object): void {
  registry.unregister(handle);
}

/** Gives a class `Symbol.dispose` and `Symbol.asyncDispose` where the runtime has them. */
export function makeDisposable<T>(
  type: { prototype: T },
  dispose: (this: T) => void,
  asyncDispose: (this: T) => Promise<void>,
): void {
  const define = (symbol: symbol | undefined, value: unknown) => {
    if (symbol !== undefined) Object.defineProperty(type.prototype, symbol, { value, writable: true, configurable: true });
  };
  define(Symbol.dispose, dispose);
  define(Symbol.asyncDispose, asyncDispose);
}
