// docker cp, diff, commit and build: a container's files from outside, and images made from them.
#include <filesystem>
#include <fstream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

void write_file(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

std::string file_text(const std::string& path) {
  const Result<std::string> text = sys::read_file(path, size_t{1} << 20);
  return text ? text.value() : text.error().message();
}

using DockerFiles = Docker;

TEST_F(DockerFiles, AreCopiedIntoAndOutOfWhatRuns) {
  write_file("/srv/in/file", "from outside\n");
  start();
  EXPECT_TRUE(succeeds(docker({"cp", "/srv/in", name() + ":/tmp"})));
  EXPECT_EQ(said_inside("cat /tmp/in/file; echo from inside >/tmp/in/file"), "from outside\n");
  EXPECT_TRUE(succeeds(docker({"cp", name() + ":/tmp/in/file", "/srv/out"})));
  EXPECT_EQ(file_text("/srv/out"), "from inside\n");
  remove();
}

TEST_F(DockerFiles, AreCopiedIntoAndOutOfWhatIsStopped) {
  write_file("/srv/script", "echo from outside >/made; exit 4\n");
  ASSERT_TRUE(
      succeeds(docker({"create", "--name", name(), "--network=none", "bb", "sh", "/tmp/script"})));
  EXPECT_TRUE(succeeds(docker({"cp", "/srv/script", name() + ":/tmp/script"})));
  EXPECT_EQ(docker({"start", "--attach", name()}).exit_code, 4);
  EXPECT_TRUE(succeeds(docker({"cp", name() + ":/made", "/srv/made"})));
  EXPECT_EQ(file_text("/srv/made"), "from outside\n");
  remove();
}

TEST_F(DockerFiles, AreCopiedThroughAVolumeThatIsMounted) {
  write_file("/srv/volume/file", "on the volume\n");
  start({"--volume=/srv/volume:/volume"});
  EXPECT_TRUE(succeeds(docker({"cp", name() + ":/volume/file", "/srv/from-volume"})));
  EXPECT_EQ(file_text("/srv/from-volume"), "on the volume\n");
  EXPECT_TRUE(succeeds(docker({"cp", "/srv/from-volume", name() + ":/volume/copy"})));
  EXPECT_EQ(file_text("/srv/volume/copy"), "on the volume\n");
  remove();
}

TEST_F(DockerFiles, DiffShowsWhatHasChanged) {
  start();
  EXPECT_EQ(said_inside("touch /new; rm /bin/wc; chmod 700 /root"), "");
  const Outcome outcome = docker({"diff", name()});
  for (const char* line : {"A /new\n", "D /bin/wc\n", "C /root\n"}) {
    EXPECT_NE(outcome.out.find(line), std::string::npos) << outcome.out;
  }
  EXPECT_EQ(outcome.out.find("/proc"), std::string::npos) << outcome.out;
  remove();
}

TEST_F(DockerFiles, CommitMakesAnImageOfThem) {
  start();
  EXPECT_EQ(said_inside("echo kept >/kept"), "");
  EXPECT_TRUE(succeeds(docker({"commit", "--change=CMD cat /kept", name(), "committed"})));
  EXPECT_EQ(docker({"run", "--rm", "--network=none", "committed"}).out, "kept\n");
  remove();
  EXPECT_TRUE(succeeds(docker({"rmi", "committed"})));
}

/// Three steps, each of which sees what the one before has made.
constexpr const char* kDockerfile =
    "FROM bb\n"
    "RUN echo one >/one\n"
    "USER 1000:1000\n"
    "WORKDIR /tmp\n"
    "RUN cat /one >two && id -u >>two && echo said by the step\n"
    "CMD cat /tmp/two\n";

class DockerBuild : public Docker {
 protected:
  void SetUp() override {
    Docker::SetUp();
    if (IsSkipped()) return;
    write_file("/srv/build/Dockerfile", kDockerfile);
    write_file("/srv/failing/Dockerfile", "FROM bb\nRUN echo said before; exit 42\n");
  }

  /// By the builder that makes a container for each step.
  static Outcome build_classic(const std::string& directory) {
    Call call;
    call.env.emplace_back("DOCKER_BUILDKIT=0");
    return docker({"build", "--no-cache", "--network=none", "--tag=built", directory}, call);
  }

  /// By BuildKit in the daemon, which calls "runc run". The client would need buildx for that,
  /// which Debian 12 has not: this is the request that it would send.
  static Outcome build_with_buildkit(const std::string& directory) {
    const std::string archive = directory + ".tar";
    EXPECT_TRUE(succeeds(
        call_program("tar", {"--create", "--file", archive, "--directory", directory, "."})));
    return call_program(
        "curl",
        {"--silent", "--show-error", "--unix-socket", "/run/docker.sock", "--request", "POST",
         "--header", "Content-Type: application/x-tar", "--data-binary", "@" + archive,
         "http://docker/v1.41/build?version=2&t=built&nocache=1&networkmode=none"});
  }

  static void check_what_was_built() {
    EXPECT_EQ(docker({"run", "--rm", "--network=none", "built"}).out, "one\n1000\n");
    EXPECT_TRUE(succeeds(docker({"rmi", "built"})));
  }
};

TEST_F(DockerBuild, RunsEachStep) {
  const Outcome outcome = build_classic("/srv/build");
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_NE(outcome.out.find("\nsaid by the step\n"), std::string::npos) << outcome.out;
  check_what_was_built();
}

TEST_F(DockerBuild, StopsAtAStepThatFails) {
  const Outcome outcome = build_classic("/srv/failing");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.out.find("\nsaid before\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("returned a non-zero code: 42"), std::string::npos) << outcome.err;
}

TEST_F(DockerBuild, BuildKitRunsEachStep) {
  if (find_program("curl").empty()) GTEST_SKIP() << "curl is not installed: tools/apt engines";
  const Outcome outcome = build_with_buildkit("/srv/build");
  EXPECT_NE(outcome.out.find("Successfully tagged built:latest"), std::string::npos) << outcome.out;
  check_what_was_built();
}

TEST_F(DockerBuild, BuildKitStopsAtAStepThatFails) {
  if (find_program("curl").empty()) GTEST_SKIP() << "curl is not installed: tools/apt engines";
  const Outcome outcome = build_with_buildkit("/srv/failing");
  EXPECT_NE(outcome.out.find("exit code: 42\""), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace rt::testing
