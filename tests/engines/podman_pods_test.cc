// podman pod, podman play kube.
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/podman.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

/// Of a pod, not of its containers, in the hierarchies of a hybrid host that have no controllers
/// for podman: the runtimes make it there too, and podman does not know of it.
bool is_left_by_podman(const std::string& cgroup) {
  for (const char* hierarchy : {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"}) {
    const std::string parent = cat(hierarchy, "/libpod_parent/");
    if (!cgroup.starts_with(parent)) continue;
    const std::string_view rest = std::string_view(cgroup).substr(parent.size());
    return rest.find('/') == std::string_view::npos && rest.size() == 64;
  }
  return false;
}

class PodmanPod : public Podman {
 protected:
  void TearDown() override {
    for (const std::string& cgroup : all_cgroups()) {
      if (!is_left_by_podman(cgroup)) continue;
      EXPECT_TRUE(eventually([&] { return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT; }));
    }
    Podman::TearDown();
  }

  [[nodiscard]] std::string pod() const { return name() + "-pod"; }
  [[nodiscard]] std::string in_pod() const { return "--pod=" + pod(); }

  void create_pod(std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"pod", "create", "--name", pod()});
    ASSERT_TRUE(succeeds(podman(options)));
  }
  void remove_pod() const {
    EXPECT_TRUE(succeeds(podman({"pod", "rm", "--force", "--time=0", pod()})));
  }
  [[nodiscard]] std::string pod_status() const {
    return stripped(podman({"pod", "inspect", "--format", "{{.State}}", pod()}).out);
  }
  [[nodiscard]] std::string namespace_of(const std::string& kind) const {
    const Result<std::string> link = sys::readlinkat(-1, cat("/proc/", pid(), "/ns/", kind));
    return link ? link.value() : "";
  }
};

TEST_F(PodmanPod, SharesNamespacesAmongItsContainers) {
  create_pod();
  start({in_pod()});
  for (const char* kind : {"ipc", "net", "uts"}) {
    EXPECT_EQ(stripped(run({in_pod()}, {"readlink", cat("/proc/self/ns/", kind)}).out),
              namespace_of(kind));
  }
  EXPECT_NE(stripped(run({in_pod()}, {"readlink", "/proc/self/ns/pid"}).out), namespace_of("pid"));
  EXPECT_EQ(run({in_pod()}, {"hostname"}).out, pod() + "\n");
  remove_pod();
}

TEST_F(PodmanPod, CanShareItsProcesses) {
  create_pod({"--share=pid,ipc"});
  start({in_pod()}, {"sleep", "4711"});
  const Outcome outcome = run_shell({in_pod()}, "ps | grep -c 'sleep 471[1]'");
  EXPECT_EQ(outcome.out, "1\n") << outcome.err;
  remove_pod();
}

TEST_F(PodmanPod, WithoutInfraHasContainers) {
  create_pod({"--infra=false"});
  start({in_pod()});
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  remove_pod();
}

TEST_F(PodmanPod, StopsAndStartsAllOfIt) {
  create_pod();
  start({in_pod()}, {"sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"});
  EXPECT_EQ(pod_status(), "Running");
  EXPECT_TRUE(succeeds(podman({"pod", "stop", "--time=5", pod()})));
  EXPECT_TRUE(becomes("exited"));
  EXPECT_EQ(pod_status(), "Exited");
  EXPECT_TRUE(succeeds(podman({"pod", "start", pod()})));
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(succeeds(podman({"pod", "kill", pod()})));
  EXPECT_TRUE(becomes("exited"));
  remove_pod();
}

