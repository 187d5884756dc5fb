// Replays the conformance cases through a face: run FOLDER FILE... Prints how many.
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps.h"

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status, (void)type, (void)place;
  return remove(path);
}

static void remove_folder(const char *path) {
  if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) fail("%s: cannot be removed", path);
}

bool reads_once;

static void run_case(const cJSON *test, const char *folder) {
  char *whole = cJSON_PrintUnformatted(test);
  // Of two reads one may fail.
  reads_once = whole && (strstr(whole, "\"metrics\"") || strstr(whole, "\"disk\""));
  free(whole);
  check_fields(test, " name steps options open ");
  struct run run = {.folder = folder, .count = 0};
  if (mkdir(folder, 0777) != 0) fail("%s: %s", folder, strerror(errno));
  if (!cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(test, "open"))) {
    cJSON *step = cJSON_CreateObject();
    cJSON_AddStringToObject(step, "op", "open");
    cJSON_AddStringToObject(step, "as", "db");
    cJSON_AddStringToObject(step, "path", "db");
    cJSON *options = cJSON_GetObjectItemCaseSensitive(test, "options");
    if (options) cJSON_AddItemReferenceToObject(step, "options", options);
    run_step(&run, step);
    cJSON_Delete(step);
  }
  run_steps(&run, cJSON_GetObjectItemCaseSensitive(test, "steps"));
  // Database first, so that what belongs to it outlives it.
  for (size_t i = 0; i < run.count; i++) face_release(&run.handles[i].handle);
  remove_folder(folder);
}

// The names of all cases, one object's fields: fails if a name comes a second time.
static void note_name(cJSON *names, const char *name) {
  case_name = name;
  if (cJSON_HasObjectItem(names, name)) fail("another case has this name");
  cJSON_AddTrueToObject(names, name);
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: %s FOLDER FILE...\n", argv[0]), 2;
  char *folder = NULL;
  if (asprintf(&folder, "%s/case", argv[1]) < 0) return 2;
  remove_folder(folder);
  int in_files = 0, replayed = 0;
  cJSON *names = cJSON_CreateObject();
  for (int i = 2; i < argc; i++) {
    cJSON *cases = read_cases(argv[i]);
    in_files += cJSON_GetArraySize(cases);
    const cJSON *test;
    cJSON_ArrayForEach(test, cases) {
      step_op = "(begin)";
      note_name(names, text_of(cJSON_GetObjectItemCaseSensitive(test, "name")));
      run_case(test, folder);
      replayed++;
    }
    cJSON_Delete(cases);
  }
  cJSON_Delete(names);
  free(folder);
  printf("%s: %d of %d conformance cases replayed, %d files\n", face_name(), replayed, in_files, argc - 2);
  return replayed > 0 && replayed == in_files ? 0 : 1;
}
