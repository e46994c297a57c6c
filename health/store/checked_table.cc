#include "health/store/checked_table.h"

namespace sluice::health {
namespace {

// "?1, ?2"
std::string parameters(const Shape& shape) {
  std::string list;
  for (int i = 1; i <= shape.size(); ++i) list += (i == 1 ? "?" : ", ?") + std::to_string(i);
  return list;
}

std::string key_condition(const Shape& shape) {
  std::string condition;
  for (std::size_t i = 0; i < shape.keys; ++i) {
    condition += (i == 0 ? "" : " AND ") + std::string(shape.columns[i]) + " = ?";
  }
  return condition;
}

}  // namespace

int Shape::size() const {
  int size = 0;
  for (const std::string_view column : columns) size += column.empty() ? 0 : 1;
  return size;
}

std::string Shape::column_list() const {
  std::string list;
  for (const std::string_view column : columns) {
    if (column.empty()) break;
    list += (list.empty() ? "" : ", ") + std::string(column);
  }
  return list;
}

std::string Shape::check() const {
  return "row_check('" + std::string(name) + "', " + column_list() + ")";
}

SqliteResult<CheckedTable> CheckedTable::prepare(Database& database, const Shape& shape) {
  const std::string name(shape.name);
  const std::string values = parameters(shape);
  CheckedTable table;
  auto insert = database.prepare("INSERT INTO " + name + " (" + shape.column_list() +
                                 ", row_check) VALUES (" + values + ", row_check('" + name + "', " +
                                 values + ")) RETURNING row_check");
  if (!insert) return base::Unexpected{std::move(insert).error()};
  auto erase = database.prepare("DELETE FROM " + name + " WHERE " + key_condition(shape) +
                                " RETURNING row_check");
  if (!erase) return base::Unexpected{std::move(erase).error()};
  table.insert_ = std::move(*insert);
  table.erase_ = std::move(*erase);
  return table;
}

SqliteResult<base::Done> check_rows(Database& database, const Shape& shape, Seal& seal) {
  const std::string update =
      "UPDATE " + std::string(shape.name) + " SET row_check = " + shape.check();
  auto updated = database.execute(update.c_str());
  if (!updated) return updated;
  return each_checked(database, shape, seal, [](const Statement&) { return base::Done{}; });
}

}  // namespace sluice::health
