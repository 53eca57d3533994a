// A machine of the test program's own, for engines that believe to own the one they run on.
#pragma once

#include <functional>

namespace rt::testing {

/// Runs `tests` on a machine made of namespaces, and returns what they return. There
/// - the root is the host's, but what is written goes to memory and is gone at the end; /run, /tmp
/// and
///   the engines' directories below /var/lib begin empty, and all mounts are shared;
/// - the network has nothing but a loopback interface; pids, host name and IPC are its own;
/// - /sys/fs/cgroup shows a cgroup of its own as the root of every hierarchy;
/// - nobody's child is init's, which reaps it.
/// When the tests end, so does every process there, and every mount; then the cgroups are removed.
/// Without privileges the tests are run where they are (and skip themselves); so they are where
/// $ENGINE_MACHINE is "this": on a machine that is thrown away afterwards, with a service manager.
int on_a_machine(const std::function<int()>& tests);

}  // namespace rt::testing
