#include "tools/sluicectl/render/table.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

constexpr std::size_t kGap = 2;
// Less than this says nothing: then the line is better wrapped by the terminal.
constexpr std::size_t kLeastWidth = 6;

std::size_t line_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
}

std::string line(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                 const Surface& surface) {
  std::string text;
  std::size_t blanks = 0;  // owed before the next cell; never written at the end of the line
  for (std::size_t at = 0; at < cells.size(); ++at) {
    const std::string shown = fit(cells[at].text, widths[at]);
    text.append(blanks, ' ').append(toned(shown, cells[at].tone, surface));
    blanks = widths[at] - display_width(shown) + kGap;
  }
  return text + '\n';
}

}  // namespace

void Table::add(std::vector<Cell> row) {
  assert(row.size() == columns_.size());
  for (Cell& cell : row) {
    if (cell.text.empty()) cell.text = "-";
  }
  rows_.push_back(std::move(row));
}

std::size_t Table::natural_width() const {
  return line_width(natural_widths());
}

std::vector<std::size_t> Table::natural_widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t at = 0; at < columns_.size(); ++at) {
    std::size_t width = display_width(columns_[at].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[at].text));
    widths.push_back(width);
  }
  return widths;
}

std::vector<std::size_t> Table::fitted_widths(std::size_t limit) const {
  std::vector<std::size_t> widths = natural_widths();
  for (std::size_t total = line_width(widths); total > limit; --total) {
    std::size_t widest = widths.size();
    for (std::size_t at = 0; at < widths.size(); ++at) {
      const std::size_t least = std::max(kLeastWidth, display_width(columns_[at].title));
      if (!columns_[at].shrinks || widths[at] <= least) continue;
      if (widest == widths.size() || widths[at] > widths[widest]) widest = at;
    }
    if (widest == widths.size()) break;
    --widths[widest];
  }
  return widths;
}

std::string Table::render(const Surface& surface, std::size_t indent) const {
  const std::size_t room = surface.width > indent ? surface.width - indent : 0;
  const auto widths = surface.width == 0 ? natural_widths() : fitted_widths(room);
  const std::string margin(indent, ' ');
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Tone::Quiet);
  std::string text = margin + line(titles, widths, surface);
  for (const auto& row : rows_) text += margin + line(row, widths, surface);
  return text;
}

}  // namespace sluice::ctl
