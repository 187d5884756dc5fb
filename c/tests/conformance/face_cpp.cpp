// The C++ face.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "face.h"
#include "lightning_db.hpp"

namespace ldb = lightning_db;

namespace {

std::string last_name, last_message;
int last_code;
bool last_has_place;
// The last error as it was thrown, for a callback to throw on.
std::exception_ptr last_thrown;

// Runs a call; what it throws becomes its number.
template <class Call>
int status_of(Call call) {
  try {
    call();
    return 0;
  } catch (const ldb::Error &error) {
    last_name = error.name();
    last_message = error.what();
    last_code = error.code();
    last_has_place = error.file() && !error.file()->empty() && error.offset();
    last_thrown = std::current_exception();
    return error.code();
  }
}

using Object = std::variant<ldb::Database, ldb::Batch, ldb::Snapshot, ldb::Transaction, ldb::Scan>;

// Indexes are those of enum kind.
template <class T>
T &as(struct handle *handle) {
  return std::get<T>(*static_cast<Object *>(handle->object));
}

template <class T>
void give(struct handle *handle, enum kind kind, T object) {
  *handle = {kind, new Object(std::move(object)), false};
}

std::string_view view(struct blob blob) { return std::string_view(blob.data, blob.len); }

struct blob own(std::string_view bytes) {
  auto *data = static_cast<char *>(std::malloc(bytes.size() + 1));
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return {data, bytes.size()};
}

ldb::ScanOptions options_of(const struct bounds &bounds) {
  ldb::ScanOptions options;
  if (bounds.gt.data) options.gt(view(bounds.gt));
  if (bounds.gte.data) options.gte(view(bounds.gte));
  if (bounds.lt.data) options.lt(view(bounds.lt));
  if (bounds.lte.data) options.lte(view(bounds.lte));
  if (bounds.prefix.data) options.prefix(view(bounds.prefix));
  if (bounds.limited) options.limit(bounds.limit);
  return options.reverse(bounds.reverse);
}

ldb::Options options_of(const struct option *options, std::size_t count) {
  ldb::Options all;
  for (const auto *option = options; option != options + count; ++option) {
    switch (option->type) {
      case option::OPTION_BOOL: all.set_bool(option->name, option->number != 0); break;
      case option::OPTION_INT: all.set_int(option->name, static_cast<std::int64_t>(option->number)); break;
      case option::OPTION_SECONDS: all.set_seconds(option->name, option->number); break;
      case option::OPTION_TEXT: all.set_text(option->name, option->text); break;
    }
  }
  return all;
}

std::chrono::milliseconds timeout_of(const struct how *how) {
  return std::chrono::milliseconds(how->timeout_ms);
}

// What the callback of a case throws for a reason of its own.
struct OwnFailure {};

}  // namespace

const char *face_name(void) { return "C++"; }
const char *face_error_name(void) { return last_name.c_str(); }
const char *face_error_message(void) { return last_message.c_str(); }
int face_error_code(void) { return last_code; }
bool face_error_has_place(void) { return last_has_place; }

int face_open(const char *path, const struct option *options, size_t count, struct handle *db) {
  return status_of([&] {
    if (count == 0) return give(db, DATABASE, ldb::Database::create(path));
    const auto all = options_of(options, count);
    const auto has = [&](const char *mode) {
      return std::any_of(options, options + count, [&](const auto &option) { return is_mode(&option, mode); });
    };
    if (has("rw")) return give(db, DATABASE, ldb::Database::open(path, all));
    if (has("r")) return give(db, DATABASE, ldb::Database::open_read_only(path, all));
    give(db, DATABASE, ldb::Database::create(path, all));
  });
}

int face_close(struct handle *handle) {
  return status_of([&] { std::visit([](auto &object) { object.close(); }, *static_cast<Object *>(handle->object)); });
}

void face_release(struct handle *handle) { delete static_cast<Object *>(handle->object); }

int face_put(struct handle *on, struct blob key, struct blob value, const struct how *how) {
  return status_of([&] {
    const auto level = static_cast<ldb::Level>(how->level);
    if (how->keyspace) return as<ldb::Batch>(on).put(as<ldb::Database>(how->keyspace), view(key), view(value));
    if (on->kind == BATCH) return as<ldb::Batch>(on).put(view(key), view(value));
    if (on->kind == TRANSACTION) return as<ldb::Transaction>(on).put(view(key), view(value));
    if (how->patient) return as<ldb::Database>(on).put_within(timeout_of(how), view(key), view(value), level);
    as<ldb::Database>(on).put(view(key), view(value), level);
  });
}

