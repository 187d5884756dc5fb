// Transactions: two threads move money between accounts; a conflict is retried, nothing is lost.
//
// c++ -std=c++17 transfer.cpp $(pkg-config --cflags --libs lightning_db) -lpthread -o transfer && ./transfer FOLDER
#include <future>
#include <iostream>
#include <lightning_db.hpp>
#include <string>

namespace ldb = lightning_db;

namespace {

unsigned long balance(const ldb::Transaction& txn, const std::string& account) {
  const auto text = txn.get(account);
  return text ? std::stoul(*text) : 0;
}

// Moves an amount; false if there is not enough.
bool transfer(ldb::Database& db, const std::string& from, const std::string& to, unsigned long amount) {
  return db.transact([&](ldb::Transaction& txn) {
    const auto available = balance(txn, from);
    if (available < amount) return false;
    txn.put(from, std::to_string(available - amount));
    txn.put(to, std::to_string(balance(txn, to) + amount));
    return true;
  });
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".";
  auto db = ldb::Database::create(folder + "/transfer");
  db.put("alice", "1000");
  db.put("bob", "1000");

  const auto often = [&](const char* from, const char* to, unsigned long amount) {
    for (int i = 0; i < 100; i++) transfer(db, from, to, amount);
  };
  auto there = std::async(std::launch::async, often, "alice", "bob", 7);
  auto back = std::async(std::launch::async, often, "bob", "alice", 5);
  there.get();
  back.get();

  const auto txn = db.transaction();
  const auto alice = balance(txn, "alice"), bob = balance(txn, "bob");
  std::cout << "alice " << alice << ", bob " << bob << ", together " << alice + bob << "\n";
  if (alice != 800 || bob != 1200) return 1;

  db.close();
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
