// What a program may do wrong: nothing of it crashes, everything is said. bad_use FOLDER
#include <math.h>
#include <stdint.h>

#include "handles.h"

static void null_handles(void) {
  all_calls_fail(BAD, NULL, NULL, NULL, NULL, NULL);
  STATUS(BAD, lightning_db_close(NULL));
  STATUS(BAD, lightning_db_batch_put(NULL, "k", 1, "v", 1));
  STATUS(BAD, lightning_db_batch_delete(NULL, "k", 1));
  STATUS(BAD, lightning_db_batch_clear(NULL));
  STATUS(BAD, lightning_db_scan_status(NULL));
  STATUS(BAD, lightning_db_txn_abort(NULL));
  STATUS(BAD, lightning_db_transact(NULL, NULL, NULL));
  STATUS(BAD, lightning_db_options_set_int(NULL, "page_size", 512));
  free_all((struct all){0}, 0);
  STATUS(0, lightning_db_options_free(NULL));
  lightning_db_free_value(NULL);
  lightning_db_free_values(NULL);
}

// The database closed, then each handle freed, twice, while the slots are used again.
static void closed_and_freed_handles(void) {
  struct all all = open_all();
  STATUS(0, lightning_db_close(all.db));
  STATUS(0, lightning_db_close(all.db));
  all_calls_fail(GONE, all.db, all.batch, all.scan, all.snapshot, all.txn);
  free_all(all, 0);
  free_all(all, GONE);
  for (int round = 0; round < 3; round++) {
    struct all next = open_all();
    all_calls_fail(GONE, all.db, all.batch, all.scan, all.snapshot, all.txn);
    STATUS(GONE, lightning_db_close(all.db));
    STATUS(GONE, lightning_db_batch_put(all.batch, "k", 1, "v", 1));
    STATUS(GONE, lightning_db_scan_status(all.scan));
    STATUS(GONE, lightning_db_txn_abort(all.txn));
    free_all(all, GONE);
    // The database first: what belongs to it may outlive it.
    STATUS(0, lightning_db_destroy(next.db));
    STATUS(GONE, lightning_db_destroy(next.db));
    STATUS(GONE, lightning_db_batch_write(next.batch));
    STATUS(0, lightning_db_batch_free(next.batch));
    STATUS(0, lightning_db_scan_free(next.scan));
    STATUS(0, lightning_db_txn_free(next.txn));
    STATUS(0, lightning_db_snapshot_free(next.snapshot));
    all = next;
  }
}

static void handles_of_other_kinds(void) {
  struct all all = open_all();
  all_calls_fail(BAD, (lightning_db_t *)all.snapshot, (lightning_db_batch_t *)all.db, (lightning_db_scan_t *)all.txn,
                 (lightning_db_snapshot_t *)all.db, (lightning_db_txn_t *)all.batch);
  CHECK(strstr(lightning_db_last_error(), "batch handle"));
  STATUS(BAD, lightning_db_destroy((lightning_db_t *)all.txn));
  STATUS(BAD, lightning_db_scan_free((lightning_db_scan_t *)all.db));
  STATUS(BAD, lightning_db_options_free((lightning_db_options_t *)all.db));
  NONE(BAD, lightning_db_create(path_in(folder, "x"), (lightning_db_options_t *)all.db));
  // Pointers that were never given.
  uintptr_t wrong[] = {1, 2, 16, 17, 0x1000, (uintptr_t)folder, (uintptr_t)&all, UINTPTR_MAX, UINTPTR_MAX / 2, (uintptr_t)1 << 28};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    for (uintptr_t kind = 0; kind < 16; kind++) {
      lightning_db_t *db = (lightning_db_t *)(wrong[i] ^ kind);
      if (db == all.db || !db) continue;
      int status = lightning_db_put(db, "k", 1, "v", 1);
      CHECK(status == BAD || status == GONE);
      status = lightning_db_destroy(db);
      CHECK(status == BAD || status == GONE);
    }
  }
  free_all(all, 0);
}

