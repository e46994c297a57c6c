#pragma once

#include "health/cluster/record_json.h"

// One for each group of keys, and what its records are written with (records.h). Pure.
namespace sluice::cluster {

// responder_records.cc: who there is, who decides, what each serves.
ReadRecord read_cluster(const Entry& entry);
ReadRecord read_turn(const Entry& entry);
ReadRecord read_edition(const Entry& entry);
ReadRecord read_responder(const Entry& entry);
ReadRecord read_alive(const Entry& entry);
ReadRecord read_served(const Entry& entry);

// change_records.cc: what the embedded store keeps, too.
ReadRecord read_numbers(const Entry& entry);
ReadRecord read_hold(const Entry& entry);
ReadRecord read_force(const Entry& entry);
ReadRecord read_schedule(const Entry& entry);
ReadRecord read_serial(const Entry& entry);
ReadRecord read_audit(const Entry& entry);

// pool_records.cc: what was decided of pools, and what their agents said.
ReadRecord read_pool(const Entry& entry);
ReadRecord read_host(const Entry& entry);
ReadRecord read_agent(const Entry& entry);

}  // namespace sluice::cluster
