// Many threads on the same handles, which are freed in the middle. threads FOLDER
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "check.h"

#define THREADS 8
#define ROUNDS 6

// Handles of one round, used by all threads; each is freed by whoever comes first.
struct shared {
  lightning_db_t *db;
  lightning_db_batch_t *batch;
  lightning_db_scan_t *scan;
  lightning_db_snapshot_t *snapshot;
  lightning_db_txn_t *txn;
  // The same through a keyspace.
  lightning_db_t *keyspace;
  lightning_db_snapshot_t *snapshot_in;
  lightning_db_txn_t *txn_in;
  atomic_int done;
};

static atomic_long calls, closed;

// What may come out of a call on a handle that others use and free.
static void judge(int status) {
  atomic_fetch_add(&calls, 1);
  if (status == LIGHTNING_DB_CLOSED) atomic_fetch_add(&closed, 1);
  bool fine = status == 0 || status == LIGHTNING_DB_CLOSED || status == LIGHTNING_DB_CONFLICT || status == LIGHTNING_DB_CANCELLED;
  if (!fine) {
    fprintf(stderr, "%d: %s\n", status, lightning_db_last_error());
    exit(1);
  }
}

static void judge_pointer(const void *pointer) { judge(pointer ? 0 : lightning_db_last_error_code()); }

static int add_one(lightning_db_txn_t *txn, void *user) {
  (void)user;
  size_t len;
  char *value = lightning_db_txn_get(txn, "count", 5, &len);
  if (!value && lightning_db_last_error_code() != 0) return lightning_db_last_error_code();
  char text[32];
  int digits = snprintf(text, sizeof text, "%ld", value ? atol(value) + 1 : 1);
  lightning_db_free_value(value);
  return lightning_db_txn_put(txn, "count", 5, text, (size_t)digits);
}

static void reads(struct shared *shared, const char *key) {
  size_t len;
  char buffer[16];
  char *value = lightning_db_get(shared->db, key, 4, &len);
  judge_pointer(value);
  if (value && (len != 4 || memcmp(value, "same", 4) != 0)) exit(1);
  lightning_db_free_value(value);
  judge(lightning_db_get_into(shared->db, key, 4, buffer, sizeof buffer, &len));
  value = lightning_db_snapshot_get(shared->snapshot, key, 4, &len);
  judge(value ? 0 : lightning_db_last_error_code());
  lightning_db_free_value(value);
  lightning_db_bytes_t keys[] = {{key, 4}, {"none", 4}}, *values, entry;
  judge(lightning_db_get_many(shared->db, keys, 2, &values));
  lightning_db_free_values(values);
  // What others' calls make invalid is not looked at.
  judge(lightning_db_scan_next(shared->scan, &entry, NULL));
  lightning_db_scan_t *scan = lightning_db_scan_new(shared->db, NULL);
  judge_pointer(scan);
  for (int status = 0; scan;) {
    status = lightning_db_scan_next(scan, &entry, NULL);
    judge(status);
    if (status != 0 || !entry.data) break;
  }
  if (scan) judge(lightning_db_scan_free(scan));
}

