#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "tools/tls/material.h"

namespace sluice::ctl {

// Where an authority listens.
struct Endpoint {
  enum class Kind : std::uint8_t { Socket, Url };
  Kind kind = Kind::Url;
  std::string where;  // a path, or "http://127.0.0.1:8053" without a slash at the end

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// As the command line or the environment has it; empty: not given.
struct Connection {
  std::string api;  // one URL, or several with blanks between them: responders of one cluster
  std::string socket;
  std::string token_file;
  std::string ca{};  // of https, as all that follow
  std::string certificate{};
  std::string key{};

  friend bool operator==(const Connection&, const Connection&) = default;
};

// The command line goes before the environment, there the socket before the URL. With neither:
// the local administrator's socket, then the default listener on loopback.
// The error is a sentence about a URL or path that cannot be one.
base::Result<std::vector<Endpoint>, std::string> endpoints_of(const Connection& given,
                                                              const Connection& environment);

// The files of TLS, each from the command line or else from the environment. The error is a
// sentence: half of a pair, or a file for an endpoint that speaks no TLS.
base::Result<tls::Files, std::string> tls_files_of(const Connection& given,
                                                   const Connection& environment,
                                                   const std::vector<Endpoint>& endpoints);

// Whether who reads along on a network sees what is said to it.
bool travels_in_the_clear(const Endpoint& endpoint);

// The token in a file: one line of visible ASCII (RFC 6750 section 2.1). The error is a sentence.
base::Result<std::string, std::string> read_token(const std::string& file);

}  // namespace sluice::ctl
