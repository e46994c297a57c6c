#pragma once

#include "health/cluster/member.h"

namespace sluice::cluster {

// What the authority takes for its store and its publisher.
class Member::Facet {
 public:
  explicit Facet(Member& member) : store_(member), publisher_(member) {}

  health::Store& store() noexcept { return store_; }
  health::Publisher& publisher() noexcept { return publisher_; }

 private:
  class SharedStore final : public health::Store {
   public:
    explicit SharedStore(Member& member) : member_(member) {}
    // What waits is written together, in order: urgency changes nothing.
    void commit(std::vector<health::Change> changes, Urgency,
                std::function<void(Stored)> done) override {
      member_.commit(std::move(changes), std::move(done));
    }
    const health::Histogram& commit_seconds() const noexcept override {
      return member_.commit_seconds_;
    }

   private:
    Member& member_;
  };

  class SharedPublisher final : public health::Publisher {
   public:
    explicit SharedPublisher(Member& member) : member_(member) {}
    std::uint64_t publish(std::shared_ptr<const health::MembershipSnapshot> next,
                          std::span<const health::AnswerSetId> changed,
                          std::span<const health::ServerId> changed_hosts) override {
      return member_.publish(std::move(next), changed, changed_hosts, false);
    }
    std::uint64_t adjust(std::shared_ptr<const health::MembershipSnapshot> next,
                         std::span<const health::AnswerSetId> changed) override {
      return member_.publish(std::move(next), changed, {}, true);
    }

   private:
    Member& member_;
  };

  SharedStore store_;
  SharedPublisher publisher_;
};

}  // namespace sluice::cluster
