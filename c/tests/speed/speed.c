// Nanoseconds per call. speed FOLDER; speed.rs makes the same calls from Rust.
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <time.h>

#include "../check.h"

#define HOT 10000
#define CALLS 20000
#define PARTS 25
#define MANY 100

static char keys[HOT][24];
static uint64_t state = 1;

static size_t random_below(size_t end) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (size_t)((state >> 33) % end);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// Runs `calls` calls several times and prints the best: others use the machine too.
static void row(const char *name, size_t calls, void (*run)(lightning_db_t *, size_t), lightning_db_t *db) {
  double best = 1e18;
  for (int part = 0; part < PARTS; part++) {
    double start = now();
    run(db, calls);
    double ns = (now() - start) / (double)calls;
    if (ns < best) best = ns;
  }
  printf("C     %-36s %8.1f ns\n", name, best);
}

static void put_at(lightning_db_t *db, size_t calls, int level) {
  char value[100];
  memset(value, 'v', sizeof value);
  for (size_t i = 0; i < calls; i++) {
    if (lightning_db_put_with(db, keys[random_below(HOT)], 16, value, sizeof value, level) != 0) abort();
  }
}

static void put_eventual(lightning_db_t *db, size_t calls) { put_at(db, calls, LIGHTNING_DB_EVENTUAL); }
static void put_quorum(lightning_db_t *db, size_t calls) { put_at(db, calls, LIGHTNING_DB_QUORUM); }

static void get(lightning_db_t *db, size_t calls) {
  size_t len;
  for (size_t i = 0; i < calls; i++) {
    char *value = lightning_db_get(db, keys[random_below(HOT)], 16, &len);
    if (!value || len != 100) abort();
    lightning_db_free_value(value);
  }
}

static void get_into(lightning_db_t *db, size_t calls) {
  size_t len;
  char buffer[128];
  for (size_t i = 0; i < calls; i++) {
    if (lightning_db_get_into(db, keys[random_below(HOT)], 16, buffer, sizeof buffer, &len) != 0) abort();
  }
}

static void contains(lightning_db_t *db, size_t calls) {
  bool present;
  for (size_t i = 0; i < calls; i++) {
    if (lightning_db_contains(db, keys[random_below(HOT)], 16, &present) != 0 || !present) abort();
  }
}

static void get_many(lightning_db_t *db, size_t calls) {
  for (size_t i = 0; i < calls / MANY; i++) {
    lightning_db_bytes_t asked[MANY], *values;
    for (int j = 0; j < MANY; j++) asked[j] = (lightning_db_bytes_t){keys[random_below(HOT)], 16};
    if (lightning_db_get_many(db, asked, MANY, &values) != 0) abort();
    lightning_db_free_values(values);
  }
}

static void scan_items(lightning_db_t *db, size_t calls) {
  lightning_db_scan_t *scan = lightning_db_scan_new(db, NULL);
  size_t items = 0;
  for (lightning_db_bytes_t key, value;; items++) {
    if (lightning_db_scan_next(scan, &key, &value) != 0) abort();
    if (!key.data) break;
  }
  if (items != calls) abort();
  lightning_db_scan_free(scan);
}

static void snapshots(lightning_db_t *db, size_t calls) {
  for (size_t i = 0; i < calls; i++) lightning_db_snapshot_free(lightning_db_snapshot_new(db));
}

// What every call has: the handle, the guard, the thread's error; here also the lock of a scan.
static void nothing(lightning_db_t *db, size_t calls) {
  lightning_db_scan_t *scan = lightning_db_scan_new(db, NULL);
  for (size_t i = 0; i < calls; i++) {
    if (lightning_db_scan_status(scan) != 0) abort();
  }
  lightning_db_scan_free(scan);
}

static void reads(lightning_db_t *db) {
  row("get and free_value", CALLS, get, db);
  row("get_into", CALLS, get_into, db);
  row("contains", CALLS, contains, db);
  row("get_many of 100, a key", CALLS, get_many, db);
  row("scan, an item", HOT, scan_items, db);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  for (size_t i = 0; i < HOT; i++) snprintf(keys[i], sizeof keys[i], "%016zu", i);
  lightning_db_t *db = lightning_db_create(argv[1], NULL);
  CHECK(db);
  for (size_t i = 0; i < HOT; i++) {
    char value[100] = {0};
    CHECK(lightning_db_put_with(db, keys[i], 16, value, sizeof value, LIGHTNING_DB_QUORUM) == 0);
  }
  printf("10,000 hot records in the memtable:\n");
  reads(db);
  CHECK(lightning_db_compact(db) == 0);
  printf("in a table, cached:\n");
  reads(db);
  row("snapshot_new and _free", CALLS, snapshots, db);
  row("scan_status: no work", CALLS, nothing, db);
  row("put, Eventual", CALLS, put_eventual, db);
  row("put, Quorum", CALLS, put_quorum, db);
  return lightning_db_destroy(db);
}
