#include "dns/server/confinement.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/base/syscall_filter.h"

namespace sluice::dns {
namespace {

using base::SyscallFilter;
using Action = SyscallFilter::Action;

// Memory that is not executable: malloc's.
constexpr SyscallFilter::Bits kExecutable{2, PROT_EXEC, PROT_EXEC};
constexpr SyscallFilter::Bits kNotExecutable{2, PROT_EXEC, 0};

}  // namespace

base::Checked<base::Done> confine_worker() {
  // Refused, not fatal: it may be a library's idea that works without, like a newer malloc's, which
  // counts CPUs by a file.
  SyscallFilter filter(Action::Refuse);
  // Datagrams and streams on sockets that are there, those that listen included; of them, what
  // options and names they have. sendmsg: UDP answers one by one, TCP, and a hand-over.
  filter.rule(Action::Allow,
              {"recvmmsg", "sendmmsg", "recvmsg", "sendmsg", "recvfrom", "sendto", "read", "readv",
               "write", "writev", "accept4", "accept", "shutdown", "close", "getsockopt",
               "setsockopt", "getsockname", "getpeername", "fcntl"});
  // How libuv makes what it polls not block.
  filter.rule(Action::Allow, {"ioctl"}, {1, 0xffff'ffff, FIONBIO});
  // The loop: libuv makes it before the worker starts, and it may be closed by another thread.
  filter.rule(Action::Allow,
              {"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll", "ppoll"});
  // Time, where the vDSO has none to tell; waits that a stop signal (SIGSTOP) interrupted.
  filter.rule(Action::Allow, {"clock_gettime", "clock_getres", "gettimeofday", "time", "nanosleep",
                              "clock_nanosleep", "restart_syscall"});
  filter.rule(Action::Allow, {"getrandom"});
  filter.rule(Action::Allow, {"brk", "munmap", "madvise", "mremap"});
  filter.rule(Action::Allow, {"mmap", "mprotect"}, kNotExecutable);
  // Threads: locks, the end of this one.
  filter.rule(Action::Allow, {"futex", "sched_yield", "rseq", "set_robust_list", "gettid", "getpid",
                              "exit", "exit_group"});
  // Signals; an assert that fails says so and ends us by SIGABRT, and nobody else.
  filter.rule(Action::Allow, {"rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack"});
  filter.rule(Action::Allow, {"tgkill"}, {0, 0xffff'ffff, static_cast<std::uint32_t>(getpid())});

  filter.rule(Action::Kill, {"mmap", "mprotect"}, kExecutable);
  filter.rule(Action::Kill, {"pkey_mprotect",
                             "execve",
                             "execveat",
                             "fork",
                             "vfork",
                             "clone",
                             "clone3",
                             "ptrace",
                             "process_vm_readv",
                             "process_vm_writev",
                             "io_uring_setup",
                             "io_uring_enter",
                             "io_uring_register",
                             "bpf",
                             "userfaultfd",
                             "perf_event_open",
                             "memfd_create",
                             "kexec_load",
                             "kexec_file_load",
                             "init_module",
                             "finit_module",
                             "delete_module",
                             "add_key",
                             "request_key",
                             "keyctl",
                             "setuid",
                             "setreuid",
                             "setresuid",
                             "setgid",
                             "setregid",
                             "setresgid",
                             "setgroups",
                             "capset",
                             "setns",
                             "unshare",
                             "mount",
                             "umount2",
                             "pivot_root",
                             "chroot"});
  return filter.install();
}

}  // namespace sluice::dns
