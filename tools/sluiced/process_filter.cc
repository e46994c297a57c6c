#include "tools/sluiced/process_filter.h"

#include <sys/mman.h>
#include <sys/shm.h>

#include "config/base/syscall_filter.h"

namespace sluice {
namespace {

using base::SyscallFilter;
using Action = SyscallFilter::Action;

constexpr std::uint64_t kWriteAndExecute = PROT_WRITE | PROT_EXEC;

}  // namespace

base::Checked<base::Done> confine_process() {
  SyscallFilter filter(Action::Allow);
  // A library that is loaded later (NSS, OpenSSL's providers) is mapped from its file, executable
  // and not writable; what is memory already, or can be written to, does not become code.
  filter.rule(Action::Refuse, {"mmap"}, {2, kWriteAndExecute, kWriteAndExecute});
  filter.rule(Action::Refuse, {"mprotect", "pkey_mprotect"}, {2, PROT_EXEC, PROT_EXEC});
  filter.rule(Action::Refuse, {"shmat"}, {2, SHM_EXEC, SHM_EXEC});
  // Turns reading into executing.
  filter.rule(Action::Refuse, {"personality"});
  // Files that are in no file system: code without a trace. (And libuv's rings, which it can do
  // without, are a second, unfiltered way to most system calls.)
  filter.rule(Action::Refuse, {"memfd_create", "memfd_secret", "io_uring_setup", "io_uring_enter",
                               "io_uring_register"});
  // Other processes.
  filter.rule(Action::Refuse, {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
                               "process_madvise", "kcmp"});
  // The kernel's interpreters, counters and page faults: what its weaknesses are reached by.
  filter.rule(Action::Refuse, {"bpf", "perf_event_open", "userfaultfd", "modify_ldt", "uselib",
                               "add_key", "request_key", "keyctl", "fanotify_init",
                               "lookup_dcookie", "open_by_handle_at", "name_to_handle_at"});
  // The machine.
  filter.rule(Action::Refuse, {"kexec_load",    "kexec_file_load", "init_module",   "finit_module",
                               "delete_module", "reboot",          "swapon",        "swapoff",
                               "acct",          "quotactl",        "syslog",        "iopl",
                               "ioperm",        "clock_settime",   "settimeofday",  "clock_adjtime",
                               "adjtimex",      "sethostname",     "setdomainname", "vhangup"});
  // Another view of it.
  filter.rule(Action::Refuse,
              {"mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "move_mount",
               "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"});
  return filter.install_once();
}

}  // namespace sluice
