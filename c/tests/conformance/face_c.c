// The C face.
#include "face.h"

#include <stdlib.h>
#include <string.h>

const char *face_name(void) { return "C"; }
const char *face_error_name(void) { return lightning_db_error_name(lightning_db_last_error_code()); }
const char *face_error_message(void) { return lightning_db_last_error(); }
int face_error_code(void) { return lightning_db_last_error_code(); }

bool face_error_has_place(void) {
  uint64_t offset;
  const char *file = lightning_db_last_error_file();
  return file && *file && lightning_db_last_error_offset(&offset);
}

static int status_of(const void *pointer) { return pointer ? 0 : lightning_db_last_error_code(); }

static int set_option(lightning_db_options_t *options, const struct option *option) {
  switch (option->type) {
    case OPTION_BOOL: return lightning_db_options_set_bool(options, option->name, option->number != 0);
    case OPTION_INT: return lightning_db_options_set_int(options, option->name, (int64_t)option->number);
    case OPTION_SECONDS: return lightning_db_options_set_seconds(options, option->name, option->number);
    case OPTION_TEXT: return lightning_db_options_set_text(options, option->name, option->text);
  }
  return -1;
}

typedef lightning_db_t *opener(const char *, const lightning_db_options_t *);

// The options as an object, NULL if there are none, and the call that is the mode among them.
static int set_options(const struct option *options, size_t count, lightning_db_options_t **all, opener **open) {
  *all = count ? lightning_db_options_new() : NULL;
  int status = 0;
  for (size_t i = 0; i < count && status == 0; i++) {
    if (open && is_mode(&options[i], "rw")) {
      *open = lightning_db_open;
    } else if (open && is_mode(&options[i], "r")) {
      *open = lightning_db_open_read_only;
    } else {
      status = set_option(*all, &options[i]);
    }
  }
  return status;
}

static int database_of(lightning_db_t *db, struct handle *handle) {
  *handle = (struct handle){DATABASE, db, false};
  return status_of(db);
}

// The freeing leaves the error.
static int done_with(lightning_db_options_t *options, int status) {
  if (lightning_db_options_free(options) != 0) abort();
  return status;
}

int face_open(const char *path, const struct option *options, size_t count, struct handle *db) {
  lightning_db_options_t *all;
  opener *open = lightning_db_create;
  int status = set_options(options, count, &all, &open);
  if (status == 0) status = database_of(open(path, all), db);
  return done_with(all, status);
}

int face_create_keyspace(struct handle *db, const char *name, const struct option *options, size_t count, struct handle *keyspace) {
  lightning_db_options_t *all;
  int status = set_options(options, count, &all, NULL);
  if (status == 0) status = database_of(lightning_db_keyspace_create(db->object, name, all), keyspace);
  return done_with(all, status);
}

int face_keyspace(struct handle *db, const char *name, struct handle *keyspace) {
  return database_of(lightning_db_keyspace(db->object, name), keyspace);
}

int face_list_keyspaces(struct handle *db, char *names, size_t capacity) {
  lightning_db_bytes_t *list;
  size_t count, used = 0;
  int status = lightning_db_keyspace_list(db->object, &list, &count);
  if (status != 0) return list || count ? -2 : status;
  for (size_t i = 0; i < count; used += list[i++].len + 1) {
    if (used + list[i].len + 2 > capacity || list[i].data[list[i].len] != 0) return -2;
    memcpy(names + used, list[i].data, list[i].len + 1);
  }
  names[used] = 0;
  lightning_db_free_values(list);
  return 0;
}

int face_drop_keyspace(struct handle *db, const char *name) { return lightning_db_keyspace_drop(db->object, name); }

int face_in(struct handle *on, struct handle *keyspace, struct handle *through) {
  *through = (struct handle){on->kind, NULL, false};
  if (on->kind == SNAPSHOT) {
    through->object = lightning_db_snapshot_in(on->object, keyspace->object);
  } else {
    through->object = lightning_db_txn_in(on->object, keyspace->object);
  }
  return status_of(through->object);
}

// Every finding can be read, and the lists end where the numbers say.
static int look_at(lightning_db_report_t *report, struct examined *examined) {
  static const char *const names[] = {"problems", "notes", "lost", "set_aside"};
  for (int list = 0; list < 4; list++) {
    uint64_t expected;
    size_t index = 0;
    lightning_db_finding_t finding = LIGHTNING_DB_FINDING;
    while (lightning_db_report_finding(report, list, index, &finding) == 0) {
      if (!*finding.file || (list < 3 && !*finding.what)) return -2;
      index++;
    }
    if (lightning_db_last_error_code() != LIGHTNING_DB_NOT_FOUND) return -2;
    if (lightning_db_report_int(report, names[list], &expected) != 0 || expected != index) return -2;
  }
  char *text = lightning_db_report_text(report);
  if (!text || !strstr(text, "files")) return -2;
  lightning_db_free_value(text);
  int status = lightning_db_report_int(report, "lost", &examined->lost);
  return status ? status : lightning_db_report_is_ok(report, &examined->ok);
}

