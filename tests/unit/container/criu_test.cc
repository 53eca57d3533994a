#include "runtime/container/criu.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/base/text.h"

namespace rt::container {
namespace {

/// An order whose directories are descriptors 5 and 6, which it does not keep.
class Order {
 public:
  Order() {
    order.images = UniqueFd(5);
    order.work = UniqueFd(6);
    order.log_file = "x.log";
  }
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;
  ~Order() {
    static_cast<void>(order.images.release());
    static_cast<void>(order.work.release());
    for (InheritedFd& one : order.inherited) static_cast<void>(one.fd.release());
  }

  CriuOrder order;
};

/// What every order has in front, and behind its paths.
constexpr const char* kFront =
    R"("opts":{"images_dir_fd":5,"work_dir_fd":6,"log_file":"x.log","log_level":4)";

TEST(CriuOrders, OfNothingAreADump) {
  const Order one;
  EXPECT_EQ(to_json(one.order),
            cat(R"({"type":"DUMP",)", kFront, R"(,"orphan_pts_master":true}})"));
}

TEST(CriuOrders, OfADump) {
  Order one;
  one.order.pid = 4711;
  one.order.parent = "../earlier";
  one.order.track_memory = true;
  one.order.leave_running = true;
  one.order.cgroups_mode = "SOFT";
  one.order.cgroup_yard = "/yard";
  one.order.freeze_cgroup = "/sys/fs/cgroup/a";
  one.order.external = {"mnt[/a b]:/a b", "file[1c:ff]"};
  EXPECT_EQ(to_json(one.order),
            cat(R"({"type":"DUMP",)", kFront,
                R"(,"parent_img":"../earlier","pid":4711,"orphan_pts_master":true,)"
                R"("leave_running":true,"track_mem":true,"freeze_cgroup":"/sys/fs/cgroup/a",)"
                R"("manage_cgroups":true,"manage_cgroups_mode":"SOFT","cgroup_yard":"/yard",)"
                R"("external":["mnt[/a b]:/a b","file[1c:ff]"]}})"));
}

TEST(CriuOrders, OfMemoryAlone) {
  Order one;
  one.order.task = CriuOrder::Task::kPreDump;
  one.order.pid = 4711;
  EXPECT_EQ(to_json(one.order), cat(R"({"type":"SINGLE_PRE_DUMP",)", kFront,
                                    R"(,"pid":4711,"orphan_pts_master":true}})"));
}

TEST(CriuOrders, OfARestore) {
  Order one;
  one.order.task = CriuOrder::Task::kRestore;
  one.order.root = "/root";
  one.order.cgroups_mode = "STRICT";
  one.order.cgroup_roots = {{"", "/a"}, {"memory", "/b/a"}};
  one.order.lsm_profile = "apparmor:web";
  one.order.lsm_mount_context = "u:r:t";
  one.order.external = {"mnt[/a]:/tmp/0"};
  one.order.inherited.push_back({.key = "pipe:[7]", .fd = UniqueFd(1)});
  one.order.inherited.push_back({.key = "extRootNetNS", .fd = UniqueFd(9)});
  EXPECT_EQ(to_json(one.order),
            cat(R"({"type":"RESTORE",)", kFront,
                R"(,"root":"/root","lsm_profile":"apparmor:web","lsm_mount_context":"u:r:t",)"
                R"("orphan_pts_master":true,"notify_scripts":true,"rst_sibling":true,)"
                R"("manage_cgroups":true,"manage_cgroups_mode":"STRICT",)"
                R"("cg_root":[{"path":"/a"},{"ctrl":"memory","path":"/b/a"}],)"
                R"("external":["mnt[/a]:/tmp/0"],)"
                R"("inherit_fd":[{"key":"pipe:[7]","fd":1},{"key":"extRootNetNS","fd":9}]}})"));
}

TEST(CriuOrders, HaveEveryFlag) {
  Order one;
  one.order.network_lock = "NFTABLES";
  for (bool CriuOrder::* flag :
       {&CriuOrder::leave_running, &CriuOrder::tcp_established, &CriuOrder::tcp_close,
        &CriuOrder::tcp_skip_in_flight, &CriuOrder::external_unix_sockets, &CriuOrder::shell_job,
        &CriuOrder::file_locks, &CriuOrder::link_remap, &CriuOrder::auto_dedup,
        &CriuOrder::track_memory, &CriuOrder::empty_network}) {
    one.order.*flag = true;
  }
  EXPECT_EQ(to_json(one.order),
            cat(R"({"type":"DUMP",)", kFront,
                R"(,"network_lock":"NFTABLES","orphan_pts_master":true,"leave_running":true,)"
                R"("tcp_established":true,"tcp_close":true,"tcp_skip_in_flight":true,)"
                R"("ext_unix_sk":true,"shell_job":true,"file_locks":true,"link_remap":true,)"
                R"("auto_dedup":true,"track_mem":true,"empty_ns":1073741824}})"));
}

TEST(CriuOrders, LeaveCgroupsAloneWhenNobodySaysOtherwise) {
  Order one;
  one.order.cgroup_yard = "/yard";
  one.order.cgroup_roots = {{"", "/a"}};
  EXPECT_EQ(to_json(one.order),
            cat(R"({"type":"DUMP",)", kFront, R"(,"orphan_pts_master":true}})"));
}

TEST(CriuOrders, QuoteWhatAContainerIsCalled) {
  Order one;
  one.order.external = {"mnt[/\"\n\x01]:/\xc3\xa4"};
  const std::string json = to_json(one.order);
  EXPECT_NE(json.find(R"("external":["mnt[/\"\n\u0001]:/ä"])"), std::string::npos) << json;
}

using Lines = std::vector<std::string>;

TEST(ErrorsInLog, AreTheFirstWithoutTimeAndPlace) {
  EXPECT_EQ(errors_in_log("(00.000001) Version: 3.17\n"
                          "(00.083412) Error (criu/mount.c:753): mnt: 51:./x: no root\n"
                          "(00.083413) Warn  (criu/x.c:1): Error in a warning\n"
                          "(00.083419)      1: Error (criu/files.c:1): no such luck\n"
                          "(00.083420) Error (criu/files.c:2): third\n"
                          "(00.083421) Error (criu/files.c:2): fourth\n",
                          3),
            (Lines{"mnt: 51:./x: no root", "no such luck", "third"}));
}

TEST(ErrorsInLog, AreNotWhatIsSaidOfEveryFailure) {
  EXPECT_EQ(errors_in_log("(00.01) Error (criu/tun.c:85): tun: Unable to create tun: No such file\n"
                          "(00.02) Error (criu/cr-dump.c:2053): Dumping FAILED.\n"
                          "(00.02) Error (criu/cr-restore.c:2537): Restoring FAILED.\n"
                          "(00.03) Error (criu/files.c:1): it FAILED. Twice\n",
                          3),
            Lines{"it FAILED. Twice"});
}

TEST(ErrorsInLog, AreThereWithoutANewlineAtTheEnd) {
  EXPECT_EQ(errors_in_log("(00.01) Error (a.c:1): cut off", 3), Lines{"cut off"});
}

struct NoErrorRow {
  const char* name;
  std::string log;
};

class NoErrors : public ::testing::TestWithParam<NoErrorRow> {};

TEST_P(NoErrors, AreFound) { EXPECT_EQ(errors_in_log(GetParam().log, 3), Lines{}); }

INSTANTIATE_TEST_SUITE_P(
    Logs, NoErrors,
    ::testing::Values(NoErrorRow{"Empty", ""}, NoErrorRow{"Newlines", "\n\n\n"},
                      NoErrorRow{"Success", "(00.09) Dumping finished successfully\n"},
                      NoErrorRow{"WithoutAPlace", "(00.01) Error (criu/files.c"},
                      NoErrorRow{"QuotedByTheContainer",
                                 "(00.010000) cg: the cgroup is called Error (x.c:1): you lose\n"},
                      NoErrorRow{"Bytes", std::string("\0\xff(Error \0", 10)}),
    [](const auto& row) { return row.param.name; });

TEST(ErrorsInLog, AreAsManyAsAreWanted) {
  const std::string line = "(00.01) Error (a.c:1): no\n";
  EXPECT_EQ(errors_in_log(line + line + line, 0), Lines{});
  EXPECT_EQ(errors_in_log(line + line + line, 1), Lines{"no"});
  EXPECT_EQ(errors_in_log(line + line + line, 9).size(), 3U);
}

}  // namespace
}  // namespace rt::container
