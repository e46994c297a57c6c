#include "health/api/event_json.h"

#include "health/rfc3339.h"

namespace sluice::health {

using nlohmann::ordered_json;

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json to_json(const Event& event) {
  ordered_json object;
  object["id"] = text_or_null(event.id);
  object["at"] = to_rfc3339(event.at);
  object["type"] = to_string(event.type);
  object["server"] = text_or_null(event.server);
  object["service"] = text_or_null(event.service);
  object["by"] = text_or_null(event.by);
  object["origin"] = text_or_null(event.origin);
  object["text"] = event.text;
  object["generation"] = event.generation;
  if (event.type == EventType::Status) {
    object["was"] = event.was;
    object["status"] = event.status;
  }
  if (event.type == EventType::Refusal) {
    object["rule"] = event.rule;
    object["answer_set"] = text_or_null(event.answer_set);
  }
  if (event.type == EventType::Refusal || event.type == EventType::Authentication ||
      event.type == EventType::Forbidden) {
    object["numbers"] = event.numbers;
  }
  return object;
}

}  // namespace sluice::health
