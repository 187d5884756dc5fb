// Lightning DB for C++17: lightning_db.h with owners, std::string_view and exceptions.
//
// Keys and values are any bytes. Every call throws lightning_db::Error where the C call fails; lightning_db.h says with which
// numbers, when it blocks, and that any thread may call it. Owners are moved, not copied; a moved-from or closed
// owner throws Error at every call. Order of destruction does not matter: a closed database closes what belongs to it.
#ifndef LIGHTNING_DB_HPP
#define LIGHTNING_DB_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lightning_db.h"
#include "lightning_db/basics.hpp"
#include "lightning_db/readers.hpp"
#include "lightning_db/reports.hpp"

namespace lightning_db {

/// Writes that are applied all or none.
class Batch {
 public:
  explicit Batch(::lightning_db_batch_t* handle) noexcept : handle_(handle) {}

  /// Adds a put.
  void put(std::string_view key, std::string_view value) {
    detail::check(::lightning_db_batch_put(handle_.get(), key.data(), key.size(), value.data(), value.size()));
  }
  /// Adds a delete.
  void erase(std::string_view key) {
    detail::check(::lightning_db_batch_delete(handle_.get(), key.data(), key.size()));
  }
  /// Adds a put in a keyspace of the same database.
  void put(const Database& keyspace, std::string_view key, std::string_view value);
  /// Adds a delete in a keyspace of the same database.
  void erase(const Database& keyspace, std::string_view key);
  /// Forgets all writes.
  void clear() { detail::check(::lightning_db_batch_clear(handle_.get())); }
  /// Applies all writes or none; empty and usable afterwards.
  void write(Level level = Level::Default) {
    detail::check(::lightning_db_batch_write_with(handle_.get(), static_cast<int>(level)));
  }
  /// As write(), but waits at most so long for flush and compaction: throws TimedOut then, and nothing is applied.
  void write_within(std::chrono::milliseconds timeout, Level level = Level::Default) {
    detail::check(::lightning_db_batch_write_within(handle_.get(), static_cast<int>(level), timeout.count()));
  }
  /// Frees the batch early; every later call throws.
  void close() noexcept { handle_.free(); }

 private:
  detail::Owner<::lightning_db_batch_t, ::lightning_db_batch_free> handle_;
};

/// Sorted entries on their way into tables; taken back when destroyed before finish().
class Ingest {
 public:
  explicit Ingest(::lightning_db_ingest_t* handle) noexcept : handle_(handle) {}

  /// Adds an entry, whose key lies behind that of the one before. An error ends the ingest.
  void add(std::string_view key, std::string_view value) {
    detail::check(::lightning_db_ingest_add(handle_.get(), key.data(), key.size(), value.data(), value.size()));
  }
  /// Makes all entries visible and durable, all or none; their number.
  std::uint64_t finish() {
    std::uint64_t entries = 0;
    detail::check(::lightning_db_ingest_finish(handle_.get(), &entries));
    return entries;
  }

 private:
  detail::Owner<::lightning_db_ingest_t, ::lightning_db_ingest_free> handle_;
};

/// An open database, or one of its keyspaces. A database is closed and freed when destroyed, which cannot tell of an error:
/// close() does. A keyspace is closed alone.
class Database : public detail::DatabaseReader {
 public:
  /// Opens the database in the folder `path`; makes it if there is none.
  static Database create(const std::string& path) { return Database(::lightning_db_create(path.c_str(), nullptr)); }
  /// The same with options.
  static Database create(const std::string& path, const Options& options) {
    return Database(::lightning_db_create(path.c_str(), options.c_handle()));
  }
  /// Opens a database that must exist.
  static Database open(const std::string& path) { return Database(::lightning_db_open(path.c_str(), nullptr)); }
  /// The same with options.
  static Database open(const std::string& path, const Options& options) {
    return Database(::lightning_db_open(path.c_str(), options.c_handle()));
  }
  /// Opens a database that must exist for reads alone, beside whoever has it open: as it is now.
  static Database open_read_only(const std::string& path) {
    return Database(::lightning_db_open_read_only(path.c_str(), nullptr));
  }
  /// The same with options.
  static Database open_read_only(const std::string& path, const Options& options) {
    return Database(::lightning_db_open_read_only(path.c_str(), options.c_handle()));
  }
  /// Makes a database in `target`, absent or empty, of the backup in `source`.
  static void restore(const std::string& source, const std::string& target) {
    detail::check(::lightning_db_restore(source.c_str(), target.c_str()));
  }
  /// The same with options: a database with comparators of yours needs them.
  static void restore(const std::string& source, const std::string& target, const Options& options) {
    detail::check(::lightning_db_restore_with(source.c_str(), target.c_str(), options.c_handle()));
  }
  /// Reads every byte of a database that nobody has open, and reports what is wrong.
  static Report check(const std::string& path) {
    return Report(detail::check_handle(::lightning_db_check(path.c_str(), nullptr, nullptr, nullptr)));
  }
  /// The same with options.
  static Report check(const std::string& path, const Options& options) {
    return Report(detail::check_handle(::lightning_db_check(path.c_str(), options.c_handle(), nullptr, nullptr)));
  }
  /// Checks a database that nobody has open and mends it; the report says what is lost.
  static Report repair(const std::string& path) {
    return Report(detail::check_handle(::lightning_db_repair(path.c_str(), nullptr, nullptr, nullptr)));
  }
  /// The same with options.
  static Report repair(const std::string& path, const Options& options) {
    return Report(detail::check_handle(::lightning_db_repair(path.c_str(), options.c_handle(), nullptr, nullptr)));
  }

