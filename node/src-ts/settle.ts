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

const listeners = new Map<number, (step: never) => boolean>();

/** Gives a ticket for the steps of a task, to be given back with `unlisten`. The listener says whether the task is to stop. */
export function listen<S>(listener: (step: S) => boolean): number {
  const ticket = ++last;
  listeners.set(ticket, listener);
  return ticket;
}

export function unlisten(ticket: number): void {
  listeners.delete(ticket);
}

/**
 * Called by the native library. `value` may lie in shared memory, so it is converted at once. The result is the answer to a step: whether its
 * task is to stop.
 */
export function settle(ticket: number, error: Error | undefined, value: unknown): boolean {
  const listener = listeners.get(ticket);
  if (listener !== undefined) return listener(value as never);
  const waiter = waiting.get(ticket);
  if (waiter !== undefined) finish(waiter, ticket, error, value);
  return false;
}

function finish(waiter: Waiter, ticket: number, error: Error | undefined, value: unknown): void {
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
