// Documents beside config.json: those that the caller hands over through a descriptor, as bash does
// with <(jq ...), and those that earlier updates have kept.
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Documents : public Container {
 protected:
  /// The command, with a pipe as its descriptor 63. `text` is written when it waits for that.
  [[nodiscard]] Outcome hand_over(const std::vector<std::string>& words,
                                  std::string_view text) const {
    sys::Pipe pipe = sys::pipe().value();
    Call call = this->call(words);
    call.before_exec = [&] { ::dup2(pipe.read.get(), 63); };
    Program program(runtime_binary(), call);
    EXPECT_TRUE(eventually([&] { return is_idle(program.pid()); }));
    EXPECT_TRUE(sys::write_all(pipe.write.get(), text).ok());
    pipe.write.reset();
    return program.wait();
  }
  [[nodiscard]] std::string kept(const char* file) const {
    return cat(state_root(), '/', id(), '/', file);
  }

 private:
  /// Whether it sleeps, or has ended. proc(5), /proc/PID/stat.
  [[nodiscard]] bool is_idle(pid_t pid) const {
    const std::string stat = read(cat("/proc/", pid, "/stat"));
    const size_t end = stat.rfind(") ");
    return end != std::string::npos &&
           std::string_view("SZ").find(stat[end + 2]) != std::string::npos;
  }
};

class Limits : public Documents {
 protected:
  void SetUp() override {
    Documents::SetUp();
    if (!IsSkipped() && !hierarchy_with("pids")) GTEST_SKIP() << "no controller pids";
  }
};

TEST_F(Limits, MayComeThroughADescriptor) {
  start_sleeping();
  const std::string text = R"({"pids": {"limit": 41}})";
  EXPECT_TRUE(succeeds(hand_over({"update", "--resources", "/dev/fd/63", id()}, text)));
  EXPECT_EQ(Json(read(kept("resources.json"))).at("/pids/limit"), "41");
  EXPECT_TRUE(fails_saying(hand_over({"update", "-r", "/dev/fd/62", id()}, text), "/dev/fd/62"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Documents, OfAProcessMayComeThroughADescriptor) {
  start_sleeping();
  const Outcome outcome = hand_over({"exec", "--process", "/dev/fd/63", id()},
                                    R"({"cwd": "/", "args": ["/bin/ls", "/proc/self/fd"]})");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0\n1\n2\n3\n") << "the descriptor is not the payload's";
  EXPECT_TRUE(succeeds(remove_by_force()));
}

/// Which limits hold is not known any more: it is said, and nothing is done.
TEST_F(Limits, ThatAreKeptAndDamagedAreNamedWithWhatToDo) {
  start_sleeping();
  for (const char* file : {"resources.json", "update.json"}) {
    ASSERT_TRUE(succeeds(runtime({"update", "--pids-limit", "41", id()})));
    write(kept(file), "{\"pids\": {\n");
    const Outcome outcome = runtime({"update", "--pids-limit", "42", id()});
    EXPECT_TRUE(fails_saying(outcome, cat(kept(file), ":2:1: damaged: ")));
    EXPECT_NE(outcome.err.find("; remove it, and repeat th"), std::string::npos) << outcome.err;
    EXPECT_NE(Json(read(kept("resources.json"))).at("/pids/limit"), "42");
    ASSERT_EQ(::unlink(kept(file).c_str()), 0);
    EXPECT_TRUE(succeeds(runtime({"update", "--pids-limit", "43", id()})));
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

}  // namespace
}  // namespace rt::testing
