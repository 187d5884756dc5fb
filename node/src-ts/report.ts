import type { EngineOptions } from './generated';

/** Something about a place of a file. */
export interface Finding {
  /** The file. */
  file: string;
  /** Where in it, in bytes. */
  offset: number | undefined;
  /** The keyspace, where it is one's. */
  keyspace: string | undefined;
  /** Keys from here … */
  first_key: Buffer | undefined;
  /** … to here, inclusive, may be concerned. */
  last_key: Buffer | undefined;
  /** How many records, where that is known. */
  records: number | undefined;
  /** What was expected, or is said. */
  what: string;
}

/** What a repair kept, lost and put aside. */
export interface RepairReport {
  /** Records of damaged files that were written anew. */
  salvaged_records: number;
  /** What is gone. */
  lost: Finding[];
  /** Where the files that were replaced are now, as they were found. */
  set_aside: string[];
}

/** What a check found, and what a repair did. */
export interface CheckReport {
  /** Whether nothing is, or (after a repair) was, wrong: there are no problems. */
  ok: boolean;
  /** What is damaged, missing or contradictory. After a repair: what was. */
  problems: Finding[];
  /** What is worth knowing and no damage. */
  notes: Finding[];
  /** What was done, if anything had to be. */
  repair: RepairReport | undefined;
  /** Files looked at. */
  files: number;
  /** Right pages of tables. */
  pages: number;
  /** Records in right pages and whole commits: all versions, tombstones too. */
  records: number;
  /** Bytes of the files looked at. */
  bytes: number;
}

/** Options of a check or a repair: those of the engine count for what a repair writes. */
export interface CheckOptions extends EngineOptions {
  /** Called at the beginning, at the end, and some times a second between. It cannot stop the work; what it throws comes through behind it. */
  onProgress?: (progress: { done: number; total: number }) => unknown;
}
