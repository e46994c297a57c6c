#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <uv.h>

#include "config/agent_model.h"
#include "tools/sluice-agent/control_socket.h"
#include "tools/sluice-agent/credentials.h"
#include "tools/sluice-agent/hooks.h"
#include "tools/sluice-agent/host_holds.h"
#include "tools/sluice-agent/host_state.h"
#include "tools/sluice-agent/pusher.h"
#include "tools/sluice-agent/service_monitor.h"
#include "tools/sluice-agent/sessions/flow_sampler.h"
#include "tools/sluice-agent/sessions/port_sampler.h"
#include "tools/sluice-agent/systemd/shutdown_delay.h"
#include "tools/sluice-agent/systemd/unit_watcher.h"
#include "tools/sluice-agent/verdict_client.h"

namespace sluice::agent {

// The agent of one server: what its monitors see goes out with the heartbeats, what the replies say
// comes in to holds and hooks. Everything runs on one libuv loop. Nothing in it waits for a
// network; its own disk is waited for (its state is small and seldom written), and so is whoever
// tells the name of a user that pauses (nsswitch.conf(5)).
//
// What may go wrong, and what follows: a disk that is full fails a pause or a resume, and is tried
// again with each heartbeat for the rest; the wall clock is read for `since` alone, so that its
// jumps change nothing; a damaged state pauses everything (hold_what_was_forgotten); what authority
// and token may do is said in pusher.h.
//
//   units, checks, counters -----> ServiceMonitor --+
//   sluice-agent pause -> ControlSocket -> HostHolds +-> heartbeat -> Pusher -> authority
//                                             ^  Hooks <- reply <-----+
class Agent {
 public:
  // `boot_id` is the top-level instance of the heartbeats.
  Agent(uv_loop_t* loop, const config::AgentConfig& config, std::string boot_id, HostStateFile file,
        HostStateFile::Loaded loaded, const base::Clock& clock);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Opens the control socket, then pushes the first heartbeat.
  base::Checked<base::Done> start();

  // How it stands with the authorities, in a line; nothing before the first heartbeat was tried.
  std::optional<std::string> standing() const;

 private:
  struct LastOrder {
    bool held = false;
    std::string reason;
  };

  void hold_what_was_forgotten(const std::string& damage);
  void push_change();
  void beat();
  void sample_connections();
  // Of the checks' and counters' connections and flows.
  std::vector<base::SocketAddress> own_ends() const;
  void sample_flows();
  std::optional<std::string> instance_of(const std::string& service) const;
  std::string document(std::uint64_t seq);
  void on_reply(std::uint64_t seq, const HeartbeatReply& reply);
  base::Checked<base::Done> keep();
  void on_request(const ControlRequest& request, const std::string& by,
                  const ControlSocket::Reply& reply);
  void answer_verdict(const std::optional<std::string>& service, const ControlSocket::Reply& reply);
  // Pauses all services because the host shuts down, and lifts those pauses.
  void pause_for_shutdown();
  void resume_after_shutdown();
  nlohmann::json status() const;
  nlohmann::json service_status(const std::string& name) const;

  uv_loop_t* loop_;
  config::AgentConfig config_;
  std::string boot_id_;
  const base::Clock& clock_;
  HostStateFile file_;
  HostState state_;
  bool unsaved_ = false;  // the last write of state_ failed
  LogLimit log_;
  UnitWatcher units_;
  PortSampler ports_;
  std::optional<base::MonoTime> sampled_;
  FlowSampler flows_;
  std::string flows_failure_;  // that was told
  std::map<std::string, std::unique_ptr<ServiceMonitor>, std::less<>> monitors_;
  Credentials credentials_;  // before those who show them
  Pusher pusher_;
  HostHolds holds_;
  Hooks hooks_;
  VerdictClient verdicts_;
  ShutdownDelay shutdown_;
  base::Timer beat_;
  base::Timer first_;
  bool begun_ = false;    // the first push is out
  base::Timer patience_;  // runs while somebody waits for an answer
  std::map<std::string, LastOrder, std::less<>> orders_;
  std::uint64_t generation_ = 0;
  // Last: it goes first, and with it everybody who waits for an answer.
  std::unique_ptr<ControlSocket> socket_;
};

}  // namespace sluice::agent
