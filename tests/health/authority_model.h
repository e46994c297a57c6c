#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/health/fixture.h"

// What semantics.md says of three servers and two services, to hold the authority against. It knows
// nothing of publications, slots or hold records: it keeps, for each service on each server, the
// reasons why it takes no new connections, and reads the sentences from there.
namespace sluice::health::testing {

inline constexpr std::array<const char*, 2> kServices{"front-end", "call-park"};
inline constexpr std::array<const char*, 3> kLabels{"a", "b", "c"};

// One thing that happens. What `what` means is up to the kind.
struct Step {
  enum class Kind {
    Drain,
    Plan,
    Cancel,
    Resume,
    Force,
    Push,
    Pause,
    Silence,
    Time,
    Stall,
    Restart,
    Reload,
  };
  Kind kind = Kind::Time;
  unsigned server = 0;
  unsigned service = 0;  // 0: the whole server
  unsigned what = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array<const char*, 12> kWords{"drain", "plan",  "cancel",  "resume",
                                               "force", "push",  "pause",   "silence",
                                               "time",  "stall", "restart", "reload"};
  return out << kWords[static_cast<std::size_t>(step.kind)] << ' ' << "abc"[step.server] << '/'
             << step.service << ' ' << step.what;
}

inline std::vector<unsigned> services_of(const Step& step) {
  if (step.service == 0) return {0, 1};
  return {step.service - 1};
}

inline std::optional<std::string> service_name(const Step& step) {
  if (step.service == 0) return std::nullopt;
  return kServices[step.service - 1];
}

inline Scope scope_of(const Step& step) {
  return step.service == 0 ? Scope::Server : Scope::Service;
}

inline std::string labels(const std::set<unsigned>& members) {
  std::string text;
  for (const unsigned member : members) text += kLabels[member];
  return text;
}

// Why a service on a server takes no new connections.
struct Reason {
  Scope scope = Scope::Server;
  Origin origin = Origin::Operator;
  std::optional<config::Startup> startup;
  std::optional<std::string> placed_on;  // the instance; "stopped": whatever comes is another
  bool hide_host = false;
  std::optional<base::MonoTime> ends;
  Then then = Then::Lift;

  bool is(Scope with_scope, Origin with_origin) const {
    return scope == with_scope && origin == with_origin;
  }
};

struct ModelService {
  bool runs = true;  // the configuration gives it to this server
  std::vector<Reason> reasons;
  std::optional<Health> said;        // since the authority's start
  std::optional<Health> last_known;  // also from before
  std::optional<std::string> instance;
  std::optional<Sessions> sessions;
  base::MonoTime counted{};  // when that was surely true
  std::optional<Health> forced;
  bool pause_is_void = false;  // a new instance released what the host still pushes
  base::MonoTime cached_until{};
  base::MonoTime doubted_since{};  // it may have been named until then

  const Reason* reason(Scope scope, Origin origin) const {
    for (const Reason& each : reasons) {
      if (each.is(scope, origin)) return &each;
    }
    return nullptr;
  }
  void drop(Scope scope, Origin origin) {
    std::erase_if(reasons, [&](const Reason& each) { return each.is(scope, origin); });
  }
};

struct ModelServer {
  bool configured = true;
  std::array<ModelService, 2> services;
  std::optional<base::MonoTime> pushed;
  bool current = false;
  std::optional<base::MonoTime> guarded_until;
  bool host_hidden = false;
  base::MonoTime host_cached_until{};
  base::MonoTime host_doubted_since{};

  bool guarded() const { return !current && guarded_until.has_value(); }
};

// A drain that is to come.
struct ModelPlan {
  base::MonoTime at;
  std::optional<base::Duration> lasts;
  Then then = Then::Lift;
  bool force = false;
  bool hide_host = false;
  base::MonoTime made;
};

// What the agent of a server would push.
struct ModelAgent {
  bool silent = false;
  std::vector<base::MonoTime> changes;  // when it said something new
  unsigned boot = 0;
  struct Service {
    Health health = Health::Up;
    std::optional<unsigned> instance = 0;
    std::optional<Sessions> sessions = Sessions{};
    std::optional<HostPause> paused;
  };
  std::array<Service, 2> services;
};

// Rules 2 to 6 for one service, from its sentences.
struct ModelAnswer {
  std::set<unsigned> members;
  std::set<unsigned> accepting;
  Fallback fallback = Fallback::None;
};

// Whoever drives it tells it what is done, and when; its members are what is true.
class Model {
 public:
  // Its time is that of the authority.
  explicit Model(const TestClock& time) : clock(time) {}

  // --- what happens

  void place(const Step& step, const Reason& reason);
  // The services whose pause is refused.
  std::set<unsigned> push(unsigned index);
  // Time has passed.
  void tick();
  void restart();
  void configure(bool without_c, bool without_park);
  // Answers were sent until now: caches keep what they named, by service.
  void note_sent(const std::array<std::string, 2>& named_by);

  // --- what must be

  bool exists(const Step& step) const;
  // Whether the hold of this scope covers all that it names.
  bool stands(const Step& step, Origin origin) const;
  bool lowers_below_floor(const Step& step) const;
  std::size_t ending_holds() const;
  ModelAnswer answer(unsigned index) const;
  bool hides_host(unsigned index) const;
  // The earliest plan of a member: what its answer's TTL must end by.
  base::MonoTime cap(unsigned index, const std::string& named) const;
  // An agent that flaps: five changes at once, then one a second. What it said last may wait.
  bool flaps(unsigned index) const;

  config::Health health;
  config::WhenAllHeld policy = config::WhenAllHeld::NoData;
  unsigned floor = 1;
  std::chrono::seconds ttl{30};
  std::array<ModelServer, 3> servers;
  std::array<ModelAgent, 3> agents;
  std::map<ScheduleId, std::pair<Step, ModelPlan>> plans;
  base::MonoTime began{};        // the grace
  base::MonoTime judged_from{};  // no lease before
  // It stood still from then on, and takes until then what waited for it.
  base::MonoTime fell_still{};
  base::MonoTime caught_up{};

 private:
  // An instance that is not known yet is adopted; one of a service that is stopped is over.
  static std::optional<std::string> instance_now(const ModelService& service);
  // A server's hold goes with the last of its services.
  static void forget_released(ModelServer& server);
  void forget_since_start(ModelService& service) const;

  // Plans whose time has come, in the order in which they were made.
  void begin_plans();
  // Section 7's promise, to a plan that was made early enough for it.
  void check_forgotten_in_time(const Step& step, const ModelPlan& plan) const;
  base::MonoTime not_after(const ModelPlan& plan) const;
  void end_holds();
  void end_grace();
  base::MonoTime lease_end(const ModelServer& server) const;

  // What it says is new, or what comes of it may be.
  void note_change(unsigned index);
  // False: the pause is refused.
  bool report(unsigned index, unsigned i, const ModelAgent& agent);
  bool vouched_up(const ModelServer& server, const ModelService& service) const;
  // How long caches keep an answer that is sent now: its TTL ends by the cap.
  base::MonoTime kept_until(base::MonoTime cap) const;

  const TestClock& clock;
  bool grace = true;
};

}  // namespace sluice::health::testing