int face_delete(struct handle *on, struct blob key, const struct how *how) {
  return status_of([&] {
    const auto level = static_cast<ldb::Level>(how->level);
    if (how->keyspace) return as<ldb::Batch>(on).erase(as<ldb::Database>(how->keyspace), view(key));
    if (on->kind == BATCH) return as<ldb::Batch>(on).erase(view(key));
    if (on->kind == TRANSACTION) return as<ldb::Transaction>(on).erase(view(key));
    if (how->patient) return as<ldb::Database>(on).erase_within(timeout_of(how), view(key), level);
    as<ldb::Database>(on).erase(view(key), level);
  });
}

int face_get(struct handle *on, struct blob key, struct blob *value) {
  return status_of([&] {
    std::optional<std::string> found;
    if (on->kind == SNAPSHOT) {
      found = as<ldb::Snapshot>(on).get(view(key));
    } else if (on->kind == TRANSACTION) {
      found = as<ldb::Transaction>(on).get(view(key));
    } else {
      found = as<ldb::Database>(on).get(view(key));
      if (!reads_once && as<ldb::Database>(on).contains(view(key)) != found.has_value()) std::abort();
    }
    if (found) *value = own(*found);
  });
}

int face_get_many(struct handle *db, const struct blob *keys, size_t count, struct blob *values) {
  return status_of([&] {
    std::vector<std::string_view> asked;
    for (size_t i = 0; i < count; i++) asked.push_back(view(keys[i]));
    for (const auto &found : as<ldb::Database>(db).get_many(asked)) {
      *values++ = found ? own(*found) : blob{nullptr, 0};
    }
  });
}

int face_count(struct handle *db, const struct bounds *bounds, uint64_t *count) {
  return status_of([&] { *count = as<ldb::Database>(db).count(options_of(*bounds)); });
}

int face_approximate_size(struct handle *db, const struct bounds *bounds, uint64_t *bytes) {
  return status_of([&] { *bytes = as<ldb::Database>(db).approximate_size(options_of(*bounds)); });
}

int face_create_keyspace(struct handle *db, const char *name, const struct option *options, size_t count, struct handle *keyspace) {
  return status_of([&] {
    auto &of = as<ldb::Database>(db);
    give(keyspace, DATABASE, count == 0 ? of.create_keyspace(name) : of.create_keyspace(name, options_of(options, count)));
  });
}

int face_keyspace(struct handle *db, const char *name, struct handle *keyspace) {
  return status_of([&] { give(keyspace, DATABASE, as<ldb::Database>(db).keyspace(name)); });
}

int face_list_keyspaces(struct handle *db, char *names, size_t capacity) {
  return status_of([&] {
    std::string all;
    for (const auto &name : as<ldb::Database>(db).list_keyspaces()) all.append(name).push_back(0);
    if (all.size() + 1 > capacity) std::abort();
    std::memcpy(names, all.c_str(), all.size() + 1);
  });
}

int face_drop_keyspace(struct handle *db, const char *name) {
  return status_of([&] { as<ldb::Database>(db).drop_keyspace(name); });
}

int face_in(struct handle *on, struct handle *keyspace, struct handle *through) {
  return status_of([&] {
    const auto &of = as<ldb::Database>(keyspace);
    if (on->kind == SNAPSHOT) return give(through, SNAPSHOT, as<ldb::Snapshot>(on).in(of));
    give(through, TRANSACTION, as<ldb::Transaction>(on).in(of));
  });
}

int face_examine(const char *path, const struct option *options, size_t count, bool repair, struct examined *examined) {
  return status_of([&] {
    const auto all = options_of(options, count);
    const auto report = count == 0 ? (repair ? ldb::Database::repair(path) : ldb::Database::check(path))
                                   : (repair ? ldb::Database::repair(path, all) : ldb::Database::check(path, all));
    *examined = {report.is_ok(), report.lost().size()};
    const bool right = report.number("problems") == report.problems().size() &&
                       report.number("notes") == report.notes().size() && report.number("lost") == examined->lost &&
                       report.number("set_aside") == report.set_aside().size() && !report.text().empty();
    if (!right) std::abort();
  });
}

int face_figure(struct handle *db, bool memory, const char *name, double *number) {
  return status_of([&] {
    const auto &of = as<ldb::Database>(db);
    *number = memory ? of.memory_stats().number(name) : of.metrics().number(name);
  });
}

int face_prometheus(struct handle *db, char **text) {
  return status_of([&] { *text = ::strdup(as<ldb::Database>(db).prometheus().c_str()); });
}

int face_compact_with(struct handle *db, bool cancel, bool *called) {
  return status_of([&] {
    as<ldb::Database>(db).compact([&](const lightning_db_compaction_t &progress) {
      *called = progress.bytes_done <= progress.bytes_in;
      return !cancel;
    });
  });
}

int face_batch(struct handle *db, struct handle *batch) {
  return status_of([&] { give(batch, BATCH, as<ldb::Database>(db).batch()); });
}