TEST_F(PodmanPod, PausesAllOfIt) {
  create_pod();
  start({in_pod()});
  EXPECT_TRUE(succeeds(podman({"pod", "pause", pod()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "paused");
  EXPECT_TRUE(succeeds(podman({"pod", "unpause", pod()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  remove_pod();
}

TEST_F(PodmanPod, HasALimitForAllOfIt) {
  create_pod({"--cpus=0.5"});
  start({in_pod()});
  const Hierarchy hierarchy = hierarchy_with("cpu").value();
  const std::string own = cgroup_of(pid(), hierarchy);
  const std::string parent = own.substr(0, own.rfind('/'));
  EXPECT_EQ(read(parent + (hierarchy.unified ? "/cpu.max" : "/cpu.cfs_quota_us")),
            hierarchy.unified ? "50000 100000\n" : "50000\n")
      << parent;
  remove_pod();
}

TEST_F(PodmanPod, ShowsItsProcessesAndWhatTheyUse) {
  create_pod();
  start({in_pod()});
  EXPECT_NE(podman({"pod", "top", pod()}).out.find("sleep 1000"), std::string::npos);
  EXPECT_NE(podman({"pod", "stats", "--no-stream", pod()}).out.find(name()), std::string::npos);
  remove_pod();
}

class PodmanKube : public PodmanPod {
 protected:
  [[nodiscard]] std::string document() const {
    return file("pod.yaml", cat(R"(apiVersion: v1
kind: Pod
metadata:
  name: )",
                                pod(), R"(
spec:
  restartPolicy: Never
  containers:
  - name: one
    image: localhost/bb
    command: [sh, -c, "echo $A >/data/x; echo up; exec sleep 1000"]
    env: [{name: A, value: text}]
    workingDir: /tmp
    resources: {limits: {memory: 64Mi, cpu: 500m}}
    securityContext: {runAsUser: 33, readOnlyRootFilesystem: true}
    volumeMounts: [{name: data, mountPath: /data}]
  - name: two
    image: localhost/bb
    command: [sleep, "1000"]
  volumes:
  - name: data
    hostPath: {path: )",
                                directory(), R"(/data, type: Directory}
)"));
  }
  [[nodiscard]] std::string inspect_one(const std::string& format) const {
    return stripped(podman({"inspect", "--format", format, pod() + "-one"}).out);
  }
};

TEST_F(PodmanKube, PlaysADocument) {
  const std::string data = directory() + "/data";
  ASSERT_EQ(::mkdir(data.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(data.c_str(), 0777), 0);
  const std::string yaml = document();
  ASSERT_TRUE(succeeds(podman({"play", "kube", yaml})));
  EXPECT_TRUE(eventually([&] { return podman({"logs", pod() + "-one"}).out == "up\n"; },
                         std::chrono::seconds(30)));
  EXPECT_EQ(read(data + "/x"), "text\n");
  EXPECT_EQ(inspect_one("{{.State.Status}} {{.HostConfig.Memory}} {{.HostConfig.CpuQuota}}"),
            "running 67108864 50000");
  EXPECT_EQ(
      podman({"exec", pod() + "-one", "sh", "-c", "id -u; pwd; touch /x || echo refused"}).out,
      "33\n/tmp\nrefused\n");
  EXPECT_EQ(pod_status(), "Running");
  EXPECT_TRUE(succeeds(podman({"play", "kube", "--down", yaml})));
  EXPECT_NE(podman({"pod", "exists", pod()}).exit_code, 0);
}

TEST_F(PodmanKube, GeneratesADocumentThatPlays) {
  create_pod();
  start({in_pod(), "--env=A=b"}, {"sleep", "1000"});
  const Outcome generated = podman({"generate", "kube", pod()});
  EXPECT_TRUE(succeeds(generated));
  remove_pod();
  const std::string yaml = file("again.yaml", generated.out);
  EXPECT_TRUE(succeeds(podman({"play", "kube", yaml})));
  EXPECT_EQ(podman({"exec", cat(pod(), "-", name()), "sh", "-c", "echo $A"}).out, "b\n");
  EXPECT_TRUE(succeeds(podman({"play", "kube", "--down", yaml})));
}

}  // namespace
}  // namespace rt::testing
