// Operations on whole databases and on files.
#define _GNU_SOURCE
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int do_backup(struct context *context) {
  char *path = path_of(context, "path");
  int status = face_backup(context->on, path);
  free(path);
  return status;
}

static int do_restore(struct context *context) {
  char *source = path_of(context, "source"), *target = path_of(context, "target");
  int status = face_restore(source, target);
  free(source);
  free(target);
  return status;
}

static int do_flush(struct context *context) { return face_flush(context->on); }
static int do_compact(struct context *context) { return face_compact(context->on); }
static int do_clear_cache(struct context *context) { return face_clear_cache(context->on); }

static int do_stats(struct context *context) { return check_figures(context->on, field(context, "is")); }

static int do_damage(struct context *context) {
  const cJSON *offset = field(context, "offset"), *mask = field(context, "xor");
  if (!cJSON_IsNumber(offset) || !cJSON_IsNumber(mask)) fail("no offset or mask");
  char *path = path_of(context, "file");
  damage_file(path, offset->valuedouble, mask->valueint);
  free(path);
  return 0;
}

static int do_write_file(struct context *context) {
  char *path = path_of(context, "path");
  struct blob bytes = blob_of(field(context, "bytes"));
  write_file(path, bytes);
  blob_free(&bytes);
  free(path);
  return 0;
}

static int do_make_folder(struct context *context) {
  char *path = path_of(context, "path");
  if (mkdir(path, 0777) != 0) fail("%s cannot be made", path);
  free(path);
  return 0;
}

static int do_raise(struct context *context) {
  const cJSON *code = field(context, "code");
  if (!cJSON_IsNumber(code)) fail("no code");
  return face_raise(code->valueint);
}

const struct operation UPKEEP_OPERATIONS[] = {
    {"backup", do_backup, " path ", ON_DATABASE, ""},
    {"restore", do_restore, " source target ", ON_NONE, ""},
    {"flush", do_flush, "", ON_DATABASE, ""},
    {"compact", do_compact, "", ON_DATABASE, ""},
    {"clear_cache", do_clear_cache, "", ON_DATABASE, ""},
    {"stats", do_stats, " is ", ON_DATABASE, " is "},
    {"damage", do_damage, " file offset xor ", ON_NONE, ""},
    {"write_file", do_write_file, " path bytes ", ON_NONE, ""},
    {"make_folder", do_make_folder, " path ", ON_NONE, ""},
    {"raise", do_raise, " code ", ON_NONE, ""},
    {0},
};
