#pragma once

#include <string>

#include "tools/sluicectl/api/json_reader.h"
#include "tools/sluicectl/import/contents.h"

// What an import tells. Pure.
namespace sluice::ctl {

struct Import {
  bool to_etcd = true;
  bool dry_run = false;
  std::string directory;
  std::string prefix;
  std::string cluster;      // its id
  std::int64_t copied = 0;  // the revision of the copy that it was taken from; 0: from none
  // The engine's revision, where it was made anew and counts below the copy's; 0: it does not.
  std::int64_t counts_anew = 0;
  std::string put_away;  // the directory's copy of a cluster, by its new name; empty: none
  Contents contents;
};

// One sentence, then a line for each hold, forced health and planned drain; times are local.
std::string words_of(const Import& import, base::WallTime now);
std::string document_of(const Import& import);

}  // namespace sluice::ctl
