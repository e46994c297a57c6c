#include "tools/sluicectl/api/event.h"

namespace sluice::ctl {

Event read_event(JsonReader& reader) {
  return {.at = reader.time_if("at"),
          .type = reader.text("type"),
          .server = reader.text_if("server").value_or(""),
          .service = reader.text_if("service").value_or(""),
          .by = reader.text_if("by").value_or(""),
          .origin = reader.text_if("origin").value_or(""),
          .text = reader.text_if("text").value_or(""),
          .generation = reader.number_if("generation").value_or(0),
          .was = reader.text_if("was").value_or(""),
          .status = reader.text_if("status").value_or(""),
          .rule = reader.text_if("rule").value_or(""),
          .answer_set = reader.text_if("answer_set").value_or(""),
          .numbers = reader.numbers_if("numbers").value_or(decltype(Event::numbers){})};
}

std::vector<Event> read_history(JsonReader& reader) {
  std::vector<Event> all;
  if (!reader.has("events")) reader.text("events");  // `{}` is no list of none
  reader.each("events", [&](JsonReader& each) { all.push_back(read_event(each)); });
  return all;
}

}  // namespace sluice::ctl
