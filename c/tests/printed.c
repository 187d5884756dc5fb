// The calls in the form in which they were promised, results and all left alone where the promise does: no warning.
#include "lightning_db.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc > 1 && chdir(argv[1]) != 0) return 2;

  lightning_db_t* db = lightning_db_create("./printed", NULL);
  if (!db) {
    fprintf(stderr, "no database\n");
    return 1;
  }

  lightning_db_put(db, "key", 3, "value", 5);

  size_t value_len;
  char* value = lightning_db_get(db, "key", 3, &value_len);
  if (value) {
    printf("printed: %.*s\n", (int)value_len, value);
    lightning_db_free_value(value);
  }

  lightning_db_destroy(db);
  return value ? 0 : 1;
}
