/* The tour in C; examples/rust/tour.rs says what it is. */

#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lightning_db.h>

#define BATCH 1000
/* Every so manieth key is read by its own. */
#define STEP 101
#define PATH_SIZE 4096

static void fail(const char *what) {
  fprintf(stderr, "tour: %s: %s\n", what, lightning_db_last_error());
  exit(1);
}

static void check(int status, const char *what) {
  if (status != LIGHTNING_DB_OK) fail(what);
}

static void *check_handle(void *handle, const char *what) {
  if (handle == NULL) fail(what);
  return handle;
}

static uint32_t crc32_of(uint32_t crc, const char *bytes, size_t len) {
  crc = ~crc;
  for (size_t i = 0; i < len; i++) {
    crc ^= (unsigned char)bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
  }
  return ~crc;
}

static const char *join(char *path, const char *folder, const char *name) {
  snprintf(path, PATH_SIZE, "%s/%s", folder, name);
  return path;
}

static lightning_db_bytes_t bytes(const char *text) {
  return (lightning_db_bytes_t){text, strlen(text)};
}

static lightning_db_scan_options_t with_prefix(const char *prefix, bool reverse, uint64_t limit) {
  lightning_db_scan_options_t options = LIGHTNING_DB_SCAN_OPTIONS;
  options.prefix = bytes(prefix);
  options.reverse = reverse;
  options.limit = limit;
  return options;
}

/* load */

static void load(const char *database, const char *input) {
  lightning_db_t *db = check_handle(lightning_db_create(database, NULL), "create");
  lightning_db_batch_t *batch = check_handle(lightning_db_batch_new(db), "batch");
  FILE *lines = check_handle(fopen(input, "rb"), "input");
  char *line = NULL;
  size_t capacity = 0, records = 0;
  for (ssize_t len; (len = getline(&line, &capacity, lines)) > 0;) {
    char *tab = check_handle(memchr(line, '\t', (size_t)len), "a line without a tab");
    const char *value = tab + 1, *end = line + len - 1;
    check(lightning_db_batch_put(batch, line, (size_t)(tab - line), value, (size_t)(end - value)), "batch put");
    if (++records % BATCH == 0) check(lightning_db_batch_write(batch), "write");
  }
  check(lightning_db_batch_write(batch), "write");
  free(line);
  fclose(lines);
  check(lightning_db_batch_free(batch), "free");
  check(lightning_db_close(db), "close");
  lightning_db_destroy(db);
}

/* gets */

typedef struct {
  lightning_db_bytes_t *all;
  size_t count;
} keys_t;

static keys_t read_keys(lightning_db_t *db) {
  keys_t keys = {NULL, 0};
  lightning_db_scan_options_t options = with_prefix("city/", false, LIGHTNING_DB_NO_LIMIT);
  lightning_db_scan_t *scan = check_handle(lightning_db_scan_new(db, &options), "scan");
  for (lightning_db_bytes_t key;;) {
    check(lightning_db_scan_next(scan, &key, NULL), "next");
    if (key.data == NULL) break;
    if ((keys.count & (keys.count + 1)) == 0) {
      keys.all = check_handle(realloc(keys.all, 2 * (keys.count + 1) * sizeof key), "memory");
    }
    char *copy = check_handle(malloc(key.len), "memory");
    memcpy(copy, key.data, key.len);
    keys.all[keys.count++] = (lightning_db_bytes_t){copy, key.len};
  }
  check(lightning_db_scan_free(scan), "free");
  return keys;
}

static void point_reads(lightning_db_t *db) {
  keys_t keys = read_keys(db);
  printf("keys\t%zu\n", keys.count);
  size_t sampled = 0, len;
  lightning_db_bytes_t *sample = check_handle(malloc((keys.count / STEP + 1) * sizeof *sample), "memory");
  uint32_t crc = 0;
  for (size_t i = 0; i < keys.count; i += STEP) {
    sample[sampled++] = keys.all[i];
    char *value = check_handle(lightning_db_get(db, keys.all[i].data, keys.all[i].len, &len), "get");
    crc = crc32_of(crc, value, len);
    lightning_db_free_value(value);
  }
  printf("gets\t%zu %08" PRIx32 "\n", sampled, crc);

  lightning_db_bytes_t *values;
  check(lightning_db_get_many(db, sample, sampled, &values), "get many");
  crc = 0;
  for (size_t i = 0; i < sampled; i++) crc = crc32_of(crc, values[i].data, values[i].len);
  lightning_db_free_values(values);
  printf("get many\t%08" PRIx32 "\n", crc);

  bool present;
  check(lightning_db_contains(db, "city/nowhere", 12, &present), "contains");
  printf("absent key\t%s\n", present ? "a value" : "none");
  for (size_t i = 0; i < keys.count; i++) free((char *)keys.all[i].data);
  free(keys.all);
  free(sample);
}

