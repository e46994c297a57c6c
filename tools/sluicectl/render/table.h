#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/sluicectl/render/surface.h"

namespace sluice::ctl {

struct Column {
  std::string title;
  bool shrinks = false;  // may be cut where the surface is too narrow
};

struct Cell {
  std::string text;
  Tone tone = Tone::Plain;

  Cell(std::string words, Tone in = Tone::Plain) : text(std::move(words)), tone(in) {}
  Cell(const char* words) : text(words) {}
};

// Rows under titles, aligned by display width, two blanks apart; no blanks at the end of a line.
// On a surface that is too narrow the widest of the shrinking columns are cut, with an ellipsis.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns; an empty text shows as "-".
  void add(std::vector<Cell> row);

  // What a line takes when nothing is cut.
  std::size_t natural_width() const;

  // With a newline after each line, `indent` blanks before.
  std::string render(const Surface& surface, std::size_t indent = 0) const;

 private:
  std::vector<std::size_t> natural_widths() const;
  std::vector<std::size_t> fitted_widths(std::size_t limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace sluice::ctl
