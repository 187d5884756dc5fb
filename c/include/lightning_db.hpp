// Lightning DB for C++17: lightning_db.h with owners, std::string_view and exceptions.
//
// Keys and values are any bytes. Every call throws lightning_db::Error where the C call fails; lightning_db.h says with which
// numbers, when it blocks, and that any thread may call it. Owners are moved, not copied; a moved-from or closed
// owner throws Error at every call. Order of destruction does not matter: a closed database closes what belongs to it.
#ifndef LIGHTNING_DB_HPP
#define LIGHTNING_DB_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lightning_db.h"
#include "lightning_db/basics.hpp"

namespace lightning_db {

namespace detail {

/// What database, snapshot and transaction have in common.
template <class T, int (*Free)(T*), int (*GetInto)(T*, const char*, std::size_t, char*, std::size_t, std::size_t*),
          char* (*Get)(T*, const char*, std::size_t, std::size_t*),
          ::lightning_db_scan_t* (*NewScan)(T*, const ::lightning_db_scan_options_t*)>
class Reader {
 public:
  /// The value of a key, or nothing.
  std::optional<std::string> get(std::string_view key) const {
    std::array<char, 1024> buffer;  // Small values need no memory of the library.
    std::size_t length = 0;
    const int status = GetInto(handle_.get(), key.data(), key.size(), buffer.data(), buffer.size(), &length);
    if (status == LIGHTNING_DB_OK) return std::string(buffer.data(), length);
    if (status == LIGHTNING_DB_NOT_FOUND) return std::nullopt;
    if (length <= buffer.size()) throw Error::last(status);
    const std::unique_ptr<char, FreeValue> value(Get(handle_.get(), key.data(), key.size(), &length));
    if (!value) check(::lightning_db_last_error_code());
    return value ? std::optional<std::string>(std::in_place, value.get(), length) : std::nullopt;
  }

  /// Entries in key order.
  Scan scan(const ScanOptions& options = ScanOptions()) const {
    const auto c_options = options.c_options();
    return Scan(check_handle(NewScan(handle_.get(), &c_options)));
  }

  /// The entries whose key starts with `prefix`.
  Scan scan_prefix(std::string_view prefix) const { return scan(ScanOptions().prefix(prefix)); }

 protected:
  explicit Reader(T* handle, bool owned = true) noexcept : handle_(handle, owned) {}

  Owner<T, Free> handle_;
};

using DatabaseReader = Reader<::lightning_db_t, ::lightning_db_destroy, ::lightning_db_get_into, ::lightning_db_get,
                              ::lightning_db_scan_new>;
using SnapshotReader = Reader<::lightning_db_snapshot_t, ::lightning_db_snapshot_free, ::lightning_db_snapshot_get_into,
                              ::lightning_db_snapshot_get, ::lightning_db_snapshot_scan>;
using TransactionReader = Reader<::lightning_db_txn_t, ::lightning_db_txn_free, ::lightning_db_txn_get_into,
                                 ::lightning_db_txn_get, ::lightning_db_txn_scan>;

}  // namespace detail

/// The database as it was at one instant. Blocks nobody, keeps old versions on disk while it lives. Its scans may outlive it.
class Snapshot : public detail::SnapshotReader {
 public:
  explicit Snapshot(::lightning_db_snapshot_t* handle) noexcept : detail::SnapshotReader(handle) {}

  /// Frees the snapshot early; every later call throws.
  void close() noexcept { handle_.free(); }
};

/// A transaction; taken back when destroyed before commit(). Reads see the database as it was at the beginning, and its
/// own writes. What is read is checked at the commit, also what a scan walks over.
class Transaction : public detail::TransactionReader {
 public:
  explicit Transaction(::lightning_db_txn_t* handle, bool owned = true) noexcept : detail::TransactionReader(handle, owned) {}

  /// Puts a value.
  void put(std::string_view key, std::string_view value) {
    detail::check(::lightning_db_txn_put(handle_.get(), key.data(), key.size(), value.data(), value.size()));
  }
  /// Deletes a key; an absent one is no error.
  void erase(std::string_view key) {
    detail::check(::lightning_db_txn_delete(handle_.get(), key.data(), key.size()));
  }
  /// Commits; throws Conflict if what it has read has changed. It has ended either way.
  void commit(Level level = Level::Default) {
    detail::check(::lightning_db_txn_commit_with(handle_.get(), static_cast<int>(level)));
  }
  /// Takes everything back.
  void abort() { detail::check(::lightning_db_txn_abort(handle_.get())); }
  /// Frees the transaction early, taken back if it was not committed; every later call throws.
  void close() noexcept { handle_.free(); }

  /// The handle of C, still owned by this object.
  ::lightning_db_txn_t* c_handle() const noexcept { return handle_.get(); }
};

namespace detail {

/// One call of transact(): no exception crosses the library.
template <class Work, class Result>
struct Attempt {
  static constexpr bool is_void = std::is_void_v<Result>;

  std::remove_reference_t<Work>& work;
  std::exception_ptr thrown;
  std::optional<std::conditional_t<is_void, bool, Result>> result;

  static int run(::lightning_db_txn_t* handle, void* user) noexcept {
    auto& self = *static_cast<Attempt*>(user);
    self.result.reset();
    try {
      Transaction txn(handle, false);
      if constexpr (is_void) {
        self.work(txn);
      } else {
        self.result.emplace(self.work(txn));
      }
      return LIGHTNING_DB_OK;
    } catch (const Error& error) {
      if (error.code() == LIGHTNING_DB_CONFLICT) return LIGHTNING_DB_CONFLICT;
      self.thrown = std::current_exception();
    } catch (...) {
      self.thrown = std::current_exception();
    }
    return -1;
  }

  Result take() {
    if constexpr (!is_void) return std::move(*result);
  }
};

}  // namespace detail

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
  /// Forgets all writes.
  void clear() { detail::check(::lightning_db_batch_clear(handle_.get())); }
  /// Applies all writes or none; empty and usable afterwards.
  void write(Level level = Level::Default) {
    detail::check(::lightning_db_batch_write_with(handle_.get(), static_cast<int>(level)));
  }
  /// Frees the batch early; every later call throws.
  void close() noexcept { handle_.free(); }

 private:
  detail::Owner<::lightning_db_batch_t, ::lightning_db_batch_free> handle_;
};

/// An open database; closed and freed when destroyed, which cannot tell of an error: close() does.
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
  /// Makes a database in `target`, absent or empty, of the backup in `source`.
  static void restore(const std::string& source, const std::string& target) {
    detail::check(::lightning_db_restore(source.c_str(), target.c_str()));
  }

  /// Closes it and all that belongs to it. Again: does nothing.
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
  /// Empties the cache of pages and rows.
  void clear_cache() { detail::check(::lightning_db_clear_cache(handle_.get())); }

  /// A count or number of bytes by its name: "total_size".
  std::uint64_t stat_int(const char* name) const {
    std::uint64_t value = 0;
    detail::check(::lightning_db_stat_int(handle_.get(), name, &value));
    return value;
  }
  /// A ratio from 0 to 1 by its name: "cache_hit_rate".
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

}  // namespace lightning_db

#endif  // LIGHTNING_DB_HPP