/* scans */

static void say_summary(const char *question, lightning_db_t *db, lightning_db_scan_options_t options) {
  lightning_db_scan_t *scan = check_handle(lightning_db_scan_new(db, &options), question);
  size_t count = 0;
  uint32_t crc = 0;
  for (lightning_db_bytes_t key, value;; count++) {
    check(lightning_db_scan_next(scan, &key, &value), question);
    if (key.data == NULL) break;
    crc = crc32_of(crc32_of(crc, key.data, key.len), value.data, value.len);
  }
  check(lightning_db_scan_free(scan), question);
  printf("%s\t%zu %08" PRIx32 "\n", question, count, crc);
}

static void scans(lightning_db_t *db) {
  say_summary("scan all cities", db, with_prefix("city/", false, LIGHTNING_DB_NO_LIMIT));
  say_summary("scan one country", db, with_prefix("city/JP/", false, LIGHTNING_DB_NO_LIMIT));
  say_summary("scan backwards", db, with_prefix("city/", true, LIGHTNING_DB_NO_LIMIT));
  lightning_db_scan_options_t range = LIGHTNING_DB_SCAN_OPTIONS;
  range.gte = bytes("city/DE/");
  range.lte = bytes("city/FR/Paris/0000");
  say_summary("scan a range", db, range);

  lightning_db_scan_options_t options = with_prefix("city/", true, 1);
  lightning_db_scan_t *last = check_handle(lightning_db_scan_new(db, &options), "scan");
  lightning_db_bytes_t key;
  check(lightning_db_scan_next(last, &key, NULL), "next");
  printf("last key\t%.*s\n", (int)key.len, key.data);
  check(lightning_db_scan_free(last), "free");
}

/* snapshot, transactions, levels */

static void put_text(lightning_db_t *db, const char *key, const char *value) {
  check(lightning_db_put(db, key, strlen(key), value, strlen(value)), "put");
}

static void snapshot(lightning_db_t *db) {
  put_text(db, "tour/moving", "old");
  lightning_db_snapshot_t *snapshot = check_handle(lightning_db_snapshot_new(db), "snapshot");
  put_text(db, "tour/moving", "new");
  size_t then_len, now_len;
  char *then = check_handle(lightning_db_snapshot_get(snapshot, "tour/moving", 11, &then_len), "get");
  char *now = check_handle(lightning_db_get(db, "tour/moving", 11, &now_len), "get");
  printf("snapshot, then now\t%.*s %.*s\n", (int)then_len, then, (int)now_len, now);
  lightning_db_free_value(then);
  lightning_db_free_value(now);
  check(lightning_db_snapshot_free(snapshot), "free");
}

static const char COUNTER[] = "tour/counter";
#define COUNTER_LEN (sizeof COUNTER - 1)

/* The number in a value of `get`; 0 if there is none. Frees it. */
static long number(char *value, size_t len) {
  if (value == NULL) {
    check(lightning_db_last_error_code(), "get");
    return 0;
  }
  char text[32] = {0};
  memcpy(text, value, len < sizeof text ? len : sizeof text - 1);
  lightning_db_free_value(value);
  return strtol(text, NULL, 10);
}

static long counter(lightning_db_t *db) {
  size_t len;
  char *value = lightning_db_get(db, COUNTER, COUNTER_LEN, &len);
  return number(value, len);
}

static int add_one(lightning_db_txn_t *txn, void *user) {
  size_t len;
  char *value = lightning_db_txn_get(txn, COUNTER, COUNTER_LEN, &len);
  char text[32];
  snprintf(text, sizeof text, "%ld", number(value, len) + 1);
  int status = lightning_db_txn_put(txn, COUNTER, COUNTER_LEN, text, strlen(text));
  value = lightning_db_txn_get(txn, COUNTER, COUNTER_LEN, &len);
  *(long *)user = number(value, len);
  return status;
}

static void say_outcome(const char *question, int status) {
  if (status == LIGHTNING_DB_OK) {
    printf("%s\tno error\n", question);
  } else {
    printf("%s\t%d %s\n", question, status, lightning_db_error_name(status));
  }
}

