// Several commands on one container at the same time: exactly one wins, and none hangs.
#include <signal.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Concurrency : public Container {
 protected:
  /// Starts `count` of the same command before it waits for the first.
  std::vector<Outcome> at_once(size_t count, const std::vector<std::string>& args) const {
    std::vector<Program> programs;
    programs.reserve(count);
    for (size_t i = 0; i < count; ++i) programs.emplace_back(runtime_binary(), call(args));
    std::vector<Outcome> outcomes;
    outcomes.reserve(count);
    for (Program& program : programs) outcomes.push_back(program.wait());
    return outcomes;
  }
  static size_t successes(const std::vector<Outcome>& outcomes) {
    return static_cast<size_t>(
        std::ranges::count_if(outcomes, [](const Outcome& each) { return each.exit_code == 0; }));
  }
};

TEST_F(Concurrency, OfManyCreatesOneWins) {
  for (int round = 0; round < 5; ++round) {
    const auto outcomes = at_once(4, {"create", id(), bundle()});
    EXPECT_EQ(successes(outcomes), 1U);
    for (const Outcome& outcome : outcomes) {
      if (outcome.exit_code != 0) {
        EXPECT_TRUE(fails_saying(outcome, "container with given ID already exists"));
      }
    }
    EXPECT_EQ(status(), "created") << "the losers left the winner alone";
    EXPECT_TRUE(succeeds(remove()));
  }
}

TEST_F(Concurrency, OfManyStartsOneWins) {
  config_.shell("echo x >> /tmp/ran; exec sleep 1000");
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(succeeds(create()));
    EXPECT_EQ(successes(at_once(4, {"start", id()})), 1U);
    EXPECT_EQ(status(), "running");
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
  EXPECT_EQ(read(rootfs() + "/tmp/ran").size() % 2, 0U);
}

TEST_F(Concurrency, ManyDeletesByForceAreAllFine) {
  for (int round = 0; round < 3; ++round) {
    config_.shell("exec sleep 1000");
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    for (const Outcome& outcome : at_once(8, {"delete", "--force", id()})) {
      const bool fine =
          outcome.exit_code == 0 || outcome.err.find("does not exist") != std::string::npos;
      EXPECT_TRUE(fine) << outcome.err;
    }
    EXPECT_TRUE(fails_saying(runtime({"state", id()}), "container does not exist"));
  }
}

TEST_F(Concurrency, CreateAndDeleteByForceLeaveAllOrNothing) {
  for (int round = 0; round < 20; ++round) {
    write_config();
    Program creating(runtime_binary(), call({"create", id(), bundle()}));
    Program deleting(runtime_binary(), call({"delete", "--force", id()}));
    const Outcome created = creating.wait();
    EXPECT_TRUE(succeeds(deleting.wait()));
    const std::string now = status();
    EXPECT_TRUE(now == "created" || now.find("does not exist") != std::string::npos) << now;
    if (created.exit_code != 0) {
      EXPECT_NE(now, "created") << "create failed: " << created.err;
    }
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
}

TEST_F(Concurrency, StartAndKillEndInStopped) {
  config_.shell("exec sleep 1000");
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(succeeds(create()));
    Program starting(runtime_binary(), call({"start", id()}));
    Program killing(runtime_binary(), call({"kill", id(), "KILL"}));
    const Outcome started = starting.wait();
    EXPECT_TRUE(started.exit_code == 0 || started.exit_code == 1) << started.err;
    EXPECT_TRUE(succeeds(killing.wait()));
    EXPECT_TRUE(becomes("stopped"));
    EXPECT_TRUE(succeeds(remove()));
  }
}

TEST_F(Concurrency, DifferentContainersDoNotWaitForEachOther) {
  std::vector<Program> programs;
  programs.reserve(8);
  write_config();
  for (int i = 0; i < 8; ++i)
    programs.emplace_back(runtime_binary(), call({"run", id(i), bundle()}));
  for (Program& program : programs) EXPECT_TRUE(succeeds(program.wait()));
}

TEST_F(Concurrency, StateAnswersWhileOthersAreAtWork) {
  write_config();
  for (int round = 0; round < 10; ++round) {
    Program creating(runtime_binary(), call({"create", id(), bundle()}));
    const std::string during = status();
    const bool known = during == "creating" || during == "created" || during == "stopped" ||
                       during.find("does not exist") != std::string::npos;
    EXPECT_TRUE(known) << during;
    EXPECT_NE(during, "stopped") << "it is being created";
    EXPECT_TRUE(succeeds(creating.wait()));
    EXPECT_TRUE(succeeds(remove()));
  }
}

}  // namespace
}  // namespace rt::testing
