#include "tests/engines/cri.h"

#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/socket.h"

namespace rt::testing {
namespace {

constexpr const char* kClientSocket = "/tmp/cri-client.sock";
constexpr size_t kAnswerLimit = size_t{16} << 20;

/// A kubelet's choice for a pod with hostNetwork.
constexpr const char* kNamespaces = R"({"network": "NODE", "pid": "CONTAINER"})";

std::unique_ptr<Daemon> client;

std::string script_path() {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "." : cat(runfiles, "/runtime"), "/tests/engines/cri.py");
}

/// A whole conversation with cri.py.
Result<std::string> converse(const std::string& text) {
  const UniqueFd socket = TRY(sys::connect_unix(kClientSocket, 120));
  TRY(sys::write_all(socket.get(), text));
  ::shutdown(socket.get(), SHUT_WR);
  return sys::read_all(socket.get(), kAnswerLimit);
}

std::string with_id(const char* member, const std::string& id, const std::string& more = "") {
  return cat("{\"", member, "\": \"", id, '"', more, '}');
}

/// The pid in the plugin's own words about a container or a pod.
pid_t pid_in(const Json& answer) {
  const Json info(answer.at("/info/info"));
  return static_cast<pid_t>(parse_int(info.at("/pid")).value_or(0));
}

}  // namespace

void Cri::SetUp() {
  Containerd::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  static const bool kHasModules =
      call_program("python3", {"-c", "import google.protobuf, grpc, websocket"}).exit_code == 0;
  if (!kHasModules) GTEST_SKIP() << "modules of python3 are missing: tools/apt engines";
  if (!client) {
    client = std::make_unique<Daemon>(
        "python3", std::vector<std::string>{script_path(), kSocket, kClientSocket},
        [] { return try_call("Status", "{}").error.empty(); });
  }
  std::filesystem::create_directory("/tmp/" + name());
  pod_ = Json(cat(R"({"metadata": {"name": ")", name(), R"(", "uid": ")", name(),
                  R"(", "namespace": "default"}, "log_directory": "/tmp/)", name(),
                  R"(", "linux": {"cgroup_parent": ")",
                  cgroup_driver() == "systemd" ? "pods.slice" : "/pods",
                  R"(", "security_context": {"namespace_options": )", kNamespaces, "}}}"));
  container_ = Json(cat(R"({"metadata": {"name": "first"}, "image": {"image": ")", kImage,
                        R"("}, "log_path": "first.log", "command": ["sleep", "1000"],
                        "linux": {"security_context": {"namespace_options": )",
                        kNamespaces, "}}}"));
  watch();
}

void Cri::TearDown() {
  for (const std::string& pod : pods_) remove_pod(pod);
  Containerd::TearDown();
}

Cri::Answer Cri::try_call(const std::string& method, const std::string& request) {
  const Result<std::string> text =
      converse(cat("{\"method\": \"", method, "\", \"request\": ", request, '}'));
  if (!text) return {Json("null"), text.error().message()};
  const Json answer(text.value());
  if (answer.has("/response")) return {Json(answer.at("/response")), ""};
  return {Json("null"), cat(method, ": ", answer.at("/code"), ": ", answer.at("/error"))};
}

Json Cri::call(const std::string& method, const std::string& request) {
  Answer answer = try_call(method, request);
  EXPECT_EQ(answer.error, "");
  return answer.response;
}

std::string Cri::run_pod(const std::string& handler) {
  const Json answer = call("RunPodSandbox", cat("{\"config\": ", pod_.text(),
                                                ", \"runtime_handler\": \"", handler, "\"}"));
  if (answer.has("/pod_sandbox_id")) pods_.push_back(answer.at("/pod_sandbox_id"));
  return answer.at("/pod_sandbox_id");
}

std::string Cri::create(const std::string& pod, const std::string& script) {
  if (!script.empty()) container_.set("/command", json_strings({"sh", "-c", script}));
  const std::string config = cat(", \"config\": ", container_.text());
  const std::string pod_config = cat(", \"sandbox_config\": ", pod_.text());
  return call("CreateContainer", with_id("pod_sandbox_id", pod, config + pod_config))
      .at("/container_id");
}

std::string Cri::start(const std::string& pod, const std::string& script) {
  std::string container = create(pod, script);
  call("StartContainer", with_id("container_id", container));
  return container;
}

void Cri::stop(const std::string& container, int seconds) {
  call("StopContainer", with_id("container_id", container, cat(", \"timeout\": ", seconds)));
}

void Cri::remove_pod(const std::string& pod) {
  call("StopPodSandbox", with_id("pod_sandbox_id", pod));
  call("RemovePodSandbox", with_id("pod_sandbox_id", pod));
}

Outcome Cri::exec(const std::string& container, const std::string& script, int seconds) {
  const std::string words = json_strings({"sh", "-c", script});
  const Answer answer = try_call(
      "ExecSync",
      with_id("container_id", container, cat(", \"cmd\": ", words, ", \"timeout\": ", seconds)));
  Outcome outcome;
  outcome.err = answer.error;
  if (!answer.error.empty()) return outcome;
  outcome.exit_code = static_cast<int>(parse_int(answer.response.at("/exit_code")).value_or(-1));
  outcome.out = answer.response.at("/stdout");
  outcome.err = answer.response.at("/stderr");
  return outcome;
}

Json Cri::status(const std::string& container) {
  return call("ContainerStatus", with_id("container_id", container, ", \"verbose\": true"));
}

Json Cri::pod_status(const std::string& pod) {
  return call("PodSandboxStatus", with_id("pod_sandbox_id", pod, ", \"verbose\": true"));
}

bool Cri::exits(const std::string& container) {
  return eventually([&] { return status(container).at("/status/state") == "CONTAINER_EXITED"; },
                    std::chrono::seconds(30));
}

pid_t Cri::pid(const std::string& container) { return pid_in(status(container)); }

pid_t Cri::pause_pid(const std::string& pod) { return pid_in(pod_status(pod)); }

std::string Cri::log() const { return text_of(cat("/tmp/", name(), "/first.log")); }

bool Cri::says(const std::string& text) const {
  const bool said = eventually([&] { return log().find(text) != std::string::npos; });
  EXPECT_TRUE(said) << log();
  return said;
}

}  // namespace rt::testing
