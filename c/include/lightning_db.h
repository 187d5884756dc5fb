/*
 * Lightning DB: an embedded, ordered, transactional key-value database.
 *
 * Results. A call that returns `int` returns 0 or an error number (`enum lightning_db_error`). A call that
 * returns a pointer returns NULL on an error; NULL from one that reads a key may also say that the key is
 * absent. Why the last call of this thread failed is told by lightning_db_last_error(),
 * lightning_db_last_error_code() and the like.
 *
 * Bytes. Keys (0 to 65,535 bytes) and values (0 to 1 GiB) are any bytes with their length; NULL with length
 * 0 is the empty one. They are read during the call only, and copied where they are needed longer.
 *
 * Handles. What a `..._new`, `..._begin`, `..._scan`, `..._in`, `_create`, `_open` and the like returns is freed by
 * the caller: database and keyspace `_destroy`, else `_free`. Order does not matter: what belongs to a closed database is Closed and
 * still has to be freed. A handle is checked at every use: one that was freed is Closed, NULL or one of
 * another kind is InvalidArgument.
 *
 * Keyspaces. The handle of a keyspace has the type of the database's, and so have snapshots and transactions
 * that are seen through one: each function that takes such a handle works in its keyspace.
 *
 * Threads. Any function may be called in any thread with any handle, also while others use or free it: a
 * call that has begun goes on, later ones are Closed. What is lent (the entries of a scan, the texts of
 * the last error) is valid until the next call that its function names.
 *
 * Blocking. Opening, `_close`, `_destroy`, writes that are applied (put, delete, batch write, commit,
 * transact, ingest), making and dropping a keyspace, flush, compact, backup, restore, check and repair wait for the
 * disk, each as it says. Reads, scans and count
 * wait at most for pages that are not in memory. Everything else works in memory. Calls on one transaction,
 * scan, batch or options object take turns, so such a call may wait for another thread's.
 *
 * Processes. A child process made by fork() has no use of its parent's handles: every call on one is Forked, and does
 * nothing to the parent's database. It may open databases of its own.
 *
 * This file is generated: `make generate-c`.
 */

#ifndef LIGHTNING_DB_H
#define LIGHTNING_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Version of this header. */
#define LIGHTNING_DB_VERSION "0.1.0"
#define LIGHTNING_DB_VERSION_MAJOR 0
#define LIGHTNING_DB_VERSION_MINOR 1
#define LIGHTNING_DB_VERSION_PATCH 0

/* What the shared library exports. Define LIGHTNING_DB_STATIC when you link the static one on Windows. */
#if defined(_WIN32) && !defined(LIGHTNING_DB_STATIC)
#define LIGHTNING_DB_API __declspec(dllimport)
#elif defined(__GNUC__)
#define LIGHTNING_DB_API __attribute__((visibility("default")))
#else
#define LIGHTNING_DB_API
#endif

/* The compiler warns if the status of such a call is not looked at. */
#if defined(__GNUC__)
#define LIGHTNING_DB_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LIGHTNING_DB_MUST_CHECK
#endif

/** Initial value of lightning_db_scan_options_t: all entries in rising order. */
#ifdef __cplusplus
#define LIGHTNING_DB_SCAN_OPTIONS \
  { sizeof(lightning_db_scan_options_t), LIGHTNING_DB_NO_LIMIT, {}, {}, {}, {}, {}, false }
#else
#define LIGHTNING_DB_SCAN_OPTIONS \
  { sizeof(lightning_db_scan_options_t), LIGHTNING_DB_NO_LIMIT, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, false }
#endif


/** Initial value of lightning_db_finding_t. */
#ifdef __cplusplus
#define LIGHTNING_DB_FINDING \
  { sizeof(lightning_db_finding_t), nullptr, 0, nullptr, nullptr, {}, {}, 0 }
#else
#define LIGHTNING_DB_FINDING \
  { sizeof(lightning_db_finding_t), 0, 0, 0, 0, {0, 0}, {0, 0}, 0 }
#endif
/*
 * Options by name.
 *
 *   page_size: Bytes at which a new page of a table is full, before compression. Takes a whole number, 512 to
 *     65536; default: 4096.
 *   cache_size: Bytes of table pages and of often read rows kept in memory; pages and rows share it as they
 *     earn. Takes a whole number, 1048576 or more; default: 64 MiB.
 *   mmap_size: Tables are read through read-only maps, the first ones in use, up to so many bytes of files;
 *     not part of cache_size. Takes a whole number, 1048576 or more; default: none.
 *   compression_enabled: Compress new pages where that saves an eighth or more. Takes true or false; default:
 *     true.
 *   compression_type: Codec of new pages of the deepest level: 1 Zstd, 2 LZ4, 3 Snappy; pages of every codec
 *     are always read. Takes a whole number, 1 to 3; default: 2.
 *   compression_level: How hard Zstd tries. Takes a whole number, 1 to 19; default: 1.
 *   max_active_transactions: Transactions open at once, of every kind. Takes a whole number, 1 to 1000000;
 *     default: 1000.
 *   use_optimized_transactions: Commits of transactions that meet share one log write and one sync; false:
 *     each has its own. Takes true or false; default: true.
 *   prefetch_enabled: Whether pages are read and decompressed ahead of a scan, on other threads. Takes true
 *     or false; default: true.
 *   prefetch_distance: Pages that are read ahead of a scan. Takes a whole number, 1 to 1024; default: 8.
 *   prefetch_workers: Threads that read ahead, started by the first scan that needs them. Takes a whole
 *     number, 1 to 64; default: 2.
 *   default_level: Level of a write that names none. Takes strong, quorum or eventual; default: strong.
 *   sync_writes: false turns a default level of Strong into Quorum; a level named at the call is kept. Takes
 *     true or false; default: true.
 *   checkpoint_interval: Oldest age of writes that are in the log only; bounds the replay at open. Takes a
 *     number of seconds, 1 to 315360000; default: 60 s.
 *   memtable_size: Bytes of memtable before it is sealed and flushed; tables get half as large, 256 KiB to 32
 *     MiB. Takes a whole number, 65536 to 4294967296; default: 64 MiB.
 *   level0_file_num_compaction_trigger: Tables in level 0 that start a compaction; above three times as many
 *     writes are slowed down, at five times they wait. Takes a whole number, 1 to 64; default: 4.
 *   max_background_compactions: Compactions that may run at once, each in a thread of its own. Takes a whole
 *     number, 1 to 64; default: 1.
 *   upper_compression_type: Codec of new pages of the other levels: numbers of compression_type, and 0, which
 *     is none. Takes a whole number, 0 to 3; default: 2.
 *   comparator: Order of keys, checked by name at every open; one of these names need not be given again.
 *     Takes bytewise, reverse-bytewise, unsigned, signed or decimal; default: bytewise.
 */

