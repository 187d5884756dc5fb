// Operations on keys and values.
#define _GNU_SOURCE
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Writes to a batch or a transaction have no level of their own.
static int level_here(const struct context *context) {
  if (field(context, "level") && context->on->kind != DATABASE) fail("a level on what is no database");
  return level_of(context->step);
}

static int do_put(struct context *context) {
  struct blob key = blob_of(field(context, "key")), value = blob_of(field(context, "value"));
  int status = face_put(context->on, key, value, level_here(context));
  blob_free(&key);
  blob_free(&value);
  return status;
}

static int do_delete(struct context *context) {
  struct blob key = blob_of(field(context, "key"));
  int status = face_delete(context->on, key, level_here(context));
  blob_free(&key);
  return status;
}

static int do_get(struct context *context) {
  struct blob key = blob_of(field(context, "key")), value = {NULL, 0};
  int status = face_get(context->on, key, &value);
  if (status == 0) must_be(blob_is(value, field(context, "is")), "the value");
  blob_free(&key);
  blob_free(&value);
  return status;
}

// Many writes are a batch in C.
static int do_many(struct context *context, const cJSON *items, bool put) {
  struct handle batch;
  int status = face_batch(context->on, &batch);
  if (status != 0) return status;
  const cJSON *item;
  cJSON_ArrayForEach(item, items) {
    struct blob key = blob_of(put ? cJSON_GetArrayItem(item, 0) : item);
    struct blob value = blob_of(put ? cJSON_GetArrayItem(item, 1) : NULL);
    if (status == 0) {
      status = put ? face_put(&batch, key, value, 0) : face_delete(&batch, key, 0);
    }
    blob_free(&key);
    blob_free(&value);
  }
  if (status == 0) status = face_write(&batch, level_of(context->step));
  face_release(&batch);
  return status;
}

static int do_put_many(struct context *context) { return do_many(context, field(context, "entries"), true); }
static int do_delete_many(struct context *context) { return do_many(context, field(context, "keys"), false); }

static int do_get_many(struct context *context) {
  const cJSON *list = field(context, "keys"), *is = field(context, "is");
  size_t count = (size_t)cJSON_GetArraySize(list);
  struct blob *keys = allocate(count * sizeof *keys), *values = allocate(count * sizeof *values);
  for (size_t i = 0; i < count; i++) keys[i] = blob_of(cJSON_GetArrayItem(list, (int)i));
  int status = face_get_many(context->on, keys, count, values);
  if (status == 0) must_be(cJSON_GetArraySize(is) == (int)count, "the number of values");
  for (size_t i = 0; i < count; i++) {
    if (status == 0) must_be(blob_is(values[i], cJSON_GetArrayItem(is, (int)i)), "a value");
    blob_free(&keys[i]);
    blob_free(&values[i]);
  }
  free(keys);
  free(values);
  return status;
}

static bool entry_is(struct blob key, struct blob value, const cJSON *expected, const char *only) {
  if (strcmp(only, "keys") == 0) return blob_is(key, expected);
  if (strcmp(only, "values") == 0) return blob_is(value, expected);
  bool pair = cJSON_IsArray(expected) && cJSON_GetArraySize(expected) == 2;
  return pair && blob_is(key, cJSON_GetArrayItem(expected, 0)) && blob_is(value, cJSON_GetArrayItem(expected, 1));
}

static int do_scan(struct context *context) {
  struct bounds bounds = bounds_of(context->step);
  struct handle cursor;
  int status = face_cursor(context->on, &bounds, &cursor);
  bounds_free(&bounds);
  if (status != 0) return status;
  const cJSON *is = field(context, "is"), *expected = is ? is->child : NULL;
  const char *only = field(context, "only") ? text_of(field(context, "only")) : "";
  if (*only && strcmp(only, "keys") != 0 && strcmp(only, "values") != 0) fail("only %s", only);
  int count = 0;
  for (;; count++) {
    struct blob key = {NULL, 0}, value = {NULL, 0};
    status = face_next(&cursor, &key, &value);
    if (status != 0 || !key.data) break;
    if (is) {
      must_be(expected && entry_is(key, value, expected, only), "an entry");
      expected = expected->next;
    }
    blob_free(&key);
    blob_free(&value);
  }
  face_release(&cursor);
  if (status != 0) return status;
  const cJSON *number = field(context, "count");
  must_be(!expected, "the number of entries");
  must_be(is || field(context, "error") || (number && number->valueint == count), "the number of entries");
  return 0;
}

static int do_count(struct context *context) {
  struct bounds bounds = bounds_of(context->step);
  uint64_t count = 0;
  int status = face_count(context->on, &bounds, &count);
  bounds_free(&bounds);
  const cJSON *is = field(context, "is");
  must_be(status != 0 || (is && is->valuedouble == (double)count), "the number of entries");
  return status;
}

static int do_cursor(struct context *context) {
  struct bounds bounds = bounds_of(context->step);
  struct handle cursor;
  int status = face_cursor(context->on, &bounds, &cursor);
  bounds_free(&bounds);
  return added(context, status, cursor);
}

static int do_next(struct context *context) {
  struct blob key = {NULL, 0}, value = {NULL, 0};
  int status = face_next(context->on, &key, &value);
  if (status == 0) {
    const cJSON *is = field(context, "is");
    must_be(key.data ? entry_is(key, value, is, "") : cJSON_IsNull(is), "the entry");
  }
  blob_free(&key);
  blob_free(&value);
  return status;
}

#define BOUNDS " gt gte lt lte prefix reverse limit "

const struct operation DATA_OPERATIONS[] = {
    {"put", do_put, " key value level ", ON_DATABASE | ON_TRANSACTION | ON_BATCH, ""},
    {"get", do_get, " key is ", ON_READER, " is "},
    {"delete", do_delete, " key level ", ON_DATABASE | ON_TRANSACTION | ON_BATCH, ""},
    {"put_many", do_put_many, " entries level ", ON_DATABASE, ""},
    {"get_many", do_get_many, " keys is ", ON_DATABASE, " is "},
    {"delete_many", do_delete_many, " keys level ", ON_DATABASE, ""},
    {"count", do_count, BOUNDS "is ", ON_DATABASE, " is "},
    {"scan", do_scan, BOUNDS "only is count ", ON_READER, " is count "},
    {"cursor", do_cursor, BOUNDS "as ", ON_READER, ""},
    {"next", do_next, " is ", ON_CURSOR, " is "},
    {0},
};
