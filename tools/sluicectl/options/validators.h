#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/base/address.h"

// What an option's text must be; the error is what CLI11 shows after the option's name.
namespace sluice::ctl {

std::optional<base::SocketAddress> parse_dns_server(const std::string& text);

std::string no_duration(const std::string& text);

const CLI::Validator& a_duration();
const CLI::Validator& not_empty();
// One of these words, which completion offers.
CLI::Validator one_of(const std::vector<std::string>& words);
CLI::Validator a_number(unsigned least, unsigned most);
// A token's name and server stand in YAML and in logs.
const CLI::Validator& a_name();
// A type that can be asked for: "SRV", "TYPE64".
const CLI::Validator& a_type();
// ADDRESS or ADDRESS@PORT.
const CLI::Validator& a_dns_server();
// TIME and what --expires takes, in form alone: which moment HH:MM is, is for who has a clock.
const CLI::Validator& a_time();
const CLI::Validator& an_expiry();

}  // namespace sluice::ctl