static void transactions(lightning_db_t *db) {
  long before = counter(db), inside = 0;
  check(lightning_db_transact(db, add_one, &inside), "transact");
  long after = counter(db);
  printf("transaction adds\t%ld %ld\n", inside - before, after - before);

  char text[32];
  size_t len;
  snprintf(text, sizeof text, "%ld", after);
  lightning_db_txn_t *loser = check_handle(lightning_db_txn_begin(db), "begin");
  lightning_db_free_value(lightning_db_txn_get(loser, COUNTER, COUNTER_LEN, &len));
  check(lightning_db_txn_put(loser, COUNTER, COUNTER_LEN, "lost", 4), "put");
  put_text(db, COUNTER, text);
  say_outcome("lost race", lightning_db_txn_commit(loser));
  check(lightning_db_txn_free(loser), "free");

  lightning_db_txn_t *aborted = check_handle(lightning_db_txn_begin(db), "begin");
  check(lightning_db_txn_put(aborted, COUNTER, COUNTER_LEN, "taken back", 10), "put");
  check(lightning_db_txn_free(aborted), "free");
  printf("aborted\t%ld\n", counter(db) - after);
}

static void levels(lightning_db_t *db) {
  const char letters[] = "sqe";
  char found[4] = {0};
  for (int i = 0; i < 3; i++) {
    size_t len;
    check(lightning_db_put_with(db, "tour/level", 10, letters + i, 1, LIGHTNING_DB_STRONG + i), "put");
    check(lightning_db_get_into(db, "tour/level", 10, found + i, 1, &len), "get");
  }
  lightning_db_batch_t *batch = check_handle(lightning_db_batch_new(db), "batch");
  check(lightning_db_batch_delete(batch, "tour/level", 10), "delete");
  check(lightning_db_batch_delete(batch, "tour/moving", 11), "delete");
  check(lightning_db_batch_write(batch), "write");
  check(lightning_db_batch_free(batch), "free");
  bool present;
  check(lightning_db_contains(db, "tour/level", 10, &present), "contains");
  printf("levels\t%s\ndeleted\t%s\n", found, present ? "a value" : "none");
}

/* backup, errors */

static void backup(lightning_db_t *db, const char *work) {
  char source[PATH_SIZE], target[PATH_SIZE];
  check(lightning_db_backup(db, join(source, work, "backup")), "backup");
  check(lightning_db_restore(source, join(target, work, "restored")), "restore");
  lightning_db_t *restored = check_handle(lightning_db_open(target, NULL), "open");
  say_summary("backup, restored", restored, with_prefix("city/", false, LIGHTNING_DB_NO_LIMIT));
  lightning_db_destroy(restored);
}

static int opened(lightning_db_t *db) {
  int status = db == NULL ? lightning_db_last_error_code() : LIGHTNING_DB_OK;
  lightning_db_destroy(db);
  return status;
}

static void errors(lightning_db_t *db, const char *work, const char *locked) {
  char path[PATH_SIZE];
  say_outcome("error: open elsewhere", opened(lightning_db_create(locked, NULL)));
  say_outcome("error: no such database", opened(lightning_db_open(join(path, work, "nothing"), NULL)));
  join(path, work, "backup");
  say_outcome("error: restore over files", lightning_db_restore(path, path));
  char *key = check_handle(calloc(65536, 1), "memory");
  say_outcome("error: key too long", lightning_db_put(db, key, 65536, "", 0));
  free(key);
  say_outcome("error: not a database", opened(lightning_db_create(join(path, work, "backup/CURRENT"), NULL)));
  check(lightning_db_close(db), "close");
  bool present;
  say_outcome("error: closed", lightning_db_contains(db, "a", 1, &present));
  lightning_db_destroy(db);
}

static void tour(const char *database, const char *work, const char *locked) {
  lightning_db_t *db = check_handle(lightning_db_open(database, NULL), "open");
  point_reads(db);
  scans(db);
  snapshot(db);
  transactions(db);
  levels(db);
  backup(db, work);
  errors(db, work, locked);
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "load") == 0) {
    load(argv[2], argv[3]);
  } else if (argc == 5 && strcmp(argv[1], "tour") == 0) {
    tour(argv[2], argv[3], argv[4]);
  } else {
    fprintf(stderr, "usage: tour load DATABASE INPUT | tour tour DATABASE WORK LOCKED\n");
    return 1;
  }
  return 0;
}
