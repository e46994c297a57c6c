#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/base/clock.h"
#include "dns/answer/render_room.h"
#include "dns/answer/selection.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set.h"
#include "health/snapshot.h"

namespace sluice::dns {

// The records of one answer set with its present members, in wire form as RRset describes it:
// A and AAAA, or SRV. Each A record takes kARecord octets and each AAAA record kAaaaRecord, so a
// rotated copy is two copies. TTLs are the configured ones: who copies caps them. Immutable, shared
// by the snapshots (and by the answer sets of a pool) that answer alike. Its targets and octets lie
// behind the object, in the same block: an answer from a set that nobody asked for lately waits for
// memory once.
class RenderedSet {
 public:
  // Where an SRV record's target stands among the records, and the server that it names.
  struct Target {
    std::uint32_t position = 0;
    health::ServerId server = 0;
  };

  // Records of this type; none is NODATA.
  std::span<const std::uint8_t> records(RRType type) const noexcept {
    if (type == first_type_) return {octets(), first_octets_};
    const bool aaaa = type == RRType::AAAA && first_type_ == RRType::A;
    return {octets() + first_octets_, aaaa ? second_octets_ : 0};
  }
  // Of SRV records: the addresses of all targets that are ours to tell, as they follow the records
  // when all are shown. Their owners point to the targets as if the SRV records began at offset 0
  // of the message. None where pointers might not reach.
  std::span<const std::uint8_t> additional() const noexcept {
    const bool srv = first_type_ == RRType::SRV;
    return {octets() + first_octets_, srv ? second_octets_ : 0};
  }
  std::span<const Target> targets() const noexcept {
    return {reinterpret_cast<const Target*>(this + 1), target_count_};
  }
  // Into the caches, for an answer soon: the object and what of its octets most sets have.
  void fetch() const noexcept {
    __builtin_prefetch(this);
    __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(this) + 64);
  }
  bool rotates() const noexcept { return rotates_; }
  health::Fallback fallback() const noexcept { return fallback_; }
  // By when caches must have forgotten the records; of most there is no such time.
  base::MonoTime not_after() const noexcept { return not_after_; }
  bool is_capped() const noexcept { return not_after_ != health::Members::kNoEnd; }

  // How each answer chooses among the records of one type: group i of them, those of one server,
  // ends where ends[i] says, and begins where the group before ends.
  struct Choice {
    Selection selection;
    std::vector<std::uint32_t> ends;
  };
  // Null: all records, as they stand or rotated.
  const Choice* choice(RRType type) const noexcept {
    if (choices_ == nullptr) return nullptr;
    const auto& choice = type == RRType::AAAA ? choices_->aaaa : choices_->first;
    return choice ? &*choice : nullptr;
  }

 private:
  struct Choices {
    std::optional<Choice> first;  // of A or SRV
    std::optional<Choice> aaaa;
  };

  // How large a set is.
  struct Extent {
    RRType first_type = RRType::A;
    std::size_t targets = 0;
    std::size_t first_octets = 0;
    std::size_t second_octets = 0;  // of AAAA, or additional
  };
  struct Free;

  friend std::shared_ptr<const RenderedSet> render(const ZoneSet& zones, health::AnswerSetId id,
                                                   const health::Members& members,
                                                   RenderRoom* room);

  explicit RenderedSet(const Extent& extent) noexcept;
  // On the heap, or in `room`.
  static std::shared_ptr<RenderedSet> make(const Extent& extent, RenderRoom* room);
  static Extent extent_of(const ZoneSet& zones, const AnswerSetPlan& plan,
                          const health::Members& members);
  const std::uint8_t* octets() const noexcept {
    return reinterpret_cast<const std::uint8_t*>(this + 1) + target_count_ * sizeof(Target);
  }
  std::uint8_t* octets() noexcept {
    return reinterpret_cast<std::uint8_t*>(this + 1) + target_count_ * sizeof(Target);
  }
  void render_addresses(const ZoneSet& zones, const PoolAnswers& pool,
                        const health::Members& members);
  void render_srv(const ZoneSet& zones, const AnswerSetPlan& plan, const health::Members& members);
  void render_additional(const ZoneSet& zones);
  void render_choices(const ZoneSet& zones, const PoolAnswers& pool,
                      const health::Members& members);

  // Behind the object: targets; octets of A, then AAAA; or of SRV, then additional.
  std::unique_ptr<const Choices> choices_;  // null where the pool's policy leaves nothing to chance
  std::uint32_t first_octets_ = 0;
  std::uint32_t second_octets_ = 0;
  std::uint32_t target_count_ = 0;
  RRType first_type_ = RRType::A;
  bool rotates_ = false;
  health::Fallback fallback_ = health::Fallback::None;
  base::MonoTime not_after_ = health::Members::kNoEnd;
};

// What answer set `id` answers while these are its members. Health has chosen them: they are named
// whatever brought them; a fallback without members is the pool's last resort (which an SRV set
// can't name) or nothing (semantics.md section 3, rule 6). `room`, if it is given, is where sets
// that need no more than their records are put.
std::shared_ptr<const RenderedSet> render(const ZoneSet& zones, health::AnswerSetId id,
                                          const health::Members& members,
                                          RenderRoom* room = nullptr);

}  // namespace sluice::dns