static void wrong_lengths(void) {
  struct all all = open_all();
  static char long_key[65536];
  size_t wrong[] = {65536, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, (size_t)1 << 31};
  size_t len;
  bool present;
  char buffer[4];
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    STATUS(BAD, lightning_db_put(all.db, long_key, wrong[i], "v", 1));
    STATUS(BAD, lightning_db_delete(all.db, long_key, wrong[i]));
    NONE(BAD, lightning_db_get(all.db, long_key, wrong[i], &len));
    STATUS(BAD, lightning_db_contains(all.db, long_key, wrong[i], &present));
    STATUS(BAD, lightning_db_batch_put(all.batch, long_key, wrong[i], "v", 1));
    STATUS(BAD, lightning_db_txn_put(all.txn, long_key, wrong[i], "v", 1));
    STATUS(BAD, lightning_db_put(all.db, NULL, wrong[i], "v", 1));
    STATUS(BAD, lightning_db_put(all.db, "k", 1, NULL, wrong[i]));
    lightning_db_bytes_t keys[] = {{"k", 1}, {long_key, wrong[i]}}, *values;
    STATUS(BAD, lightning_db_get_many(all.db, keys, 2, &values));
    STATUS(BAD, lightning_db_get_many(all.db, NULL, wrong[i], &values));
  }
  lightning_db_bytes_t *values;
  STATUS(BAD, lightning_db_get_many(all.db, (lightning_db_bytes_t *)long_key, SIZE_MAX, &values));
  STATUS(BAD, lightning_db_put(all.db, "k", 1, "v", ((size_t)1 << 30) + 1));
  STATUS(BAD, lightning_db_put(all.db, "k", 1, "v", SIZE_MAX));
  STATUS(BAD, lightning_db_get_into(all.db, "k", 1, NULL, 1, &len));
  STATUS(BAD, lightning_db_get_into(all.db, "k", 1, buffer, 0, &len));
  CHECK(len == 1);
  STATUS(BAD, lightning_db_get_into(all.db, "k", 1, NULL, 0, &len));
  CHECK(len == 1);
  STATUS(0, lightning_db_put(all.db, long_key, 65535, NULL, 0));
  STATUS(0, lightning_db_put(all.db, NULL, 0, "empty key", 9));
  char *value = lightning_db_get(all.db, "", 0, &len);
  CHECK(value && len == 9 && strcmp(value, "empty key") == 0);
  lightning_db_free_value(value);
  value = lightning_db_get(all.db, long_key, 65535, NULL);
  CHECK(value && *value == 0);
  lightning_db_free_value(value);
  STATUS(0, lightning_db_get_many(all.db, NULL, 0, &values));
  lightning_db_free_values(values);
  NONE(0, lightning_db_get(all.db, "absent", 6, &len));
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_get_into(all.db, "absent", 6, buffer, sizeof buffer, &len));
  free_all(all, 0);
}

static void missing_places(void) {
  struct all all = open_all();
  lightning_db_bytes_t key = {"k", 1};
  char buffer[4];
  uint64_t number;
  STATUS(BAD, lightning_db_get_into(all.db, "k", 1, buffer, sizeof buffer, NULL));
  STATUS(BAD, lightning_db_get_many(all.db, &key, 1, NULL));
  STATUS(BAD, lightning_db_contains(all.db, "k", 1, NULL));
  STATUS(BAD, lightning_db_scan_next(all.scan, NULL, NULL));
  STATUS(BAD, lightning_db_stat_int(all.db, "total_keys", NULL));
  STATUS(BAD, lightning_db_stat_int(all.db, NULL, &number));
  STATUS(BAD, lightning_db_stat_int(all.db, "no such figure", &number));
  STATUS(BAD, lightning_db_stat_int(all.db, "cache_hit_rate", &number));
  CHECK(strstr(lightning_db_last_error(), "lightning_db_stat_ratio") != NULL);
  STATUS(BAD, lightning_db_stat_list(all.db, "tables_per_level", NULL, 3, (size_t[]){0}));
  STATUS(BAD, lightning_db_stat_list(all.db, "tables_per_level", &number, 1, NULL));
  NONE(BAD, lightning_db_stat_text(all.db, "\xff"));
  NONE(0, lightning_db_stat_text(all.db, "background_error"));
  for (size_t i = 0; lightning_db_stat_name(i); i++) {
    char *text = lightning_db_stat_text(all.db, lightning_db_stat_name(i));
    CHECK(text || lightning_db_last_error_code() == 0);
    lightning_db_free_value(text);
  }
  CHECK(lightning_db_stat_name(SIZE_MAX) == NULL);
  STATUS(BAD, lightning_db_backup(all.db, NULL));
  STATUS(BAD, lightning_db_backup(all.db, ""));
  STATUS(BAD, lightning_db_backup(all.db, path_in(folder, "db/inside")));
  STATUS(BAD, lightning_db_restore(NULL, path_in(folder, "new")));
  STATUS(BAD, lightning_db_restore(path_in(folder, "db"), NULL));
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_restore(path_in(folder, "none"), path_in(folder, "new")));
  int levels[] = {-1, 4, 99, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < 5; i++) {
    STATUS(BAD, lightning_db_put_with(all.db, "k", 1, "v", 1, levels[i]));
    STATUS(BAD, lightning_db_batch_write_with(all.batch, levels[i]));
    STATUS(BAD, lightning_db_txn_commit_with(all.txn, levels[i]));
    NONE(BAD, lightning_db_txn_begin_with(all.db, levels[i]));
  }
  STATUS(0, lightning_db_txn_commit(all.txn));
  STATUS(GONE, lightning_db_txn_commit(all.txn));
  free_all(all, 0);
}

