// Errors, options and scans of lightning_db.hpp, which includes this.
#ifndef LIGHTNING_DB_BASICS_HPP
#define LIGHTNING_DB_BASICS_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../lightning_db.h"

namespace lightning_db {

/// What went wrong. what() is a sentence that names the thing.
class Error : public std::runtime_error {
 public:
  /// The error of the last C call of this thread that failed with `code`.
  static Error last(int code) { return Error(code); }

  /// Number of the error: one of enum ::lightning_db_error.
  int code() const noexcept { return code_; }
  /// Name of the error, the same in every language: "Conflict".
  const char* name() const noexcept { return ::lightning_db_error_name(code_); }
  /// Whether the same call may succeed later without anything being mended.
  bool is_retryable() const noexcept { return ::lightning_db_error_is_retryable(code_); }
  /// The file that the error is about, if one is.
  const std::optional<std::string>& file() const noexcept { return file_; }
  /// The offset in file(), in bytes.
  std::optional<std::uint64_t> offset() const noexcept { return offset_; }
  /// The operating system's number; 0 if the error did not come from there.
  int os_code() const noexcept { return os_code_; }

 private:
  explicit Error(int code)
      : std::runtime_error(::lightning_db_last_error()),
        code_(code),
        os_code_(::lightning_db_last_error_os_code()),
        file_(),
        offset_() {
    if (const char* file = ::lightning_db_last_error_file()) file_ = file;
    std::uint64_t offset = 0;
    if (::lightning_db_last_error_offset(&offset)) offset_ = offset;
  }

  int code_;
  int os_code_;
  std::optional<std::string> file_;
  std::optional<std::uint64_t> offset_;
};

/// How far a write has got when the call returns: see enum ::lightning_db_level.
enum class Level : int {
  Default = LIGHTNING_DB_DEFAULT_LEVEL,
  Strong = LIGHTNING_DB_STRONG,
  Quorum = LIGHTNING_DB_QUORUM,
  Eventual = LIGHTNING_DB_EVENTUAL
};

/// What is checked when a transaction commits.
enum class Isolation : int { Serializable = LIGHTNING_DB_SERIALIZABLE, Snapshot = LIGHTNING_DB_SNAPSHOT_ISOLATION };

/// What a scan gives; without more, all entries in rising order. A side has one bound at most.
/// `ScanOptions().prefix("user:").reverse().limit(5)`
class ScanOptions {
 public:
  /// Keys behind this one.
  ScanOptions& gt(std::string_view key) { return set(gt_, key); }
  /// This key and those behind it.
  ScanOptions& gte(std::string_view key) { return set(gte_, key); }
  /// Keys in front of this one.
  ScanOptions& lt(std::string_view key) { return set(lt_, key); }
  /// This key and those in front of it.
  ScanOptions& lte(std::string_view key) { return set(lte_, key); }
  /// Of these, keys that start so.
  ScanOptions& prefix(std::string_view prefix) { return set(prefix_, prefix); }
  /// From the last key to the first.
  ScanOptions& reverse(bool reverse = true) {
    reverse_ = reverse;
    return *this;
  }
  /// At most so many entries.
  ScanOptions& limit(std::uint64_t entries) {
    limit_ = entries;
    return *this;
  }

  /// The form of C, which borrows from this object.
  ::lightning_db_scan_options_t c_options() const noexcept {
    ::lightning_db_scan_options_t options = LIGHTNING_DB_SCAN_OPTIONS;
    options.limit = limit_;
    options.gt = bytes(gt_);
    options.gte = bytes(gte_);
    options.lt = bytes(lt_);
    options.lte = bytes(lte_);
    options.prefix = bytes(prefix_);
    options.reverse = reverse_;
    return options;
  }

 private:
  using Bound = std::optional<std::string>;

  ScanOptions& set(Bound& bound, std::string_view key) {
    bound.emplace(key);
    return *this;
  }

  static ::lightning_db_bytes_t bytes(const Bound& bound) noexcept {
    if (!bound) return {nullptr, 0};
    return {bound->data(), bound->size()};
  }

