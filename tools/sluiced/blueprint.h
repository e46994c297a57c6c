#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/model.h"
#include "dns/zone/zone_set.h"
#include "health/topology.h"

namespace sluice {

// A configuration file, checked to the last record, and all that is made of it before anything
// changes: what a start needs, what a reload puts in place at once, what --check tries.
struct Blueprint {
  // Without its pools and the zones' texts: what they say, zones and topology know. (Of 100,000
  // pools they are as large as everything else together.)
  config::Config config;
  std::shared_ptr<const dns::ZoneSet> zones;
  std::shared_ptr<const health::Topology> topology;
  std::string digest;  // digest.h
};

// The first half: the file. Its errors are all that can be found, in the zones' texts too.
base::Result<config::Config, std::vector<base::Error>> read_config(const std::string& file);
// The second half: what is made of it, on two threads. `serial_bases`: those of the zones as they
// were stored (dns/zone/zone_builder.h).
base::Result<Blueprint, std::vector<base::Error>> draw_blueprint(
    config::Config config, const dns::SerialBases& serial_bases);

// Both. Any thread; it may take long for a large file.
base::Result<Blueprint, std::vector<base::Error>> read_blueprint(
    const std::string& file, const dns::SerialBases& serial_bases);

// What a reload can't put in place: keys whose change needs a restart. Empty: it can.
std::vector<base::Error> needs_restart(const config::Config& running, const config::Config& next);

// What works, but perhaps not as it was meant, one sentence each: name servers of our zones that
// are not this responder (they would answer from somewhere else, semantics.md section 8), and
// servers whose host records nobody here can serve.
std::vector<std::string> warnings(const Blueprint& blueprint);

}  // namespace sluice