static void *work(void *user) {
  struct shared *shared = user;
  const char *key = "key0";
  while (!atomic_load(&shared->done)) {
    judge(lightning_db_put_with(shared->db, key, 4, "same", 4, LIGHTNING_DB_EVENTUAL));
    reads(shared, key);
    judge(lightning_db_batch_put(shared->batch, key, 4, "same", 4));
    judge(lightning_db_batch_write_with(shared->batch, LIGHTNING_DB_QUORUM));
    judge(lightning_db_txn_put(shared->txn, key, 4, "same", 4));
    judge(lightning_db_transact(shared->db, add_one, NULL));
    judge(lightning_db_put_with(shared->keyspace, key, 4, "same", 4, LIGHTNING_DB_EVENTUAL));
    judge(lightning_db_batch_put_in(shared->batch, shared->keyspace, key, 4, "same", 4));
    judge(lightning_db_transact(shared->keyspace, add_one, NULL));
    judge(lightning_db_txn_put(shared->txn_in, key, 4, "same", 4));
    lightning_db_txn_t *through = lightning_db_txn_in(shared->txn, shared->keyspace);
    judge_pointer(through);
    if (through) judge(lightning_db_txn_put(through, key, 4, "same", 4));
    judge(lightning_db_txn_free(through));
    char *value = lightning_db_snapshot_get(shared->snapshot_in, key, 4, NULL);
    judge_pointer(value);
    lightning_db_free_value(value);
  }
  judge(lightning_db_txn_free(shared->txn_in));
  judge(lightning_db_snapshot_free(shared->snapshot_in));
  judge(lightning_db_destroy(shared->keyspace));
  // Every thread frees everything; who comes second is told.
  judge(lightning_db_txn_free(shared->txn));
  judge(lightning_db_scan_free(shared->scan));
  judge(lightning_db_snapshot_free(shared->snapshot));
  judge(lightning_db_batch_free(shared->batch));
  judge(lightning_db_destroy(shared->db));
  return NULL;
}

static void round_of(const char *folder, int round) {
  lightning_db_options_t *options = lightning_db_options_new();
  CHECK(lightning_db_options_set_text(options, "default_level", "quorum") == 0);
  struct shared shared = {.db = lightning_db_create(path_in(folder, "threads"), options)};
  CHECK(shared.db && lightning_db_options_free(options) == 0);
  CHECK(lightning_db_put(shared.db, "key0", 4, "same", 4) == 0);
  shared.batch = lightning_db_batch_new(shared.db);
  shared.scan = lightning_db_scan_new(shared.db, NULL);
  shared.snapshot = lightning_db_snapshot_new(shared.db);
  shared.txn = lightning_db_txn_begin(shared.db);
  shared.keyspace = lightning_db_keyspace_create(shared.db, "other", NULL);
  if (!shared.keyspace) shared.keyspace = lightning_db_keyspace(shared.db, "other");
  CHECK(shared.keyspace);
  shared.snapshot_in = lightning_db_snapshot_in(shared.snapshot, shared.keyspace);
  shared.txn_in = lightning_db_txn_in(shared.txn, shared.keyspace);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, &shared) == 0);
  long before = atomic_load(&calls);
  while (atomic_load(&calls) < before + 20000) sched_yield();
  // In the middle of it: closed, freed, or one by one by the threads themselves.
  if (round % 3 == 0) judge(lightning_db_destroy(shared.db));
  if (round % 3 == 1) judge(lightning_db_close(shared.db));
  if (round % 3 == 2) {
    judge(lightning_db_scan_free(shared.scan));
    judge(lightning_db_txn_free(shared.txn));
    judge(lightning_db_snapshot_free(shared.snapshot));
    judge(lightning_db_batch_free(shared.batch));
  }
  before = atomic_load(&calls);
  while (atomic_load(&calls) < before + 2000) sched_yield();
  atomic_store(&shared.done, 1);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  STATUS(LIGHTNING_DB_CLOSED, lightning_db_destroy(shared.db));
}

// The last error belongs to its thread, and its text to the thread's end.
static void *other_thread(void *user) {
  (void)user;
  CHECK(lightning_db_last_error_code() == 0 && *lightning_db_last_error() == 0);
  STATUS(LIGHTNING_DB_LOCKED, lightning_db_error_raise(LIGHTNING_DB_LOCKED));
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  for (int round = 0; round < ROUNDS; round++) round_of(argv[1], round);
  CHECK(atomic_load(&closed) > 100);
  STATUS(LIGHTNING_DB_CONFLICT, lightning_db_error_raise(LIGHTNING_DB_CONFLICT));
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, other_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
  CHECK(lightning_db_last_error_code() == LIGHTNING_DB_CONFLICT);
  printf("threads: %ld calls on shared handles, %ld of them closed, 1 test passed\n", atomic_load(&calls), atomic_load(&closed));
  return 0;
}