/*
 * Figures of lightning_db_stat_int, _ratio, _list and _text.
 *
 *   total_keys: Puts less deletes in memtables and tables: an estimate of the keys. A put of a key that was
 *     there and a delete of one that was not make it wrong until they are compacted away. A scan counts
 *     exactly.
 *   total_size: Bytes of tables and log on disk.
 *   live_bytes: Bytes of tables that a compaction of everything would leave, at least: those of tables that
 *     are neither dead nor pinned.
 *   dead_bytes: Bytes of tables that compaction can drop, at most: old versions, deleted records, tombstones.
 *     Estimated from the counts and ranges of tables: each record is taken to hide an older one under it,
 *     which is true of overwrites and not of new keys. At rest at most about a fifth of the live ones.
 *   pinned_bytes: Bytes that only held snapshots (estimated as dead ones) and running scans and backups keep.
 *   cache_hit_rate: Share of look-ups that the cache answered, by a row or by a page, 0 to 1. A row that is
 *     not there is no miss of its own: pages are looked up then.
 *   cache_bytes: Bytes of the cache in use, by pages and rows.
 *   mapped_bytes: Bytes of tables that are mapped; not part of cache_bytes.
 *   memtable_bytes: Bytes of memtables.
 *   sealed_memtables: Sets of memtables that wait for their flush.
 *   stalled_writes: Writes that wait now because flush or compaction are behind.
 *   write_stalls: Writes that were slowed down or stopped so far.
 *   write_stall_seconds: Seconds that they have waited, in all.
 *   tables_per_level: Tables in each level.
 *   active_transactions: Open transactions, those by number included.
 *   snapshots: Held snapshots, those of transactions included.
 *   background_error: What last went wrong in the background.
 */

/*
 * Figures of lightning_db_metrics. Rates, averages and quantiles are about the time since the last call that is
 * at least 10 seconds old, or since the database was opened.
 *
 *   uptime_seconds: Seconds since the database was opened.
 *   read_ops_per_sec: Keys looked up and scans opened, a second.
 *   write_ops_per_sec: Records written, a second.
 *   avg_read_latency_us: Mean time of a read of one key, in microseconds.
 *   p50_read_latency_us: Median time of a read of one key, in microseconds.
 *   p99_read_latency_us: 99 of 100 reads of one key took no longer, in microseconds.
 *   p999_read_latency_us: 999 of 1000 reads of one key took no longer, in microseconds.
 *   avg_write_latency_us: Mean time of a write call, until it is acknowledged, in microseconds.
 *   p50_write_latency_us: Median time of a write call, in microseconds.
 *   p99_write_latency_us: 99 of 100 write calls took no longer, in microseconds.
 *   p999_write_latency_us: 999 of 1000 write calls took no longer, in microseconds.
 *   avg_log_write_latency_us: Mean time in which the operating system took bytes for the log, in
 *     microseconds.
 *   avg_log_sync_latency_us: Mean time of a sync of the log, in microseconds.
 *   p99_log_sync_latency_us: 99 of 100 syncs of the log took no longer, in microseconds.
 *   reads: Keys looked up, one by one and in batches: row_hits and row_misses.
 *   writes: Batches and single writes that were acknowledged, of every level.
 *   background_errors: Failures of work in the background.
 *   cache_hits: Look-ups of pages that found them in the cache.
 *   cache_misses: Look-ups of pages that did not find them in the cache.
 *   row_hits: Keys answered by a cached row.
 *   row_misses: Keys looked for in memtables and tables, found or not.
 *   batch_reads: Calls that read several keys.
 *   batch_read_keys: Keys that these calls asked for.
 *   scans: Scans opened.
 *   scan_entries: Entries that scans gave; those of a running one are counted every 256.
 *   writes_strong: Writes and commits at Strong.
 *   writes_quorum: Writes and commits at Quorum.
 *   writes_eventual: Writes and commits at Eventual.
 *   write_records: Records in the writes: puts and deletes.
 *   write_bytes: Bytes of the keys and values in the writes.
 *   log_writes: Times that bytes were handed to the operating system for the log.
 *   log_bytes: Bytes of these.
 *   log_syncs: Times that the log was brought to stable storage.
 *   flushes: Sets of memtables written to tables.
 *   flush_input_bytes: Bytes of memory of these memtables.
 *   flush_output_bytes: Bytes of the tables that flushes made.
 *   compactions: Compactions finished.
 *   compaction_input_bytes: Bytes of the tables that went into compactions.
 *   compaction_output_bytes: Bytes of the tables that compactions made.
 *   transactions_begun: Transactions begun.
 *   transactions_committed: Transactions committed, those that only read included.
 *   transactions_aborted: Transactions taken back by the caller, or failed for another reason than a
 *     conflict.
 *   transaction_conflicts: Transactions that lost against a commit.
 *   write_stalls: Writes that had to wait for flush or compaction.
 *   page_reads: Pages read from tables.
 *   page_read_bytes: Bytes of these, as they are stored.
 *   files_removed: Files removed because nobody needed them any more.
 *   flush_seconds: Seconds of flushes.
 *   compaction_seconds: Seconds of compactions.
 *   write_stall_seconds: Seconds that writes waited for flush or compaction, of all threads together.
 */

/*
 * Figures of lightning_db_memory_stats.
 *
 *   total_bytes: Bytes of cache and memtables.
 *   cache_bytes: Bytes of the cache in use, by pages and rows.
 *   cache_limit_bytes: Bytes that the cache may use: the option cache_size.
 *   page_bytes: Bytes of cached pages, and of what is remembered of evicted ones.
 *   index_bytes: Bytes of cached pages that lead to records: inner pages and filters.
 *   row_bytes: Bytes of cached rows, and of hints to where others are.
 *   memtable_bytes: Bytes of memtables.
 *   sealed_memtable_bytes: Bytes of memtables that wait for their flush.
 *   mapped_bytes: Bytes of tables that are mapped; the operating system decides which of them are in memory.
 */

/** Numbers of errors, the same in every language. New ones are added at the end. */
enum lightning_db_error {
  /** Success. */
  LIGHTNING_DB_OK = 0,
  /** No such database, backup or keyspace. */
  LIGHTNING_DB_NOT_FOUND = 1,
  /** A size, option, bound or combination that is not allowed. */
  LIGHTNING_DB_INVALID_ARGUMENT = 2,
  /** The operating system failed a call. */
  LIGHTNING_DB_IO = 3,
  /** Bytes on disk are not what was written. Has a file and an offset. */
  LIGHTNING_DB_CORRUPTION = 4,
  /** Disk full, quota, or file-size limit (where the program ignores SIGXFSZ: else that signal ends it). The same call may succeed later. */
  LIGHTNING_DB_NO_SPACE = 5,
  /** Another writer has the folder. The same call may succeed later. */
  LIGHTNING_DB_LOCKED = 6,
  /** A transaction lost against a commit. The same call may succeed later. */
  LIGHTNING_DB_CONFLICT = 7,
  /** A log write or sync failed earlier: no more writes until the database is reopened. */
  LIGHTNING_DB_HALTED = 8,
  /** The handle, or its database, is closed. */
  LIGHTNING_DB_CLOSED = 9,
  /** A write on a read-only handle. */
  LIGHTNING_DB_READ_ONLY = 10,
  /** The path is a file, or a folder of something else. */
  LIGHTNING_DB_NOT_A_DATABASE = 11,
  /** The target of a backup or restore, or a keyspace, is there already. */
  LIGHTNING_DB_ALREADY_EXISTS = 12,
  /** Written by a newer version. */
  LIGHTNING_DB_UNSUPPORTED_VERSION = 13,
  /** Opened with another comparator than it was made with. */
  LIGHTNING_DB_MISMATCH = 14,
  /** The limit of active transactions is reached. The same call may succeed later. */
  LIGHTNING_DB_TOO_MANY = 15,
  /** A deadline passed. The same call may succeed later. */
  LIGHTNING_DB_TIMED_OUT = 16,
  /** The caller asked a long operation to stop. */
  LIGHTNING_DB_CANCELLED = 17,
  /** The operating system refused access. */
  LIGHTNING_DB_PERMISSION_DENIED = 18,
  /** Memory, or another resource of the process (open files), could not be had. The same call may succeed later. */
  LIGHTNING_DB_OUT_OF_MEMORY = 19,
  /** A handle used in a child process after fork. */
  LIGHTNING_DB_FORKED = 20,
  /** A bug: a panic caught at a language boundary. */
  LIGHTNING_DB_INTERNAL = 21
};

