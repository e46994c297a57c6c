#include "config/base/syscall_filter.h"

#include <cassert>
#include <cerrno>
#include <string>
#include <system_error>

#include <seccomp.h>
#include <sys/prctl.h>

namespace sluice::base {
namespace {

// The answer of prctl(mark) under a filter of that mark; without one it is EINVAL.
constexpr int kThere = EALREADY;

std::uint32_t native(SyscallFilter::Action action) noexcept {
  switch (action) {
    case SyscallFilter::Action::Allow:
      return SCMP_ACT_ALLOW;
    case SyscallFilter::Action::Refuse:
      return SCMP_ACT_ERRNO(EPERM);
    case SyscallFilter::Action::Kill:
      break;
  }
  return SCMP_ACT_KILL_PROCESS;
}

Unexpected<Error> refused(int number) {
  return failure("the kernel takes no filter of system calls: " +
                 std::generic_category().message(number));
}

}  // namespace

SyscallFilter::SyscallFilter(Action otherwise)
    : context_(seccomp_init(native(otherwise))), otherwise_(otherwise) {
  rules_.add(static_cast<unsigned char>(otherwise));
  if (!context_) {
    failed_ = ENOMEM;
    return;
  }
  // Calls of another architecture's numbering (32 bits, x32) would get round every rule.
  seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  // Older kernels would slow down all memory accesses, against code that a program runs for
  // somebody else; we run none.
  seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_SSB, 1);
  // The system's own words for what goes wrong.
  seccomp_attr_set(context_.get(), SCMP_FLTATR_API_SYSRAWRC, 1);
}

SyscallFilter::~SyscallFilter() = default;

void SyscallFilter::Freed::operator()(void* context) const noexcept {
  seccomp_release(context);
}

void SyscallFilter::rule(Action action, std::initializer_list<std::string_view> calls) {
  for (const std::string_view call : calls) add(action, call, std::nullopt);
}

void SyscallFilter::rule(Action action, std::initializer_list<std::string_view> calls,
                         const Bits& where) {
  for (const std::string_view call : calls) add(action, call, where);
}

void SyscallFilter::add(Action action, std::string_view call, const std::optional<Bits>& where) {
  rules_.add(static_cast<unsigned char>(action));
  rules_.add(call);
  if (where) {
    rules_.add(std::to_string(where->argument) + ' ' + std::to_string(where->mask) + ' ' +
               std::to_string(where->bits) + ' ');
  }
  if (failed_ != 0 || action == otherwise_) return;
  const int number = seccomp_syscall_resolve_name(std::string(call).c_str());
  assert(number != __NR_SCMP_ERROR);  // no kernel has a call of that name
  const scmp_arg_cmp compared{where ? where->argument : 0, SCMP_CMP_MASKED_EQ,
                              where ? where->mask : 0, where ? where->bits : 0};
  const int status =
      seccomp_rule_add_array(context_.get(), native(action), number, where ? 1 : 0, &compared);
  if (status != 0) failed_ = -status;
}

Checked<Done> SyscallFilter::install() {
  if (!kPossible) return Done{};
  if (failed_ != 0) return refused(failed_);
  const int status = seccomp_load(context_.get());
  if (status != 0) return refused(-status);
  return Done{};
}

Checked<Done> SyscallFilter::install_once() {
  if (!kPossible || failed_ != 0) return install();
  // Of 31 bits, the highest set: the kernel's own options are small numbers.
  const auto mark = static_cast<std::uint32_t>(rules_.value()) >> 1 | 1U << 30;
  if (prctl(static_cast<int>(mark), 0, 0, 0, 0) != 0 && errno == kThere) return Done{};
  const scmp_arg_cmp is_mark{0, SCMP_CMP_MASKED_EQ, 0xffff'ffff, mark};
  const int status =
      seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(kThere), SCMP_SYS(prctl), 1, &is_mark);
  if (status != 0) return refused(-status);
  return install();
}

}  // namespace sluice::base
