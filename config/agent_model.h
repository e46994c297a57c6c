#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/model.h"

// What the administrator of a pool's server wrote in agent.yaml, checked: plain structs, every
// default. Names are in lower case without a final dot; paths are absolute, as in config/model.h.
namespace sluice::config {

// A program and its arguments, at least the program; run without a shell. A program with a slash in
// it is an absolute path, one without is looked up in PATH.
using Command = std::vector<std::string>;

// Passes when a TCP connection to `target` is accepted within the timeout.
struct TcpCheck {
  base::SocketAddress target;  // never port 0

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

// Passes when the command exits 0 within the timeout.
struct CommandCheck {
  Command command;

  friend bool operator==(const CommandCheck&, const CommandCheck&) = default;
};

// How a TLS peer is judged. Without `ca` any certificate passes: a check asks whether the service
// answers, a counter asks it for a number, and a service on loopback seldom has a certificate for
// its address.
struct TlsTrust {
  std::string ca;  // file of the authorities that may have signed the certificate, PEM; empty: any
  std::string name;  // asked for (SNI) and, with `ca`, that of the certificate; empty: the target's

  friend bool operator==(const TlsTrust&, const TlsTrust&) = default;
};

// Passes when a TLS handshake (TLS 1.2 or newer) is through within the timeout.
struct TlsCheck {
  base::SocketAddress target;  // never port 0
  TlsTrust trust;

  friend bool operator==(const TlsCheck&, const TlsCheck&) = default;
};

// Passes when a GET is answered with one of these statuses within the timeout; redirects are not
// followed.
struct HttpCheck {
  std::string url;                    // http or https
  std::vector<std::uint16_t> status;  // 100..599 each; empty: any 2xx
  TlsTrust trust;                     // of https

  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

// Passes when OPTIONS (RFC 3261 section 11) is answered with one of these statuses within the
// timeout.
struct SipCheck {
  enum class Transport : std::uint8_t { Udp, Tcp };
  base::SocketAddress target;  // never port 0
  Transport transport = Transport::Udp;
  std::vector<std::uint16_t> status;  // 200..699 each; empty: any 2xx

  friend bool operator==(const SipCheck&, const SipCheck&) = default;
};

using Probe = std::variant<TcpCheck, TlsCheck, HttpCheck, SipCheck, CommandCheck>;

struct Check {
  Probe probe;
  // One heartbeat by default: each push carries a result that is new.
  Duration interval = std::chrono::seconds(2);  // 100ms..1h
  // Half the interval by default: a check that hangs is over before the next one is due.
  Duration timeout = std::chrono::seconds(1);  // 10ms..the interval
  // Successes in a row that turn down into up. Two: a server that is just starting may accept one
  // connection and fall over; one interval more costs nothing.
  unsigned rise = 2;  // 1..20
  // Failures in a row that turn up into down. Three, with the default interval, is the default
  // lease: a service that fails leaves the answers as soon as a machine that died, and one lost SYN
  // (retransmitted after 1 s, the timeout) takes nobody out.
  unsigned fall = 3;  // 1..20

  friend bool operator==(const Check&, const Check&) = default;
};

// Established connections whose local port is one of these, as the kernel counts them.
struct TcpConnections {
  std::vector<std::uint16_t> ports;  // at least one, no duplicates, never 0

  friend bool operator==(const TcpConnections&, const TcpConnections&) = default;
};

// UDP flows to these local ports, as the kernel's connection tracking knows them.
struct UdpFlows {
  std::vector<std::uint16_t> ports;  // at least one, no duplicates, never 0

  friend bool operator==(const UdpFlows&, const UdpFlows&) = default;
};

// The number that the command prints.
struct CommandCount {
  Command command;

  friend bool operator==(const CommandCount&, const CommandCount&) = default;
};

// A metric of a page in Prometheus' text format: the sum of its series that have these labels.
struct HttpMetric {
  std::string url;  // http or https
  std::string metric;
  std::map<std::string, std::string> labels;
  TlsTrust trust;  // of https

  friend bool operator==(const HttpMetric&, const HttpMetric&) = default;
};

// The number that stands in a file.
struct FileCount {
  std::string path;
  // A file that was not written for longer says nothing: who writes it may be gone, and its last
  // zero with it. Two minutes: what cron writes every minute may be late by one. What is written
  // only when it changes needs more, and then nothing tells that its writer has died.
  Duration max_age = std::chrono::minutes(2);  // 1s..365d

  friend bool operator==(const FileCount&, const FileCount&) = default;
};

struct SessionCounter {
  std::string name;  // "calls"; what the heartbeat calls it
  std::variant<TcpConnections, UdpFlows, CommandCount, HttpMetric, FileCount> source;

  friend bool operator==(const SessionCounter&, const SessionCounter&) = default;
};

// What runs when a service becomes held, or is held no longer.
struct Hook {
  Command command;  // empty: nothing to run
  // A service that refuses new connections by itself does so in moments; a hook that hangs must not
  // leave a hold half done for long.
  Duration timeout = std::chrono::seconds(10);  // 100ms..10m

  friend bool operator==(const Hook&, const Hook&) = default;
};

struct AgentService {
  std::string name;
  // Of systemd, no duplicates; several when the service consolidates them: it is up when all are.
  // Their invocations are the service's instance; all inactive or failed: the service is stopped.
  std::vector<std::string> units;
  // Of the service's main process. The process is the service's instance (its number and the time
  // of its start); no file or no such process: the service is stopped. Empty: instance not known.
  // Empty where there are units, which tell more.
  std::string pid_file;
  std::vector<Check> checks;  // all must pass; never empty unless units or a pid file are given
  // Absent: nobody told how to count, sessions are not known. Empty: nothing to count is zero.
  std::optional<std::vector<SessionCounter>> sessions;
  Hook on_hold;
  Hook on_resume;

  friend bool operator==(const AgentService&, const AgentService&) = default;
};

// A shutdown of the host waits until the server is drained (systemd's inhibitor locks).
struct Reboot {
  bool delay = false;
  Duration at_most = std::chrono::minutes(15);  // 1s..1d

  friend bool operator==(const Reboot&, const Reboot&) = default;
};

// How the agent and its authorities know each other over https. The files are read by the agent,
// not by the loader: they may be replaced.
struct AgentTls {
  std::string certificate;  // PEM, that of the agent first; empty: none is shown
  std::string key;          // of the certificate; both or none
  std::string ca;           // who may have signed an authority's, PEM; empty: the system's

  friend bool operator==(const AgentTls&, const AgentTls&) = default;
};

struct AgentConfig {
  std::string file;                      // as it was named to the loader
  std::vector<std::string> authorities;  // "https://HOST[:PORT]", no final slash; at least one
  AgentTls tls;
  std::string token_file;                       // likewise; empty: the certificate says who we are
  std::string server;                           // FQDN of this server
  std::string state = "/var/lib/sluice-agent";  // folder
  UnixSocket socket{"/run/sluice-agent/agent.sock", {}, 0660};  // of `pause`, `resume`, `status`
  Duration heartbeat = std::chrono::seconds(2);                 // 100ms..1m
  std::vector<AgentService> services;                           // at least one; names are unique
  Reboot reboot;
  // What has no effect, and what is not safe; one for each key, in line order.
  std::vector<base::Error> warnings;

  friend bool operator==(const AgentConfig&, const AgentConfig&) = default;
};

}  // namespace sluice::config