static void count_bytes(uint64_t done, uint64_t total, void *user) {
  if (done <= total) *(uint64_t *)user = done;
}

int face_examine(const char *path, const struct option *options, size_t count, bool repair, struct examined *examined) {
  lightning_db_options_t *all;
  int status = set_options(options, count, &all, NULL);
  if (status != 0) return done_with(all, status);
  uint64_t seen = 0;
  lightning_db_report_t *report =
      repair ? lightning_db_repair(path, all, count_bytes, &seen) : lightning_db_check(path, all, count_bytes, &seen);
  status = status_of(report);
  if (report) status = seen ? look_at(report, examined) : -2;
  if (lightning_db_report_free(report) != 0) abort();
  return done_with(all, status);
}

int face_figure(struct handle *db, bool memory, const char *name, double *number) {
  lightning_db_figures_t *figures = memory ? lightning_db_memory_stats(db->object) : lightning_db_metrics(db->object);
  if (!figures) return lightning_db_last_error_code();
  uint64_t count;
  int status = lightning_db_figures_number(figures, name, number);
  // A whole number is the same in both forms.
  if (status == 0 && lightning_db_figures_int(figures, name, &count) == 0 && (double)count != *number) return -2;
  if (lightning_db_figures_free(figures) != 0) abort();
  return status;
}

int face_prometheus(struct handle *db, char **text) {
  *text = lightning_db_prometheus(db->object);
  return status_of(*text);
}

static int free_handle(struct handle *handle) {
  switch (handle->kind) {
    case DATABASE: return lightning_db_destroy(handle->object);
    case BATCH: return lightning_db_batch_free(handle->object);
    case SNAPSHOT: return lightning_db_snapshot_free(handle->object);
    case TRANSACTION: return lightning_db_txn_free(handle->object);
    case CURSOR: return lightning_db_scan_free(handle->object);
  }
  return -1;
}

// A database has a call to close; the others are freed, and a second time says Closed: that is how C closes again.
int face_close(struct handle *handle) {
  if (handle->kind == DATABASE) return lightning_db_close(handle->object);
  int status = free_handle(handle);
  if (handle->closed) return status == LIGHTNING_DB_CLOSED ? 0 : -1;
  handle->closed = true;
  return status;
}

void face_release(struct handle *handle) {
  if (!handle->closed && free_handle(handle) == LIGHTNING_DB_CLOSED) abort();
}

static int put_in_batch(struct handle *on, struct blob key, struct blob value, const struct how *how) {
  if (!how->keyspace) return lightning_db_batch_put(on->object, key.data, key.len, value.data, value.len);
  return lightning_db_batch_put_in(on->object, how->keyspace->object, key.data, key.len, value.data, value.len);
}

static int delete_in_batch(struct handle *on, struct blob key, const struct how *how) {
  if (!how->keyspace) return lightning_db_batch_delete(on->object, key.data, key.len);
  return lightning_db_batch_delete_in(on->object, how->keyspace->object, key.data, key.len);
}

int face_put(struct handle *on, struct blob key, struct blob value, const struct how *how) {
  switch (on->kind) {
    case BATCH: return put_in_batch(on, key, value, how);
    case TRANSACTION: return lightning_db_txn_put(on->object, key.data, key.len, value.data, value.len);
    default: break;
  }
  if (how->patient) {
    return lightning_db_put_within(on->object, key.data, key.len, value.data, value.len, how->level, how->timeout_ms);
  }
  if (how->level == LIGHTNING_DB_DEFAULT_LEVEL) {
    return lightning_db_put(on->object, key.data, key.len, value.data, value.len);
  }
  return lightning_db_put_with(on->object, key.data, key.len, value.data, value.len, how->level);
}

int face_delete(struct handle *on, struct blob key, const struct how *how) {
  switch (on->kind) {
    case BATCH: return delete_in_batch(on, key, how);
    case TRANSACTION: return lightning_db_txn_delete(on->object, key.data, key.len);
    default: break;
  }
  if (how->patient) return lightning_db_delete_within(on->object, key.data, key.len, how->level, how->timeout_ms);
  if (how->level == LIGHTNING_DB_DEFAULT_LEVEL) return lightning_db_delete(on->object, key.data, key.len);
  return lightning_db_delete_with(on->object, key.data, key.len, how->level);
}

