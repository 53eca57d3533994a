// Configs made by chance: what the probe sees is what the document says, field by field.
//
// $CONFORMANCE_SEED is the first seed (1 when not set), $CONFORMANCE_CONFIGS how many each test
// makes.
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/conformance/expectation.h"
#include "tests/conformance/generator.h"

namespace rt::conformance {
namespace {

constexpr int kTests = 8;
constexpr uint64_t kConfigs = 30;

uint64_t setting(const char* name, uint64_t absent) {
  const char* text = std::getenv(name);
  return text == nullptr ? absent : parse_uint(text).value_or(absent);
}

/// A process with namespaces of its own that generated configs join.
class Holder {
 public:
  Holder() {
    int ready[2];
    if (::pipe(ready) < 0) std::abort();
    pid_ = ::fork();
    if (pid_ < 0) std::abort();  // kill(2) takes -1 for everybody
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool made = ::unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0;
      if (!made || ::write(ready[1], "x", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    char byte = 0;
    ::close(ready[1]);
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] std::string namespaces() const { return cat("/proc/", pid_, "/ns"); }

 private:
  pid_t pid_ = 0;
};

class Generated : public Conformance, public ::testing::WithParamInterface<int> {
 protected:
  void prepare_root() const {
    for (int i = 0; i < 6; ++i) make_directory(cat(rootfs(), "/m", i));
    for (const char* name : {"/masked", "/kept"}) {
      make_directory(rootfs() + name);
      write(cat(rootfs(), name, "/inside"), "text");
      write(cat(rootfs(), name, "-file"), "text");
    }
    make_directory(directory() + "/source");
    write(directory() + "/source/inside", "text");
  }

  void expect_seen() {
    const Caller caller = Caller::now();
    std::vector<std::string> words = {"/probe"};
    for (const std::string& question : questions_about(config_.json())) words.push_back(question);
    config_.args(words);
    const Outcome outcome = run();
    ASSERT_TRUE(succeeds(outcome));
    const Json report(outcome.out);
    ASSERT_TRUE(report.valid()) << outcome.out;
    for (const std::string& one : differences(config_.json(), report, caller)) {
      ADD_FAILURE() << one;
    }
  }
};

TEST_P(Generated, ConfigsAreWhatTheProbeSees) {
  const uint64_t seed = setting("CONFORMANCE_SEED", 1) + static_cast<uint64_t>(GetParam());
  const uint64_t configs = setting("CONFORMANCE_CONFIGS", kConfigs);
  RecordProperty("seed", cat(seed));
  prepare_root();
  const Holder holder;
  Generator generator(seed, {.source = directory() + "/source", .joined = holder.namespaces()});
  for (uint64_t number = 0; number < configs; ++number) {
    config_ = generator.next();
    SCOPED_TRACE(cat("seed ", seed, ", config ", number, ": ", config_.text()));
    expect_seen();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Generated, ::testing::Range(0, kTests));

}  // namespace
}  // namespace rt::conformance