static void paths_and_options(void) {
  NONE(BAD, lightning_db_create(NULL, NULL));
  NONE(BAD, lightning_db_open("", NULL));
  NONE(LIGHTNING_DB_NOT_FOUND, lightning_db_open(path_in(folder, "none"), NULL));
  CHECK(strstr(lightning_db_last_error_file(), "none"));
  // A path is any bytes.
  lightning_db_t *db = lightning_db_create(path_in(folder, "\xff\xfe\x80"), NULL);
  CHECK(db);
  NONE(LIGHTNING_DB_LOCKED, lightning_db_create(path_in(folder, "\xff\xfe\x80"), NULL));
  CHECK(strstr(lightning_db_last_error_file(), "\xff\xfe\x80"));
  CHECK(lightning_db_error_is_retryable(lightning_db_last_error_code()));
  // Cleaning up leaves the reason.
  STATUS(0, lightning_db_destroy(db));
  CHECK(lightning_db_last_error_code() == LIGHTNING_DB_LOCKED && *lightning_db_last_error());

  lightning_db_options_t *options = lightning_db_options_new();
  STATUS(BAD, lightning_db_options_set_int(options, NULL, 1));
  STATUS(BAD, lightning_db_options_set_int(options, "\xff", 1));
  STATUS(BAD, lightning_db_options_set_int(options, "page_sise", 1));
  STATUS(BAD, lightning_db_options_set_int(options, "page_size", -1));
  STATUS(BAD, lightning_db_options_set_int(options, "page_size", INT64_MIN));
  STATUS(BAD, lightning_db_options_set_bool(options, "page_size", true));
  STATUS(BAD, lightning_db_options_set_text(options, "default_level", NULL));
  STATUS(BAD, lightning_db_options_set_text(options, "default_level", "\xff"));
  STATUS(BAD, lightning_db_options_set_text(options, "mode", "r+"));
  double wrong[] = {NAN, INFINITY, -1.0, 1e300};
  for (size_t i = 0; i < 4; i++) STATUS(BAD, lightning_db_options_set_seconds(options, "checkpoint_interval", wrong[i]));
  STATUS(0, lightning_db_options_set_int(options, "page_size", 1000));
  NONE(BAD, lightning_db_create(path_in(folder, "x"), options));
  CHECK(strstr(lightning_db_last_error(), "page_size"));
  // The mode is an option too.
  STATUS(0, lightning_db_options_set_text(options, "mode", "rw"));
  STATUS(0, lightning_db_options_set_int(options, "page_size", 8192));
  NONE(LIGHTNING_DB_NOT_FOUND, lightning_db_create(path_in(folder, "x"), options));
  STATUS(0, lightning_db_options_set_text(options, "mode", "rwc"));
  STATUS(0, lightning_db_options_set_int(options, "page_size", 1000));
  // The last value counts; the same options open more than one database.
  STATUS(0, lightning_db_options_set_int(options, "page_size", 8192));
  lightning_db_t *one = lightning_db_create(path_in(folder, "one"), options);
  lightning_db_t *two = lightning_db_create(path_in(folder, "two"), options);
  CHECK(one && two);
  STATUS(0, lightning_db_options_free(options));
  STATUS(GONE, lightning_db_options_free(options));
  NONE(GONE, lightning_db_create(path_in(folder, "three"), options));
  lightning_db_destroy(one);
  lightning_db_destroy(two);
}

