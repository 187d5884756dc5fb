// Snapshots and transactions of lightning_db.hpp, which includes this, and what they share with databases.
#ifndef LIGHTNING_DB_READERS_HPP
#define LIGHTNING_DB_READERS_HPP

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../lightning_db.h"
#include "basics.hpp"

namespace lightning_db {

class Database;

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
    if (status == LIGHTNING_DB_NOT_FOUND && ::lightning_db_last_error_is_absent_key()) return std::nullopt;
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

  /// The same snapshot through a keyspace of its database, or through the default one. It closes alone; once the snapshot is
  /// closed or destroyed its calls throw.
  Snapshot in(const Database& keyspace) const;

  /// Frees the snapshot early; every later call throws.
  void close() noexcept { handle_.free(); }
};

/// A transaction; taken back when destroyed before commit(). Reads see the database as it was at the beginning, and its
/// own writes. What is read is checked at the commit, also what a scan walks over.
class Transaction : public detail::TransactionReader {
 public:
  explicit Transaction(::lightning_db_txn_t* handle, bool owned = true) noexcept : detail::TransactionReader(handle, owned) {}

  /// The same transaction through a keyspace of its database, or through the default one. It is committed or aborted, whole,
  /// through any of them, and taken back when the one that began it is destroyed.
  Transaction in(const Database& keyspace) const;

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

}  // namespace lightning_db

#endif  // LIGHTNING_DB_READERS_HPP
