// Process, namespace and identity system calls, one function each.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

struct Child {
  pid_t pid = 0;   // 0 in the child
  UniqueFd pidfd;  // of the child, in the parent
};

/// clone3(2) with CLONE_PIDFD, like fork(2): both go on from here. `flags` adds CLONE_NEW*,
/// CLONE_PARENT, ...; `cgroup` >= 0 is a cgroup v2 directory to start in (CLONE_INTO_CGROUP,
/// Linux 5.7). The runtime has one thread, so the child may allocate memory.
Result<Child> clone(uint64_t flags, int cgroup = -1);

/// unshare(2), setns(2).
Status unshare(int flags);
Status setns(int fd, int type);

/// waitpid(2) until `child` is gone; its wait status.
Result<int> wait_for(pid_t child);

/// waitpid(-1, WNOHANG): a child that ended, with its wait status; nothing when none did.
struct Ended {
  pid_t pid = 0;
  int status = 0;
};
Result<std::optional<Ended>> wait_any();

/// _exit(2): ends this process without running what the parent left for exit(3).
[[noreturn]] void exit_now(int code);

/// The form in which execve(2) takes `texts`, which must outlive it.
std::vector<char*> exec_array(const std::vector<std::string>& texts);

/// execve(2), and execveat(2) of the descriptor itself. They return only on failure.
Error execve(const char* path, char* const* args, char* const* env);
Error execveat(int fd, char* const* args, char* const* env);

/// pidfd_open(2), pidfd_send_signal(2).
Result<UniqueFd> pidfd_open(pid_t pid);
Status pidfd_send_signal(int pidfd, int signal);

/// poll(2) for reading, or for the peer's end, of up to a few descriptors. Returns the index of the
/// first that is ready; nothing when `patience` ran out (negative: wait for ever).
Result<std::optional<size_t>> wait_readable(const std::vector<int>& fds,
                                            std::chrono::milliseconds patience);

/// poll(2) for POLLPRI: whether a file of the kernel has changed since it was last read, within
/// `patience`. May return early, with false, when a signal came.
Result<bool> wait_notified(int fd, std::chrono::milliseconds patience);

/// A descriptor in a poll(2): what is asked, and what is answered. A descriptor whose peer is gone
/// is readable: the read says so.
struct Watched {
  int fd = -1;
  bool read = false;
  bool write = false;
  bool urgent = false;  // POLLPRI: a control file that has changed, a pressure trigger
  bool readable = false;
  bool writable = false;
  bool alarmed = false;  // what is urgent has happened
  bool broken = false;  // POLLERR, POLLHUP: nobody will read what is written; or nothing more comes
};
/// poll(2), for as long as it takes.
Status poll(std::vector<Watched>& watched);

/// Waits until a fifo or pipe opened for writing has lost its last reader, or `pidfd` ended.
enum class WriterWake { kReaderGone, kProcessEnded };
Result<WriterWake> wait_reader_gone(int fifo, int pidfd);

/// prctl(2), one function an option.
Status set_parent_death_signal(int signal);
Status set_dumpable(bool dumpable);
Status set_no_new_privileges();
Status set_keep_capabilities(bool keep);
Status set_child_subreaper(bool on);
Status set_process_name(const char* name);
Status drop_bounding_capability(int capability);
Status clear_ambient_capabilities();
Status raise_ambient_capability(int capability);

/// capget(2) of this process: bit n is capability number n.
struct CapabilityState {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
};
Result<CapabilityState> capget();
/// prctl(PR_CAPBSET_READ); nothing where the kernel has no capability of that number.
std::optional<bool> bounding_capability(int capability);

/// setsid(2), umask(2).
Status setsid();
Status umask(mode_t mask);

/// setresuid(2) and setresgid(2) with the same id three times, read back and compared;
/// setgroups(2).
Status setresuid(uid_t uid);
Status setresgid(gid_t gid);
Status setgroups(const std::vector<gid_t>& groups);
uid_t geteuid();
gid_t getegid();
pid_t getpid();
pid_t getppid();

/// sethostname(2), setdomainname(2).
Status sethostname(const std::string& name);
Status setdomainname(const std::string& name);

/// prlimit(2). `pid` 0 is this process.
struct Limit {
  uint64_t soft = 0;
  uint64_t hard = 0;
};
Status prlimit(pid_t pid, int resource, Limit limit);
Result<Limit> getrlimit(pid_t pid, int resource);

/// keyctl(KEYCTL_JOIN_SESSION_KEYRING): a new, empty session keyring of that name.
Status join_session_keyring(const std::string& name);

/// close_range(2) of `first` and all descriptors above it, but for those in `kept`. Linux 5.9.
Status close_from(int first, std::span<const int> kept = {});

/// fcntl(F_SETFD): `fd` stays open over execve(2).
Status keep_on_exec(int fd);

/// dup2(2).
Status dup2(int from, int to);

/// Every signal's disposition back to SIG_DFL, and none blocked: sigaction(2), sigprocmask(2).
Status reset_signals();

/// SIG_IGN or SIG_DFL for one signal: sigaction(2).
enum class SignalAction { kDefault, kIgnore };
Status set_signal(int signal, SignalAction wanted);

/// signalfd(2) of all signals that can be blocked, which it blocks; and one signal read from it.
Result<UniqueFd> block_signals();
Result<int> read_signal(int signalfd);

/// kill(2).
Status kill(pid_t pid, int signal);

/// SIOCSIFFLAGS: brings the network interface up.
Status interface_up(const std::string& name);

/// ioctl(NS_GET_NSTYPE): the CLONE_NEW* flag of a namespace descriptor. Linux 4.11.
Result<int> namespace_type(int fd);

/// clock_gettime(CLOCK_REALTIME).
std::chrono::nanoseconds wall_clock();
/// clock_gettime(CLOCK_MONOTONIC).
std::chrono::nanoseconds monotonic_clock();

}  // namespace rt::sys