  Bound gt_{}, gte_{}, lt_{}, lte_{}, prefix_{};
  std::uint64_t limit_ = LIGHTNING_DB_NO_LIMIT;
  bool reverse_ = false;
};

namespace detail {

inline void check(int status) {
  if (status != LIGHTNING_DB_OK) throw Error::last(status);
}

template <class T>
T* check_handle(T* handle) {
  if (handle == nullptr) throw Error::last(::lightning_db_last_error_code());
  return handle;
}

/// Owns a handle. A handle that was freed is known to the library as such, so it is kept for the error that it gives.
template <class T, int (*Free)(T*)>
class Owner {
 public:
  explicit Owner(T* handle, bool owned = true) noexcept : handle_(handle), owned_(owned) {}
  Owner(Owner&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), owned_(std::exchange(other.owned_, false)) {}
  Owner& operator=(Owner&& other) noexcept {
    if (this != &other) {
      free();
      handle_ = std::exchange(other.handle_, nullptr);
      owned_ = std::exchange(other.owned_, false);
    }
    return *this;
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { free(); }

  T* get() const noexcept { return handle_; }
  void free() noexcept {
    if (std::exchange(owned_, false)) Free(handle_);
  }

 private:
  T* handle_;
  bool owned_;
};

/// A comparator as C calls it.
template <class Compare>
struct Ordering {
  static int compare(const char* a, std::size_t a_len, const char* b, std::size_t b_len, void* user) noexcept {
    return (*static_cast<const Compare*>(user))(std::string_view(a, a_len), std::string_view(b, b_len));
  }
  static void free(void* user) noexcept { delete static_cast<Compare*>(user); }
};

struct FreeValue {
  void operator()(char* value) const noexcept { ::lightning_db_free_value(value); }
  void operator()(::lightning_db_bytes_t* values) const noexcept { ::lightning_db_free_values(values); }
};

}  // namespace detail

/// Options of a database, by name; ranges are judged when it is opened.
class Options {
 public:
  Options() : handle_(detail::check_handle(::lightning_db_options_new())) {}

  /// Bytes or a count: "cache_size", "memtable_size".
  Options& set_int(const char* name, std::int64_t value) {
    detail::check(::lightning_db_options_set_int(handle_.get(), name, value));
    return *this;
  }
  /// A truth value: "compression_enabled".
  Options& set_bool(const char* name, bool value) {
    detail::check(::lightning_db_options_set_bool(handle_.get(), name, value));
    return *this;
  }
  /// A duration: "checkpoint_interval".
  Options& set_seconds(const char* name, double value) {
    detail::check(::lightning_db_options_set_seconds(handle_.get(), name, value));
    return *this;
  }
  /// A word: "default_level", "mode".
  Options& set_text(const char* name, const std::string& value) {
    detail::check(::lightning_db_options_set_text(handle_.get(), name, value.c_str()));
    return *this;
  }

  /// The order of keys, as a function of yours: `int compare(std::string_view a, std::string_view b)`, negative if `a` is in front
  /// of `b`. It is kept until nobody uses it, called from many threads at once, a total preorder, and must not throw
  /// (std::terminate). The name is stored.
  template <class Compare>
  Options& set_comparator(const char* name, Compare compare) {
    return give(::lightning_db_options_set_comparator, name, std::move(compare));
  }
  /// The same for keyspaces of a database that were made with a comparator of this name.
  template <class Compare>
  Options& add_comparator(const char* name, Compare compare) {
    return give(::lightning_db_options_add_comparator, name, std::move(compare));
  }

  /// The handle of C, still owned by this object.
  ::lightning_db_options_t* c_handle() const noexcept { return handle_.get(); }

 private:
  using Give = int (*)(::lightning_db_options_t*, const char*, ::lightning_db_compare_t, void*,
                       ::lightning_db_free_user_t);

  template <class Compare>
  Options& give(Give call, const char* name, Compare compare) {
    auto kept = std::make_unique<Compare>(std::move(compare));
    detail::check(call(handle_.get(), name, detail::Ordering<Compare>::compare, kept.get(),
                       detail::Ordering<Compare>::free));
    kept.release();  // The library's from here on.
    return *this;
  }

  detail::Owner<::lightning_db_options_t, ::lightning_db_options_free> handle_;
};

/// Entries in key order. `for (auto [key, value] : db.scan_prefix("user:"))`: both are lent until the next step. An
/// error throws, in the middle of the loop too.
class Scan {
 public:
  /// Key and value.
  using Entry = std::pair<std::string_view, std::string_view>;

  explicit Scan(::lightning_db_scan_t* handle) noexcept : handle_(handle) {}

  /// The next entry, lent until the next call; nothing at the end.
  std::optional<Entry> next() {
    ::lightning_db_bytes_t key{}, value{};
    detail::check(::lightning_db_scan_next(handle_.get(), &key, &value));
    if (key.data == nullptr) return std::nullopt;
    return Entry(std::string_view(key.data, key.len), std::string_view(value.data, value.len));
  }

  /// Goes over the entries once; there is one iterator of a scan at a time.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = const Entry&;

    explicit Iterator(Scan* scan) : scan_(scan), entry_() {
      if (scan_ != nullptr) entry_ = scan_->next();
    }
    reference operator*() const { return *entry_; }
    pointer operator->() const { return &*entry_; }
    Iterator& operator++() {
      entry_ = scan_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return entry_.has_value() == other.entry_.has_value(); }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

   private:
    Scan* scan_;
    std::optional<Entry> entry_;
  };

  /// The first entry that was not given yet.
  Iterator begin() { return Iterator(this); }
  /// Behind the last entry.
  Iterator end() { return Iterator(nullptr); }

  /// Frees the scan early; every later call throws.
  void close() noexcept { handle_.free(); }

 private:
  detail::Owner<::lightning_db_scan_t, ::lightning_db_scan_free> handle_;
};

}  // namespace lightning_db

#endif  // LIGHTNING_DB_BASICS_HPP
