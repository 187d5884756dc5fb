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

int face_open(const char *path, const struct option *options, size_t count, struct handle *db) {
  lightning_db_options_t *all = count ? lightning_db_options_new() : NULL;
  int status = 0;
  bool must_exist = false;
  for (size_t i = 0; i < count && status == 0; i++) {
    if (is_mode_rw(&options[i])) {
      must_exist = true;
    } else {
      status = set_option(all, &options[i]);
    }
  }
  if (status == 0) {
    *db = (struct handle){DATABASE, must_exist ? lightning_db_open(path, all) : lightning_db_create(path, all), false};
    status = status_of(db->object);
  }
  if (all) {
    int freed = lightning_db_options_free(all);
    if (freed != 0) return freed;
  }
  return status;
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

int face_put(struct handle *on, struct blob key, struct blob value, int level) {
  switch (on->kind) {
    case BATCH: return lightning_db_batch_put(on->object, key.data, key.len, value.data, value.len);
    case TRANSACTION: return lightning_db_txn_put(on->object, key.data, key.len, value.data, value.len);
    default: break;
  }
  if (level == LIGHTNING_DB_DEFAULT_LEVEL) {
    return lightning_db_put(on->object, key.data, key.len, value.data, value.len);
  }
  return lightning_db_put_with(on->object, key.data, key.len, value.data, value.len, level);
}

int face_delete(struct handle *on, struct blob key, int level) {
  switch (on->kind) {
    case BATCH: return lightning_db_batch_delete(on->object, key.data, key.len);
    case TRANSACTION: return lightning_db_txn_delete(on->object, key.data, key.len);
    default: break;
  }
  if (level == LIGHTNING_DB_DEFAULT_LEVEL) return lightning_db_delete(on->object, key.data, key.len);
  return lightning_db_delete_with(on->object, key.data, key.len, level);
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
  char buffer[64];
  size_t len = 0;
  int into = get_into(on, key, buffer, sizeof buffer, &len);
  value->data = get_copy(on, key, &value->len);
  int status = status_of(value->data);
  if (!value->data) {
    int expected = status == 0 ? LIGHTNING_DB_NOT_FOUND : status;
    return into == expected && value->len == 0 && len == 0 ? status : -2;
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

int face_write(struct handle *batch, int level) {
  if (level == LIGHTNING_DB_DEFAULT_LEVEL) return lightning_db_batch_write(batch->object);
  return lightning_db_batch_write_with(batch->object, level);
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