int face_write(struct handle *batch, const struct how *how) {
  return status_of([&] {
    const auto level = static_cast<ldb::Level>(how->level);
    if (how->patient) return as<ldb::Batch>(batch).write_within(timeout_of(how), level);
    as<ldb::Batch>(batch).write(level);
  });
}

int face_ingest(struct handle *db, const struct blob *keys, const struct blob *values, size_t count, uint64_t *entries) {
  return status_of([&] {
    auto ingest = as<ldb::Database>(db).ingest();
    for (size_t i = 0; i < count; i++) ingest.add(view(keys[i]), view(values[i]));
    *entries = ingest.finish();
  });
}

int face_cursor(struct handle *on, const struct bounds *bounds, struct handle *cursor) {
  return status_of([&] {
    const auto options = options_of(*bounds);
    if (on->kind == SNAPSHOT) return give(cursor, CURSOR, as<ldb::Snapshot>(on).scan(options));
    if (on->kind == TRANSACTION) return give(cursor, CURSOR, as<ldb::Transaction>(on).scan(options));
    give(cursor, CURSOR, as<ldb::Database>(on).scan(options));
  });
}

int face_next(struct handle *cursor, struct blob *key, struct blob *value) {
  return status_of([&] {
    if (const auto entry = as<ldb::Scan>(cursor).next()) {
      *key = own(entry->first);
      *value = own(entry->second);
    }
  });
}

int face_snapshot(struct handle *db, struct handle *snapshot) {
  return status_of([&] { give(snapshot, SNAPSHOT, as<ldb::Database>(db).snapshot()); });
}

int face_transaction(struct handle *db, int isolation, struct handle *txn) {
  return status_of([&] {
    give(txn, TRANSACTION, as<ldb::Database>(db).transaction(static_cast<ldb::Isolation>(isolation)));
  });
}

int face_commit(struct handle *txn, int level) {
  return status_of([&] { as<ldb::Transaction>(txn).commit(static_cast<ldb::Level>(level)); });
}

int face_abort(struct handle *txn) {
  return status_of([&] { as<ldb::Transaction>(txn).abort(); });
}

int face_transact(struct handle *db, face_work *work, void *user) {
  bool own_failure = false;
  // Outlive the call, as the handle that the case has named does; only one is left behind.
  std::unique_ptr<Object> kept;
  int status = status_of([&] {
    try {
      as<ldb::Database>(db).transact([&](ldb::Transaction &txn) {
        kept = std::make_unique<Object>(ldb::Transaction(txn.c_handle(), false));
        const int code = work({TRANSACTION, kept.get(), false}, user);
        if (code == OWN_FAILURE) throw OwnFailure{};
        if (code != 0) std::rethrow_exception(last_thrown);
      });
    } catch (const OwnFailure &) {
      own_failure = true;
    }
  });
  kept.release();  // The case releases it.
  return own_failure ? OWN_FAILURE : status;
}

int face_backup(struct handle *db, const char *path) {
  return status_of([&] { as<ldb::Database>(db).backup(path); });
}

int face_restore(const char *source, const char *target) {
  return status_of([&] { ldb::Database::restore(source, target); });
}

int face_flush(struct handle *db) {
  return status_of([&] { as<ldb::Database>(db).flush(); });
}

int face_compact(struct handle *db) {
  return status_of([&] { as<ldb::Database>(db).compact(); });
}

int face_clear_cache(struct handle *db) {
  return status_of([&] { as<ldb::Database>(db).clear_cache(); });
}

int face_stat(struct handle *db, const char *name, double *number) {
  return status_of([&] {
    const bool ratio = std::strcmp(name, "cache_hit_rate") == 0 || std::strcmp(name, "write_stall_seconds") == 0;
    const auto &of = as<ldb::Database>(db);
    *number = ratio ? of.stat_ratio(name) : static_cast<double>(of.stat_int(name));
  });
}

int face_stat_list(struct handle *db, const char *name, uint64_t *counts, size_t capacity, size_t *count) {
  return status_of([&] {
    const auto found = as<ldb::Database>(db).stat_list(name);
    *count = found.size();
    for (size_t i = 0; i < found.size() && i < capacity; i++) counts[i] = found[i];
  });
}

int face_stat_text(struct handle *db, const char *name, char **text) {
  return status_of([&] {
    const auto found = as<ldb::Database>(db).stat_text(name);
    *text = found ? ::strdup(found->c_str()) : nullptr;
  });
}

int face_raise(int code) {
  return status_of([&] { ldb::detail::check(lightning_db_error_raise(code)); });
}

#ifdef LIGHTNING_DB_FAULTS
int face_disk(const char *name, const char *command, uint64_t *number) {
  return status_of([&] { ldb::detail::check(lightning_db_test_disk(name, command, number)); });
}
#endif
