// Who the process is and what it may do.
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

constexpr const char* kCapabilities[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

void write_set(Writer& out, const char* name, uint64_t set) {
  out.key(name).open('[');
  for (int bit = 0; bit < 64; ++bit) {
    if ((set >> bit & 1U) == 0) continue;
    const bool known = bit < static_cast<int>(std::size(kCapabilities));
    out.string(known ? kCapabilities[bit] : "CAP_" + std::to_string(bit));
  }
  out.close(']');
}

/// The set of capabilities for which prctl(`option`, `argument`..., capability) says yes.
template <class Ask>
uint64_t set_by_asking(Ask ask) {
  uint64_t set = 0;
  for (int bit = 0; bit < 64; ++bit) {
    if (ask(bit) == 1) set |= uint64_t{1} << bit;
  }
  return set;
}

uint64_t joined(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

}  // namespace

void write_ids(Writer& out) {
  uid_t uid[3];
  gid_t gid[3];
  ::getresuid(&uid[0], &uid[1], &uid[2]);
  ::getresgid(&gid[0], &gid[1], &gid[2]);
  out.key("uid").open('[');
  for (const uid_t id : uid) out.number(id);
  out.close(']').key("gid").open('[');
  for (const gid_t id : gid) out.number(id);
  out.close(']').key("groups").open('[');
  static gid_t groups[65536];
  const int count = ::getgroups(static_cast<int>(std::size(groups)), groups);
  for (int i = 0; i < count; ++i) out.number(groups[i]);
  out.close(']');
  const mode_t mask = ::umask(0);
  ::umask(mask);
  out.member("umask", mask);
}

void write_capabilities(Writer& out) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  ::syscall(SYS_capget, &header, data);
  out.key("capabilities").open('{');
  write_set(out, "effective", joined(data[0].effective, data[1].effective));
  write_set(out, "permitted", joined(data[0].permitted, data[1].permitted));
  write_set(out, "inheritable", joined(data[0].inheritable, data[1].inheritable));
  write_set(out, "bounding",
            set_by_asking([](int bit) { return ::prctl(PR_CAPBSET_READ, bit, 0, 0, 0); }));
  write_set(out, "ambient", set_by_asking([](int bit) {
              return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, bit, 0, 0);
            }));
  out.close('}');
  out.member("noNewPrivileges", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

void write_seccomp(Writer& out) {
  out.key("seccomp").open('{');
  out.member("mode", ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
  out.member("filters", status_field("Seccomp_filters"));
  out.close('}');
}

void write_keyring(Writer& out) {
  char description[256] = {};
  const long id = ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
  ::syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description,
            sizeof description - 1);
  out.key("keyring").open('{').member("id", id).member("description", description).close('}');
}

}  // namespace probe