static void scan_options(void) {
  struct all all = open_all();
  lightning_db_scan_options_t options = LIGHTNING_DB_SCAN_OPTIONS;
  size_t sizes[] = {0, 1, sizeof options - 1, sizeof options + 5000, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    options.struct_size = sizes[i];
    NONE(BAD, lightning_db_scan_new(all.db, &options));
  }
  // A later version, with a field that is not used, and then used.
  struct {
    lightning_db_scan_options_t known;
    uint64_t later;
  } later = {LIGHTNING_DB_SCAN_OPTIONS, 0};
  later.known.struct_size = sizeof later;
  lightning_db_scan_t *scan = lightning_db_scan_new(all.db, &later.known);
  CHECK(scan && lightning_db_scan_free(scan) == 0);
  later.later = 1;
  NONE(BAD, lightning_db_scan_new(all.db, &later.known));

  options = (lightning_db_scan_options_t)LIGHTNING_DB_SCAN_OPTIONS;
  options.gte = (lightning_db_bytes_t){NULL, 3};
  NONE(BAD, lightning_db_scan_new(all.db, &options));
  options.gte = (lightning_db_bytes_t){"a", SIZE_MAX};
  NONE(BAD, lightning_db_scan_new(all.db, &options));
  options.gte = options.gt = (lightning_db_bytes_t){"a", 1};
  NONE(BAD, lightning_db_scan_new(all.db, &options));
  // The empty key is a bound: nothing is in front of it.
  options = (lightning_db_scan_options_t)LIGHTNING_DB_SCAN_OPTIONS;
  options.lt = (lightning_db_bytes_t){"", 0};
  scan = lightning_db_scan_new(all.db, &options);
  lightning_db_bytes_t key = {"x", 1};
  STATUS(0, lightning_db_scan_next(scan, &key, NULL));
  CHECK(key.data == NULL);
  STATUS(0, lightning_db_scan_free(scan));

  // What is lent outlives the database; the next call is Closed, and stays so.
  lightning_db_bytes_t value;
  STATUS(0, lightning_db_scan_free(all.scan));
  options = (lightning_db_scan_options_t)LIGHTNING_DB_SCAN_OPTIONS;
  options.gte = (lightning_db_bytes_t){"k", 1};
  all.scan = lightning_db_scan_new(all.db, &options);
  STATUS(0, lightning_db_scan_next(all.scan, &key, &value));
  STATUS(0, lightning_db_destroy(all.db));
  CHECK(key.len == 1 && *key.data == 'k' && value.len == 1 && *value.data == 'v');
  for (int i = 0; i < 3; i++) {
    STATUS(GONE, lightning_db_scan_next(all.scan, &key, &value));
    CHECK(key.data && key.len == 0);
    STATUS(GONE, lightning_db_scan_status(all.scan));
  }
  all.db = NULL;
  free_all(all, 0);
}

// Comparators, keyspaces, reports and figures: what may be wrong with their arguments.
static int backwards(const char *a, size_t a_len, const char *b, size_t b_len, void *user) {
  (void)user;
  size_t least = a_len < b_len ? a_len : b_len;
  int order = least ? memcmp(b, a, least) : 0;
  return order ? order : (b_len > a_len) - (b_len < a_len);
}

static void count_one(void *user) { ++*(int *)user; }

