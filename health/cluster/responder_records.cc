#include <algorithm>

#include "health/cluster/record_keys.h"
#include "health/cluster/record_readers.h"

namespace sluice::cluster {
namespace {

constexpr const char* kNoResponder = "must be 1 to 255 visible ASCII characters";

bool is_cluster_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Write write(std::string key, const RecordWriter& value) {
  return {std::move(key), value.dump(), 0};
}

}  // namespace

ReadRecord read_cluster(const Entry& entry) {
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  ClusterRecord record;
  record.id = reader.name("id", is_cluster_id, "must be 32 hex digits");
  record.created = reader.time("created");
  return finish(reader, std::move(record));
}

Write write_of(const ClusterRecord& record) {
  return write(std::string(kClusterKey),
               RecordWriter().text("id", record.id).time("created", record.created));
}

ReadRecord read_turn(const Entry& entry) {
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  TurnRecord record;
  record.responder = reader.name("responder", is_responder, kNoResponder);
  record.run = reader.required_text("run");
  return finish(reader, std::move(record));
}

Write write_of(const TurnRecord& record) {
  return write(std::string(kTurnKey),
               RecordWriter().text("responder", record.responder).text("run", record.run));
}

ReadRecord read_edition(const Entry& entry) {
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  EditionRecord record;
  record.publication = reader.number("publication");
  record.generation = reader.number("generation");
  record.renewed = reader.number("renewed");
  record.by = reader.text_or_empty("by");  // an import is nobody's
  record.run = reader.text_or_empty("run");
  record.number = reader.number("number");
  return finish(reader, std::move(record));
}

Write write_of(const EditionRecord& record) {
  return write(std::string(kEditionKey), RecordWriter()
                                             .number("publication", record.publication)
                                             .number("generation", record.generation)
                                             .number("renewed", record.renewed)
                                             .text("by", record.by)
                                             .text("run", record.run)
                                             .number("number", record.number));
}

ReadRecord read_responder(const Entry& entry) {
  if (!is_responder(entry.rest)) return wrong("the name " + std::string(kNoResponder));
  if (entry.value == nullptr) return Record(ForgottenResponder{std::string(entry.rest)});
  RecordReader reader(*entry.value, {});
  ResponderRecord record;
  record.name = entry.rest;
  record.run = reader.required_text("run");
  record.since = reader.time("since");
  record.dns = reader.texts_or_none("dns");
  record.api = reader.texts_or_none("api");
  record.version = reader.text_or_empty("version");
  record.configuration = reader.text_or_empty("configuration");
  return finish(reader, std::move(record));
}

Write write_of(const ResponderRecord& record) {
  return write(key_of("responders", record.name), RecordWriter()
                                                      .text("run", record.run)
                                                      .time("since", record.since)
                                                      .texts("dns", record.dns)
                                                      .texts("api", record.api)
                                                      .text("version", record.version)
                                                      .text("configuration", record.configuration));
}

ReadRecord read_alive(const Entry& entry) {
  if (!is_responder(entry.rest)) return wrong("the name " + std::string(kNoResponder));
  AliveRecord record{std::string(entry.rest), {}};
  if (entry.value == nullptr) return Record(std::move(record));
  RecordReader reader(*entry.value, {});
  record.run = reader.required_text("run");
  return finish(reader, std::move(record));
}

Write write_of(const AliveRecord& record) {
  return write(key_of("alive", record.name), RecordWriter().text("run", record.run));
}

ReadRecord read_served(const Entry& entry) {
  if (!is_responder(entry.rest)) return wrong("the name " + std::string(kNoResponder));
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  ServedRecord record;
  record.name = entry.rest;
  record.run = reader.required_text("run");
  record.publication = reader.number("publication");
  record.generation = reader.number("generation");
  record.at = reader.time("at");
  return finish(reader, std::move(record));
}

Write write_of(const ServedRecord& record) {
  return write(key_of("served", record.name), RecordWriter()
                                                  .text("run", record.run)
                                                  .number("publication", record.publication)
                                                  .number("generation", record.generation)
                                                  .time("at", record.at));
}

}  // namespace sluice::cluster
