// Many containers of dockerd: at once, and one after the other. ENGINE_CONTAINERS: how many of the
// latter; nothing may be left of any of them, nor grow.
#include "runtime/base/text.h"
#include "tests/engines/docker.h"
#include "tests/engines/many.h"

namespace rt::testing {
namespace {

constexpr int kAtOnce = 50;

class DockerMany : public Docker {
 protected:
  [[nodiscard]] std::string numbered(int number) const { return cat(name(), '-', number); }
};

TEST_F(DockerMany, StartedAtOnceAllRunAndAreRemoved) {
  using Numbers = std::vector<int>;
  const auto docker_says = [](const std::vector<std::string>& args, const std::string& text) {
    const Outcome outcome = docker(args);
    return outcome.exit_code == 0 && outcome.out.find(text) != std::string::npos;
  };
  EXPECT_EQ(failed_at_once(kAtOnce,
                           [&](int number) {
                             return docker_says({"run", "--detach", "--network=none", "--name",
                                                 numbered(number), "bb", "sleep", "1000"},
                                                "");
                           }),
            Numbers());
  EXPECT_EQ(failed_at_once(kAtOnce,
                           [&](int number) {
                             return docker_says(
                                 {"inspect", "--format={{.State.Status}}", numbered(number)},
                                 "running\n");
                           }),
            Numbers());
  EXPECT_EQ(failed_at_once(kAtOnce,
                           [&](int number) {
                             return docker_says({"exec", numbered(number), "cat", "/proc/1/comm"},
                                                "sleep\n");
                           }),
            Numbers());
  EXPECT_EQ(failed_at_once(
                kAtOnce,
                [&](int number) { return docker_says({"rm", "--force", numbered(number)}, ""); }),
            Numbers());
}

TEST_F(DockerMany, RunAtOnceEachHasItsOutputAndExitCode) {
  const std::vector<int> failed = failed_at_once(kAtOnce, [](int number) {
    const Outcome outcome = run_shell({}, cat("echo ", number, "; exit ", number));
    return outcome.exit_code == number && outcome.out == cat(number, '\n');
  });
  EXPECT_EQ(failed, std::vector<int>());
}

TEST_F(DockerMany, InSequenceLeaveNothingBehind) {
  expect_no_growth(number_from("ENGINE_CONTAINERS", 100),
                   {"dockerd", "containerd", "containerd-shim"}, [](int number) {
                     const int code = number % 100;
                     return run_shell({}, cat("exit ", code)).exit_code == code;
                   });
}

}  // namespace
}  // namespace rt::testing