static void comparators(void) {
  int freed = 0;
  lightning_db_options_t *options = lightning_db_options_new();
  STATUS(BAD, lightning_db_options_set_comparator(NULL, "backwards", backwards, &freed, count_one));
  STATUS(BAD, lightning_db_options_set_comparator(options, "backwards", NULL, &freed, count_one));
  STATUS(BAD, lightning_db_options_add_comparator(options, NULL, backwards, &freed, count_one));
  STATUS(BAD, lightning_db_options_add_comparator(options, "", backwards, &freed, count_one));
  STATUS(BAD, lightning_db_options_set_comparator(options, "decimal", backwards, &freed, count_one));
  STATUS(BAD, lightning_db_options_set_comparator(options, "\xff", backwards, &freed, count_one));
  CHECK(freed == 0);
  // What is replaced is freed, by a value of another kind too.
  STATUS(0, lightning_db_options_set_comparator(options, "backwards", backwards, &freed, count_one));
  STATUS(0, lightning_db_options_set_comparator(options, "backwards", backwards, &freed, count_one));
  CHECK(freed == 1);
  STATUS(0, lightning_db_options_set_text(options, "comparator", "decimal"));
  CHECK(freed == 2);
  STATUS(0, lightning_db_options_set_comparator(options, "backwards", backwards, &freed, count_one));
  STATUS(0, lightning_db_options_add_comparator(options, "backwards2", backwards, &freed, count_one));
  STATUS(0, lightning_db_options_add_comparator(options, "backwards2", backwards, NULL, NULL));
  CHECK(freed == 3);
  lightning_db_t *db = lightning_db_create(path_in(folder, "ordered"), options);
  CHECK(db);
  // Comparators that are added are those of a database, not of a keyspace.
  NONE(BAD, lightning_db_keyspace_create(db, "wrong", options));
  STATUS(0, lightning_db_options_free(options));
  STATUS(GONE, lightning_db_options_set_comparator(options, "backwards", backwards, &freed, count_one));
  CHECK(freed == 3);
  lightning_db_bytes_t key;
  STATUS(0, lightning_db_put(db, "a", 1, "", 0));
  STATUS(0, lightning_db_put(db, "", 0, "", 0));
  STATUS(0, lightning_db_put(db, "b", 1, "", 0));
  STATUS(0, lightning_db_flush(db));
  lightning_db_scan_t *scan = lightning_db_scan_new(db, NULL);
  STATUS(0, lightning_db_scan_next(scan, &key, NULL));
  CHECK(key.len == 1 && *key.data == 'b');
  STATUS(0, lightning_db_scan_free(scan));
  STATUS(0, lightning_db_backup(db, path_in(folder, "ordered backup")));
  STATUS(0, lightning_db_destroy(db));
  CHECK(freed == 4);
  // Without it the database does not open.
  NONE(LIGHTNING_DB_MISMATCH, lightning_db_open(path_in(folder, "ordered"), NULL));
  STATUS(LIGHTNING_DB_MISMATCH, lightning_db_restore(path_in(folder, "ordered backup"), path_in(folder, "again")));
  options = lightning_db_options_new();
  STATUS(0, lightning_db_options_set_comparator(options, "backwards", backwards, &freed, count_one));
  STATUS(0, lightning_db_restore_with(path_in(folder, "ordered backup"), path_in(folder, "again"), options));
  lightning_db_report_t *report = lightning_db_check(path_in(folder, "again"), options, NULL, NULL);
  CHECK(report && lightning_db_report_free(report) == 0);
  STATUS(0, lightning_db_options_free(options));
  CHECK(freed == 5);
}