/** How far a write has got when the call returns. */
enum lightning_db_level {
  /** The default level of the database. */
  LIGHTNING_DB_DEFAULT_LEVEL = 0,
  /** On stable storage: survives a power cut. */
  LIGHTNING_DB_STRONG = 1,
  /** In the operating system's log file: survives the death of the process, not of the machine. */
  LIGHTNING_DB_QUORUM = 2,
  /** In memory, in commit order; written to the log within about 1 ms or 64 KiB. A killed process may lose the tail, never the order. */
  LIGHTNING_DB_EVENTUAL = 3
};


/**
 * Isolation of a transaction: keys and ranges that it read must be unchanged at its commit, so the outcome
 * is that of some serial order. The default.
 */
#define LIGHTNING_DB_SERIALIZABLE 0

/**
 * Isolation of a transaction: only keys that it wrote must be unchanged at its commit.
 */
#define LIGHTNING_DB_SNAPSHOT_ISOLATION 1

/**
 * The limit of a scan without one.
 */
#define LIGHTNING_DB_NO_LIMIT UINT64_MAX

/**
 * List of a report: what is damaged, missing or contradictory; after a repair: what was.
 */
#define LIGHTNING_DB_PROBLEMS 0

/**
 * List of a report: what is worth knowing and no damage, such as tails that a crash tore.
 */
#define LIGHTNING_DB_NOTES 1

/**
 * List of a report: what is gone after a repair. An older value of such a key, or a deleted one, may show again.
 */
#define LIGHTNING_DB_LOST 2

/**
 * List of a report: where the files that a repair has replaced are now.
 */
#define LIGHTNING_DB_SET_ASIDE 3

/**
 * Offset of a finding without one, and number of its records if that is not known.
 */
#define LIGHTNING_DB_UNKNOWN UINT64_MAX

/**
 * Writes that are applied all or none. Made by `lightning_db_batch_new`, freed by `lightning_db_batch_free`.
 */
typedef struct lightning_db_batch_t lightning_db_batch_t;

/**
 * Figures about a database, all of one instant, by name. Made by `lightning_db_metrics` and
 * `lightning_db_memory_stats`, freed by `lightning_db_figures_free`.
 */
typedef struct lightning_db_figures_t lightning_db_figures_t;

/**
 * Sorted entries on their way into tables. Made by `lightning_db_ingest_new`, freed by `lightning_db_ingest_free`.
 */
typedef struct lightning_db_ingest_t lightning_db_ingest_t;

/**
 * Options of a database or a keyspace, by name. Made by `lightning_db_options_new`, freed by
 * `lightning_db_options_free`.
 */
typedef struct lightning_db_options_t lightning_db_options_t;

/**
 * What a check found, and what a repair did. Made by `lightning_db_check` and `lightning_db_repair`, freed by
 * `lightning_db_report_free`.
 */
typedef struct lightning_db_report_t lightning_db_report_t;

/**
 * A walk over entries in key order. Made by `lightning_db_scan_new`, `lightning_db_snapshot_scan` and
 * `lightning_db_txn_scan`, freed by `lightning_db_scan_free`.
 */
typedef struct lightning_db_scan_t lightning_db_scan_t;

/**
 * The database as it was at one instant. Made by `lightning_db_snapshot_new` and `lightning_db_snapshot_in`,
 * freed by `lightning_db_snapshot_free`.
 */
typedef struct lightning_db_snapshot_t lightning_db_snapshot_t;

/**
 * An open database, or one of its keyspaces. Made by `lightning_db_create`, `lightning_db_open`,
 * `lightning_db_open_read_only`, `lightning_db_keyspace` and `lightning_db_keyspace_create`, freed by
 * `lightning_db_destroy`.
 */
typedef struct lightning_db_t lightning_db_t;

/**
 * A transaction. Made by `lightning_db_txn_begin` and `lightning_db_txn_in`, freed by `lightning_db_txn_free`.
 */
typedef struct lightning_db_txn_t lightning_db_txn_t;

/**
 * Orders two keys, with the `user` pointer that it was given: negative if `a` is in front of `b`, 0 if they are
 * equal, positive if it is behind. Keys that are equal to it are told apart by their bytes.
 *
 * It must be a total preorder, the same for the life of the database. It is called from many threads at once, those
 * of the library too, also while `lightning_db_destroy` runs. It must not call this library, and neither an exception
 * nor `longjmp` may leave it.
 */
typedef int (*lightning_db_compare_t)(const char *a, size_t a_len, const char *b, size_t b_len, void *user);

/**
 * Frees the `user` pointer of something that is not used any more. Called once, from whichever thread used it last;
 * NULL if there is nothing to be freed.
 */
typedef void (*lightning_db_free_user_t)(void *user);

/**
 * Bytes, which may be any, and their number.
 */
typedef struct {
  /**
   * The first byte.
   */
  const char *data;
  /**
   * How many.
   */
  size_t len;
} lightning_db_bytes_t;

/**
 * What a scan gives. Begin with `LIGHTNING_DB_SCAN_OPTIONS` (all entries in rising order) and set what you
 * need. A bound whose `data` is NULL is no bound; the empty key as a bound is `""` with length 0. A side has
 * one bound at most. The bytes are copied by the call that begins the scan. Later versions add fields at the
 * end.
 */
typedef struct {
  /**
   * `sizeof(lightning_db_scan_options_t)`.
   */
  size_t struct_size;
  /**
   * At most so many entries.
   */
  uint64_t limit;
  /**
   * Keys behind this one.
   */
  lightning_db_bytes_t gt;
  /**
   * This key and those behind it.
   */
  lightning_db_bytes_t gte;
  /**
   * Keys in front of this one.
   */
  lightning_db_bytes_t lt;
  /**
   * This key and those in front of it.
   */
  lightning_db_bytes_t lte;
  /**
   * Of these, keys that start so.
   */
  lightning_db_bytes_t prefix;
  /**
   * From the last key to the first.
   */
  bool reverse;
} lightning_db_scan_options_t;

/**
 * What `lightning_db_transact` runs, with the `user` pointer that it was given. 0 commits. Any other number
 * takes the transaction back and is what `lightning_db_transact` returns: an error number that a call
 * returned, or a negative number for a reason of your own; but `LIGHTNING_DB_CONFLICT` begins again.
 */
typedef int (*lightning_db_work_t)(lightning_db_txn_t *txn, void *user);

/**
 * How far a compaction has got. Later versions add fields at the end.
 */
typedef struct {
  /**
   * Bytes of the tables to be read, as far as is known: may rise, never falls.
   */
  uint64_t bytes_in;
  /**
   * Bytes of them that have been read, or turned out to need no reading: `bytes_in` at the end.
   */
  uint64_t bytes_done;
  /**
   * Tables written.
   */
  uint64_t tables;
} lightning_db_compaction_t;

/**
 * Is told how far a compaction has got, with the `user` pointer that was given. 0 goes on, any other number ends
 * the compaction. `progress` is lent for the call. It must not close the database, and neither an exception nor
 * `longjmp` may leave it.
 */
typedef int (*lightning_db_on_compaction_t)(const lightning_db_compaction_t *progress, void *user);

