#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/json_reader.h"
#include "tools/sluicectl/render/surface.h"
#include "tools/sluicectl/verify/directory.h"
#include "tools/sluicectl/verify/judge.h"

namespace sluice::ctl {

// One question to one target, judged.
struct Checked {
  std::size_t target = 0;  // in the check's targets
  Question question;
  Transport transport = Transport::Udp;
  Judgement judgement;
};

// What was found out about the answers of one pool.
struct PoolCheck {
  std::string pool;
  std::uint64_t generation = 0;
  std::size_t questions = 0;  // RRsets of the pool
  std::vector<Target> targets;
  std::vector<Checked> answers;
  std::vector<std::string> notes;

  Finding worst() const;
};

// Where name servers fail though no responder listens where they were asked: what to do in a
// rehearsal.
std::optional<std::string> port_hint(const PoolCheck& check);

// The pool, a row for each target, and what is not right below.
std::string check_view(const PoolCheck& check, base::WallTime now, const Surface& surface);
Json check_json(const PoolCheck& check);

}  // namespace sluice::ctl
