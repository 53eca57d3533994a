// Pods of CRI: the sandbox, its network, and what its containers share.
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/engines/cri.h"

namespace rt::testing {
namespace {

class CriPod : public Cri {
 protected:
  /// A network of its own, from the machine's CNI configuration.
  void with_network() {
    pod_.set("/linux/security_context/namespace_options/network", "\"POD\"");
    container_.set("/linux/security_context/namespace_options/network", "\"POD\"");
  }
};

TEST_F(CriPod, PluginIsReady) {
  const Json about = call("Status", "{}");
  for (const char* condition : {"0", "1"}) {
    EXPECT_EQ(about.at(cat("/status/conditions/", condition, "/status")), "true") << about.text();
  }
}

TEST_F(CriPod, IsReadyWithAnAddress) {
  with_network();
  const std::string pod = run_pod();
  const Json about = pod_status(pod);
  EXPECT_EQ(about.at("/status/state"), "SANDBOX_READY");
  const std::string address = about.at("/status/network/ip");
  EXPECT_TRUE(address.starts_with("10.88.")) << address;
  const std::string container = start(pod);
  EXPECT_NE(exec(container, "ip -4 address show eth0").out.find(cat(" ", address, "/")),
            std::string::npos);
  // The bridge may need a moment to learn that its new port has a carrier.
  EXPECT_TRUE(eventually([&] {
    return call_program("busybox", {"ping", "-c", "1", "-W", "1", address}).exit_code == 0;
  }));
}

TEST_F(CriPod, HasAHostName) {
  with_network();
  pod_.set("/hostname", "\"name-of-the-pod\"");
  EXPECT_EQ(exec(start(run_pod()), "hostname").out, "name-of-the-pod\n");
}

TEST_F(CriPod, HasSysctls) {
  with_network();
  pod_.set("/linux/sysctls", R"({"net.ipv4.ip_unprivileged_port_start": "777",
                                 "kernel.shm_rmid_forced": "1"})");
  const Outcome outcome =
      exec(start(run_pod()),
           "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced");
  EXPECT_EQ(outcome.out, "777\n1\n");
}

TEST_F(CriPod, SharesItsNamespacesWithItsContainers) {
  with_network();
  const std::string pod = run_pod();
  const pid_t first = pid(start(pod));
  container_.set("/metadata/name", "\"second\"");
  const pid_t second = pid(start(pod));
  for (const char* kind : {"net", "ipc", "uts"}) {
    EXPECT_EQ(namespace_of(first, kind), namespace_of(pause_pid(pod), kind)) << kind;
    EXPECT_EQ(namespace_of(second, kind), namespace_of(pause_pid(pod), kind)) << kind;
  }
  for (const char* kind : {"pid", "mnt"}) {
    EXPECT_NE(namespace_of(first, kind), namespace_of(pause_pid(pod), kind)) << kind;
    EXPECT_NE(namespace_of(first, kind), namespace_of(second, kind)) << kind;
  }
}

TEST_F(CriPod, SharesMemory) {
  const std::string pod = run_pod();
  const std::string first = start(pod);
  container_.set("/metadata/name", "\"second\"");
  const std::string second = start(pod);
  EXPECT_EQ(exec(first, "echo here >/dev/shm/note").exit_code, 0);
  EXPECT_EQ(exec(second, "cat /dev/shm/note").out, "here\n");
}

TEST_F(CriPod, SharesItsPids) {
  pod_.set("/linux/security_context/namespace_options/pid", "\"POD\"");
  container_.set("/linux/security_context/namespace_options/pid", "\"POD\"");
  const std::string pod = run_pod();
  const std::string container = start(pod, "sleep 1001 & sleep 1002");
  EXPECT_EQ(namespace_of(pid(container), "pid"), namespace_of(pause_pid(pod), "pid"));
  EXPECT_EQ(exec(container, "tr '\\0' ' ' </proc/1/cmdline").out, "sleep 100000 ");
  stop(container, 0);
  // Of the container nothing is left beside the pod's own process and the second one.
  container_.set("/metadata/name", "\"second\"");
  EXPECT_EQ(exec(start(pod, "exec sleep 1003"), kCountSleeping).out, "2\n");
}

TEST_F(CriPod, StaysInThePidsOfTheMachine) {
  pod_.set("/linux/security_context/namespace_options/pid", "\"NODE\"");
  container_.set("/linux/security_context/namespace_options/pid", "\"NODE\"");
  const std::string pod = run_pod();
  const std::string container = start(pod, "sleep 1001 & sleep 1002");
  EXPECT_EQ(namespace_of(pid(container), "pid"), namespace_of(::getpid(), "pid"));
  stop(container, 0);
}

TEST_F(CriPod, LetsAContainerJoinThePidsOfAnother) {
  const std::string pod = run_pod();
  const std::string first = start(pod);
  container_.set("/metadata/name", "\"second\"");
  container_.set("/linux/security_context/namespace_options",
                 cat(R"({"network": "NODE", "pid": "TARGET", "target_id": ")", first, "\"}"));
  const std::string second = start(pod, "sleep 1001");
  EXPECT_EQ(namespace_of(pid(second), "pid"), namespace_of(pid(first), "pid"));
  EXPECT_EQ(exec(second, "tr '\\0' ' ' </proc/1/cmdline").out, "sleep 1000 ");
  stop(second, 0);
  EXPECT_EQ(status(first).at("/status/state"), "CONTAINER_RUNNING");
}

TEST_F(CriPod, TakesTheRuntimeOfItsClass) {
  const std::string pod = run_pod("other");
  EXPECT_EQ(pod_status(pod).at("/status/runtime_handler"), "other");
  const std::string container = start(pod);
  for (const std::string& id : {pod, container}) {
    EXPECT_EQ(::access(cat(kOtherRecords, "/k8s.io/", id).c_str(), F_OK), 0);
  }
  EXPECT_EQ(exec(container, "echo hi").out, "hi\n");
}

TEST_F(CriPod, IsNotRunByAClassThatNobodyKnows) {
  const Answer answer = try_call(
      "RunPodSandbox", cat("{\"config\": ", pod_.text(), R"(, "runtime_handler": "nobody"})"));
  EXPECT_NE(answer.error.find("no runtime for \"nobody\" is configured"), std::string::npos)
      << answer.error;
}

TEST_F(CriPod, EndsItsContainersWhenItIsStopped) {
  const std::string pod = run_pod();
  const std::string container = start(pod);
  call("StopPodSandbox", cat("{\"pod_sandbox_id\": \"", pod, "\"}"));
  EXPECT_EQ(pod_status(pod).at("/status/state"), "SANDBOX_NOTREADY");
  EXPECT_EQ(status(container).at("/status/state"), "CONTAINER_EXITED");
  EXPECT_EQ(status(container).at("/status/exit_code"), "137");
}

TEST_F(CriPod, KeepsItsContainersBelowItsCgroup) {
  const bool scope = cgroup_driver() == "systemd";
  pod_.set("/linux/cgroup_parent", scope ? "\"pods-burstable.slice\"" : "\"/pods/burstable\"");
  const std::string pod = run_pod();
  const std::string container = start(pod);
  const std::string cgroups = text_of(cat("/proc/", pid(container), "/cgroup"));
  const std::string wanted =
      scope ? cat(":/pods.slice/pods-burstable.slice/cri-containerd-", container, ".scope\n")
            : cat(":/pods/burstable/", container, '\n');
  EXPECT_NE(cgroups.find(wanted), std::string::npos) << cgroups;
}

}  // namespace
}  // namespace rt::testing