/**
 * Is told how many of how many bytes a check or a repair has looked at, with the `user` pointer that was given. Called
 * in the thread of the check. Neither an exception nor `longjmp` may leave it.
 */
typedef void (*lightning_db_on_check_t)(uint64_t bytes_done, uint64_t bytes_total, void *user);

/**
 * Something about a place of a file. Begin with `LIGHTNING_DB_FINDING`. What it points to is the report's. Later
 * versions add fields at the end.
 */
typedef struct {
  /**
   * `sizeof(lightning_db_finding_t)`.
   */
  size_t struct_size;
  /**
   * The file.
   */
  const char *file;
  /**
   * Where in it, in bytes; or `LIGHTNING_DB_UNKNOWN`.
   */
  uint64_t offset;
  /**
   * What was expected, or is said.
   */
  const char *what;
  /**
   * The keyspace; NULL where it is not one's.
   */
  const char *keyspace;
  /**
   * Keys from here ... `data` is NULL if they are not known.
   */
  lightning_db_bytes_t first_key;
  /**
   * ... to here, inclusive, may be concerned.
   */
  lightning_db_bytes_t last_key;
  /**
   * How many records; or `LIGHTNING_DB_UNKNOWN`.
   */
  uint64_t records;
} lightning_db_finding_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Number of the error of this thread's last call, as that call returned it; 0 if it succeeded. Behind a call
 * that returns a pointer, 0 and NULL together mean that the key is absent. Calls that free something
 * (`..._free`, `lightning_db_destroy`) leave it alone when they succeed, so the reason can be told behind
 * the cleaning; calls that ask for constants or for this error never change it.
 */
LIGHTNING_DB_API int lightning_db_last_error_code(void);

/**
 * The error of this thread's last call as a sentence that names the thing and says what to do; "" if it
 * succeeded, never NULL. The text is ours and is valid until the next call of this thread that fails, or
 * the thread's end. UTF-8.
 */
LIGHTNING_DB_API const char *lightning_db_last_error(void);

/**
 * The file that the last error of this thread is about, or NULL. As `lightning_db_last_error`, but the bytes
 * of the path as they are.
 */
LIGHTNING_DB_API const char *lightning_db_last_error_file(void);

/**
 * Whether the last error of this thread is about a place in `lightning_db_last_error_file()`; then
 * `*offset`, if `offset` is not NULL, is set to it, in bytes.
 */
LIGHTNING_DB_API bool lightning_db_last_error_offset(uint64_t *offset);

/**
 * Whether the last error of this thread is that a key is absent. Tells that NotFound of `lightning_db_get_into` from
 * the one of a keyspace that was dropped.
 */
LIGHTNING_DB_API
bool lightning_db_last_error_is_absent_key(void);

/**
 * The operating system's number (`errno`) of the last error of this thread; 0 if it did not come from there.
 */
LIGHTNING_DB_API int lightning_db_last_error_os_code(void);

/**
 * Name of an error number, the same in every language: "Conflict". "Ok" for 0, "Unknown" for a number that
 * is not ours. The text is static.
 */
LIGHTNING_DB_API const char *lightning_db_error_name(int code);

/**
 * Whether the call that failed with this number may succeed later without anything being mended.
 */
LIGHTNING_DB_API bool lightning_db_error_is_retryable(int code);

/**
 * Fails with the error of a number, for testing how a program treats it. Returns the number;
 * `LIGHTNING_DB_INVALID_ARGUMENT` for one that is not an error of ours.
 */
LIGHTNING_DB_API int lightning_db_error_raise(int code);

/**
 * Version of the library that is running, "MAJOR.MINOR.PATCH". The text is static. `LIGHTNING_DB_VERSION` is
 * that of the header.
 */
LIGHTNING_DB_API const char *lightning_db_version(void);

/**
 * Options with their defaults, for `lightning_db_create`, `lightning_db_open` and the like, which only read them:
 * one object may open many databases. Freed by `lightning_db_options_free`. NULL on an error.
 */
LIGHTNING_DB_API
lightning_db_options_t *lightning_db_options_new(void);

/**
 * Sets an option that takes a whole number (all options stand on top of this file), such as `cache_size`.
 * Errors: InvalidArgument (unknown name, wrong type, negative number); ranges are judged when a database is
 * opened.
 */
LIGHTNING_DB_API
int lightning_db_options_set_int(lightning_db_options_t *options,
                                 const char *name,
                                 int64_t value);

/**
 * Sets an option that takes true or false, such as `compression_enabled`. Errors: as `lightning_db_options_set_int`.
 */
LIGHTNING_DB_API
int lightning_db_options_set_bool(lightning_db_options_t *options,
                                  const char *name,
                                  bool value);

/**
 * Sets an option that takes seconds, such as `checkpoint_interval`. Errors: as `lightning_db_options_set_int`.
 */
LIGHTNING_DB_API
int lightning_db_options_set_seconds(lightning_db_options_t *options,
                                     const char *name,
                                     double value);

/**
 * Sets an option that takes a word, such as `default_level`; or `mode`: "rwc" (make the database if there is
 * none), "rw" (it must exist) or "r" (for reads alone). Errors: as `lightning_db_options_set_int`.
 */
LIGHTNING_DB_API
int lightning_db_options_set_text(lightning_db_options_t *options,
                                  const char *name,
                                  const char *value);

/**
 * Frees the options. NULL is fine. Errors: Closed if they were freed before.
 */
LIGHTNING_DB_API int lightning_db_options_free(lightning_db_options_t *options);

/**
 * Sets the order of keys of a database, or of a keyspace that is made with these options, to a function of yours.
 * The name is stored: a database is opened again with a comparator of the same name, else that is a Mismatch. It has
 * 1 to 255 bytes of UTF-8 and is none of the engine's own orders, which `lightning_db_options_set_text` sets.
 *
 * `user` goes to `compare`, and to `free_user` when the options, and all databases that were opened with them, are
 * freed or have another comparator. If this fails, `free_user` is not called. Errors: InvalidArgument (name,
 * NULL), Closed.
 */
LIGHTNING_DB_API
int lightning_db_options_set_comparator(lightning_db_options_t *options,
                                        const char *name,
                                        lightning_db_compare_t compare,
                                        void *user,
                                        lightning_db_free_user_t free_user);

/**
 * Gives a comparator of yours to a database for those of its keyspaces that were made with one of this name; the
 * last one of a name counts. Every open needs those of all keyspaces, else it is a Mismatch. Else as
 * `lightning_db_options_set_comparator`.
 */
LIGHTNING_DB_API
int lightning_db_options_add_comparator(lightning_db_options_t *options,
                                        const char *name,
                                        lightning_db_compare_t compare,
                                        void *user,
                                        lightning_db_free_user_t free_user);

/**
 * Opens the database in the folder `path`; makes it, with missing parent folders, if there is none.
 * `options` may be NULL and is only read: it stays the caller's. On unix a path is any bytes, elsewhere
 * UTF-8.
 *
 * Returns a handle for `lightning_db_destroy`, or NULL. Blocks for some syncs and the replay of the log.
 * Errors: InvalidArgument (options), NotADatabase, Locked (open elsewhere, also in this process), Mismatch,
 * Corruption, UnsupportedVersion, PermissionDenied, NoSpace, OutOfMemory, Io.
 */
LIGHTNING_DB_API lightning_db_t *lightning_db_create(const char *path, const lightning_db_options_t *options);

/**
 * As `lightning_db_create`, for a database that must exist. Errors: also NotFound.
 */
