// Operations that make and end handles.
#define _GNU_SOURCE
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int do_open(struct context *context) {
  size_t count;
  struct option *options = options_of(field(context, "options"), &count);
  char *path = path_of(context, "path");
  struct handle db;
  int status = face_open(path, options, count, &db);
  free(path);
  free(options);
  return added(context, status, db);
}

static int do_close(struct context *context) { return face_close(context->on); }

static int do_batch(struct context *context) {
  struct handle batch;
  int status = face_batch(context->on, &batch);
  return added(context, status, batch);
}

static int do_write(struct context *context) {
  struct how how = how_of(context->step);
  return face_write(context->on, &how);
}

static int do_create_keyspace(struct context *context) {
  size_t count;
  struct option *options = options_of(field(context, "options"), &count);
  struct handle keyspace;
  struct blob name = blob_of(field(context, "name"));
  int status = face_create_keyspace(context->on, name.data, options, count, &keyspace);
  blob_free(&name);
  free(options);
  return added(context, status, keyspace);
}

static int do_keyspace(struct context *context) {
  struct handle keyspace;
  struct blob name = blob_of(field(context, "name"));
  int status = face_keyspace(context->on, name.data, &keyspace);
  blob_free(&name);
  return added(context, status, keyspace);
}

static int do_in(struct context *context) {
  const char *name = text_of(field(context, "keyspace"));
  struct handle *keyspace = find(context->run, name), through;
  if (!keyspace || keyspace->kind != DATABASE) fail("%s is no keyspace", name);
  int status = face_in(context->on, keyspace, &through);
  return added(context, status, through);
}

static int do_snapshot(struct context *context) {
  struct handle snapshot;
  int status = face_snapshot(context->on, &snapshot);
  return added(context, status, snapshot);
}

static int do_transaction(struct context *context) {
  const cJSON *name = field(context, "isolation");
  int isolation = LIGHTNING_DB_SERIALIZABLE;
  if (name && strcmp(text_of(name), "snapshot") == 0) {
    isolation = LIGHTNING_DB_SNAPSHOT_ISOLATION;
  } else if (name && strcmp(text_of(name), "serializable") != 0) {
    isolation = 99;  // There is none with this number either.
  }
  struct handle txn;
  int status = face_transaction(context->on, isolation, &txn);
  return added(context, status, txn);
}

static int do_commit(struct context *context) { return face_commit(context->on, level_of(context->step)); }
static int do_abort(struct context *context) { return face_abort(context->on); }

struct attempts {
  struct context *context;
  int count;
};

static int work(struct handle txn, void *user) {
  struct attempts *attempts = user;
  struct context *context = attempts->context;
  const char *name = text_of(field(context, "as"));
  attempts->count++;
  if (attempts->count == 1) {
    add(context->run, name, txn);
  } else {
    *find(context->run, name) = txn;
  }
  size_t first = context->run->count;
  run_steps(context->run, field(context, "steps"));
  size_t named = context->run->count - first;
  if (attempts->count == 1) run_steps(context->run, field(context, "interfere"));
  // What the steps named ends with the attempt.
  end_handles(context->run, first, named);
  return cJSON_IsTrue(field(context, "fail")) ? OWN_FAILURE : 0;
}

static int do_transact(struct context *context) {
  struct attempts attempts = {context, 0};
  // The list of handles may not move: `on` points into it.
  int status = face_transact(context->on, work, &attempts);
  step_op = "transact";
  if (cJSON_IsTrue(field(context, "fail"))) {
    must_be(status == OWN_FAILURE, "the error of the callback");
    status = 0;
  }
  const cJSON *expected = field(context, "attempts");
  if (status == 0) must_be(expected && expected->valueint == attempts.count, "the number of attempts");
  return status;
}

const struct operation HANDLE_OPERATIONS[] = {
    {"open", do_open, " as path options ", ON_NONE, ""},
    {"close", do_close, "", ON_ANY, ""},
    {"batch", do_batch, " as ", ON_DATABASE, ""},
    {"write", do_write, " level timeout ", ON_BATCH, ""},
    {"create_keyspace", do_create_keyspace, " as name options ", ON_DATABASE, ""},
    {"keyspace", do_keyspace, " as name ", ON_DATABASE, ""},
    {"in", do_in, " as keyspace ", ON_SNAPSHOT | ON_TRANSACTION, ""},
    {"snapshot", do_snapshot, " as ", ON_DATABASE, ""},
    {"transaction", do_transaction, " as isolation ", ON_DATABASE, ""},
    {"commit", do_commit, " level ", ON_TRANSACTION, ""},
    {"abort", do_abort, "", ON_TRANSACTION, ""},
    {"transact", do_transact, " as steps interfere fail attempts ", ON_DATABASE, " attempts "},
    {0},
};
