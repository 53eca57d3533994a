// How this run makes its containers: the same test programs go through every driver and every kind
// of caller. Told by the environment; docs/testing.md lists the ways that tools/test goes.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace rt::testing {

/// $RUNTIME_FLAGS: options for every call of the runtime, before the command ("--systemd-cgroup").
std::vector<std::string> runtime_flags();

/// Whether systemd makes the cgroups: --systemd-cgroup is among them.
bool with_systemd();

/// Whether the tests are run by a user without privileges who wants containers all the same:
/// $RUNTIME_ROOTLESS is set. The containers have a user namespace then.
bool rootless();

/// The caller's variables without which nobody finds its service manager: XDG_RUNTIME_DIR and
/// DBUS_SESSION_BUS_ADDRESS, those that are set.
std::vector<std::string> session_variables();

/// linux.uidMappings (linux.gidMappings alike) for `id` alone: 0 of the container is it.
std::string one_id(uid_t id);

/// The same, and from 1 on the range that `file` (subuid(5): "/etc/subuid") gives to the caller.
/// one_id where it gives none.
std::string with_range(const char* file, uid_t id);

}  // namespace rt::testing