LIGHTNING_DB_API lightning_db_t *lightning_db_open(const char *path, const lightning_db_options_t *options);

/**
 * Opens a database that must exist for reads alone: the committed state of this moment. Writes nothing, and works
 * beside a process that has it open, also this one; every write is ReadOnly. Errors: as `lightning_db_open`, but
 * for Locked; TimedOut if the writer changed the files again and again.
 */
LIGHTNING_DB_API
lightning_db_t *lightning_db_open_read_only(const char *path,
                                            const lightning_db_options_t *options);

/**
 * Closes the database: every later call on it and on its keyspaces, batches, scans, snapshots and transactions
 * is Closed. Waits for running commits, writes what is in memory and releases the folder. The handle stays to
 * be freed by `lightning_db_destroy`. Closing again does nothing. The handle of a keyspace is closed alone.
 *
 * Errors: the failure that halted the database, or one of the last writes; it is closed all the same, and
 * what was acknowledged is found by the next open.
 */
LIGHTNING_DB_API
int lightning_db_close(lightning_db_t *db);

/**
 * Closes the database if it is open, and frees the handle: any later use of it is Closed. The files stay. The
 * handle of a keyspace is freed alone. NULL is fine. Errors: as `lightning_db_close`, and Closed for a handle that was freed before; it is freed
 * whatever is returned.
 */
LIGHTNING_DB_API
int lightning_db_destroy(lightning_db_t *db);

/**
 * Puts a value at the default level of the database. Blocks for the sync at that level, and while flush is
 * far behind. Errors: InvalidArgument (key or value too long), NoSpace, Halted, Closed, Io.
 */
LIGHTNING_DB_API
int lightning_db_put(lightning_db_t *db,
                     const char *key,
                     size_t key_len,
                     const char *value,
                     size_t value_len);

/**
 * As `lightning_db_put`, acknowledged as `level` says: one of `enum lightning_db_level`.
 */
LIGHTNING_DB_API
int lightning_db_put_with(lightning_db_t *db,
                          const char *key,
                          size_t key_len,
                          const char *value,
                          size_t value_len,
                          int level);

/**
 * As `lightning_db_put_with`, but waits at most `timeout_ms` milliseconds while flush and compaction are behind:
 * TimedOut then, and nothing is written. The sync of a strong write is waited for all the same. A negative number
 * is InvalidArgument.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_put_within(lightning_db_t *db,
                            const char *key,
                            size_t key_len,
                            const char *value,
                            size_t value_len,
                            int level,
                            int64_t timeout_ms);

/**
 * Deletes a key at the default level of the database; an absent key is no error. Else as `lightning_db_put`.
 */
LIGHTNING_DB_API int lightning_db_delete(lightning_db_t *db, const char *key, size_t key_len);

/**
 * As `lightning_db_delete`, acknowledged as `level` says: one of `enum lightning_db_level`.
 */
LIGHTNING_DB_API int lightning_db_delete_with(lightning_db_t *db, const char *key, size_t key_len, int level);

/**
 * As `lightning_db_delete_with`, but waits as `lightning_db_put_within` does.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_delete_within(lightning_db_t *db,
                               const char *key,
                               size_t key_len,
                               int level,
                               int64_t timeout_ms);

/**
 * The value of a key: a copy for `lightning_db_free_value`, with a 0 behind it that `*value_len` does not
 * count. NULL if the key is absent, and then `lightning_db_last_error_code()` is 0; or on an error, and then
 * it is not. `value_len` may be NULL. Blocks only for a read of the disk. Errors: InvalidArgument (key too
 * long), Closed, Corruption, OutOfMemory, Io.
 */
LIGHTNING_DB_API
char *lightning_db_get(lightning_db_t *db,
                       const char *key,
                       size_t key_len,
                       size_t *value_len);

/**
 * Copies the value of a key into `buffer` and sets `*value_len` to its length. NotFound if the key is
 * absent, or the keyspace was dropped: `lightning_db_last_error_is_absent_key()` tells them apart; InvalidArgument if the value has more than `capacity` bytes: then nothing is copied, and
 * `*value_len` is the capacity that is needed (it is 0 with every other error). Allocates nothing. `buffer`
 * may be NULL if `capacity` is 0. Errors: as `lightning_db_get`.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_get_into(lightning_db_t *db,
                          const char *key,
                          size_t key_len,
                          char *buffer,
                          size_t capacity,
                          size_t *value_len);

/**
 * The values of `count` keys, all as of one instant. `*values` becomes an array of `count` entries in the
 * order of the keys, for `lightning_db_free_values`; an entry whose `data` is NULL says that the key is
 * absent, and behind the bytes of the others stands a 0 that `len` does not count. On an error `*values` is
 * NULL; one bad key fails all. Errors: as `lightning_db_get`.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_get_many(lightning_db_t *db,
                          const lightning_db_bytes_t *keys,
                          size_t count,
                          lightning_db_bytes_t **values);

/**
 * Sets `*count` to how many entries a scan with these options gives; NULL options are all. Exact, and as much work as
 * walking over their keys. Errors: as `lightning_db_scan_new`; then it is 0.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_count(lightning_db_t *db,
                       const lightning_db_scan_options_t *options,
                       uint64_t *count);

/**
 * Sets `*bytes` to about how many bytes of tables on disk the entries of such a scan take; NULL options are all.
 * What is in memory only does not count (`lightning_db_flush` brings it to disk), nor do direction and limit. Reads a
 * few pages of tables, no entries.
 * Errors: as `lightning_db_scan_new`; then it is 0.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_approximate_size(lightning_db_t *db,
                                  const lightning_db_scan_options_t *options,
                                  uint64_t *bytes);

/**
 * Sets `*present` to whether the key is present. Errors: as `lightning_db_get`; then it is false.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_contains(lightning_db_t *db,
                          const char *key,
                          size_t key_len,
                          bool *present);

/**
 * Frees a value that a call returned, such as that of `lightning_db_get`. NULL is fine. It is memory of
 * `malloc`, so `free` of the same C library does too. Any thread.
 */
LIGHTNING_DB_API void lightning_db_free_value(char *value);

/**
 * Frees the values of `lightning_db_get_many`, all at once. NULL is fine. Any thread.
 */
LIGHTNING_DB_API void lightning_db_free_values(lightning_db_bytes_t *values);

/**
 * Makes a keyspace: keys with an order, page size and codec of their own, in tables of their own, in the same
 * database. `options` may be NULL, and may hold `comparator`, `page_size`, `compression_type` and
 * `compression_level`; what is not set is as in the database, and `compression_type` 0 is none. They hold for its
 * life, and are only read. It is on stable storage when this returns.
 *
 * Returns a handle that works as the database's does, in this keyspace: reads, writes, scans, batches, snapshots and
 * transactions made from it go to it. It has to be freed by `lightning_db_destroy`, which frees it alone; what
 * concerns the whole database (flush, compact, backup, figures) is the same through it. NULL on an error:
 * AlreadyExists, InvalidArgument (a name that is not 1 to 255 bytes of UTF-8, options), ReadOnly, NoSpace, Halted,
 * Closed, Io.
 */
LIGHTNING_DB_API
lightning_db_t *lightning_db_keyspace_create(lightning_db_t *db,
                                             const char *name,
                                             const lightning_db_options_t *options);

/**
 * A handle of the keyspace with this name, as `lightning_db_keyspace_create` gives it; "default" is the one that
 * the handle of the database uses. NULL on an error: NotFound, Closed.
 */
LIGHTNING_DB_API
lightning_db_t *lightning_db_keyspace(lightning_db_t *db,
                                      const char *name);

