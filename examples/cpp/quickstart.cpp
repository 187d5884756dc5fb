// The first steps: put, get, delete, a batch and a scan.
//
// c++ -std=c++17 quickstart.cpp $(pkg-config --cflags --libs lightning_db) -o quickstart && ./quickstart FOLDER
#include <iostream>
#include <lightning_db.hpp>
#include <string>

namespace ldb = lightning_db;

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".";
  auto db = ldb::Database::create(folder + "/quickstart");

  db.put("hello", "world");
  if (db.get("hello") != "world") return 1;

  db.erase("hello");
  if (db.get("hello")) return 1;

  // A batch is applied whole or not at all.
  auto batch = db.batch();
  batch.put("user:1", "Alice");
  batch.put("user:2", "Bob");
  batch.put("user:3", "Charlie");
  batch.write();

  // This start belongs to the range, this end does not.
  for (const auto& [key, name] : db.scan(ldb::ScanOptions().gte("user:1").lt("user:3"))) {
    std::cout << key << " = " << name << "\n";
  }

  db.close();
  return 0;
} catch (const ldb::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
