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
 * Handles. What a `..._new`, `..._begin`, `..._scan`, `_create` or `_open` returns is freed by the caller:
 * database `_destroy`, else `_free`. Order does not matter: what belongs to a closed database is Closed and
 * still has to be freed. A handle is checked at every use: one that was freed is Closed, NULL or one of
 * another kind is InvalidArgument.
 *
 * Threads. Any function may be called in any thread with any handle, also while others use or free it: a
 * call that has begun goes on, later ones are Closed. What is lent (the entries of a scan, the texts of
 * the last error) is valid until the next call that its function names.
 *
 * Blocking. Opening, `_close`, `_destroy`, writes that are applied (put, delete, batch write, commit,
 * transact), flush, compact, backup and restore wait for the disk, each as it says. Reads, scans and count
 * wait at most for pages that are not in memory. Everything else works in memory. Calls on one transaction,
 * scan, batch or options object take turns, so such a call may wait for another thread's.
 *
 * Processes. A handle must not be used in a child process after fork().
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

/*
 * Options by name. Defaults and effects: the main README.
 *
 *   page_size                            a whole number, 512 to 65536
 *   cache_size                           a whole number, 1048576 to 9223372036854775807
 *   mmap_size                            a whole number, 1048576 to 9223372036854775807
 *   compression_enabled                  true or false
 *   compression_type                     a whole number, 1 to 3
 *   compression_level                    a whole number, 1 to 19
 *   max_active_transactions              a whole number, 1 to 1000000
 *   use_optimized_transactions           true or false
 *   default_level                        strong, quorum or eventual
 *   sync_writes                          true or false
 *   checkpoint_interval                  a number of seconds, 1 to 315360000
 *   memtable_size                        a whole number, 65536 to 4294967296
 *   level0_file_num_compaction_trigger   a whole number, 1 to 64
 *   max_background_compactions           a whole number, 1 to 64
 *   upper_compression_type               a whole number, 0 to 3
 *   comparator                           bytewise, reverse-bytewise, unsigned, signed or decimal
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
  /** Disk full, quota, or file-size limit. The same call may succeed later. */
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
 * Writes that are applied all or none. Made by `lightning_db_batch_new`, freed by `lightning_db_batch_free`.
 */
typedef struct lightning_db_batch_t lightning_db_batch_t;

/**
 * Options of a database, by name. Made by `lightning_db_options_new`, freed by `lightning_db_options_free`.
 */
typedef struct lightning_db_options_t lightning_db_options_t;

/**
 * A walk over entries in key order. Made by `lightning_db_scan_new`, `lightning_db_snapshot_scan` and
 * `lightning_db_txn_scan`, freed by `lightning_db_scan_free`.
 */
typedef struct lightning_db_scan_t lightning_db_scan_t;

/**
 * The database as it was at one instant. Made by `lightning_db_snapshot_new`, freed by
 * `lightning_db_snapshot_free`.
 */
typedef struct lightning_db_snapshot_t lightning_db_snapshot_t;

/**
 * An open database. Made by `lightning_db_create` and `lightning_db_open`, freed by `lightning_db_destroy`.
 */
typedef struct lightning_db_t lightning_db_t;

/**
 * A transaction. Made by `lightning_db_txn_begin`, freed by `lightning_db_txn_free`.
 */
typedef struct lightning_db_txn_t lightning_db_txn_t;

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
 * Options with their defaults, for `lightning_db_create` and `lightning_db_open`, which only read them: one
 * object may open many databases. Freed by `lightning_db_options_free`. NULL on an error.
 */
LIGHTNING_DB_API lightning_db_options_t *lightning_db_options_new(void);

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
 * none) or "rw" (it must exist). Errors: as `lightning_db_options_set_int`.
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
 * Closes the database: every later call on it and on its batches, scans, snapshots and transactions is
 * Closed. Waits for running commits, writes what is in memory and releases the folder. The handle stays to
 * be freed by `lightning_db_destroy`. Closing again does nothing.
 *
 * Errors: the failure that halted the database, or one of the last writes; it is closed all the same, and
 * what was acknowledged is found by the next open.
 */
LIGHTNING_DB_API int lightning_db_close(lightning_db_t *db);

/**
 * Closes the database if it is open, and frees the handle: any later use of it is Closed. The files stay.
 * NULL is fine. Errors: as `lightning_db_close`, and Closed for a handle that was freed before; it is freed
 * whatever is returned.
 */
LIGHTNING_DB_API int lightning_db_destroy(lightning_db_t *db);

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
 * Deletes a key at the default level of the database; an absent key is no error. Else as `lightning_db_put`.
 */
LIGHTNING_DB_API int lightning_db_delete(lightning_db_t *db, const char *key, size_t key_len);

/**
 * As `lightning_db_delete`, acknowledged as `level` says: one of `enum lightning_db_level`.
 */
LIGHTNING_DB_API int lightning_db_delete_with(lightning_db_t *db, const char *key, size_t key_len, int level);

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
 * absent; InvalidArgument if the value has more than `capacity` bytes: then nothing is copied, and
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
 * An empty batch of writes to the database, for `lightning_db_batch_free`. NULL on an error. Several threads
 * may use a batch: its calls take turns.
 */
LIGHTNING_DB_API lightning_db_batch_t *lightning_db_batch_new(lightning_db_t *db);

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
 * Frees the batch; writes that were not applied are forgotten. NULL is fine. Errors: Closed if it was freed
 * before.
 */
LIGHTNING_DB_API int lightning_db_batch_free(lightning_db_batch_t *batch);

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
 * Takes a snapshot of what is visible now, for `lightning_db_snapshot_free`. NULL on an error: Closed. It
 * never changes and blocks nobody, and keeps old versions on disk until it is freed.
 */
LIGHTNING_DB_API lightning_db_snapshot_t *lightning_db_snapshot_new(lightning_db_t *db);

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
 * Frees the snapshot. NULL is fine. Errors: Closed if it was freed before.
 */
LIGHTNING_DB_API int lightning_db_snapshot_free(lightning_db_snapshot_t *snapshot);

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
 * Takes back what was not committed, and frees the handle. NULL is fine. Errors: Closed if it was freed
 * before.
 */
LIGHTNING_DB_API int lightning_db_txn_free(lightning_db_txn_t *txn);

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
 * go on. Blocks until done; needs room for a second copy of the data. Errors: NoSpace, Corruption, Halted,
 * Closed, Io; Cancelled when another thread closes the database.
 */
LIGHTNING_DB_API int lightning_db_compact(lightning_db_t *db);

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
 * Name of a figure by its number from 0; NULL behind the last one. The text is static.
 */
LIGHTNING_DB_API const char *lightning_db_stat_name(size_t index);

/**
 * Sets `*value` to a count or number of bytes: `total_keys` (an estimate: a scan counts exactly),
 * `total_size` (on disk), `cache_bytes`, `memtable_bytes`, `sealed_memtables`, `active_transactions`,
 * `snapshots`. On an error it is left alone: InvalidArgument (unknown name, another type), Closed.
 */
LIGHTNING_DB_API
LIGHTNING_DB_MUST_CHECK
int lightning_db_stat_int(lightning_db_t *db,
                          const char *name,
                          uint64_t *value);

/**
 * Sets `*value` to a ratio from 0 to 1: `cache_hit_rate`. Errors: as `lightning_db_stat_int`.
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

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LIGHTNING_DB_H */
