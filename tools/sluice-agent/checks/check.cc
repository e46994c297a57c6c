#include "tools/sluice-agent/checks/check.h"

#include <cassert>
#include <utility>

#include "tools/sluice-agent/checks/http_probe.h"
#include "tools/sluice-agent/checks/sip_tcp_probe.h"
#include "tools/sluice-agent/checks/sip_udp_probe.h"
#include "tools/sluice-agent/checks/tcp_probe.h"
#include "tools/sluice-agent/checks/tls_probe.h"

namespace sluice::agent {
namespace {

struct Subject {
  std::string operator()(const config::TcpCheck& check) const {
    return "tcp " + check.target.to_string();
  }
  std::string operator()(const config::TlsCheck& check) const {
    return "tls " + check.target.to_string();
  }
  std::string operator()(const config::HttpCheck& check) const { return "http " + check.url; }
  std::string operator()(const config::SipCheck& check) const {
    const bool tcp = check.transport == config::SipCheck::Transport::Tcp;
    return (tcp ? "sip/tcp " : "sip/udp ") + check.target.to_string();
  }
  std::string operator()(const config::CommandCheck& check) const {
    return "command " + check.command.front();
  }
};

}  // namespace

Check::Check(uv_loop_t* loop, const config::Check& check, const base::Clock& clock,
             std::function<void(const Check&)> changed)
    : loop_(loop),
      check_(check),
      clock_(clock),
      changed_(std::move(changed)),
      state_({check.rise, check.fall}),
      timer_(loop, [this] { run(); }) {
  timer_.start(base::Duration::zero(), check.interval);
}

std::string Check::subject() const {
  return std::visit(Subject{}, check_.probe);
}

bool Check::is_flow() const {
  const auto* const sip = std::get_if<config::SipCheck>(&check_.probe);
  return sip != nullptr && sip->transport == config::SipCheck::Transport::Udp;
}

void Check::add_own_ends(base::MonoTime now, std::vector<base::SocketAddress>& own) const {
  for (const Flow& flow : flows_) {
    if (now - flow.last < kFlowRemembered) own.push_back(flow.end);
  }
  const auto end = running_ && probe_ && !is_flow() ? probe_->local() : std::nullopt;
  if (end) own.push_back(*end);
}

// Nearly always the port of the run before; another one only when somebody else has taken that.
void Check::remember_flow() {
  const auto end = probe_->local();
  if (!is_flow() || !end) return;
  const base::MonoTime now = clock_.now().mono;
  std::erase_if(flows_, [&](const Flow& flow) {
    return flow.end == *end || now - flow.last >= kFlowRemembered;
  });
  flows_.push_back({*end, now});
}

std::unique_ptr<Probe> Check::make_probe(Probe::Done done) const {
  const base::Duration limit = check_.timeout;
  if (const auto* tcp = std::get_if<config::TcpCheck>(&check_.probe)) {
    return std::make_unique<TcpProbe>(loop_, tcp->target, limit, std::move(done));
  }
  if (const auto* tls = std::get_if<config::TlsCheck>(&check_.probe)) {
    return std::make_unique<TlsProbe>(loop_, *tls, limit, std::move(done));
  }
  if (const auto* http = std::get_if<config::HttpCheck>(&check_.probe)) {
    return std::make_unique<HttpProbe>(loop_, *http, limit, std::move(done));
  }
  const auto& sip = std::get<config::SipCheck>(check_.probe);
  if (sip.transport == config::SipCheck::Transport::Tcp) {
    return std::make_unique<SipTcpProbe>(loop_, sip, limit, std::move(done));
  }
  const auto before = probe_ ? probe_->local() : std::nullopt;
  return std::make_unique<SipUdpProbe>(loop_, sip, before, limit, std::move(done));
}

void Check::run() {
  if (running_) return;  // the time limit is at most the interval: this ends within moments
  if (const auto* command = std::get_if<config::CommandCheck>(&check_.probe)) {
    return run_command(*command);
  }
  running_ = true;
  probe_ = make_probe([this](const std::string& failure) {
    finish(failure.empty(), failure.empty() ? "passed" : failure);
  });
  remember_flow();
}

void Check::run_command(const config::CommandCheck& check) {
  if (process_ && !process_->ended()) {
    finish(false, "the last run was killed and has not ended yet");
    return;
  }
  running_ = true;
  process_ = std::make_unique<Process>(
      loop_, check.command, check_.timeout, [this](const ProcessResult& result) {
        finish(result.passed(), result.passed() ? "passed" : result.text());
      });
}

void Check::finish(bool passed, std::string text) {
  running_ = false;
  last_result_ = std::move(text);
  if (state_.apply(passed) == Transition::Changed) changed_(*this);
}

}  // namespace sluice::agent
