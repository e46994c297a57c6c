#include "tools/sluice-agent/agent.h"

#include <algorithm>
#include <set>
#include <utility>

#include <spdlog/spdlog.h>

#include "health/rfc3339.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/startup.h"

namespace sluice::agent {
namespace {

using nlohmann::json;

// Of all services, each once.
template <class Source>
std::vector<std::uint16_t> counted_ports(const config::AgentConfig& config) {
  std::set<std::uint16_t> ports;
  for (const config::AgentService& service : config.services) {
    if (!service.sessions) continue;
    for (const config::SessionCounter& counter : *service.sessions) {
      const auto* source = std::get_if<Source>(&counter.source);
      if (source != nullptr) ports.insert(source->ports.begin(), source->ports.end());
    }
  }
  return {ports.begin(), ports.end()};
}

std::vector<std::string> service_names(const config::AgentConfig& config) {
  std::vector<std::string> names;
  for (const config::AgentService& service : config.services) names.push_back(service.name);
  return names;
}

// Of all services, each once.
std::vector<std::string> watched_units(const config::AgentConfig& config) {
  std::set<std::string> units;
  for (const config::AgentService& service : config.services) {
    units.insert(service.units.begin(), service.units.end());
  }
  return {units.begin(), units.end()};
}

}  // namespace

Agent::Agent(uv_loop_t* loop, const config::AgentConfig& config, std::string boot_id,
             HostStateFile file, HostStateFile::Loaded loaded, const base::Clock& clock)
    : loop_(loop),
      config_(config),
      boot_id_(std::move(boot_id)),
      clock_(clock),
      file_(std::move(file)),
      state_(std::move(loaded.state)),
      units_(loop, watched_units(config),
             [this] {
               for (const auto& [name, monitor] : monitors_) monitor->look_at_units();
             }),
      ports_(counted_ports<config::TcpConnections>(config)),
      flows_(loop, counted_ports<config::UdpFlows>(config), counter_limit(config.heartbeat)),
      credentials_(config.token_file, config.tls, clock),
      pusher_(loop, {config.authorities, config.server, config.heartbeat}, credentials_,
              {[this](std::uint64_t seq) { return document(seq); },
               [this](std::uint64_t seq, const HeartbeatReply& reply) { on_reply(seq, reply); },
               [this] { holds_.failed(pusher_.last_failure(), clock_.now()); }},
              clock),
      holds_(state_, service_names(config), config.authorities.size(),
             {[this] { return keep(); },
              [this] {
                begun_ = true;
                pusher_.hurry();
              },
              [this](const std::string& service) { return instance_of(service); }}),
      hooks_(loop, config_.services, state_,
             [this] {
               static_cast<void>(keep());  // tried again with each heartbeat
               push_change();
             }),
      verdicts_(loop, config.server, credentials_),
      shutdown_(loop, config.reboot,
                {[this] { pause_for_shutdown(); }, [this] { resume_after_shutdown(); },
                 [this](VerdictClient::Done done) {
                   verdicts_.ask(pusher_.authority(), std::nullopt, std::move(done));
                 }}),
      beat_(loop, [this] { beat(); }),
      first_(loop,
             [this] {
               begun_ = true;
               pusher_.push();
             }),
      patience_(loop, [this] {
        holds_.tick(clock_.now());
        if (!holds_.busy()) patience_.stop();
      }) {
  for (const config::AgentService& service : config_.services) {
    monitors_[service.name] = std::make_unique<ServiceMonitor>(
        service, ServiceMonitor::World{loop, units_, ports_, flows_, clock, log_,
                                       [this] { push_change(); }, config_.heartbeat});
  }
  if (!loaded.damage.empty()) hold_what_was_forgotten(loaded.damage);
}

base::Checked<base::Done> Agent::start() {
  if (!config_.socket.path.empty()) {
    auto socket = ControlSocket::listen(
        loop_, config_.socket,
        [this](const ControlRequest& request, const std::string& by,
               const ControlSocket::Reply& reply) { on_request(request, by, reply); });
    if (!socket) return base::Unexpected{socket.error()};
    socket_ = *std::move(socket);
  }
  units_.start();
  shutdown_.start();
  beat_.start(base::Duration::zero(), config_.heartbeat);
  first_.start(config_.heartbeat);
  push_change();
  return base::Done{};
}

std::optional<std::string> Agent::standing() const {
  if (!pusher_.connected()) {
    if (pusher_.last_failure().empty()) return {};
    return "no heartbeat arrives: " + printable(pusher_.last_failure());
  }
  std::string held;
  for (const auto& [name, order] : orders_) {
    if (order.held) held += (held.empty() ? "" : ", ") + name;
  }
  const auto trouble = credentials_.trouble();
  return pusher_.authority() +
         (pusher_.stale() ? " answers, cut off from its cluster; " : " answers; ") +
         (held.empty() ? "nothing is held" : "held: " + held) +
         (trouble ? "; " + printable(*trouble) : "");
}

// The first push renews the lease of what was said of a service before, perhaps before a reboot: it
// waits until all of them are known, for one heartbeat at most (a check may hang).
void Agent::push_change() {
  const auto known = [](const auto& monitor) { return monitor.second->report().has_value(); };
  begun_ = begun_ || std::all_of(monitors_.begin(), monitors_.end(), known);
  if (begun_) pusher_.push();
}

// Which of its services this host had paused is lost. Somebody may be about to pull its plug: new
// connections are the worse mistake. So each service is paused, visibly and by nobody's force: a
// floor that this would break refuses it, and `sluice-agent resume` or an operator's resume ends
// it.
void Agent::hold_what_was_forgotten(const std::string& damage) {
  spdlog::critical(
      "{}; the file was put aside as *.damaged. What this host had paused is not "
      "known: all its services are paused until somebody resumes them",
      printable(damage));
  const health::HostPause pause{
      "sluice-agent", "the agent's state was damaged: what was paused is not known",
      std::chrono::floor<std::chrono::seconds>(clock_.now().wall), config::Startup::Manual, false};
  for (const auto& [name, monitor] : monitors_) state_.services[name].pause = pause;
  static_cast<void>(keep());
}

void Agent::beat() {
  for (const auto& [name, monitor] : monitors_) {
    monitor->look_at_process();
    monitor->read_counters();
  }
  sample_flows();
  if (unsaved_) static_cast<void>(keep());
}

void Agent::sample_flows() {
  // What fails here is how the host is set up: it is told once, until it is something else.
  if (flows_.failure() != flows_failure_) {
    flows_failure_ = flows_.failure();
    if (flows_failure_.empty()) {
      spdlog::info("the sessions of udp_ports are known");
    } else {
      spdlog::warn("the sessions of udp_ports are not known: {}", flows_failure_);
    }
  }
  flows_.sample(clock_.now().mono, own_ends());
}

std::vector<base::SocketAddress> Agent::own_ends() const {
  std::vector<base::SocketAddress> own;
  for (const auto& [name, monitor] : monitors_) monitor->add_own_connections(own);
  return own;
}

void Agent::sample_connections() {
  const auto now = clock_.now().mono;
  // Changes may push ten times a second; the kernel walks its whole table for each sample.
  if (sampled_ && now - *sampled_ < config_.heartbeat / 2) return;
  sampled_ = now;
  const auto done = ports_.sample(now, own_ends());
  if (!done) log_.warn("ports", now, "sessions are not known: " + done.error().message);
}

std::optional<std::string> Agent::instance_of(const std::string& service) const {
  const auto monitor = monitors_.find(service);
  if (monitor == monitors_.end()) return {};
  const auto report = monitor->second->report();
  if (!report || !report->instance) return {};
  return boot_id_ + "/" + *report->instance;
}

std::string Agent::document(std::uint64_t seq) {
  sample_connections();
  health::Heartbeat heartbeat;
  heartbeat.instance = boot_id_;
  heartbeat.seq = seq;
  for (const auto& [name, monitor] : monitors_) {
    auto report = monitor->report();
    if (!report) continue;
    report->paused = holds_.paused(name);
    report->hook = hooks_.outcome(name);
    heartbeat.services.emplace(name, *std::move(report));
  }
  holds_.pushed(seq);
  return render_heartbeat(heartbeat);
}

void Agent::on_reply(std::uint64_t seq, const HeartbeatReply& reply) {
  // Who is cut off says what was true when it was: what is newer came from another one.
  if (reply.stale && reply.generation < generation_) {
    holds_.failed(pusher_.authority() + " is cut off from its cluster", clock_.now());
    return;
  }
  generation_ = reply.generation;
  const auto dropped = holds_.answered(seq, reply, clock_.now());
  for (const auto& [name, monitor] : monitors_) {
    const auto order = reply.services.find(name);
    // A pause that has just been dropped is what this reply calls held; the next one tells.
    if (order == reply.services.end() || (dropped.contains(name) && order->second.held)) continue;
    if (order->second.pending) continue;  // the next one tells
    const auto before = orders_.find(name);
    // It takes no resume either, and may not have heard of the drain.
    const bool lifts = before != orders_.end() && before->second.held && !order->second.held;
    if (reply.stale && lifts) continue;
    if (before == orders_.end() ? order->second.held : before->second.held != order->second.held) {
      spdlog::info("{}: {}{}", name, order->second.held ? "held" : "held no longer",
                   order->second.reason.empty() ? "" : ": " + printable(order->second.reason));
    }
    orders_[name] = {order->second.held, order->second.reason};
    hooks_.on_held(name, order->second.held);
  }
}

base::Checked<base::Done> Agent::keep() {
  auto kept = file_.save(state_);
  unsaved_ = !kept;
  if (!kept) {
    log_.warn("disk", clock_.now().mono, "the state cannot be written: " + kept.error().message);
  }
  return kept;
}

void Agent::on_request(const ControlRequest& request, const std::string& by,
                       const ControlSocket::Reply& reply) {
  if (request.command == ControlRequest::Command::Status) {
    reply({ExitCode::Done, "", status()});
    return;
  }
  if (request.command == ControlRequest::Command::Verdict) {
    answer_verdict(request.service, reply);
    return;
  }
  holds_.ask(request, by, clock_.now(), reply);
  constexpr base::Duration kLook = std::chrono::milliseconds(250);
  if (holds_.busy()) patience_.start(kLook, kLook);
}

void Agent::answer_verdict(const std::optional<std::string>& service,
                           const ControlSocket::Reply& reply) {
  if (service && !monitors_.contains(*service)) {
    reply({ExitCode::Failed, *service + " is no service of this agent", {}});
    return;
  }
  verdicts_.ask(pusher_.authority(), service, [reply](const base::Checked<HostVerdict>& verdict) {
    if (!verdict) return reply({ExitCode::Failed, verdict.error().message, {}});
    reply({ExitCode::Done,
           "",
           {{"safe_to_stop", verdict->safe_to_stop},
            {"reasons", verdict->reasons},
            {"warnings", verdict->warnings}}});
  });
}

void Agent::pause_for_shutdown() {
  const auto paused = [this](const auto& monitor) {
    return holds_.paused(monitor.first).has_value();
  };
  if (holds_.busy() || std::all_of(monitors_.begin(), monitors_.end(), paused)) return;
  ControlRequest request;
  request.command = ControlRequest::Command::Pause;
  request.reason = "the host shuts down";
  request.force = true;
  on_request(request, ShutdownDelay::kBy,
             [](const ControlAnswer& answer) { spdlog::info("{}", printable(answer.text)); });
}

// Of this boot alone: what a shutdown has left behind ends as its startup says.
void Agent::resume_after_shutdown() {
  for (const auto& [name, monitor] : monitors_) {
    const auto paused = holds_.paused(name);
    if (!paused || paused->by != ShutdownDelay::kBy || !paused->instance ||
        !paused->instance->starts_with(boot_id_ + "/")) {
      continue;
    }
    ControlRequest request;
    request.command = ControlRequest::Command::Resume;
    request.service = name;
    on_request(request, ShutdownDelay::kBy,
               [](const ControlAnswer& answer) { spdlog::info("{}", printable(answer.text)); });
  }
}

json Agent::status() const {
  const auto expires = credentials_.expires();
  json document{{"server", config_.server},
                {"authority",
                 {{"url", pusher_.authority()},
                  {"connected", pusher_.connected()},
                  {"stale", pusher_.stale()},
                  {"failure", pusher_.last_failure()}}},
                {"tls",
                 {{"certificate", config_.tls.certificate},
                  {"expires", expires ? json(health::to_rfc3339(*expires)) : json()},
                  {"trouble", credentials_.trouble().value_or("")}}},
                {"systemd", {{"failure", units_.failure()}, {"shutdown", shutdown_.text()}}},
                {"generation", generation_},
                {"lease", static_cast<double>(pusher_.lease().count()) / 1e3},
                {"services", json::object()}};
  for (const config::AgentService& service : config_.services) {
    document["services"][service.name] = service_status(service.name);
  }
  return document;
}

json Agent::service_status(const std::string& name) const {
  json object{{"health", "unknown"},   {"instance", nullptr},
              {"sessions", nullptr},   {"held", nullptr},
              {"reason", ""},          {"paused", nullptr},
              {"hook", nullptr},       {"checks", json::array()},
              {"units", json::array()}};
  const auto monitor = monitors_.find(name);
  if (monitor == monitors_.end()) return object;
  object["checks"] = monitor->second->checks_status();
  object["units"] = monitor->second->units_status();
  if (const auto report = monitor->second->report()) {
    object["health"] = to_string(report->health);
    if (report->instance) object["instance"] = *report->instance;
    if (report->sessions) {
      object["sessions"] = json::object();
      for (const auto& [counter, count] : *report->sessions) object["sessions"][counter] = count;
    }
  }
  if (const auto order = orders_.find(name); order != orders_.end()) {
    object["held"] = order->second.held;
    object["reason"] = order->second.reason;
  }
  if (const auto paused = holds_.paused(name)) {
    object["paused"] = {{"by", paused->by},
                        {"reason", paused->reason},
                        {"since", health::to_rfc3339(paused->since)},
                        {"force", paused->force}};
    if (paused->startup) object["paused"]["startup"] = to_string(*paused->startup);
  }
  if (const auto hook = hooks_.outcome(name)) {
    object["hook"] = {{"state", hook->state}, {"text", hook->text}};
  }
  return object;
}

}  // namespace sluice::agent
