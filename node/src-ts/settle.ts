// Promises that wait for the native library, by ticket.

interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  convert: ((value: never) => unknown) | undefined;
}

const waiting = new Map<number, Waiter>();
let last = 0;

/** Starts a call with a ticket; the promise settles when its result arrives. A call that throws rejects. */
export function ask<T, G = T>(start: (ticket: number) => void, convert?: (value: G) => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const ticket = ++last;
    waiting.set(ticket, { resolve: resolve as (value: unknown) => void, reject, convert });
    try {
      start(ticket);
    } catch (error) {
      waiting.delete(ticket);
      reject(error);
    }
  });
}

/** Called by the native library. `value` may lie in shared memory, so it is converted at once. */
export function settle(ticket: number, error: Error | undefined, value: unknown): void {
  const waiter = waiting.get(ticket);
  if (waiter === undefined) return;
  waiting.delete(ticket);
  if (error !== undefined) {
    waiter.reject(error);
    return;
  }
  try {
    waiter.resolve(waiter.convert === undefined ? value : waiter.convert(value as never));
  } catch (failure) {
    waiter.reject(failure);
  }
}
