#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "health/histogram.h"

namespace sluice::health {

// A label's value, without its quotes: backslash, quote and line feed escaped.
std::string label_value(std::string_view text);

// Writes Prometheus' text format 0.0.4 at the end of a text. A family is begun once, and its
// samples follow before the next one is begun. Nothing but the text allocates: 100,000 pools have
// a million samples.
class MetricsPage {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Names, types and help outlive the page's writing; help has no backslash or line feed.
  explicit MetricsPage(std::string& text) : text_(text) {}

  void family(std::string_view name, std::string_view type, std::string_view help);

  // Of the family that was begun last; `value` an integer or a double.
  template <class Number>
  void sample(Labels labels, Number value) {
    text_.append(name_);
    append_labels(labels);
    append_value(value);
  }

  // Families of one sample, without labels.
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    family(name, "gauge", help);
    sample({}, value);
  }
  template <class Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    family(name, "counter", help);
    sample({}, value);
  }

  // Durations in seconds.
  void histogram(std::string_view name, std::string_view help, const Histogram& durations);

 private:
  void append_labels(Labels labels);
  void append_value(double value);
  void append_value(std::uint64_t value);
  template <class Integer>
  void append_value(Integer value) {
    append_value(static_cast<std::uint64_t>(value));
  }

  std::string& text_;
  std::string_view name_;
};

}  // namespace sluice::health