static void keyspaces(void) {
  struct all all = open_all();
  int freed = 0;
  lightning_db_options_t *options = lightning_db_options_new();
  STATUS(0, lightning_db_options_set_comparator(options, "backwards", backwards, &freed, count_one));
  NONE(BAD, lightning_db_keyspace_create(all.db, NULL, options));
  NONE(BAD, lightning_db_keyspace_create(all.db, "", options));
  NONE(BAD, lightning_db_keyspace_create(all.db, "\xff", options));
  NONE(BAD, lightning_db_keyspace(all.db, NULL));
  STATUS(BAD, lightning_db_put_within(all.db, "k", 1, "v", 1, LIGHTNING_DB_STRONG, -1));
  STATUS(BAD, lightning_db_delete_within(all.db, "k", 1, LIGHTNING_DB_STRONG, INT64_MIN));
  STATUS(BAD, lightning_db_batch_write_within(all.batch, 99, 1));
  STATUS(0, lightning_db_put_within(all.db, "k", 1, "v", 1, LIGHTNING_DB_STRONG, INT64_MAX));
  STATUS(BAD, lightning_db_keyspace_drop(all.db, NULL));
  STATUS(BAD, lightning_db_keyspace_list(all.db, NULL, NULL));
  lightning_db_t *keyspace = lightning_db_keyspace_create(all.db, "other", options), *again;
  CHECK(keyspace && lightning_db_options_free(options) == 0 && freed == 0);
  // Everything through the keyspace, closed alone and freed alone, twice.
  again = lightning_db_keyspace(keyspace, "other");
  STATUS(0, lightning_db_put(keyspace, "a", 1, "1", 1));
  STATUS(0, lightning_db_put(again, "b", 1, "2", 1));
  lightning_db_snapshot_t *snapshot = lightning_db_snapshot_in(all.snapshot, keyspace);
  lightning_db_txn_t *txn = lightning_db_txn_in(all.txn, keyspace);
  CHECK(snapshot && txn);
  STATUS(0, lightning_db_txn_put(txn, "c", 1, "3", 1));
  STATUS(0, lightning_db_close(keyspace));
  STATUS(0, lightning_db_close(keyspace));
  NONE(GONE, lightning_db_get(keyspace, "a", 1, NULL));
  STATUS(0, lightning_db_destroy(keyspace));
  STATUS(GONE, lightning_db_destroy(keyspace));
  STATUS(GONE, lightning_db_close(keyspace));
  NONE(0, lightning_db_snapshot_get(snapshot, "a", 1, NULL));
  // Freed alone; the transaction goes on, and ends in all handles.
  lightning_db_txn_t *second = lightning_db_txn_in(txn, again);
  STATUS(0, lightning_db_txn_free(txn));
  STATUS(GONE, lightning_db_txn_free(txn));
  STATUS(0, lightning_db_txn_commit(second));
  STATUS(GONE, lightning_db_txn_put(all.txn, "c", 1, "3", 1));
  STATUS(GONE, lightning_db_txn_commit(second));
  STATUS(0, lightning_db_txn_free(second));
  bool present = false;
  STATUS(0, lightning_db_contains(again, "c", 1, &present));
  CHECK(present);
  // Many of them leave nothing behind, and the one that began it takes it back.
  lightning_db_txn_t *begun = lightning_db_txn_begin(again);
  for (int i = 0; i < 1000; i++) STATUS(0, lightning_db_txn_free(lightning_db_txn_in(begun, all.db)));
  second = lightning_db_txn_in(begun, all.db);
  STATUS(0, lightning_db_txn_free(begun));
  STATUS(GONE, lightning_db_txn_put(second, "c", 1, "3", 1));
  STATUS(0, lightning_db_txn_free(second));
  uint64_t active = 9;
  STATUS(0, lightning_db_stat_int(again, "active_transactions", &active));
  CHECK(active == 0);
  STATUS(0, lightning_db_keyspace_drop(again, "other"));
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_put(again, "a", 1, "1", 1));
  size_t len;
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_get_into(again, "a", 1, NULL, 0, &len));
  CHECK(!lightning_db_last_error_is_absent_key());
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_get_into(all.db, "a", 1, NULL, 0, &len));
  CHECK(lightning_db_last_error_is_absent_key());
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_batch_put_in(all.batch, again, "a", 1, "1", 1));
  free_all(all, 0);
  // The keyspace's handle outlives the database.
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_put(again, "a", 1, "1", 1));
  STATUS(0, lightning_db_destroy(again));
  STATUS(0, lightning_db_snapshot_free(snapshot));
  CHECK(freed == 1);
}