static char *get_copy(struct handle *on, struct blob key, size_t *len) {
  switch (on->kind) {
    case SNAPSHOT: return lightning_db_snapshot_get(on->object, key.data, key.len, len);
    case TRANSACTION: return lightning_db_txn_get(on->object, key.data, key.len, len);
    default: return lightning_db_get(on->object, key.data, key.len, len);
  }
}

static int get_into(struct handle *on, struct blob key, char *buffer, size_t capacity, size_t *len) {
  switch (on->kind) {
    case SNAPSHOT: return lightning_db_snapshot_get_into(on->object, key.data, key.len, buffer, capacity, len);
    case TRANSACTION: return lightning_db_txn_get_into(on->object, key.data, key.len, buffer, capacity, len);
    default: return lightning_db_get_into(on->object, key.data, key.len, buffer, capacity, len);
  }
}

// The forms of get must agree.
int face_get(struct handle *on, struct blob key, struct blob *value) {
  if (reads_once) {
    value->data = get_copy(on, key, &value->len);
    return status_of(value->data);
  }
  char buffer[64];
  size_t len = 0;
  int into = get_into(on, key, buffer, sizeof buffer, &len);
  value->data = get_copy(on, key, &value->len);
  int status = status_of(value->data);
  if (!value->data) {
    int expected = status == 0 ? LIGHTNING_DB_NOT_FOUND : status;
    bool right = lightning_db_last_error_is_absent_key() == false && into == expected && value->len == 0 && len == 0;
    return right ? status : -2;
  }
  bool fits = value->len <= sizeof buffer;
  bool right = len == value->len && value->data[len] == 0 && into == (fits ? 0 : LIGHTNING_DB_INVALID_ARGUMENT);
  if (right && fits) right = memcmp(buffer, value->data, len) == 0;
  if (right && on->kind == DATABASE) {
    bool present = false;
    right = lightning_db_contains(on->object, key.data, key.len, &present) == 0 && present;
  }
  return right ? 0 : -2;
}

int face_get_many(struct handle *db, const struct blob *keys, size_t count, struct blob *values) {
  lightning_db_bytes_t *asked = calloc(count + 1, sizeof *asked), *found = NULL;
  for (size_t i = 0; i < count; i++) asked[i] = (lightning_db_bytes_t){keys[i].data, keys[i].len};
  int status = lightning_db_get_many(db->object, asked, count, &found);
  for (size_t i = 0; i < count && status == 0; i++) {
    if (!found[i].data) continue;
    values[i].len = found[i].len;
    values[i].data = malloc(found[i].len + 1);
    memcpy(values[i].data, found[i].data, found[i].len + 1);
  }
  free(asked);
  lightning_db_free_values(found);
  return status;
}

int face_batch(struct handle *db, struct handle *batch) {
  *batch = (struct handle){BATCH, lightning_db_batch_new(db->object), false};
  return status_of(batch->object);
}

int face_write(struct handle *batch, const struct how *how) {
  if (how->patient) return lightning_db_batch_write_within(batch->object, how->level, how->timeout_ms);
  if (how->level == LIGHTNING_DB_DEFAULT_LEVEL) return lightning_db_batch_write(batch->object);
  return lightning_db_batch_write_with(batch->object, how->level);
}

static lightning_db_bytes_t bytes(struct blob blob) { return (lightning_db_bytes_t){blob.data, blob.len}; }

static lightning_db_scan_options_t options_of(const struct bounds *bounds) {
  lightning_db_scan_options_t options = LIGHTNING_DB_SCAN_OPTIONS;
  options.gt = bytes(bounds->gt);
  options.gte = bytes(bounds->gte);
  options.lt = bytes(bounds->lt);
  options.lte = bytes(bounds->lte);
  options.prefix = bytes(bounds->prefix);
  options.reverse = bounds->reverse;
  if (bounds->limited) options.limit = bounds->limit;
  return options;
}

int face_count(struct handle *db, const struct bounds *bounds, uint64_t *count) {
  lightning_db_scan_options_t options = options_of(bounds);
  return lightning_db_count(db->object, &options, count);
}

int face_approximate_size(struct handle *db, const struct bounds *bounds, uint64_t *bytes) {
  lightning_db_scan_options_t options = options_of(bounds);
  return lightning_db_approximate_size(db->object, &options, bytes);
}

int face_ingest(struct handle *db, const struct blob *keys, const struct blob *values, size_t count, uint64_t *entries) {
  lightning_db_ingest_t *ingest = lightning_db_ingest_new(db->object);
  int status = status_of(ingest);
  for (size_t i = 0; i < count && status == 0; i++) {
    status = lightning_db_ingest_add(ingest, keys[i].data, keys[i].len, values[i].data, values[i].len);
  }
  if (status == 0) status = lightning_db_ingest_finish(ingest, entries);
  if (lightning_db_ingest_free(ingest) != 0) abort();
  return status;
}

