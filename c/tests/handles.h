// One handle of each kind, and every call that takes one.
#ifndef HANDLES_H
#define HANDLES_H

#include "check.h"

static const char *folder;

static int go_on(const lightning_db_compaction_t *progress, void *user) {
  (void)progress, (void)user;
  return 0;
}

// Every call with a handle; a scan is begun of each kind of reader.
static void all_calls_fail(int error, lightning_db_t *db, lightning_db_batch_t *batch, lightning_db_scan_t *scan,
                           lightning_db_snapshot_t *snapshot, lightning_db_txn_t *txn) {
  char buffer[8];
  size_t len = 7;
  bool present = true;
  uint64_t number;
  double ratio;
  lightning_db_bytes_t key = {"k", 1}, *values, entry;
  STATUS(error, lightning_db_put(db, "k", 1, "v", 1));
  STATUS(error, lightning_db_put_with(db, "k", 1, "v", 1, LIGHTNING_DB_STRONG));
  STATUS(error, lightning_db_delete(db, "k", 1));
  STATUS(error, lightning_db_delete_with(db, "k", 1, LIGHTNING_DB_QUORUM));
  NONE(error, lightning_db_get(db, "k", 1, &len));
  CHECK(len == 0);
  STATUS(error, lightning_db_get_into(db, "k", 1, buffer, sizeof buffer, &len));
  STATUS(error, lightning_db_get_many(db, &key, 1, &values));
  CHECK(values == NULL);
  STATUS(error, lightning_db_contains(db, "k", 1, &present));
  CHECK(!present);
  number = 7;
  STATUS(error, lightning_db_count(db, NULL, &number));
  CHECK(number == 0);
  number = 7;
  STATUS(error, lightning_db_approximate_size(db, NULL, &number));
  CHECK(number == 0);
  STATUS(error, lightning_db_put_within(db, "k", 1, "v", 1, LIGHTNING_DB_STRONG, 1));
  STATUS(error, lightning_db_delete_within(db, "k", 1, LIGHTNING_DB_STRONG, 1));
  NONE(error, lightning_db_keyspace(db, "default"));
  NONE(error, lightning_db_keyspace_create(db, "other", NULL));
  STATUS(error, lightning_db_keyspace_drop(db, "other"));
  STATUS(error, lightning_db_keyspace_list(db, &values, &len));
  CHECK(values == NULL && len == 0);
  NONE(error, lightning_db_snapshot_in(snapshot, db));
  NONE(error, lightning_db_txn_in(txn, db));
  STATUS(error, lightning_db_batch_put_in(batch, db, "k", 1, "v", 1));
  STATUS(error, lightning_db_batch_delete_in(batch, db, "k", 1));
  STATUS(error, lightning_db_batch_write_within(batch, LIGHTNING_DB_QUORUM, 1));
  STATUS(error, lightning_db_compact_with(db, go_on, NULL));
  NONE(error, lightning_db_metrics(db));
  NONE(error, lightning_db_memory_stats(db));
  NONE(error, lightning_db_prometheus(db));
  NONE(error, lightning_db_ingest_new(db));
  NONE(error, lightning_db_scan_new(db, NULL));
  NONE(error, lightning_db_snapshot_new(db));
  NONE(error, lightning_db_txn_begin(db));
  NONE(error, lightning_db_batch_new(db));
  STATUS(error, lightning_db_flush(db));
  STATUS(error, lightning_db_compact(db));
  STATUS(error, lightning_db_clear_cache(db));
  STATUS(error, lightning_db_backup(db, path_in(folder, "backup")));
  STATUS(error, lightning_db_stat_int(db, "total_keys", &number));
  STATUS(error, lightning_db_stat_ratio(db, "cache_hit_rate", &ratio));
  STATUS(error, lightning_db_stat_list(db, "tables_per_level", &number, 1, &len));
  NONE(error, lightning_db_stat_text(db, "background_error"));
  STATUS(error, lightning_db_batch_write(batch));
  STATUS(error, lightning_db_scan_next(scan, &entry, NULL));
  NONE(error, lightning_db_snapshot_get(snapshot, "k", 1, &len));
  STATUS(error, lightning_db_snapshot_get_into(snapshot, "k", 1, buffer, sizeof buffer, &len));
  NONE(error, lightning_db_snapshot_scan(snapshot, NULL));
  NONE(error, lightning_db_txn_get(txn, "k", 1, &len));
  STATUS(error, lightning_db_txn_get_into(txn, "k", 1, buffer, sizeof buffer, &len));
  STATUS(error, lightning_db_txn_put(txn, "k", 1, "v", 1));
  STATUS(error, lightning_db_txn_delete(txn, "k", 1));
  NONE(error, lightning_db_txn_scan(txn, NULL));
  STATUS(error, lightning_db_txn_commit(txn));
}

struct all {
  lightning_db_t *db;
  lightning_db_batch_t *batch;
  lightning_db_scan_t *scan;
  lightning_db_snapshot_t *snapshot;
  lightning_db_txn_t *txn;
};

static struct all open_all(void) {
  struct all all;
  all.db = lightning_db_create(path_in(folder, "db"), NULL);
  CHECK(all.db && lightning_db_put(all.db, "k", 1, "v", 1) == 0);
  all.batch = lightning_db_batch_new(all.db);
  all.scan = lightning_db_scan_new(all.db, NULL);
  all.snapshot = lightning_db_snapshot_new(all.db);
  all.txn = lightning_db_txn_begin(all.db);
  CHECK(all.batch && all.scan && all.snapshot && all.txn);
  return all;
}

static void free_all(struct all all, int expected) {
  STATUS(expected, lightning_db_batch_free(all.batch));
  STATUS(expected, lightning_db_scan_free(all.scan));
  STATUS(expected, lightning_db_snapshot_free(all.snapshot));
  STATUS(expected, lightning_db_txn_free(all.txn));
  STATUS(expected, lightning_db_destroy(all.db));
}

#endif
