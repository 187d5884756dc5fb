// Files: cases are read, and steps damage and write them.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"

cJSON *read_cases(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) fail("%s: %s", path, strerror(errno));
  size_t size = (size_t)ftell(file);
  char *text = allocate(size);
  rewind(file);
  if (fread(text, 1, size, file) != size) fail("%s: cannot be read", path);
  fclose(file);
  // The reader ends a text at a 0 byte: such bytes are written as hex.
  if (strstr(text, "\\u0000")) fail("%s: a 0 byte in a text", path);
  cJSON *cases = cJSON_ParseWithOpts(text, NULL, true);
  if (!cJSON_IsArray(cases)) fail("%s: not a list of cases", path);
  free(text);
  return cases;
}

// The one file of the folder whose name ends so.
static char *the_one(char *folder, const char *ending) {
  DIR *entries = opendir(folder);
  if (!entries) fail("%s: %s", folder, strerror(errno));
  char *found = NULL;
  for (struct dirent *entry; (entry = readdir(entries));) {
    size_t len = strlen(entry->d_name), end = strlen(ending);
    if (len < end || strcmp(entry->d_name + len - end, ending) != 0) continue;
    if (found) fail("%s: more than one *%s", folder, ending);
    if (asprintf(&found, "%s/%s", folder, entry->d_name) < 0) fail("no memory");
  }
  closedir(entries);
  if (!found) fail("%s: no *%s", folder, ending);
  return found;
}

void damage_file(const char *path, double offset, int mask) {
  if (mask < 1 || mask > 255) fail("xor with %d", mask);
  char *copy = strdup(path), *folder = strdup(path);
  const char *name = basename(copy);
  char *whole = name[0] == '*' ? the_one(dirname(folder), name + 1) : strdup(path);
  FILE *file = fopen(whole, "r+b");
  if (!file) fail("%s: %s", whole, strerror(errno));
  int from = offset < 0 ? SEEK_END : SEEK_SET;
  int byte = fseek(file, (long)offset, from) == 0 ? fgetc(file) : EOF;
  if (byte == EOF) fail("%s: nothing at %.0f", whole, offset);
  if (fseek(file, -1, SEEK_CUR) != 0 || fputc(byte ^ mask, file) == EOF || fclose(file) != 0) {
    fail("%s: cannot be changed", whole);
  }
  free(whole);
  free(folder);
  free(copy);
}

void write_file(const char *path, struct blob bytes) {
  FILE *file = fopen(path, "wb");
  if (!file) fail("%s: %s", path, strerror(errno));
  if (fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0) fail("%s: cannot be written", path);
}