/**
 * Drops a keyspace with all that is in it, and makes durable what was committed before. Every call on its handles is
 * NotFound then; they are still to be freed, and scans that run go on. Blocks for some syncs. Errors: NotFound,
 * InvalidArgument (the default one), ReadOnly, NoSpace, Halted, Closed, Io.
 */
LIGHTNING_DB_API
int lightning_db_keyspace_drop(lightning_db_t *db,
                               const char *name);

/**
 * The names of all keyspaces, sorted, "default" among them: `*names` becomes an array of `*count` of them for
 * `lightning_db_free_values`, each with a 0 behind it that `len` does not count. On an error they are NULL and 0:
 * Closed, OutOfMemory.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_keyspace_list(lightning_db_t *db,
                               lightning_db_bytes_t **names,
                               size_t *count);

/**
 * An empty batch of writes to the database or keyspace, for `lightning_db_batch_free`. NULL on an error. Several threads
 * may use a batch: its calls take turns.
 */
LIGHTNING_DB_API
lightning_db_batch_t *lightning_db_batch_new(lightning_db_t *db);

/**
 * Adds a put, also when the database was closed. Key and value are copied. Errors: InvalidArgument (key,
 * value or batch too large; the batch is unchanged), OutOfMemory, Closed.
 */
LIGHTNING_DB_API
int lightning_db_batch_put(lightning_db_batch_t *batch,
                           const char *key,
                           size_t key_len,
                           const char *value,
                           size_t value_len);

/**
 * Adds a delete; an absent key is no error. Errors: as `lightning_db_batch_put`.
 */
LIGHTNING_DB_API int lightning_db_batch_delete(lightning_db_batch_t *batch, const char *key, size_t key_len);

/**
 * As `lightning_db_batch_put`, in a keyspace of the batch's database, or in the default one with a handle of the
 * database itself. Errors: also NotFound for a keyspace that was dropped. With one of another database it is the
 * write that is InvalidArgument.
 */
LIGHTNING_DB_API
int lightning_db_batch_put_in(lightning_db_batch_t *batch,
                              lightning_db_t *keyspace,
                              const char *key,
                              size_t key_len,
                              const char *value,
                              size_t value_len);

/**
 * As `lightning_db_batch_delete`, in a keyspace. Errors: as `lightning_db_batch_put_in`.
 */
LIGHTNING_DB_API
int lightning_db_batch_delete_in(lightning_db_batch_t *batch,
                                 lightning_db_t *keyspace,
                                 const char *key,
                                 size_t key_len);

/**
 * Forgets all writes of the batch. Errors: Closed.
 */
LIGHTNING_DB_API int lightning_db_batch_clear(lightning_db_batch_t *batch);

/**
 * Applies the writes at the default level of the database, all or none, in the order in which they were
 * added. The batch is empty and usable afterwards; on an error nothing is applied and the batch keeps its
 * writes. Blocks and fails as `lightning_db_put`.
 */
LIGHTNING_DB_API int lightning_db_batch_write(lightning_db_batch_t *batch);

/**
 * As `lightning_db_batch_write`, acknowledged as `level` says: one of `enum lightning_db_level`.
 */
LIGHTNING_DB_API int lightning_db_batch_write_with(lightning_db_batch_t *batch, int level);

/**
 * As `lightning_db_batch_write_with`, but waits at most `timeout_ms` milliseconds while flush and compaction are
 * behind: TimedOut then, and nothing is applied. A negative number is InvalidArgument. The sync of a strong write is waited for all the same.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_batch_write_within(lightning_db_batch_t *batch,
                                    int level,
                                    int64_t timeout_ms);

/**
 * Frees the batch; writes that were not applied are forgotten. NULL is fine. Errors: Closed if it was freed
 * before.
 */
LIGHTNING_DB_API int lightning_db_batch_free(lightning_db_batch_t *batch);

/**
 * Begins to load entries whose keys rise strictly, in the order of the database or keyspace, straight into tables: much
 * cheaper than writing them. For `lightning_db_ingest_free`. NULL on an error: ReadOnly, Halted, Closed, NotFound (a
 * keyspace that was dropped).
 *
 * Nothing is visible before `lightning_db_ingest_finish`, which shows all at once, newer than every commit before.
 * Several threads may use it: its calls take turns.
 */
LIGHTNING_DB_API
lightning_db_ingest_t *lightning_db_ingest_new(lightning_db_t *db);

/**
 * Adds an entry, whose key lies behind that of the one before. An error ends the ingest, and every later call on it
 * is Closed: InvalidArgument (a key that does not rise, too long), NoSpace, Halted, Closed, Io. Blocks for a write of
 * the disk now and then.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_ingest_add(lightning_db_ingest_t *ingest,
                            const char *key,
                            size_t key_len,
                            const char *value,
                            size_t value_len);

/**
 * Makes all entries visible and durable, all or none; `*entries`, if `entries` is not NULL, is their number. A key
 * that was there has the new value then. Transactions that have read a key between the first and the last one meet a
 * Conflict. The ingest has ended whatever is returned, and is to be freed. Blocks for some syncs, and until what was written before
 * is flushed. Errors: as `lightning_db_ingest_add`; then `*entries` is 0 and nothing is changed.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_ingest_finish(lightning_db_ingest_t *ingest,
                               uint64_t *entries);

/**
 * Takes back what was not finished, and frees the handle. NULL is fine. Errors: Closed if it was freed before.
 */
LIGHTNING_DB_API
int lightning_db_ingest_free(lightning_db_ingest_t *ingest);

/**
 * Begins a scan of the database as it is now; NULL options are all entries in rising order. For
 * `lightning_db_scan_free`. NULL on an error: InvalidArgument (options), Closed, Corruption, Io. A scan
 * keeps the files that it reads; free it when done.
 */
LIGHTNING_DB_API
lightning_db_scan_t *lightning_db_scan_new(lightning_db_t *db,
                                           const lightning_db_scan_options_t *options);

/**
 * Moves to the next entry and lends its key and value, which are not copied and end without a 0: they are
 * valid until the next call on this scan, from whichever thread. `value` may be NULL. At the end `key->data`
 * is NULL. On an error it is not, so a loop that does not look at the status cannot take an error for the
 * end; every later call returns that error again. Several threads may use a scan, if they agree on who uses
 * what is lent.
 *
 * Errors: Closed, also when the database was closed behind entries that were given; Corruption, Io.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_scan_next(lightning_db_scan_t *scan,
                           lightning_db_bytes_t *key,
                           lightning_db_bytes_t *value);

/**
 * The error that ended the scan, again; 0 if there was none so far. Errors: also Closed for a scan that was
 * freed.
 */
LIGHTNING_DB_API int lightning_db_scan_status(lightning_db_scan_t *scan);

/**
 * Frees the scan and what it lent. NULL is fine. Errors: Closed if it was freed before.
 */
LIGHTNING_DB_API int lightning_db_scan_free(lightning_db_scan_t *scan);

/**
 * Takes a snapshot of what is visible now, in all keyspaces, for `lightning_db_snapshot_free`. NULL on an error:
 * Closed. Its reads go to the keyspace of the handle. It never changes and blocks nobody, and keeps old versions on disk until it is freed.
 */
LIGHTNING_DB_API
lightning_db_snapshot_t *lightning_db_snapshot_new(lightning_db_t *db);

