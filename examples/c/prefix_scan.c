/* Keys in order: a prefix as a table, a second prefix as an index, and a snapshot that does not move.
 *
 * cc prefix_scan.c $(pkg-config --cflags --libs lightning_db) -o prefix_scan && ./prefix_scan FOLDER
 */
#include <lightning_db.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *title;
  int year;
} BOOKS[] = {{"Emma", 1815}, {"Ulysses", 1922}, {"Dracula", 1897}, {"Beloved", 1987}};

static void check(int ok) {
  if (ok) return;
  fprintf(stderr, "%s\n", lightning_db_last_error());
  exit(1);
}

static lightning_db_bytes_t bytes(const char *text) {
  lightning_db_bytes_t bytes = {text, strlen(text)};
  return bytes;
}

/* Goes over a scan, prints what stands behind `skip` bytes of each key, and frees it. Returns how many entries there were. */
static int print_keys(lightning_db_scan_t *scan, size_t skip) {
  check(scan != NULL);
  for (int count = 0;; count++) {
    lightning_db_bytes_t key, value;
    check(lightning_db_scan_next(scan, &key, &value) == 0);
    if (key.data == NULL) {
      lightning_db_scan_free(scan);
      return count;
    }
    printf("  %.*s %.*s\n", (int)(key.len - skip), key.data + skip, (int)value.len, value.data);
  }
}

int main(int argc, char **argv) {
  char path[4096], key[64], year[8];
  snprintf(path, sizeof path, "%s/prefix_scan", argc > 1 ? argv[1] : ".");
  lightning_db_t *db = lightning_db_create(path, NULL);
  check(db != NULL);

  /* Record and index entry are in one batch, so that they never disagree. */
  lightning_db_batch_t *batch = lightning_db_batch_new(db);
  check(batch != NULL);
  for (size_t i = 0; i < sizeof BOOKS / sizeof *BOOKS; i++) {
    snprintf(year, sizeof year, "%04d", BOOKS[i].year);
    snprintf(key, sizeof key, "book/%s", BOOKS[i].title);
    check(lightning_db_batch_put(batch, key, strlen(key), year, strlen(year)) == 0);
    snprintf(key, sizeof key, "year/%s/%s", year, BOOKS[i].title);
    check(lightning_db_batch_put(batch, key, strlen(key), "", 0) == 0);
    check(lightning_db_batch_write(batch) == 0);
  }
  lightning_db_batch_free(batch);

  printf("by title:\n");
  lightning_db_scan_options_t books = LIGHTNING_DB_SCAN_OPTIONS;
  books.prefix = bytes("book/");
  if (print_keys(lightning_db_scan_new(db, &books), 5) != 4) return 1;

  printf("of the 20th century, newest first:\n");
  lightning_db_scan_options_t century = LIGHTNING_DB_SCAN_OPTIONS;
  century.gte = bytes("year/1901");
  century.lt = bytes("year/2001");
  century.reverse = true;
  if (print_keys(lightning_db_scan_new(db, &century), 10) != 2) return 1;

  lightning_db_snapshot_t *snapshot = lightning_db_snapshot_new(db);
  check(snapshot != NULL);
  check(lightning_db_delete(db, "book/Emma", 9) == 0);
  printf("before and behind a delete:\n");
  if (print_keys(lightning_db_snapshot_scan(snapshot, &books), 5) != 4) return 1;
  if (print_keys(lightning_db_scan_new(db, &books), 5) != 3) return 1;
  lightning_db_snapshot_free(snapshot);

  check(lightning_db_close(db) == 0);
  lightning_db_destroy(db);
  return 0;
}