  /// Makes a keyspace: an object like the database's, for keys of their own.
  Database create_keyspace(const std::string& name) {
    return Database(::lightning_db_keyspace_create(handle_.get(), name.c_str(), nullptr));
  }
  /// The same with options: comparator, page_size, compression_type, compression_level.
  Database create_keyspace(const std::string& name, const Options& options) {
    return Database(::lightning_db_keyspace_create(handle_.get(), name.c_str(), options.c_handle()));
  }
  /// The keyspace with this name.
  Database keyspace(const std::string& name) const {
    return Database(::lightning_db_keyspace(handle_.get(), name.c_str()));
  }
  /// The names of all keyspaces, sorted, "default" among them.
  std::vector<std::string> list_keyspaces() const {
    ::lightning_db_bytes_t* names = nullptr;
    std::size_t count = 0;
    detail::check(::lightning_db_keyspace_list(handle_.get(), &names, &count));
    const std::unique_ptr<::lightning_db_bytes_t, detail::FreeValue> freed(names);
    std::vector<std::string> list;
    for (std::size_t i = 0; i < count; ++i) list.emplace_back(names[i].data, names[i].len);
    return list;
  }
  /// Drops a keyspace with all that is in it.
  void drop_keyspace(const std::string& name) {
    detail::check(::lightning_db_keyspace_drop(handle_.get(), name.c_str()));
  }

  /// Closes it and all that belongs to it; a keyspace alone. Again: does nothing.
  void close() { detail::check(::lightning_db_close(handle_.get())); }

  /// Puts a value.
  void put(std::string_view key, std::string_view value, Level level = Level::Default) {
    detail::check(::lightning_db_put_with(handle_.get(), key.data(), key.size(), value.data(), value.size(),
                                          static_cast<int>(level)));
  }
  /// Deletes a key; an absent one is no error.
  void erase(std::string_view key, Level level = Level::Default) {
    detail::check(::lightning_db_delete_with(handle_.get(), key.data(), key.size(), static_cast<int>(level)));
  }
  /// As put(), but waits at most so long for flush and compaction: throws TimedOut then, and nothing is written.
  void put_within(std::chrono::milliseconds timeout, std::string_view key, std::string_view value,
                  Level level = Level::Default) {
    detail::check(::lightning_db_put_within(handle_.get(), key.data(), key.size(), value.data(), value.size(),
                                            static_cast<int>(level), timeout.count()));
  }
  /// As erase(), but waits as put_within() does.
  void erase_within(std::chrono::milliseconds timeout, std::string_view key, Level level = Level::Default) {
    detail::check(::lightning_db_delete_within(handle_.get(), key.data(), key.size(), static_cast<int>(level),
                                               timeout.count()));
  }
  /// Whether a key is present.
  bool contains(std::string_view key) const {
    bool present = false;
    detail::check(::lightning_db_contains(handle_.get(), key.data(), key.size(), &present));
    return present;
  }
  /// How many entries a scan with these options gives: exact, and as much work as walking over their keys.
  std::uint64_t count(const ScanOptions& options = {}) const {
    const auto c_options = options.c_options();
    std::uint64_t count = 0;
    detail::check(::lightning_db_count(handle_.get(), &c_options, &count));
    return count;
  }
  /// About how many bytes the entries of such a scan take, quickly.
  std::uint64_t approximate_size(const ScanOptions& options = {}) const {
    const auto c_options = options.c_options();
    std::uint64_t bytes = 0;
    detail::check(::lightning_db_approximate_size(handle_.get(), &c_options, &bytes));
    return bytes;
  }
  /// The values of several keys as of one instant, in their order.
  std::vector<std::optional<std::string>> get_many(const std::vector<std::string_view>& keys) const {
    std::vector<::lightning_db_bytes_t> c_keys;
    c_keys.reserve(keys.size());
    for (const auto key : keys) c_keys.push_back({key.data(), key.size()});
    ::lightning_db_bytes_t* found = nullptr;
    detail::check(::lightning_db_get_many(handle_.get(), c_keys.data(), c_keys.size(), &found));
    const std::unique_ptr<::lightning_db_bytes_t, detail::FreeValue> freed(found);
    std::vector<std::optional<std::string>> values(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (found[i].data != nullptr) values[i].emplace(found[i].data, found[i].len);
    }
    return values;
  }