/**
 * The same snapshot through a keyspace of its database; with a handle of the database itself, through the default
 * one. NULL on an error: Closed. A keyspace that was dropped is NotFound, and one of another database InvalidArgument, at
 * each use.
 *
 * It is Closed once the handle that `lightning_db_snapshot_new` gave is freed, and has to be freed all the same, by
 * `lightning_db_snapshot_free`, which frees it alone.
 */
LIGHTNING_DB_API
lightning_db_snapshot_t *lightning_db_snapshot_in(lightning_db_snapshot_t *snapshot,
                                                  lightning_db_t *keyspace);

/**
 * As `lightning_db_get`, as of the snapshot.
 */
LIGHTNING_DB_API
char *lightning_db_snapshot_get(lightning_db_snapshot_t *snapshot,
                                const char *key,
                                size_t key_len,
                                size_t *value_len);

/**
 * As `lightning_db_get_into`, as of the snapshot.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_snapshot_get_into(lightning_db_snapshot_t *snapshot,
                                   const char *key,
                                   size_t key_len,
                                   char *buffer,
                                   size_t capacity,
                                   size_t *value_len);

/**
 * As `lightning_db_scan_new`, as of the snapshot. The scan may outlive the snapshot.
 */
LIGHTNING_DB_API
lightning_db_scan_t *lightning_db_snapshot_scan(lightning_db_snapshot_t *snapshot,
                                                const lightning_db_scan_options_t *options);

/**
 * Frees the handle; that of `lightning_db_snapshot_new` releases the snapshot. NULL is fine. Errors: Closed if it was freed
 * before.
 */
LIGHTNING_DB_API
int lightning_db_snapshot_free(lightning_db_snapshot_t *snapshot);

/**
 * Begins a serializable transaction, for `lightning_db_txn_free`. NULL on an error: TooMany, Closed, Halted.
 *
 * Its reads see the database as it is now, and its own writes; others see nothing of it before the commit.
 * It holds no lock. Several threads may use it: its calls take turns.
 */
LIGHTNING_DB_API lightning_db_txn_t *lightning_db_txn_begin(lightning_db_t *db);

/**
 * As `lightning_db_txn_begin`, with an isolation: `LIGHTNING_DB_SERIALIZABLE` or
 * `LIGHTNING_DB_SNAPSHOT_ISOLATION`. Errors: also InvalidArgument.
 */
LIGHTNING_DB_API lightning_db_txn_t *lightning_db_txn_begin_with(lightning_db_t *db, int isolation);

/**
 * The same transaction through a keyspace of its database; with a handle of the database itself, through the default
 * one. NULL on an error: Closed. A keyspace that was dropped is NotFound, and one of another
 * database InvalidArgument, at each use.
 *
 * It is committed or aborted, whole, through any of its handles, and is taken back when the handle that began it is
 * freed; the others are Closed then. Freeing one of those, which its maker has to do with `lightning_db_txn_free`, ends nothing
 * but the handle.
 */
LIGHTNING_DB_API
lightning_db_txn_t *lightning_db_txn_in(lightning_db_txn_t *txn,
                                        lightning_db_t *keyspace);

/**
 * As `lightning_db_get`, as the transaction sees it. Errors: also Closed once it has been committed or
 * aborted, as in every call on it.
 */
LIGHTNING_DB_API
char *lightning_db_txn_get(lightning_db_txn_t *txn,
                           const char *key,
                           size_t key_len,
                           size_t *value_len);

/**
 * As `lightning_db_get_into`, as the transaction sees it.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_txn_get_into(lightning_db_txn_t *txn,
                              const char *key,
                              size_t key_len,
                              char *buffer,
                              size_t capacity,
                              size_t *value_len);

/**
 * Puts a value. Errors: InvalidArgument (too long), OutOfMemory, Closed, Halted.
 */
LIGHTNING_DB_API
int lightning_db_txn_put(lightning_db_txn_t *txn,
                         const char *key,
                         size_t key_len,
                         const char *value,
                         size_t value_len);

/**
 * Deletes a key; an absent key is no error. Errors: as `lightning_db_txn_put`.
 */
LIGHTNING_DB_API int lightning_db_txn_delete(lightning_db_txn_t *txn, const char *key, size_t key_len);

/**
 * As `lightning_db_scan_new`, as the transaction sees it: own writes as they are now. What the scan walks
 * over counts as read.
 */
LIGHTNING_DB_API
lightning_db_scan_t *lightning_db_txn_scan(lightning_db_txn_t *txn,
                                           const lightning_db_scan_options_t *options);

/**
 * Commits at the default level of the database. The transaction has ended whatever is returned (but for a
 * level that there is not), and its handle is to be freed. Blocks as `lightning_db_put`. Errors: Conflict if
 * another commit changed what it has read: begin again, or use `lightning_db_transact`, which does; and as
 * `lightning_db_put`.
 */
LIGHTNING_DB_API LIGHTNING_DB_MUST_CHECK int lightning_db_txn_commit(lightning_db_txn_t *txn);

/**
 * As `lightning_db_txn_commit`, acknowledged as `level` says: one of `enum lightning_db_level`.
 */
LIGHTNING_DB_API LIGHTNING_DB_MUST_CHECK int lightning_db_txn_commit_with(lightning_db_txn_t *txn, int level);

/**
 * Takes everything back. The handle is to be freed; freeing it without this does the same. Errors: Closed.
 */
LIGHTNING_DB_API int lightning_db_txn_abort(lightning_db_txn_t *txn);

/**
 * Takes back what was not committed, and frees the handle; one of `lightning_db_txn_in` is freed alone. NULL is
 * fine. Errors: Closed if it was freed before.
 */
LIGHTNING_DB_API
int lightning_db_txn_free(lightning_db_txn_t *txn);

/**
 * Runs `work` in a serializable transaction and commits it at the default level; begins again, after a short
 * pause, when it meets a Conflict, so `work` may run several times. `work` must not commit, abort or free
 * the transaction, nor keep it. Blocks while `work` runs, for a pause of at most 10 ms between two attempts,
 * and as `lightning_db_put`.
 *
 * Returns 0 or an error number: what `work` returned, Conflict after 1000 attempts, or as
 * `lightning_db_txn_begin` and `lightning_db_txn_commit`. A C++ exception may leave `work`: the transaction
 * is taken back. `longjmp` may not.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_transact(lightning_db_t *db,
                          lightning_db_work_t work,
                          void *user);

/**
 * Writes all memtables to tables. Blocks until done. Errors: NoSpace, Halted, Closed, Io.
 */
LIGHTNING_DB_API int lightning_db_flush(lightning_db_t *db);

/**
 * Flushes, then merges all tables into one level, without old versions that nobody can see. Reads and writes
 * go on. Blocks until done. Goes piece by piece: needs room for a second copy of some hundred MiB, not of all
 * data. Errors: NoSpace, Corruption, Halted, Closed, Io; Cancelled when another thread closes the database.
 */
LIGHTNING_DB_API int lightning_db_compact(lightning_db_t *db);

/**
 * As `lightning_db_compact`; calls `on_progress` in this thread, now and then, at the begin and at the end. Errors:
 * also Cancelled when it returned another number than 0: the piece in work is taken back; InvalidArgument (NULL).
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_compact_with(lightning_db_t *db,
                              lightning_db_on_compaction_t on_progress,
                              void *user);

/**
 * Empties the cache of pages and rows. Errors: Closed.
 */
LIGHTNING_DB_API int lightning_db_clear_cache(lightning_db_t *db);

