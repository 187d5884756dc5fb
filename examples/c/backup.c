/* A backup of a database in use, and its restore into a new folder.
 *
 * cc backup.c $(pkg-config --cflags --libs lightning_db) -o backup && ./backup FOLDER
 */
#include <lightning_db.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int ok) {
  if (ok) return;
  fprintf(stderr, "%s\n", lightning_db_last_error());
  exit(1);
}

static int color_is(lightning_db_t *db, const char *expected) {
  char *color = lightning_db_get(db, "color", 5, NULL);
  check(color != NULL);
  int same = strcmp(color, expected) == 0;
  lightning_db_free_value(color);
  return same;
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char original[4096], monday[4096], restored[4096];
  snprintf(original, sizeof original, "%s/original", folder);
  snprintf(monday, sizeof monday, "%s/backups/monday", folder);
  snprintf(restored, sizeof restored, "%s/restored", folder);

  lightning_db_t *db = lightning_db_create(original, NULL);
  check(db != NULL);
  check(lightning_db_put(db, "color", 5, "green", 5) == 0);
  check(lightning_db_backup(db, monday) == 0);

  /* What is written later is not in the backup. */
  check(lightning_db_put(db, "color", 5, "blue", 4) == 0);

  check(lightning_db_restore(monday, restored) == 0);
  lightning_db_t *copy = lightning_db_open(restored, NULL);
  check(copy != NULL);
  if (!color_is(copy, "green") || !color_is(db, "blue")) return 1;
  printf("restored: green, now: blue\n");

  check(lightning_db_close(copy) == 0);
  check(lightning_db_close(db) == 0);
  lightning_db_destroy(copy);
  lightning_db_destroy(db);
  return 0;
}