  /// An empty batch of writes to this database.
  Batch batch() { return Batch(detail::check_handle(::lightning_db_batch_new(handle_.get()))); }
  /// Begins to load entries whose keys rise strictly straight into tables.
  Ingest ingest() { return Ingest(detail::check_handle(::lightning_db_ingest_new(handle_.get()))); }
  /// What is visible now.
  Snapshot snapshot() const { return Snapshot(detail::check_handle(::lightning_db_snapshot_new(handle_.get()))); }
  /// Begins a transaction.
  Transaction transaction(Isolation isolation = Isolation::Serializable) {
    auto* txn = ::lightning_db_txn_begin_with(handle_.get(), static_cast<int>(isolation));
    return Transaction(detail::check_handle(txn));
  }

  /// Runs `work(Transaction&)` in a serializable transaction, commits it and returns what `work` returned; runs it again when
  /// it meets a Conflict. An exception that leaves `work` takes the transaction back and leaves this call too.
  template <class Work>
  auto transact(Work&& work) -> std::invoke_result_t<Work&, Transaction&> {
    detail::Attempt<Work, std::invoke_result_t<Work&, Transaction&>> attempt{work, nullptr, {}};
    const int status = ::lightning_db_transact(handle_.get(), attempt.run, &attempt);
    if (attempt.thrown) std::rethrow_exception(attempt.thrown);
    detail::check(status);
    return attempt.take();
  }

  /// Copies all that is committed to the folder `target`, absent or empty, while others write.
  void backup(const std::string& target) const { detail::check(::lightning_db_backup(handle_.get(), target.c_str())); }
  /// Writes all memtables to tables.
  void flush() { detail::check(::lightning_db_flush(handle_.get())); }
  /// Merges all tables into one level.
  void compact() { detail::check(::lightning_db_compact(handle_.get())); }
  /// The same; `progress(const lightning_db_compaction_t&)` is called now and then and returns whether to go on: false
  /// throws Cancelled. What it throws comes out too. It must not close the database.
  template <class Progress>
  void compact(Progress&& progress) {
    detail::Compaction<Progress> compaction{progress, nullptr};
    const int status = ::lightning_db_compact_with(handle_.get(), compaction.run, &compaction);
    if (compaction.thrown) std::rethrow_exception(compaction.thrown);
    detail::check(status);
  }
  /// Empties the cache of pages and rows.
  void clear_cache() { detail::check(::lightning_db_clear_cache(handle_.get())); }

  /// Counts, rates and latencies since the database was opened, by name: "reads", "avg_read_latency_us".
  Figures metrics() const { return Figures(detail::check_handle(::lightning_db_metrics(handle_.get()))); }
  /// What is kept in memory, by name: "cache_bytes".
  Figures memory_stats() const { return Figures(detail::check_handle(::lightning_db_memory_stats(handle_.get()))); }
  /// The metrics as a text that Prometheus reads.
  std::string prometheus() const {
    const std::unique_ptr<char, detail::FreeValue> text(detail::check_handle(::lightning_db_prometheus(handle_.get())));
    return std::string(text.get());
  }

  /// A count or number of bytes by its name: "total_size".
  std::uint64_t stat_int(const char* name) const {
    std::uint64_t value = 0;
    detail::check(::lightning_db_stat_int(handle_.get(), name, &value));
    return value;
  }
  /// A number that is no count by its name: "cache_hit_rate", "write_stall_seconds".
  double stat_ratio(const char* name) const {
    double value = 0;
    detail::check(::lightning_db_stat_ratio(handle_.get(), name, &value));
    return value;
  }
  /// Counts by their name: "tables_per_level".
  std::vector<std::uint64_t> stat_list(const char* name) const {
    std::vector<std::uint64_t> values(64);
    std::size_t count = 0;
    detail::check(::lightning_db_stat_list(handle_.get(), name, values.data(), values.size(), &count));
    values.resize(count);
    return values;
  }
  /// Any figure as a text; nothing if it has none: "background_error".
  std::optional<std::string> stat_text(const char* name) const {
    const std::unique_ptr<char, detail::FreeValue> text(::lightning_db_stat_text(handle_.get(), name));
    if (!text) detail::check(::lightning_db_last_error_code());
    return text ? std::optional<std::string>(text.get()) : std::nullopt;
  }

  /// The handle of C, still owned by this object.
  ::lightning_db_t* c_handle() const noexcept { return handle_.get(); }

 private:
  explicit Database(::lightning_db_t* handle) : detail::DatabaseReader(detail::check_handle(handle)) {}
};

inline Snapshot Snapshot::in(const Database& keyspace) const {
  return Snapshot(detail::check_handle(::lightning_db_snapshot_in(handle_.get(), keyspace.c_handle())));
}

inline Transaction Transaction::in(const Database& keyspace) const {
  return Transaction(detail::check_handle(::lightning_db_txn_in(handle_.get(), keyspace.c_handle())));
}

inline void Batch::put(const Database& keyspace, std::string_view key, std::string_view value) {
  detail::check(::lightning_db_batch_put_in(handle_.get(), keyspace.c_handle(), key.data(), key.size(), value.data(),
                                            value.size()));
}

inline void Batch::erase(const Database& keyspace, std::string_view key) {
  detail::check(::lightning_db_batch_delete_in(handle_.get(), keyspace.c_handle(), key.data(), key.size()));
}

}  // namespace lightning_db

#endif  // LIGHTNING_DB_HPP
