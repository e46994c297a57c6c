#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"

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
  std::string api;
  std::string socket;
  std::string token_file;

  friend bool operator==(const Connection&, const Connection&) = default;
};

// The command line goes before the environment, there the socket before the URL. With neither:
// the local administrator's socket, then the default listener on loopback.
// The error is a sentence about a URL or path that cannot be one.
base::Result<std::vector<Endpoint>, std::string> endpoints_of(const Connection& given,
                                                              const Connection& environment);

// The token in a file: one line of visible ASCII (RFC 6750 section 2.1). The error is a sentence.
base::Result<std::string, std::string> read_token(const std::string& file);

}  // namespace sluice::ctl
