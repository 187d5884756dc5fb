// Made by `make generate-node` from src-ts.

import { type ErrorCode } from './generated';
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
export declare class LightningDbError extends Error {
    /** Name of the kind: `'Conflict'`, `'Closed'`, … */
    readonly code: ErrorCode;
    /** Number of the kind. */
    readonly number: number;
    /** Whether the same call may succeed later without anything being mended. */
    readonly retryable: boolean;
    /** The file that it is about. */
    readonly file?: string;
    /** The offset in `file`, in bytes. */
    readonly offset?: number;
    /** The operating system's number of the error. */
    readonly errno?: number;
}
