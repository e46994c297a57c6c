#include <limits>
#include <utility>

#include "health/cluster/record_keys.h"
#include "health/cluster/record_readers.h"

namespace sluice::cluster {
namespace {

using nlohmann::json;

template <class T>
ReadRecord change(T value) {
  return Record(health::Change(std::move(value)));
}

template <class T>
ReadRecord finish_change(RecordReader& reader, T value) {
  return finish(reader, health::Change(std::move(value)));
}

template <class T, std::size_t N>
std::string_view word_or_none(const health::Words<T, N>& words, const std::optional<T>& value) {
  return value ? health::word(words, *value) : std::string_view();
}

json expiry_json(const std::optional<health::Expiry>& expiry) {
  if (!expiry) return {};
  return RecordWriter()
      .number("id", expiry->id)
      .time("at", expiry->at)
      .text("then", word(health::kThen, expiry->then))
      .flag("alarmed", expiry->alarmed)
      .text("clock", expiry->clock)
      .take();
}

void read_expiry(RecordReader& reader, std::optional<health::Expiry>& to) {
  const json* value = reader.optional("expiry");
  if (value == nullptr) return;
  RecordReader inner(*value, "expiry");
  health::Expiry& expiry = to.emplace();
  expiry.id = inner.number("id");
  expiry.at = inner.time("at");
  expiry.then = inner.word("then", health::kThen);
  expiry.alarmed = inner.flag_or_false("alarmed");
  expiry.clock = inner.text_or_empty("clock");
  reader.take(inner.finish_known());
}

// A map of names: a service's instance, ...
void read_instances(RecordReader& reader, health::Hold& hold) {
  reader.each_member("instances", [&](const std::string& service, const json& value) {
    if (!is_service(service)) return reader.fail("instances", "has what is no service");
    if (!value.is_string()) return reader.fail("instances." + service, "must be a text");
    hold.instances.emplace(service, value.get<std::string>());
  });
}

void read_released(RecordReader& reader, health::Hold& hold) {
  for (std::string& service : reader.texts_or_none("released")) {
    if (!is_service(service)) return reader.fail("released", "has what is no service");
    hold.released.insert(std::move(service));
  }
}

RecordWriter hold_json(const health::Hold& hold) {
  RecordWriter writer;
  writer.text("by", hold.by)
      .text("reason", hold.reason)
      .time("since", hold.since)
      .text("startup", word_or_none(health::kStartup, hold.startup))
      .flag("forced", hold.forced)
      .flag("hide_host", hold.hide_host)
      .flag("lift_asked", hold.lift_asked)
      .member("expiry", expiry_json(hold.expiry))
      .member("instances", hold.instances)
      .texts("released", {hold.released.begin(), hold.released.end()});
  return writer;
}

RecordWriter schedule_json(const health::PlannedDrain& plan) {
  RecordWriter writer;
  writer.text("server", plan.server)
      .text("service", plan.service)
      .time("at", plan.at)
      .text("by", plan.by)
      .text("reason", plan.reason)
      .text("startup", word_or_none(health::kStartup, plan.startup))
      .flag("hide_host", plan.hide_host)
      .flag("force", plan.force)
      .time("expires", plan.expires)
      .text("then", word(health::kThen, plan.then))
      .time("created", plan.created)
      .text("clock", plan.clock);
  return writer;
}

// The server is in the key.
RecordWriter audit_json(const health::Event& event) {
  RecordWriter writer;
  writer.time("at", event.at)
      .text("type", word(health::kDurable, event.type))
      .text("service", event.service)
      .text("by", event.by)
      .text("origin", event.origin)
      .text("text", event.text)
      .number("generation", event.generation)
      .text("rule", event.rule)
      .text("answer_set", event.answer_set)
      .member("numbers", event.numbers);
  return writer;
}

// Each change as a write, or nothing.
struct Writing {
  std::string_view unique;

  using Done = std::optional<Write>;
  static Done put(std::string key, const RecordWriter& value) {
    return Write{std::move(key), value.dump(), 0};
  }
  static Done erase(std::string key) { return Write{std::move(key), std::nullopt, 0}; }

