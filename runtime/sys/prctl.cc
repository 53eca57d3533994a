// The calls of process.h that change what this process is and may do.
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "runtime/sys/process.h"
#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

Status prctl(int option, unsigned long argument, unsigned long second = 0) {
  return check("prctl", ::prctl(option, argument, second, 0UL, 0UL));
}

}  // namespace

Status set_parent_death_signal(int signal) {
  return prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal));
}

Status set_dumpable(bool dumpable) { return prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0); }
Status set_no_new_privileges() { return prctl(PR_SET_NO_NEW_PRIVS, 1); }
Status set_keep_capabilities(bool keep) { return prctl(PR_SET_KEEPCAPS, keep ? 1 : 0); }
Status set_child_subreaper(bool on) { return prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0); }

Status set_process_name(const char* name) {
  return check("prctl", ::prctl(PR_SET_NAME, name, 0UL, 0UL, 0UL));
}

Status drop_bounding_capability(int capability) {
  return prctl(PR_CAPBSET_DROP, static_cast<unsigned long>(capability));
}

Status clear_ambient_capabilities() { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL); }

Status raise_ambient_capability(int capability) {
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, static_cast<unsigned long>(capability));
}

Result<CapabilityState> capget() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, 2> data{};
  TRY(check("capget", ::syscall(SYS_capget, &header, data.data())));
  const auto join = [](uint32_t low, uint32_t high) { return low | (uint64_t{high} << 32); };
  CapabilityState state;
  state.effective = join(data[0].effective, data[1].effective);
  state.permitted = join(data[0].permitted, data[1].permitted);
  state.inheritable = join(data[0].inheritable, data[1].inheritable);
  return state;
}

std::optional<bool> bounding_capability(int capability) {
  const int granted = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
  if (granted < 0) return std::nullopt;
  return granted == 1;
}

Status setsid() { return check("setsid", ::setsid()); }

Status umask(mode_t mask) { return check("umask", ::syscall(SYS_umask, mask)); }

// The raw calls: glibc's wrappers would ask every thread to follow, and there is one.
Status setresuid(uid_t uid) {
  TRY(check("setresuid", ::syscall(SYS_setresuid, uid, uid, uid)));
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  TRY(check("getresuid", ::getresuid(&real, &effective, &saved)));
  if (real != uid || effective != uid || saved != uid) {
    return Error(cat("setresuid: asked for uid ", uid, ", got ", real, ',', effective, ',', saved));
  }
  return ok();
}

Status setresgid(gid_t gid) {
  TRY(check("setresgid", ::syscall(SYS_setresgid, gid, gid, gid)));
  gid_t real = 0;
  gid_t effective = 0;
  gid_t saved = 0;
  TRY(check("getresgid", ::getresgid(&real, &effective, &saved)));
  if (real != gid || effective != gid || saved != gid) {
    return Error(cat("setresgid: asked for gid ", gid, ", got ", real, ',', effective, ',', saved));
  }
  return ok();
}

Status setgroups(const std::vector<gid_t>& groups) {
  return check("setgroups", ::syscall(SYS_setgroups, groups.size(), groups.data()));
}

uid_t geteuid() { return ::geteuid(); }
gid_t getegid() { return ::getegid(); }
pid_t getpid() { return ::getpid(); }
pid_t getppid() { return ::getppid(); }

Status sethostname(const std::string& name) {
  return check("sethostname", ::sethostname(name.data(), name.size()));
}

Status setdomainname(const std::string& name) {
  return check("setdomainname", ::setdomainname(name.data(), name.size()));
}

Status join_session_keyring(const std::string& name) {
  return check("keyctl", ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str()));
}

Status interface_up(const std::string& name) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return Error::from_errno("socket");
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  TRY(check("ioctl SIOCGIFFLAGS", ::ioctl(socket.get(), SIOCGIFFLAGS, &request)));
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return check("ioctl SIOCSIFFLAGS", ::ioctl(socket.get(), SIOCSIFFLAGS, &request));
}

}  // namespace rt::sys
