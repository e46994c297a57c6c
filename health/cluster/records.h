#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "health/cluster/kv.h"
#include "health/shared.h"
#include "health/store.h"

// What stands under the prefix: keys and JSON values <-> our types. Pure. Strict when it reads: an
// unknown member is left alone (a newer version may have written it), a wrong type is an error.
namespace sluice::cluster {

// `cluster`: that there is one. Written once; a prefix without it is empty, or was emptied.
struct ClusterRecord {
  std::string id;  // 32 hex digits
  base::WallTime created;

  friend bool operator==(const ClusterRecord&, const ClusterRecord&) = default;
};
// `turn`: who decides. Its revision is the fence of everything that this responder writes.
struct TurnRecord {
  std::string responder;
  std::string run;

  friend bool operator==(const TurnRecord&, const TurnRecord&) = default;
};
// `edition`: the last write of every change of shared state; readers take in what came before it.
struct EditionRecord {
  std::uint64_t publication = 0;
  std::uint64_t generation = 0;
  std::uint64_t renewed = 0;  // SharedEdition::renewed
  std::string by;             // responder
  std::string run;            // of that responder
  std::uint64_t number = 0;   // of its editions in that run

  friend bool operator==(const EditionRecord&, const EditionRecord&) = default;
};
// `responders/NAME`: known until it is forgotten, alive or not.
struct ResponderRecord {
  std::string name;
  std::string run;               // 16 hex digits, of the process
  base::WallTime since;          // of this run
  std::vector<std::string> dns;  // ADDRESS@PORT
  std::vector<std::string> api;  // ADDRESS@PORT
  std::string version;
  std::string configuration;  // digest of what it was configured to answer

  friend bool operator==(const ResponderRecord&, const ResponderRecord&) = default;
};
struct ForgottenResponder {
  std::string name;

  friend bool operator==(const ForgottenResponder&, const ForgottenResponder&) = default;
};
// `alive/NAME`: goes with a lease.
struct AliveRecord {
  std::string name;
  std::string run;  // empty: it is alive no more

  friend bool operator==(const AliveRecord&, const AliveRecord&) = default;
};
// `served/NAME`: every answer that it sends from now on is of this publication or a later one, and
// so would be those of its next run. Also the canary of its watch.
struct ServedRecord {
  std::string name;
  std::string run;
  std::uint64_t publication = 0;
  std::uint64_t generation = 0;
  base::WallTime at;  // its wall clock

  friend bool operator==(const ServedRecord&, const ServedRecord&) = default;
};
// `agents/SERVER` that was deleted.
struct ForgottenAgent {
  std::string server;

  friend bool operator==(const ForgottenAgent&, const ForgottenAgent&) = default;
};

// `holds/…`, `forces/…`, `schedules/…`, `numbers`, `serials/ZONE`, `audit/…` are health::Change:
// PutHold, EraseHold, PutForce, PutSchedule, EraseSchedule, ReserveSchedules, PutSerialBase,
// AppendAudit. A deletion of an audit entry, or of a pool, reads as Ignored.
struct Ignored {
  friend bool operator==(const Ignored&, const Ignored&) = default;
};
using Record =
    std::variant<Ignored, ClusterRecord, TurnRecord, EditionRecord, ResponderRecord,
                 ForgottenResponder, AliveRecord, ServedRecord, health::Change, health::SharedPool,
                 health::SharedHost, health::AgentReport, ForgottenAgent>;

// The error: key, what is wrong. A key that no version of ours writes is Ignored, a value that
// can't be read an error.
base::Result<Record, std::string> read_record(const Change& change);

// `lease` is filled in by the caller where there is one.
Write write_of(const ClusterRecord& record);
Write write_of(const TurnRecord& record);
Write write_of(const EditionRecord& record);
Write write_of(const ResponderRecord& record);
Write write_of(const AliveRecord& record);
Write write_of(const ServedRecord& record);
Write write_of(const health::SharedPool& pool);
Write write_of(const health::SharedHost& host);
Write write_of(const health::AgentReport& report);

// Nothing for what responders keep for themselves: PutHealth, PutPoolTtl, ReserveGenerations,
// PruneAudit. `unique` tells one audit entry from all others ("RUN-NUMBER").
std::optional<Write> write_of(const health::Change& change, std::string_view unique);

// What an audit entry's keys begin with, for Kv::newest(): those of one server (FQDN; empty: of
// none).
std::string audit_prefix(std::string_view server);

// A whole listing as one state, but for ResponderRecords and their like, which are `others`.
struct Image {
  health::SharedState state;
  std::vector<Record> others;
  std::optional<ClusterRecord> cluster;
  std::vector<std::string> unreadable;  // one line each; the rest was taken
};
Image read_image(const std::vector<Change>& entries);

// The opposite, for an import: every record of shared state, the edition last. In the order in
// which they may be written in several transactions.
std::vector<Write> writes_of(const health::SharedState& state);

}  // namespace sluice::cluster
