#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>

#include "config/base/error.h"
#include "config/base/fnv.h"

#if defined(__has_feature)
#define SLUICE_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SLUICE_SANITIZED 0
#endif

namespace sluice::base {

// Which system calls a thread may make from now on (seccomp(2)), for good: neither it nor a thread
// or program that it starts gets rid of the filter. Made and installed by that thread.
//
// Sanitizer builds have none, and install() does nothing there: their run-time libraries make calls
// of their own, at any time, that no list foresees.
class SyscallFilter {
 public:
  enum class Action : std::uint8_t {
    Allow,
    Refuse,  // EPERM
    Kill,    // the process, by SIGSYS: no code of ours makes this call
  };
  // A call is meant only where the bits `mask` of its argument number `argument` are `bits`.
  struct Bits {
    unsigned argument;
    std::uint64_t mask;
    std::uint64_t bits;
  };

  // Whether install() does anything: not in a sanitizer build.
  static constexpr bool kPossible = !SLUICE_SANITIZED;

  // `otherwise`: for the calls that no rule names.
  explicit SyscallFilter(Action otherwise);
  ~SyscallFilter();
  SyscallFilter(const SyscallFilter&) = delete;
  SyscallFilter& operator=(const SyscallFilter&) = delete;

  // By the names of the kernel; one that another architecture alone has is passed over.
  void rule(Action action, std::initializer_list<std::string_view> calls);
  void rule(Action action, std::initializer_list<std::string_view> calls, const Bits& where);

  // For the calling thread, from its return on, and for the threads that it starts then. Sets
  // no_new_privs. An error: this kernel, or whoever confined us, does not let us; nothing changes.
  base::Checked<base::Done> install();
  // The same, but not twice: filters are inherited by the programs that a process starts, and add
  // up. One with the same rules is recognised by what a call of prctl(2) answers that means nothing
  // to the kernel; so it is for filters that leave prctl(2) alone.
  base::Checked<base::Done> install_once();

 private:
  void add(Action action, std::string_view call, const std::optional<Bits>& where);

  struct Freed {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Freed> context_;  // null: no memory for it
  Action otherwise_;
  int failed_ = 0;  // errno of the first rule that was not taken
  Fnv1a rules_;     // of all of them
};

}  // namespace sluice::base