static void ingests(void) {
  struct all all = open_all();
  uint64_t entries = 7;
  lightning_db_ingest_t *ingest = lightning_db_ingest_new(all.db);
  STATUS(0, lightning_db_ingest_add(ingest, "b", 1, NULL, 0));
  STATUS(BAD, lightning_db_ingest_add(ingest, "a", 1, NULL, 0));
  STATUS(GONE, lightning_db_ingest_add(ingest, "c", 1, NULL, 0));
  STATUS(GONE, lightning_db_ingest_finish(ingest, &entries));
  CHECK(entries == 0);
  STATUS(0, lightning_db_ingest_free(ingest));
  STATUS(GONE, lightning_db_ingest_free(ingest));
  STATUS(GONE, lightning_db_ingest_add(ingest, "c", 1, NULL, 0));
  STATUS(BAD, lightning_db_ingest_add(NULL, "c", 1, NULL, 0));
  STATUS(BAD, lightning_db_ingest_finish((lightning_db_ingest_t *)all.db, NULL));
  STATUS(0, lightning_db_ingest_free(NULL));
  // One that is left alone leaves nothing, one that fails at the boundary has ended too.
  ingest = lightning_db_ingest_new(all.db);
  STATUS(0, lightning_db_ingest_add(ingest, "b", 1, NULL, 0));
  STATUS(0, lightning_db_ingest_free(ingest));
  NONE(0, lightning_db_get(all.db, "b", 1, NULL));
  ingest = lightning_db_ingest_new(all.db);
  STATUS(BAD, lightning_db_ingest_add(ingest, NULL, 5, NULL, 0));
  STATUS(GONE, lightning_db_ingest_finish(ingest, NULL));
  STATUS(0, lightning_db_ingest_free(ingest));
  ingest = lightning_db_ingest_new(all.db);
  STATUS(0, lightning_db_ingest_add(ingest, "", 0, "1", 1));
  STATUS(0, lightning_db_ingest_add(ingest, "a", 1, "2", 1));
  STATUS(0, lightning_db_ingest_finish(ingest, &entries));
  CHECK(entries == 2);
  STATUS(GONE, lightning_db_ingest_finish(ingest, NULL));
  STATUS(0, lightning_db_ingest_free(ingest));
  // Closed with its database.
  ingest = lightning_db_ingest_new(all.db);
  STATUS(0, lightning_db_ingest_add(ingest, "z", 1, "1", 1));
  free_all(all, 0);
  STATUS(GONE, lightning_db_ingest_finish(ingest, NULL));
  STATUS(0, lightning_db_ingest_free(ingest));
}

static int stop(const lightning_db_compaction_t *progress, void *user) {
  *(uint64_t *)user = progress->bytes_in;
  return -1;
}

static void reports_and_figures(void) {
  struct all all = open_all();
  uint64_t number = 7;
  double ratio = 7;
  STATUS(BAD, lightning_db_compact_with(all.db, NULL, NULL));
  STATUS(LIGHTNING_DB_CANCELLED, lightning_db_compact_with(all.db, stop, &number));
  lightning_db_figures_t *metrics = lightning_db_metrics(all.db), *memory = lightning_db_memory_stats(all.db);
  lightning_db_figures_t *both[] = {metrics, memory};
  for (size_t which = 0; which < 2; which++) {
    size_t count = 0;
    for (const char *name; (name = lightning_db_figures_name(both[which], count)); count++) {
      STATUS(0, lightning_db_figures_number(both[which], name, &ratio));
    }
    CHECK(count > 5 && lightning_db_last_error_code() == 0);
    CHECK(!lightning_db_figures_name(both[which], SIZE_MAX));
  }
  STATUS(0, lightning_db_figures_int(metrics, "writes", &number));
  CHECK(number > 0);
  STATUS(BAD, lightning_db_figures_int(metrics, "writes", NULL));
  STATUS(BAD, lightning_db_figures_int(metrics, NULL, &number));
  STATUS(BAD, lightning_db_figures_int(metrics, "no such figure", &number));
  STATUS(BAD, lightning_db_figures_int(metrics, "write_ops_per_sec", &number));
  STATUS(BAD, lightning_db_figures_number((lightning_db_figures_t *)all.db, "writes", &ratio));
  STATUS(0, lightning_db_figures_free(metrics));
  STATUS(GONE, lightning_db_figures_free(metrics));
  NONE(GONE, lightning_db_figures_name(metrics, 0));
  STATUS(GONE, lightning_db_figures_number(metrics, "writes", &ratio));
  STATUS(0, lightning_db_figures_free(memory));
  STATUS(0, lightning_db_figures_free(NULL));

  NONE(LIGHTNING_DB_LOCKED, lightning_db_check(path_in(folder, "db"), NULL, NULL, NULL));
  free_all(all, 0);
  NONE(BAD, lightning_db_check(NULL, NULL, NULL, NULL));
  NONE(BAD, lightning_db_repair("", NULL, NULL, NULL));
  lightning_db_report_t *report = lightning_db_repair(path_in(folder, "db"), NULL, NULL, NULL);
  bool ok = false;
  STATUS(0, lightning_db_report_is_ok(report, &ok));
  CHECK(ok);
  STATUS(0, lightning_db_report_int(report, "repaired", &number));
  CHECK(number == 0);
  STATUS(BAD, lightning_db_report_int(report, "no such number", &number));
  STATUS(BAD, lightning_db_report_int(report, "files", NULL));
  STATUS(BAD, lightning_db_report_is_ok(report, NULL));
  lightning_db_finding_t finding = LIGHTNING_DB_FINDING;
  int lists[] = {-1, 4, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < 4; i++) STATUS(BAD, lightning_db_report_finding(report, lists[i], 0, &finding));
  STATUS(BAD, lightning_db_report_finding(report, LIGHTNING_DB_NOTES, 0, NULL));
  STATUS(LIGHTNING_DB_NOT_FOUND, lightning_db_report_finding(report, LIGHTNING_DB_PROBLEMS, SIZE_MAX, &finding));
  finding.struct_size = 8;
  STATUS(BAD, lightning_db_report_finding(report, LIGHTNING_DB_NOTES, 0, &finding));
  STATUS(0, lightning_db_report_free(report));
  STATUS(GONE, lightning_db_report_free(report));
  STATUS(GONE, lightning_db_report_is_ok(report, &ok));
  NONE(GONE, lightning_db_report_text(report));
  STATUS(BAD, lightning_db_report_free((lightning_db_report_t *)all.db));
}

