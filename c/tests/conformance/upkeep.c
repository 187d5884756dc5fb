// Operations on whole databases and on files.
#define _GNU_SOURCE
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int do_compact(struct context *context) {
  const cJSON *progress = field(context, "progress");
  bool cancel = cJSON_IsTrue(field(context, "cancel")), called = false;
  if (!progress && !cancel) return face_compact(context->on);
  int status = face_compact_with(context->on, cancel, &called);
  must_be(!progress || cJSON_IsTrue(progress) == called, "whether the callback was called");
  return status;
}

static int do_list_keyspaces(struct context *context) {
  char names[4096];
  int status = face_list_keyspaces(context->on, names, sizeof names);
  const char *next = names;
  const cJSON *expected;
  cJSON_ArrayForEach(expected, field(context, "is")) {
    if (status != 0) break;
    struct blob name = blob_of(expected);
    must_be(strcmp(next, name.data) == 0, "a name");
    blob_free(&name);
    next += strlen(next) + 1;
  }
  must_be(status != 0 || !*next, "the number of names");
  return status;
}

static int do_drop_keyspace(struct context *context) {
  struct blob name = blob_of(field(context, "name"));
  int status = face_drop_keyspace(context->on, name.data);
  blob_free(&name);
  return status;
}

static int examine(struct context *context, bool repair) {
  size_t count;
  struct option *options = options_of(field(context, "options"), &count);
  char *path = path_of(context, "path");
  struct examined examined;
  int status = face_examine(path, options, count, repair, &examined);
  free(path);
  free(options);
  if (status != 0) return status;
  const cJSON *lost = field(context, "lost");
  must_be(cJSON_IsTrue(field(context, "ok")) == examined.ok, "whether nothing is wrong");
  must_be(!lost || lost->valuedouble == (double)examined.lost, "the number of what is lost");
  return 0;
}

static int do_check(struct context *context) { return examine(context, false); }
static int do_repair(struct context *context) { return examine(context, true); }

static int do_metrics(struct context *context) {
  return check_more_figures(context->on, false, field(context, "is"), field(context, "at_least"));
}

static int do_memory_stats(struct context *context) {
  return check_more_figures(context->on, true, field(context, "is"), field(context, "at_least"));
}

static int do_prometheus(struct context *context) {
  char *text = NULL;
  int status = face_prometheus(context->on, &text);
  if (status == 0) must_be(text && strstr(text, text_of(field(context, "contains"))), "the text");
  free(text);
  return status;
}

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
    {"compact", do_compact, " cancel progress ", ON_DATABASE, ""},
    {"clear_cache", do_clear_cache, "", ON_DATABASE, ""},
    {"stats", do_stats, " is ", ON_DATABASE, " is "},
    {"list_keyspaces", do_list_keyspaces, " is ", ON_DATABASE, " is "},
    {"drop_keyspace", do_drop_keyspace, " name ", ON_DATABASE, ""},
    {"check", do_check, " path options ok lost ", ON_NONE, " ok "},
    {"repair", do_repair, " path options ok lost ", ON_NONE, " ok "},
    {"metrics", do_metrics, " is at_least ", ON_DATABASE, " is at_least "},
    {"memory_stats", do_memory_stats, " is at_least ", ON_DATABASE, " is at_least "},
    {"prometheus", do_prometheus, " contains ", ON_DATABASE, " contains "},
    {"damage", do_damage, " file offset xor ", ON_NONE, ""},
    {"write_file", do_write_file, " path bytes ", ON_NONE, ""},
    {"make_folder", do_make_folder, " path ", ON_NONE, ""},
    {"raise", do_raise, " code ", ON_NONE, ""},
    {0},
};