  Done operator()(const health::PutHold& put_hold) const {
    return put(key_of("holds", hold_text(put_hold.hold.key)), hold_json(put_hold.hold));
  }
  Done operator()(const health::EraseHold& gone) const {
    return erase(key_of("holds", hold_text(gone.key)));
  }
  Done operator()(const health::PutForce& force) const {
    std::string key = key_of("forces", service_text(force.server, force.service));
    if (!force.health) return erase(std::move(key));
    return put(std::move(key), RecordWriter()
                                   .text("health", word(health::kHealth, *force.health))
                                   .text("by", force.by)
                                   .time("since", force.since));
  }
  Done operator()(const health::PutSchedule& schedule) const {
    return put(key_of("schedules", schedule_text(schedule.plan.id)), schedule_json(schedule.plan));
  }
  Done operator()(const health::EraseSchedule& gone) const {
    return erase(key_of("schedules", schedule_text(gone.id)));
  }
  Done operator()(const health::ReserveSchedules& numbers) const {
    return put(std::string(kNumbersKey), RecordWriter().number("schedule", numbers.up_to));
  }
  Done operator()(const health::PutSerialBase& serial) const {
    return put(key_of("serials", serial.zone), RecordWriter().number("base", serial.base));
  }
  Done operator()(const health::AppendAudit& audit) const {
    if (!health::is_durable(audit.event.type)) return {};
    return put(key_of("audit", audit_text(audit.event.server, audit.event.at, unique)),
               audit_json(audit.event));
  }
  Done operator()(const health::PutHealth&) const { return {}; }
  Done operator()(const health::PutPoolTtl&) const { return {}; }
  Done operator()(const health::PruneAudit&) const { return {}; }
  Done operator()(const health::ReserveGenerations&) const { return {}; }
};

}  // namespace

std::optional<Write> write_of(const health::Change& change, std::string_view unique) {
  return std::visit(Writing{unique}, change);
}

std::string audit_prefix(std::string_view server) {
  return key_of("audit", server.empty() ? "-" : server) + "/";
}

ReadRecord read_numbers(const Entry& entry) {
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  return finish_change(reader, health::ReserveSchedules{reader.number("schedule")});
}

ReadRecord read_hold(const Entry& entry) {
  auto key = read_hold_text(entry.rest);
  if (!key) return wrong("must be holds/SERVER/SERVICE/ORIGIN");
  if (entry.value == nullptr) return change(health::EraseHold{std::move(*key)});
  RecordReader reader(*entry.value, {});
  health::Hold hold;
  hold.key = std::move(*key);
  hold.by = reader.text_or_empty("by");
  hold.reason = reader.text_or_empty("reason");
  hold.since = reader.time("since");
  hold.startup = reader.choice("startup", health::kStartup);
  hold.forced = reader.flag_or_false("forced");
  hold.hide_host = reader.flag_or_false("hide_host");
  hold.lift_asked = reader.flag_or_false("lift_asked");
  read_expiry(reader, hold.expiry);
  read_instances(reader, hold);
  read_released(reader, hold);
  return finish_change(reader, health::PutHold{std::move(hold)});
}

ReadRecord read_force(const Entry& entry) {
  auto place = read_service_text(entry.rest);
  if (!place) return wrong("must be forces/SERVER/SERVICE");
  health::PutForce force;
  force.server = std::move(place->server);
  force.service = std::move(place->service);
  if (entry.value == nullptr) return change(std::move(force));
  RecordReader reader(*entry.value, {});
  force.health = reader.word("health", health::kHealth);
  if (!reader.failed() && force.health == health::Health::Stopped) {
    reader.fail("health", "must be up or down");
  }
  force.by = reader.text_or_empty("by");
  force.since = reader.time("since");
  return finish_change(reader, std::move(force));
}

ReadRecord read_schedule(const Entry& entry) {
  const auto id = read_schedule_text(entry.rest);
  if (!id) return wrong("must be schedules/ and a number of 20 digits");
  if (entry.value == nullptr) return change(health::EraseSchedule{*id});
  RecordReader reader(*entry.value, {});
  health::PlannedDrain plan;
  plan.id = *id;
  plan.server = reader.name("server", is_server, kNoServer);
  plan.service = reader.text_or_empty("service");
  if (!plan.service.empty() && !is_service(plan.service)) reader.fail("service", kNoService);
  plan.at = reader.time("at");
  plan.by = reader.text_or_empty("by");
  plan.reason = reader.text_or_empty("reason");
  plan.startup = reader.choice("startup", health::kStartup);
  plan.hide_host = reader.flag_or_false("hide_host");
  plan.force = reader.flag_or_false("force");
  plan.expires = reader.time_or_none("expires");
  plan.then = reader.word("then", health::kThen);
  plan.created = reader.time("created");
  plan.clock = reader.text_or_empty("clock");
  return finish_change(reader, health::PutSchedule{std::move(plan)});
}

ReadRecord read_serial(const Entry& entry) {
  if (!is_dns_name(entry.rest)) return wrong("must be serials/ZONE");
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  const auto base = reader.number("base", std::numeric_limits<std::uint32_t>::max());
  return finish_change(
      reader, health::PutSerialBase{std::string(entry.rest), static_cast<std::uint32_t>(base)});
}

ReadRecord read_audit(const Entry& entry) {
  auto server = read_audit_text(entry.rest);
  if (!server) return wrong("must be audit/SERVER/TIME-UNIQUE");
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  health::Event event;
  event.server = std::move(*server);
  event.at = reader.time("at");
  event.type = reader.word("type", health::kDurable);
  event.service = reader.text_or_empty("service");
  event.by = reader.text_or_empty("by");
  event.origin = reader.text_or_empty("origin");
  event.text = reader.text_or_empty("text");
  event.generation = reader.number("generation");
  event.rule = reader.text_or_empty("rule");
  event.answer_set = reader.text_or_empty("answer_set");
  reader.each_member("numbers", [&](const std::string& name, const json& value) {
    const auto number = reader.integer(&value, "numbers." + name, health::kMaxJsonInteger);
    event.numbers.emplace(name, number.value_or(0));
  });
  return finish_change(reader, health::AppendAudit{std::move(event)});
}

}  // namespace sluice::cluster
