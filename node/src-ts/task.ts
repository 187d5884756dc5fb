// Long work that tells how far it has got, and can be stopped.

import { LightningDbError } from './error';
import type { NativeTask } from './native';
import { ask, listen, unlisten } from './settle';

/** Runs work, telling its steps. What `onProgress` throws, and the reason of an aborted signal, stop it and are thrown. */
export async function runTask<T, S>(
  start: (ticket: number, steps: number | undefined) => NativeTask | void,
  onProgress: ((step: S) => unknown) | undefined,
  signal?: AbortSignal,
): Promise<T> {
  let failure: { error: unknown } | undefined;
  const listener = (step: S) => {
    try {
      return onProgress!(step) === false;
    } catch (error) {
      failure ??= { error };
      return true;
    }
  };
  const steps = onProgress === undefined ? undefined : listen(listener);
  let task: NativeTask | void;
  const stop = () => task?.stop();
  try {
    signal?.throwIfAborted();
    const result = ask<T>((ticket) => (task = start(ticket, steps)));
    signal?.addEventListener('abort', stop, { once: true });
    const done = await result;
    if (failure !== undefined) throw failure.error;
    return done;
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    const isCancelled = error instanceof LightningDbError && error.code === 'Cancelled';
    throw isCancelled && signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    if (steps !== undefined) unlisten(steps);
  }
}