/**
 * Copies all that is committed into the folder `target`, which is absent or empty. Writers go on. Blocks
 * until the copy is on stable storage and verified; one that was cut can be made again in the same place.
 * Errors: AlreadyExists, InvalidArgument (a folder inside the database), Locked, NoSpace, Corruption,
 * Halted, Closed, Io.
 */
LIGHTNING_DB_API LIGHTNING_DB_MUST_CHECK int lightning_db_backup(lightning_db_t *db, const char *target);

/**
 * Makes a database of the backup in the folder `source`, in the folder `target`, which is absent or empty,
 * and leaves it closed. Every byte is verified. Blocks until done; a restore that was cut can be run again.
 * Errors: NotFound (no finished backup), AlreadyExists (target), Corruption, and as `lightning_db_create`.
 */
LIGHTNING_DB_API LIGHTNING_DB_MUST_CHECK int lightning_db_restore(const char *source, const char *target);

/**
 * As `lightning_db_restore`, with options, which may be NULL: a database with comparators of yours needs them.
 * Errors: also Mismatch without them.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_restore_with(const char *source,
                              const char *target,
                              const lightning_db_options_t *options);

/**
 * Reads every byte of the database in the folder `path`, which nobody has open, and reports what is wrong. Changes
 * nothing. `options` may be NULL; comparators of yours must be in them. `on_progress` may be NULL. Blocks for as
 * long as reading all files takes.
 *
 * Returns a report for `lightning_db_report_free`. Damage is no error. NULL on an error: Locked (open), NotFound,
 * NotADatabase, InvalidArgument (options), Mismatch (comparator), UnsupportedVersion, PermissionDenied, Io, OutOfMemory;
 * Corruption if nothing says which database this is.
 */
LIGHTNING_DB_API
lightning_db_report_t *lightning_db_check(const char *path,
                                          const lightning_db_options_t *options,
                                          lightning_db_on_check_t on_progress,
                                          void *user);

/**
 * Checks a database and mends it, also one that does not open. Every record is kept whose page or commit is whole;
 * the report says what is lost. Files that were replaced are moved to the folder `lost` in the database. If nothing
 * is wrong nothing is changed. A repair that was cut, or failed, must be run again before the database can be
 * opened. Needs room for a second copy of what is written anew. Where newer records of a key are lost, an older
 * value, or a deleted one, may show again. Else as `lightning_db_check`. Errors: also NoSpace.
 */
LIGHTNING_DB_API
lightning_db_report_t *lightning_db_repair(const char *path,
                                           const lightning_db_options_t *options,
                                           lightning_db_on_check_t on_progress,
                                           void *user);

/**
 * Sets `*ok` to whether nothing is wrong or, behind a repair, was. Errors: Closed; then it is false.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_report_is_ok(lightning_db_report_t *report,
                              bool *ok);

/**
 * Sets `*value` to a number of the report: `files`, `bytes`, `pages` and `records` that were looked at (records of
 * all versions); how many findings there are in its lists, `problems`, `notes`, `lost` and `set_aside`; `repaired`
 * (1 if anything had to be done) and `salvaged_records` (of damaged files, written anew). On an error it is left alone:
 * InvalidArgument (unknown name), Closed.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_report_int(lightning_db_report_t *report,
                            const char *name,
                            uint64_t *value);

/**
 * Fills `*finding` with a finding of a list, `LIGHTNING_DB_PROBLEMS` and the like, by its number from 0. What it
 * points to is valid until the report is freed. Errors: NotFound behind the last one; InvalidArgument (list, struct),
 * Closed. Then `*finding` is left alone.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_report_finding(lightning_db_report_t *report,
                                int list,
                                size_t index,
                                lightning_db_finding_t *finding);

/**
 * The whole report as a text of some lines, for `lightning_db_free_value`. NULL on an error: Closed, OutOfMemory.
 */
LIGHTNING_DB_API
char *lightning_db_report_text(lightning_db_report_t *report);

/**
 * Frees the report and what it lent. NULL is fine. Errors: Closed if it was freed before.
 */
LIGHTNING_DB_API int lightning_db_report_free(lightning_db_report_t *report);

/**
 * Name of a figure by its number from 0; NULL behind the last one. The text is static.
 */
LIGHTNING_DB_API const char *lightning_db_stat_name(size_t index);

/**
 * Sets `*value` to a count or number of bytes, such as `total_keys` (an estimate: a scan counts exactly) or
 * `total_size`; all figures stand on top of this file. On an error it is left alone: InvalidArgument (unknown name, another type), Closed.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_stat_int(lightning_db_t *db,
                          const char *name,
                          uint64_t *value);

/**
 * Sets `*value` to a number that is no count: `cache_hit_rate` (0 to 1), `write_stall_seconds`. Errors: as `lightning_db_stat_int`.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_stat_ratio(lightning_db_t *db,
                            const char *name,
                            double *value);

/**
 * Sets `*count` to how many counts there are, and the first of `values`, `capacity` at most, to them:
 * `tables_per_level`. `values` may be NULL if `capacity` is 0. Errors: as `lightning_db_stat_int`.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_stat_list(lightning_db_t *db,
                           const char *name,
                           uint64_t *values,
                           size_t capacity,
                           size_t *count);

/**
 * A figure of any type as a text, for `lightning_db_free_value`: "42", "0.97", "3 1 0", or a sentence
 * (`background_error`: what last went wrong in the background). NULL if it has none, and then
 * `lightning_db_last_error_code()` is 0; or on an error: as `lightning_db_stat_int`.
 */
LIGHTNING_DB_API char *lightning_db_stat_text(lightning_db_t *db, const char *name);

/**
 * Counts, rates and latencies of the database since it was opened, all of one instant, for
 * `lightning_db_figures_free`: `reads`, `writes`, `read_ops_per_sec`, `avg_read_latency_us` and so on, which stand on
 * top of this file; `lightning_db_figures_name` tells them all. Cheap enough to be asked every second. NULL on an error: Closed.
 */
LIGHTNING_DB_API
lightning_db_figures_t *lightning_db_metrics(lightning_db_t *db);

/**
 * What the database keeps in memory, in bytes: `total_bytes`, `cache_bytes`, `index_bytes`, `memtable_bytes` and
 * so on. Else as `lightning_db_metrics`.
 */
LIGHTNING_DB_API
lightning_db_figures_t *lightning_db_memory_stats(lightning_db_t *db);

/**
 * Name of a figure by its number from 0; NULL behind the last one, and then `lightning_db_last_error_code()` is 0;
 * or on an error: Closed. The text is static.
 */
LIGHTNING_DB_API
const char *lightning_db_figures_name(lightning_db_figures_t *figures,
                                      size_t index);

/**
 * Sets `*value` to a count or number of bytes. On an error it is left alone: InvalidArgument (unknown name, a
 * figure that is no count), Closed.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_figures_int(lightning_db_figures_t *figures,
                             const char *name,
                             uint64_t *value);

/**
 * Sets `*value` to a figure of any kind: a count, a rate, a share, a time. On an error it is left alone:
 * InvalidArgument (unknown name), Closed.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_figures_number(lightning_db_figures_t *figures,
                                const char *name,
                                double *value);

/**
 * Frees the figures. NULL is fine. Errors: Closed if they were freed before.
 */
LIGHTNING_DB_API int lightning_db_figures_free(lightning_db_figures_t *figures);

/**
 * All metrics as a text that Prometheus reads, for `lightning_db_free_value`. NULL on an error: Closed,
 * OutOfMemory.
 */
LIGHTNING_DB_API char *lightning_db_prometheus(lightning_db_t *db);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LIGHTNING_DB_H */
