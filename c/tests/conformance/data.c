// Operations on keys and values.
#define _GNU_SOURCE
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Writes to a batch or a transaction have no level of their own, and those to a batch alone name a keyspace.
static struct how how_here(const struct context *context) {
  bool how = field(context, "level") || field(context, "timeout");
  if (how && context->on->kind != DATABASE) fail("a level or timeout on what is no database");
  struct how made = how_of(context->step);
  const cJSON *keyspace = field(context, "keyspace");
  if (keyspace && context->on->kind != BATCH) fail("a keyspace on what is no batch");
  if (keyspace) made.keyspace = find(context->run, text_of(keyspace));
  if (keyspace && !made.keyspace) fail("no handle is named %s", text_of(keyspace));
  return made;
}

static int do_put(struct context *context) {
  struct blob key = blob_of(field(context, "key")), value = blob_of(field(context, "value"));
  struct how how = how_here(context);
  int status = face_put(context->on, key, value, &how);
  blob_free(&key);
  blob_free(&value);
  return status;
}

static int do_delete(struct context *context) {
  struct blob key = blob_of(field(context, "key"));
  struct how how = how_here(context);
  int status = face_delete(context->on, key, &how);
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
  const struct how plain = {0}, how = how_of(context->step);
  int status = face_batch(context->on, &batch);
  if (status != 0) return status;
  const cJSON *item;
  cJSON_ArrayForEach(item, items) {
    struct blob key = blob_of(put ? cJSON_GetArrayItem(item, 0) : item);
    struct blob value = blob_of(put ? cJSON_GetArrayItem(item, 1) : NULL);
    if (status == 0) {
      status = put ? face_put(&batch, key, value, &plain) : face_delete(&batch, key, &plain);
    }
    blob_free(&key);
    blob_free(&value);
  }
  if (status == 0) status = face_write(&batch, &how);
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

static int do_ingest(struct context *context) {
  const cJSON *list = field(context, "entries"), *is = field(context, "is");
  size_t count = (size_t)cJSON_GetArraySize(list);
  struct blob *keys = allocate(count * sizeof *keys), *values = allocate(count * sizeof *values);
  for (size_t i = 0; i < count; i++) {
    keys[i] = blob_of(cJSON_GetArrayItem(cJSON_GetArrayItem(list, (int)i), 0));
    values[i] = blob_of(cJSON_GetArrayItem(cJSON_GetArrayItem(list, (int)i), 1));
  }
  uint64_t entries = 0;
  int status = face_ingest(context->on, keys, values, count, &entries);
  must_be(status != 0 || (is && is->valuedouble == (double)entries), "the number of entries");
  for (size_t i = 0; i < count; i++) {
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

#define MAX_LISTS 8

// The lists that a scan may give: each as far as it has been met, or out.
struct lists {
  const cJSON *next[MAX_LISTS];
  bool out[MAX_LISTS];
  int count;
};

static struct lists lists_of(const struct context *context) {
  const cJSON *is = field(context, "is"), *either = field(context, "either"), *list;
  struct lists lists = {.count = 0};
  if (is && either) fail("two results");
  if (is) lists.next[lists.count++] = is->child;
  cJSON_ArrayForEach(list, either) {
    if (lists.count == MAX_LISTS) fail("too many lists");
    lists.next[lists.count++] = list->child;
  }
  return lists;
}

// Whether one of the lists goes on with the entry, or there are none.
static bool lists_have(struct lists *lists, struct blob key, struct blob value, const char *only) {
  bool found = lists->count == 0;
  for (int i = 0; i < lists->count; i++) {
    lists->out[i] = lists->out[i] || !lists->next[i] || !entry_is(key, value, lists->next[i], only);
    if (!lists->out[i]) lists->next[i] = lists->next[i]->next;
    found |= !lists->out[i];
  }
  return found;
}

static bool lists_end(const struct lists *lists) {
  bool found = lists->count == 0;
  for (int i = 0; i < lists->count; i++) found |= !lists->out[i] && !lists->next[i];
  return found;
}

static int do_scan(struct context *context) {
  struct bounds bounds = bounds_of(context->step);
  struct handle cursor;
  int status = face_cursor(context->on, &bounds, &cursor);
  bounds_free(&bounds);
  if (status != 0) return status;
  struct lists lists = lists_of(context);
  const char *only = field(context, "only") ? text_of(field(context, "only")) : "";
  if (*only && strcmp(only, "keys") != 0 && strcmp(only, "values") != 0) fail("only %s", only);
  int count = 0;
  for (;; count++) {
    struct blob key = {NULL, 0}, value = {NULL, 0};
    status = face_next(&cursor, &key, &value);
    if (status != 0 || !key.data) break;
    must_be(lists_have(&lists, key, value, only), "an entry");
    blob_free(&key);
    blob_free(&value);
  }
  face_release(&cursor);
  if (status != 0) return status;
  const cJSON *number = field(context, "count");
  must_be(lists_end(&lists), "the number of entries");
  must_be(lists.count || field(context, "error") || (number && number->valueint == count), "the number of entries");
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

static int do_approximate_size(struct context *context) {
  struct bounds bounds = bounds_of(context->step);
  uint64_t bytes = 0;
  int status = face_approximate_size(context->on, &bounds, &bytes);
  bounds_free(&bounds);
  const cJSON *least = field(context, "at_least"), *most = field(context, "at_most");
  must_be(status != 0 || !least || (double)bytes >= least->valuedouble, "the size");
  must_be(status != 0 || !most || (double)bytes <= most->valuedouble, "the size");
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
    {"put", do_put, " key value level timeout keyspace ", ON_DATABASE | ON_TRANSACTION | ON_BATCH, ""},
    {"get", do_get, " key is ", ON_READER, " is "},
    {"delete", do_delete, " key level timeout keyspace ", ON_DATABASE | ON_TRANSACTION | ON_BATCH, ""},
    {"put_many", do_put_many, " entries level timeout ", ON_DATABASE, ""},
    {"get_many", do_get_many, " keys is ", ON_DATABASE, " is "},
    {"delete_many", do_delete_many, " keys level timeout ", ON_DATABASE, ""},
    {"ingest", do_ingest, " entries is ", ON_DATABASE, " is "},
    {"count", do_count, BOUNDS "is ", ON_DATABASE, " is "},
    {"approximate_size", do_approximate_size, BOUNDS "at_least at_most ", ON_DATABASE, " at_least at_most "},
    {"scan", do_scan, BOUNDS "only is either count ", ON_READER, " is either count "},
    {"cursor", do_cursor, BOUNDS "as ", ON_READER, ""},
    {"next", do_next, " is ", ON_CURSOR, " is "},
    {0},
};