static lightning_db_txn_t *kept;

static int keep_it(lightning_db_txn_t *txn, void *user) {
  kept = txn;
  return *(int *)user;
}

static int end_it(lightning_db_txn_t *txn, void *user) {
  switch (*(int *)user) {
    case 0: return lightning_db_txn_commit(txn);
    case 1: return lightning_db_txn_abort(txn);
    case 2: return lightning_db_txn_free(txn);
    default: return lightning_db_txn_put(txn, NULL, 1, NULL, 0);
  }
}

static void callbacks(void) {
  struct all all = open_all();
  STATUS(BAD, lightning_db_transact(all.db, NULL, NULL));
  int results[] = {0, -1, 12345, LIGHTNING_DB_NOT_FOUND, INT32_MIN};
  for (size_t i = 0; i < 5; i++) {
    STATUS(results[i], lightning_db_transact(all.db, keep_it, &results[i]));
    STATUS(GONE, lightning_db_txn_put(kept, "k", 1, "v", 1));
    STATUS(GONE, lightning_db_txn_free(kept));
  }
  int conflict = LIGHTNING_DB_CONFLICT;
  STATUS(conflict, lightning_db_transact(all.db, keep_it, &conflict));
  for (int i = 0; i < 3; i++) STATUS(GONE, lightning_db_transact(all.db, end_it, &i));
  // The error of a call in the callback comes out with its reason.
  int put = 3;
  STATUS(BAD, lightning_db_transact(all.db, end_it, &put));
  CHECK(strstr(lightning_db_last_error(), "key"));
  uint64_t active = 9;
  STATUS(0, lightning_db_stat_int(all.db, "active_transactions", &active));
  CHECK(active == 1);
  free_all(all, 0);
}

static void numbers_of_errors(void) {
  CHECK(strcmp(lightning_db_error_name(0), "Ok") == 0);
  CHECK(strcmp(lightning_db_error_name(LIGHTNING_DB_NOT_A_DATABASE), "NotADatabase") == 0);
  int unknown[] = {-1, LIGHTNING_DB_INTERNAL + 1, 256 + 7, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < 5; i++) {
    CHECK(strcmp(lightning_db_error_name(unknown[i]), "Unknown") == 0);
    CHECK(!lightning_db_error_is_retryable(unknown[i]));
    STATUS(BAD, lightning_db_error_raise(unknown[i]));
  }
  STATUS(BAD, lightning_db_error_raise(0));
  for (int code = 1; code <= LIGHTNING_DB_INTERNAL; code++) {
    STATUS(code, lightning_db_error_raise(code));
    CHECK(strncmp(lightning_db_last_error(), lightning_db_error_name(code), strlen(lightning_db_error_name(code))) == 0);
    CHECK(!lightning_db_last_error_offset(NULL) && lightning_db_last_error_os_code() == 0);
  }
  CHECK(strcmp(lightning_db_version(), LIGHTNING_DB_VERSION) == 0);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  null_handles();
  closed_and_freed_handles();
  handles_of_other_kinds();
  wrong_lengths();
  missing_places();
  paths_and_options();
  scan_options();
  comparators();
  keyspaces();
  ingests();
  reports_and_figures();
  callbacks();
  numbers_of_errors();
  printf("bad use: %d checks passed\n", checks);
  return 0;
}
