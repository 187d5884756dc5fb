// A child made by fork has its parent's handles, and each call on one says so; its own databases work. forked FOLDER
//
// Built without AddressSanitizer: a child may find the lock of its allocator held by a thread of the parent, for ever.
#include <sys/wait.h>
#include <unistd.h>

#include "handles.h"

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  struct all all = open_all();
  fflush(stdout);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    all_calls_fail(LIGHTNING_DB_FORKED, all.db, all.batch, all.scan, all.snapshot, all.txn);
    STATUS(LIGHTNING_DB_FORKED, lightning_db_close(all.db));
    STATUS(LIGHTNING_DB_LOCKED, lightning_db_create(path_in(folder, "db"), NULL) ? 0 : lightning_db_last_error_code());
    lightning_db_t *own = lightning_db_create(path_in(folder, "child"), NULL);
    CHECK(own && lightning_db_put(own, "k", 1, "v", 1) == 0 && lightning_db_destroy(own) == 0);
    _exit(0);
  }
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  STATUS(0, lightning_db_put(all.db, "k", 1, "v", 1));
  STATUS(0, lightning_db_close(all.db));
  free_all(all, 0);
  printf("forked: %d checks passed\n", checks);
  return 0;
}
