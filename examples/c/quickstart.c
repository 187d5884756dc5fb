/* The first steps: put, get, delete, a batch and a scan.
 *
 * cc quickstart.c $(pkg-config --cflags --libs lightning_db) -o quickstart && ./quickstart FOLDER
 */
#include <lightning_db.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int ok) {
  if (ok) return;
  fprintf(stderr, "%s\n", lightning_db_last_error());
  exit(1);
}

int main(int argc, char **argv) {
  char path[4096];
  snprintf(path, sizeof path, "%s/quickstart", argc > 1 ? argv[1] : ".");
  lightning_db_t *db = lightning_db_create(path, NULL);
  check(db != NULL);

  check(lightning_db_put(db, "hello", 5, "world", 5) == 0);
  size_t length;
  char *value = lightning_db_get(db, "hello", 5, &length);
  check(value != NULL);
  printf("hello = %.*s\n", (int)length, value);
  lightning_db_free_value(value);

  check(lightning_db_delete(db, "hello", 5) == 0);
  value = lightning_db_get(db, "hello", 5, &length);
  /* NULL without an error: the key is absent. */
  if (value != NULL || lightning_db_last_error_code() != 0) return 1;

  /* A batch is applied whole or not at all. */
  lightning_db_batch_t *batch = lightning_db_batch_new(db);
  check(batch != NULL);
  check(lightning_db_batch_put(batch, "user:1", 6, "Alice", 5) == 0);
  check(lightning_db_batch_put(batch, "user:2", 6, "Bob", 3) == 0);
  check(lightning_db_batch_put(batch, "user:3", 6, "Charlie", 7) == 0);
  check(lightning_db_batch_write(batch) == 0);
  lightning_db_batch_free(batch);

  /* This start belongs to the range, this end does not. */
  lightning_db_scan_options_t range = LIGHTNING_DB_SCAN_OPTIONS;
  range.gte = (lightning_db_bytes_t){"user:1", 6};
  range.lt = (lightning_db_bytes_t){"user:3", 6};
  lightning_db_scan_t *scan = lightning_db_scan_new(db, &range);
  check(scan != NULL);
  for (;;) {
    lightning_db_bytes_t key, name;
    check(lightning_db_scan_next(scan, &key, &name) == 0);
    if (key.data == NULL) break;
    printf("%.*s = %.*s\n", (int)key.len, key.data, (int)name.len, name.data);
  }
  lightning_db_scan_free(scan);

  check(lightning_db_close(db) == 0);
  lightning_db_destroy(db);
  return 0;
}
