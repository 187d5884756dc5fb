// What the step interpreter asks of a face: C (face_c.c) and C++ (face_cpp.cpp). Every call returns 0 or an error number.
#ifndef FACE_H
#define FACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lightning_db.h"
#ifdef LIGHTNING_DB_FAULTS
#include "../faults.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum kind { DATABASE, BATCH, SNAPSHOT, TRANSACTION, CURSOR };

// A handle of the face. `object` is the face's own.
struct handle {
  enum kind kind;
  void *object;
  bool closed;
};

// An own copy of bytes; data is NULL if there are none.
struct blob {
  char *data;
  size_t len;
};

struct option {
  const char *name;
  enum { OPTION_BOOL, OPTION_INT, OPTION_SECONDS, OPTION_TEXT } type;
  double number;
  const char *text;
};

// A bound whose data is NULL is none.
struct bounds {
  struct blob gt, gte, lt, lte, prefix;
  bool reverse, limited;
  uint64_t limit;
};

// How a write is made. `keyspace` is one of a batch's puts and deletes, or NULL.
struct how {
  int level;
  bool patient;
  int64_t timeout_ms;
  struct handle *keyspace;
};

// Gets a handle that the face has made and that ends with the transact.
typedef int face_work(struct handle txn, void *user);

// Whether a get is to be a single read, for a case that counts them or lets one fail. Set for each case.
extern bool reads_once;

const char *face_name(void);
// Name and message of the error of the last call that failed.
const char *face_error_name(void);
const char *face_error_message(void);
int face_error_code(void);
// Whether that error names a file and an offset in it.
bool face_error_has_place(void);

// Whether an option is this mode: the faces have a call for "rw" and "r", beside the option.
static inline bool is_mode(const struct option *option, const char *mode) {
  return strcmp(option->name, "mode") == 0 && option->text && strcmp(option->text, mode) == 0;
}

int face_open(const char *path, const struct option *options, size_t count, struct handle *db);
int face_close(struct handle *handle);
// Frees what is left, in any order.
void face_release(struct handle *handle);

int face_put(struct handle *on, struct blob key, struct blob value, const struct how *how);
int face_delete(struct handle *on, struct blob key, const struct how *how);
int face_get(struct handle *on, struct blob key, struct blob *value);
int face_get_many(struct handle *db, const struct blob *keys, size_t count, struct blob *values);
int face_count(struct handle *db, const struct bounds *bounds, uint64_t *count);
int face_approximate_size(struct handle *db, const struct bounds *bounds, uint64_t *bytes);
int face_batch(struct handle *db, struct handle *batch);
int face_write(struct handle *batch, const struct how *how);
int face_ingest(struct handle *db, const struct blob *keys, const struct blob *values, size_t count, uint64_t *entries);
int face_cursor(struct handle *on, const struct bounds *bounds, struct handle *cursor);
// key.data is NULL at the end.
int face_next(struct handle *cursor, struct blob *key, struct blob *value);
int face_snapshot(struct handle *db, struct handle *snapshot);
int face_transaction(struct handle *db, int isolation, struct handle *txn);
int face_commit(struct handle *txn, int level);
int face_abort(struct handle *txn);
// `work` returns 0, an error of the face that its last step failed with, or OWN_FAILURE.
int face_transact(struct handle *db, face_work *work, void *user);
int face_backup(struct handle *db, const char *path);
int face_restore(const char *source, const char *target);
int face_flush(struct handle *db);
int face_compact(struct handle *db);
// Asks to stop at once if `cancel`.
int face_compact_with(struct handle *db, bool cancel, bool *called);
int face_create_keyspace(struct handle *db, const char *name, const struct option *options, size_t count, struct handle *keyspace);
int face_keyspace(struct handle *db, const char *name, struct handle *keyspace);
// The names, each with a 0 behind it and another one at the end.
int face_list_keyspaces(struct handle *db, char *names, size_t capacity);
int face_drop_keyspace(struct handle *db, const char *name);
int face_in(struct handle *on, struct handle *keyspace, struct handle *through);
// What a check or a repair says.
struct examined {
  bool ok;
  uint64_t lost;
};
int face_examine(const char *path, const struct option *options, size_t count, bool repair, struct examined *examined);
// A figure of the metrics, or of the memory statistics.
int face_figure(struct handle *db, bool memory, const char *name, double *number);
int face_prometheus(struct handle *db, char **text);
int face_clear_cache(struct handle *db);
int face_stat(struct handle *db, const char *name, double *number);
int face_stat_list(struct handle *db, const char *name, uint64_t *counts, size_t capacity, size_t *count);
int face_stat_text(struct handle *db, const char *name, char **text);
int face_raise(int code);
#ifdef LIGHTNING_DB_FAULTS
// Steers a simulated disk; the number that was asked for.
int face_disk(const char *name, const char *command, uint64_t *number);
#endif

#define OWN_FAILURE (-1000)

#ifdef __cplusplus
}
#endif

#endif
