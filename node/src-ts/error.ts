import { ErrorNumber, type ErrorCode } from './generated';
import { native } from './native';

const KINDS = new Map(native.kinds.map(([number, name, retryable]) => [number, { name, retryable }]));

/** @internal What is known beside the kind and the sentence. */
export interface ErrorDetails {
  file?: string;
  offset?: number;
  errno?: number;
  cause?: unknown;
}

/**
 * An error of the database. `code` and `number` are the same in every language and never change; the message is for people.
 *
 * ```js
 * try {
 *   await tx.commit();
 * } catch (error) {
 *   if (!(error instanceof LightningDbError && error.code === 'Conflict')) throw error;
 * }
 * ```
 */
export class LightningDbError extends Error {
  /** Name of the kind: `'Conflict'`, `'Closed'`, … */
  readonly code: ErrorCode;
  /** Number of the kind. */
  readonly number: number;
  /** Whether the same call may succeed later without anything being mended. */
  readonly retryable: boolean;
  /** The file that it is about. */
  declare readonly file?: string;
  /** The offset in `file`, in bytes. */
  declare readonly offset?: number;
  /** The operating system's number of the error. */
  declare readonly errno?: number;

  /** @internal */
  constructor(number: number, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const kind = KINDS.get(number) ?? { name: 'Internal', retryable: false };
    this.code = kind.name as ErrorCode;
    this.number = number;
    this.retryable = kind.retryable;
    if (details.file !== undefined) this.file = details.file;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.errno !== undefined) this.errno = details.errno;
  }
}

Object.defineProperty(LightningDbError.prototype, 'name', { value: 'LightningDbError', writable: true, configurable: true });

/** @internal Creates an error for the native library. */
export function createError(
  number: number,
  message: string,
  file: string | undefined,
  offset: number | undefined,
  errno: number | undefined,
  cause: string | undefined,
): LightningDbError {
  const inner = cause === undefined ? undefined : Object.assign(new Error(cause), errno === undefined ? {} : { errno });
  return new LightningDbError(number, message, { file, offset, errno, cause: inner });
}

/** @internal */
export function invalid(message: string): LightningDbError {
  return new LightningDbError(ErrorNumber.InvalidArgument, `InvalidArgument: ${message}`);
}

/** @internal */
export function closed(what: string): LightningDbError {
  return new LightningDbError(ErrorNumber.Closed, `Closed: the ${what} is closed`);
}