int face_cursor(struct handle *on, const struct bounds *bounds, struct handle *cursor) {
  lightning_db_scan_options_t options = options_of(bounds);
  *cursor = (struct handle){CURSOR, NULL, false};
  switch (on->kind) {
    case SNAPSHOT: cursor->object = lightning_db_snapshot_scan(on->object, &options); break;
    case TRANSACTION: cursor->object = lightning_db_txn_scan(on->object, &options); break;
    default: cursor->object = lightning_db_scan_new(on->object, &options); break;
  }
  return status_of(cursor->object);
}

int face_next(struct handle *cursor, struct blob *key, struct blob *value) {
  lightning_db_bytes_t lent_key, lent_value;
  int status = lightning_db_scan_next(cursor->object, &lent_key, &lent_value);
  if (status != 0) {
    int again = lightning_db_scan_status(cursor->object);
    return lent_key.data && lent_key.len == 0 && again == status ? status : -2;
  }
  if (!lent_key.data) return 0;
  *key = (struct blob){malloc(lent_key.len + 1), lent_key.len};
  *value = (struct blob){malloc(lent_value.len + 1), lent_value.len};
  memcpy(key->data, lent_key.data, lent_key.len);
  memcpy(value->data, lent_value.data, lent_value.len);
  return 0;
}

int face_snapshot(struct handle *db, struct handle *snapshot) {
  *snapshot = (struct handle){SNAPSHOT, lightning_db_snapshot_new(db->object), false};
  return status_of(snapshot->object);
}

int face_transaction(struct handle *db, int isolation, struct handle *txn) {
  *txn = (struct handle){TRANSACTION, NULL, false};
  txn->object = isolation == LIGHTNING_DB_SERIALIZABLE ? lightning_db_txn_begin(db->object)
                                                       : lightning_db_txn_begin_with(db->object, isolation);
  return status_of(txn->object);
}

int face_commit(struct handle *txn, int level) {
  if (level == LIGHTNING_DB_DEFAULT_LEVEL) return lightning_db_txn_commit(txn->object);
  return lightning_db_txn_commit_with(txn->object, level);
}

int face_abort(struct handle *txn) { return lightning_db_txn_abort(txn->object); }

struct call {
  face_work *work;
  void *user;
};

static int run(lightning_db_txn_t *txn, void *user) {
  struct call *call = user;
  // Freed by the transact.
  return call->work((struct handle){TRANSACTION, txn, true}, call->user);
}

int face_transact(struct handle *db, face_work *work, void *user) {
  struct call call = {work, user};
  return lightning_db_transact(db->object, run, &call);
}

int face_backup(struct handle *db, const char *path) { return lightning_db_backup(db->object, path); }
int face_restore(const char *source, const char *target) { return lightning_db_restore(source, target); }
int face_flush(struct handle *db) { return lightning_db_flush(db->object); }
int face_compact(struct handle *db) { return lightning_db_compact(db->object); }

struct compaction {
  bool cancel, called;
};

static int on_compaction(const lightning_db_compaction_t *progress, void *user) {
  struct compaction *compaction = user;
  compaction->called = progress->bytes_done <= progress->bytes_in;
  return compaction->cancel;
}

int face_compact_with(struct handle *db, bool cancel, bool *called) {
  struct compaction compaction = {cancel, false};
  int status = lightning_db_compact_with(db->object, on_compaction, &compaction);
  *called = compaction.called;
  return status;
}

int face_clear_cache(struct handle *db) { return lightning_db_clear_cache(db->object); }

int face_stat(struct handle *db, const char *name, double *number) {
  uint64_t count = 0;
  int status = lightning_db_stat_int(db->object, name, &count);
  *number = (double)count;
  return status == LIGHTNING_DB_INVALID_ARGUMENT ? lightning_db_stat_ratio(db->object, name, number) : status;
}

int face_stat_list(struct handle *db, const char *name, uint64_t *counts, size_t capacity, size_t *count) {
  return lightning_db_stat_list(db->object, name, counts, capacity, count);
}

int face_stat_text(struct handle *db, const char *name, char **text) {
  *text = lightning_db_stat_text(db->object, name);
  return *text ? 0 : lightning_db_last_error_code();
}

int face_raise(int code) { return lightning_db_error_raise(code); }

#ifdef LIGHTNING_DB_FAULTS
int face_disk(const char *name, const char *command, uint64_t *number) {
  return lightning_db_test_disk(name, command, number);
}
#endif
